"""Caption revisions: append-only, with a pointer to the current one, and people before machines.

1. A text becomes current when it is added, unless a model's text would replace a person's: then it
   waits beside it as a proposal.
2. Undo moves the pointer to the revision that was current before; no text is ever deleted.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.clock import now
from catalog.errors import HaeseolError, NotFoundError, UsageError
from catalog.schema import Caption, Origin, Scene, Video
from catalog.search.index.documents import put_document
from catalog.status import refresh_status


class ConflictError(HaeseolError):
    """The text changed since the person began to edit it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A text on its way into the catalog."""

    text: str
    origin: Origin
    model: str = ""
    quantization: str = "none"
    prompt: str = ""
    frames: Sequence[float] = ()
    """The times of the frames that were looked at, in seconds."""
    provenance: dict[str, Any] = field(default_factory=dict)
    review: Sequence[str] = ()
    created_at: int | None = None


def add_revision(
    session: Session,
    video_id: int,
    draft: Draft,
    *,
    scene_id: int | None = None,
    job_id: int | None = None,
) -> Caption:
    """Adds a revision to a video, or to one of its scenes, and makes it current if it may be."""
    subject = _subject(session, video_id, scene_id)
    current = _current(session, subject)
    waits = draft.origin == Origin.MODEL and current is not None and current.origin == Origin.HUMAN
    if waits:
        _drop_older_proposals(session, video_id, scene_id)
    revision = Caption(
        video_id=video_id,
        scene_id=scene_id,
        text=unicodedata.normalize("NFC", draft.text),
        origin=draft.origin,
        model=draft.model,
        quantization=draft.quantization,
        prompt=draft.prompt,
        frames=list(draft.frames),
        provenance=draft.provenance,
        review=list(draft.review),
        created_at=now() if draft.created_at is None else draft.created_at,
        job_id=job_id,
        previous_id=None if waits else subject.caption_id,
        proposed=int(waits),
    )
    session.add(revision)
    session.flush()
    if not waits:
        _point_at(session, subject, revision)
    return revision


def edit(
    session: Session,
    video_id: int,
    text: str,
    *,
    scene_id: int | None = None,
    expected_id: int | None = None,
) -> Caption:
    """Adds a person's text. `expected_id` is the revision they began from.

    Raises `ConflictError` if another one is current by now, and `UsageError` for an empty text.
    """
    if not text.strip():
        raise UsageError("the text is empty; `haeseol undo` takes a text back")
    subject = _subject(session, video_id, scene_id)
    if expected_id is not None and subject.caption_id != expected_id:
        raise ConflictError(
            f"the text of video {video_id} changed while it was edited; look at it, then edit again"
        )
    return add_revision(session, video_id, Draft(text.strip(), Origin.HUMAN), scene_id=scene_id)


def undo(session: Session, video_id: int, *, scene_id: int | None = None) -> Caption | None:
    """Makes the revision before the current one current. Returns it; None if there was no text before.

    Before a first text of a person, a text of the model that waits beside it takes its place.
    Raises `NotFoundError` if there is nothing to undo.
    """
    subject = _subject(session, video_id, scene_id)
    current = _current(session, subject)
    if current is None:
        raise NotFoundError(f"video {video_id} has no text to undo")
    previous = (
        None if current.previous_id is None else session.get_one(Caption, current.previous_id)
    )
    if previous is None and current.origin == Origin.MODEL:
        raise NotFoundError(f"the text of video {video_id} is its first; there is nothing to undo")
    if previous is None:
        waiting = [one for one in history(session, video_id, scene_id=scene_id) if one.proposed]
        if waiting:
            return accept(session, waiting[0].id)
    _point_at(session, subject, previous)
    return previous


def accept(session: Session, revision_id: int) -> Caption:
    """Makes a waiting proposal current. Raises `NotFoundError` if it does not wait."""
    proposal = session.get(Caption, revision_id)
    if proposal is None or not proposal.proposed:
        raise NotFoundError(f"no proposal {revision_id} waits")
    subject = _subject(session, proposal.video_id, proposal.scene_id)
    proposal.proposed, proposal.previous_id = 0, subject.caption_id
    _point_at(session, subject, proposal)
    return proposal


def drop(session: Session, revision_id: int) -> None:
    """Puts a waiting proposal aside; it stays in the history. Raises `NotFoundError`."""
    proposal = session.get(Caption, revision_id)
    if proposal is None or not proposal.proposed:
        raise NotFoundError(f"no proposal {revision_id} waits")
    proposal.proposed = 0


def noted_scenes(session: Session, job_id: int) -> set[int]:
    """The ids of the scenes that a job has captioned already: its checkpoint."""
    rows = session.scalars(select(Caption.scene_id).where(Caption.job_id == job_id))
    return {scene_id for scene_id in rows if scene_id is not None}


def history(session: Session, video_id: int, *, scene_id: int | None = None) -> list[Caption]:
    """Every revision, the newest first."""
    of_scene = Caption.scene_id.is_(None) if scene_id is None else Caption.scene_id == scene_id
    return list(
        session.scalars(
            select(Caption)
            .where(Caption.video_id == video_id, of_scene)
            .order_by(Caption.id.desc())
        )
    )


def find_scene(session: Session, video_id: int, index: int) -> Scene:
    """A scene by its place in the video, from 0. Raises `NotFoundError`."""
    scene = session.scalars(
        select(Scene).where(Scene.video_id == video_id, Scene.idx == index)
    ).one_or_none()
    if scene is None:
        raise NotFoundError(f"video {video_id} has no scene {index}; `haeseol show` lists them")
    return scene


def _subject(session: Session, video_id: int, scene_id: int | None) -> Video | Scene:
    found = session.get(Video, video_id) if scene_id is None else session.get(Scene, scene_id)
    if found is None:
        raise NotFoundError(f"there is no video {video_id} in the catalog")
    return found


def _current(session: Session, subject: Video | Scene) -> Caption | None:
    return None if subject.caption_id is None else session.get_one(Caption, subject.caption_id)


def _point_at(session: Session, subject: Video | Scene, revision: Caption | None) -> None:
    subject.caption_id = None if revision is None else revision.id
    content = "" if revision is None else revision.text
    if isinstance(subject, Scene):
        put_document(session, subject.video_id, "note", content, subject.id)
        refresh_status(session, subject.video_id)
    else:
        put_document(session, subject.id, "caption", content)
        refresh_status(session, subject.id)


def _drop_older_proposals(session: Session, video_id: int, scene_id: int | None) -> None:
    for revision in history(session, video_id, scene_id=scene_id):
        revision.proposed = 0
