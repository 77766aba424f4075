"""JSON Lines: the whole catalog, one video a line. Importing an export gives the same catalog back.

A line may also come from elsewhere, with no more than a path and a caption:

    {"path": "…", "duration": null, "caption": "…", "tags": [],
     "scenes": [{"start": 0.0, "end": 4.2, "note": "…"}]}

Its texts count as a person's unless the line says `"origin": "model"`.
"""

import base64
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from catalog import browse, captions, library
from catalog.clock import from_iso, iso, now
from catalog.database import Catalog
from catalog.errors import ADVICE, ErrorCode, HaeseolError
from catalog.paths import path_key
from catalog.schema import Caption, Job, JobState, Location, Origin, Scene, Video, VideoStatus
from catalog.search.index.documents import put_document
from catalog.status import refresh_status
from catalog.views import CaptionView, Json, VideoView

SCHEMA = "haeseol/v1"


class BadLineError(HaeseolError):
    """A line of the file is not what it should be; nothing of it was taken."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    added: int
    known: int
    """Videos that were in the catalog already, and stayed as they were."""


# Export -------------------------------------------------------------------------------------------


def export_lines(catalog: Catalog) -> Iterator[str]:
    """One line a video, the oldest first."""
    with catalog.read() as connection:
        ids = sorted(browse.video_ids(connection))
        for view in browse.videos(connection, ids):
            yield json.dumps(_record(connection, view), ensure_ascii=False)


def _record(connection: browse.Connection, view: VideoView) -> Json:
    record = {"schema": SCHEMA, **view.json()}
    del record["id"]
    record["caption"] = view.caption and view.caption.text
    record["added_at"] = iso(view.added_at)
    record["rotation"] = view.rotation
    record["path_bytes"] = [
        None if os.fsencode(shown) == raw else base64.b64encode(raw).decode()
        for shown, raw in zip(view.paths, view.raw_paths, strict=True)
    ]
    record["scenes"] = [
        {
            "start": scene.start,
            "end": scene.end,
            "note": scene.note and scene.note.text,
            "keyframe": scene.keyframe,
            "moments": _moments(connection, scene.id),
            "thumbnail": _base64(browse.thumbnail(connection, scene.id)),
            "revisions": _revisions(browse.revisions(connection, view.id, scene.id), scene.note),
        }
        for scene in view.scenes
    ]
    record["revisions"] = _revisions(browse.revisions(connection, view.id), view.caption)
    record["job"] = _open_job(view)
    return record


def _open_job(view: VideoView) -> Json | None:
    """The newest job, unless it is done."""
    if view.job is None or view.job.state == JobState.DONE:
        return None
    job = view.job.json()
    del job["id"], job["video"]
    return job


def _moments(connection: browse.Connection, scene_id: int) -> list[float]:
    row = connection.execute("SELECT moments FROM scene WHERE id = ?", (scene_id,)).fetchone()
    moments: list[float] = json.loads(row["moments"])
    return moments


def _base64(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _revisions(newest_first: Sequence[CaptionView], current: CaptionView | None) -> list[Json]:
    """Revisions from old to new; `previous` is the place in this list where undo goes."""
    ordered = list(reversed(newest_first))
    place = {revision.id: index for index, revision in enumerate(ordered)}
    return [
        {
            **revision.json(),
            "provenance": revision.provenance,
            "current": current is not None and revision.id == current.id,
            "proposed": revision.proposed,
            "previous": place.get(revision.previous_id) if revision.previous_id else None,
        }
        for revision in ordered
    ]


# Import -------------------------------------------------------------------------------------------


def import_lines(catalog: Catalog, lines: Iterable[str], source: str) -> Imported:
    """Takes in lines, all or none. Videos that the catalog knows already stay as they are.

    Raises `BadLineError`, which names `source`, the line and what is wrong with it.
    """
    added = known = 0
    with catalog.write() as session:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line, parse_constant=_no_constant)
                if not isinstance(record, dict):
                    raise TypeError("a line must hold one JSON object")
                taken = _take(session, record)
            except _BAD_LINE as error:
                reason = f"the key {error} is missing" if isinstance(error, KeyError) else error
                reason = getattr(error, "orig", None) or reason
                raise BadLineError(
                    f"{source}, line {number}: {reason}. Nothing was imported; mend the line and "
                    "import again"
                ) from error
            added, known = added + taken, known + (not taken)
    return Imported(added, known)


_BAD_LINE = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    SQLAlchemyError,
)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number that JSON knows")


def _take(session: Session, record: Json) -> bool:
    paths = _raw_paths(record)
    told_path = paths[0] if paths else os.fsencode(record["path"])
    content_id = record.get("content_id") or _content_id_of(told_path)
    if library.find_content(session, content_id) or session.scalar(
        select(exists().where(Location.path.in_(paths)))
    ):
        return False
    video = Video(
        content_id=content_id,
        size=int(record.get("size") or 0),
        title=record.get("title") or library.title_of(told_path),
        status=VideoStatus.OFFLINE,
        added_at=from_iso(record["added_at"]) if record.get("added_at") else now(),
    )
    for column in ("duration", "width", "height", "fps", "codec", "rotation", "recorded_at"):
        setattr(video, column, record.get(column))
    session.add(video)
    session.flush()
    _take_locations(session, video, paths)
    put_document(session, video.id, "title", video.title)
    keys = [path_key(path) for path in paths or [told_path]]
    put_document(session, video.id, "path", "\n".join(keys))
    library.set_tags(session, video.id, record.get("tags") or [])
    _take_texts(session, video, None, record, record.get("caption"))
    for index, scene_record in enumerate(record.get("scenes") or []):
        _take_scene(session, video, index, scene_record)
    _take_job(session, video, record)
    refresh_status(session, video.id)
    return True


def _raw_paths(record: Json) -> list[bytes]:
    """The places of the file; none for a content that was overwritten but has texts."""
    shown = record["paths"] if "paths" in record else [record["path"]]
    encoded = record.get("path_bytes") or [None] * len(shown)
    paths = [
        os.fsencode(Path(path).absolute()) if raw is None else base64.b64decode(raw)
        for path, raw in zip(shown, encoded, strict=True)
    ]
    if not all(shown) or not all(paths):
        raise ValueError("a path is empty")
    return list(dict.fromkeys(paths))


def _content_id_of(path: bytes) -> str:
    """The fingerprint of a file that is here; for one that is not, a stand-in made of its path."""
    from catalog.fingerprint import fingerprint

    try:
        return fingerprint(Path(os.fsdecode(path)))
    except OSError:
        return library.unseen_content_id(path)


def _take_locations(session: Session, video: Video, paths: Sequence[bytes]) -> None:
    for path in paths:
        try:
            volume, online = library.FileSeen.of(path).volume, 1
        except OSError:
            volume, online = "", 0
        session.add(
            Location(
                video_id=video.id,
                path=path,
                path_key=path_key(path),
                volume=volume,
                size=video.size,
                # No file is of 1970: the next scan reads it, and sees whether it is what was told of.
                mtime_ns=0,
                online=online,
                first_seen=now(),
                last_seen=now(),
            )
        )
    session.flush()


def _take_scene(session: Session, video: Video, index: int, record: Json) -> None:
    start, end = float(record["start"]), float(record["end"])
    if not 0 <= start < end:
        raise ValueError(f"scene {index} must start before it ends: {start} to {end}")
    thumbnail, moments = record.get("thumbnail"), record.get("moments") or []
    if not isinstance(moments, list):
        raise TypeError(f"the moments of scene {index} are a list of seconds, not {moments!r}")
    scene = Scene(
        video_id=video.id,
        idx=index,
        start=start,
        end=end,
        keyframe=float(record.get("keyframe") or (start + end) / 2),
        thumbnail=None if thumbnail is None else base64.b64decode(thumbnail),
        moments=[
            round(float(moment), 3)
            for moment in moments
            # Further outside than rounding goes, it would show another scene.
            if start - 0.001 <= float(moment) <= end + 0.001
        ],
    )
    session.add(scene)
    session.flush()
    _take_texts(session, video, scene, record, record.get("note"))


def _take_texts(
    session: Session, video: Video, scene: Scene | None, record: Json, text: Any
) -> None:
    """Takes the revisions of a text, or the bare text of a foreign file."""
    if text is not None and not isinstance(text, str):
        raise TypeError(f"a caption or a note is a text, not {text!r}")
    subject = video if scene is None else scene
    field = "caption" if scene is None else "note"
    scene_id = None if scene is None else scene.id
    if record.get("revisions"):
        rows = _take_revisions(session, video.id, scene_id, record["revisions"])
        subject.caption_id = next((row.id for row, current in rows if current), None)
        put_document(session, video.id, field, text or "", scene_id)
    elif text and text.strip():
        origin = Origin(record.get("origin", Origin.HUMAN))
        captions.add_revision(
            session,
            video.id,
            captions.Draft(text.strip(), origin, model=record.get("model", "")),
            scene_id=scene_id,
        )


def _take_revisions(
    session: Session, video_id: int, scene_id: int | None, revisions: Sequence[Json]
) -> list[tuple[Caption, bool]]:
    rows: list[tuple[Caption, bool]] = []
    for revision in revisions:
        row = Caption(
            video_id=video_id,
            scene_id=scene_id,
            text=revision["text"],
            origin=Origin(revision["origin"]),
            model=revision["model"],
            quantization=revision["quantization"],
            prompt=revision["prompt"],
            frames=revision["frames"],
            provenance=revision.get("provenance") or {},
            review=revision["review"],
            created_at=from_iso(revision["created_at"]),
            proposed=int(revision.get("proposed", False)),
        )
        session.add(row)
        session.flush()
        rows.append((row, bool(revision.get("current"))))
    # In a second pass: a proposal that was accepted late goes back to a younger text.
    for (row, _), revision in zip(rows, revisions, strict=True):
        previous = revision.get("previous")
        row.previous_id = None if previous is None else rows[previous][0].id
    session.flush()
    return rows


def _take_job(session: Session, video: Video, record: Json) -> None:
    """What waited, failed or was given up goes on so; a foreign line without a caption waits."""
    job: Json | None = record.get("job")
    if job is None:
        if video.caption_id is None and "job" not in record:
            session.add(_job(video, JobState.QUEUED))
        return
    error: Json = job.get("error") or {}
    state = JobState(job["state"])
    restored = _job(video, JobState.QUEUED if state is JobState.RUNNING else state)
    restored.prompt, restored.model, restored.frames = job["prompt"], job["model"], job["frames"]
    restored.priority, restored.attempts = int(job["priority"]), int(job["attempts"])
    if error:
        code = ErrorCode(error["code"])
        restored.error_code, restored.error_message = code, error.get("message") or ADVICE[code]
    restored.run_after = from_iso(job["run_after"])
    session.add(restored)


def _job(video: Video, state: JobState) -> Job:
    instant = now()
    return Job(
        kind="caption", video_id=video.id, state=state, run_after=instant, created_at=instant
    )
