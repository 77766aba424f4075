"""The library: watched folders, and which content lies at which path.

A video is a content, not a path. A move or a copy changes locations and starts no job; a path that is
gone makes its location offline and deletes nothing.
"""

import hashlib
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from catalog import queue, stretches
from catalog.clock import now
from catalog.errors import NotFoundError
from catalog.paths import path_key
from catalog.schema import Caption, Folder, Location, Scene, Tag, Video, VideoStatus
from catalog.search.index.documents import put_document
from catalog.status import refresh_status

UNSEEN = "path-"
"""How the content id of a file begins that has never been read."""


@dataclass(frozen=True, slots=True)
class FileSeen:
    """A file as `stat` saw it."""

    path: bytes
    size: int
    mtime_ns: int
    volume: str

    @classmethod
    def of(cls, path: bytes) -> "FileSeen":
        """Looks at a file. Raises `OSError`."""
        stat = os.stat(path)
        return cls(path, stat.st_size, stat.st_mtime_ns, f"{stat.st_dev:x}")


class Placement(StrEnum):
    """What a file turned out to be."""

    NEW = "new"  # content never seen before
    KNOWN = "known"  # nothing has changed but perhaps its times
    MOVED = "moved"  # a known content, from a path that is gone
    COPIED = "copied"  # a known content, at one more path
    REPLACED = "replaced"  # a known path with another content


@dataclass(frozen=True, slots=True)
class SceneSpan:
    """A scene as it is stored: seconds, and a thumbnail of `width * height * 3` RGB bytes."""

    start: float
    end: float
    keyframe: float
    thumbnail: bytes | None = None
    moments: Sequence[float] = ()
    """Seconds from the start of the video, the most important first."""


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What probing told: seconds, pixels as shown, frames a second."""

    duration: float
    width: int
    height: int
    fps: float
    codec: str
    rotation: int
    recorded_at: str | None


def title_of(path: bytes) -> str:
    """The title of a new video: its file name without the ending."""
    return path_key(os.path.splitext(os.path.basename(path))[0])


# Folders ------------------------------------------------------------------------------------------


def add_folder(session: Session, path: Path, *, recursive: bool | None = None) -> Folder:
    """Watches a folder from now on; one that is watched already is found."""
    raw = os.fsencode(path)
    folder = session.scalars(select(Folder).where(Folder.path == raw)).one_or_none()
    if folder is None:
        folder = Folder(path=raw, added_at=now())
        session.add(folder)
    if recursive is not None:
        folder.recursive = int(recursive)
    session.flush()
    return folder


def find_folder(session: Session, path: Path) -> Folder:
    """The watched folder at a path. Raises `NotFoundError`."""
    folder = session.scalars(select(Folder).where(Folder.path == os.fsencode(path))).one_or_none()
    if folder is None:
        raise NotFoundError(f"{path} is not watched; `haeseol folders` lists those that are")
    return folder


def folder_of(session: Session, path: bytes) -> Folder | None:
    """The innermost watched folder that holds a path."""
    folders = session.scalars(select(Folder)).all()
    holding = [folder for folder in folders if path.startswith(folder.path.rstrip(b"/") + b"/")]
    return max(holding, key=lambda folder: len(folder.path), default=None)


# Contents and locations ---------------------------------------------------------------------------


def find_content(session: Session, content_id: str) -> Video | None:
    """The video of a content."""
    return session.scalars(select(Video).where(Video.content_id == content_id)).one_or_none()


def place_file(
    session: Session, seen: FileSeen, content_id: str, *, prompt: str = "", priority: int = 0
) -> tuple[int, Placement]:
    """Records that a content lies at a path, and queues a caption job for a new content.

    `prompt` and `priority` are for that job. Returns the video's id and what the file turned out to be.
    """
    location = session.scalars(select(Location).where(Location.path == seen.path)).one_or_none()
    video = find_content(session, content_id)
    placement = Placement.KNOWN
    if video is None and location is not None:
        video = _adopt_unseen(session, location, seen, content_id)
    if video is None:
        video, placement = _new_video(session, seen, content_id), Placement.NEW
    left: bytes | None = None
    if location is None:
        location, left = _location_for(session, video.id, seen)
        if placement is not Placement.NEW:
            placement = Placement.COPIED if left is None else Placement.MOVED
    elif location.video_id != video.id:
        replaced, location.video_id = location.video_id, video.id
        placement = Placement.REPLACED
        session.flush()
        _forget_if_empty(session, replaced)
    was_online = location.online
    location.size, location.mtime_ns, location.volume = seen.size, seen.mtime_ns, seen.volume
    location.online, location.last_seen = 1, now()
    session.flush()
    if placement is not Placement.KNOWN:
        _describe(session, video, seen.path, left)
    if video.caption_id is None and not queue.has_job(session, video.id):
        queue.put(session, video.id, prompt=prompt, priority=priority)
    elif placement is not Placement.KNOWN or not was_online:
        refresh_status(session, video.id)
    return video.id, placement


def unseen_content_id(path: bytes) -> str:
    """What stands for the fingerprint of a file that has been told of but never been seen."""
    return UNSEEN + hashlib.blake2b(path, digest_size=16).hexdigest()


def _adopt_unseen(
    session: Session, location: Location, seen: FileSeen, content_id: str
) -> Video | None:
    """Gives an imported video, whose file has come at last, the identity of its content."""
    video = session.get_one(Video, location.video_id)
    if not video.content_id.startswith(UNSEEN):
        return None
    video.content_id, video.size = content_id, seen.size
    return video


def _new_video(session: Session, seen: FileSeen, content_id: str) -> Video:
    video = Video(
        content_id=content_id,
        size=seen.size,
        title=title_of(seen.path),
        status=VideoStatus.QUEUED,
        added_at=now(),
    )
    session.add(video)
    session.flush()
    return video


def _location_for(session: Session, video_id: int, seen: FileSeen) -> tuple[Location, bytes | None]:
    """The row for a path new to the catalog: that of a copy that has left its place, else one more.

    Returns it with the path that was left, if one was.
    """
    for known in session.scalars(select(Location).where(Location.video_id == video_id)):
        if _has_left(known, seen.volume):
            left = known.path
            known.path, known.path_key = seen.path, path_key(seen.path)
            return known, left
    location = Location(
        video_id=video_id,
        path=seen.path,
        path_key=path_key(seen.path),
        volume=seen.volume,
        size=seen.size,
        mtime_ns=seen.mtime_ns,
        first_seen=now(),
        last_seen=now(),
    )
    session.add(location)
    return location, None


def _has_left(known: Location, volume: str) -> bool:
    """Whether a file is gone from its path for good, rather than with a disk that is not mounted."""
    if os.path.lexists(known.path):
        return False
    if known.volume == volume:
        return True
    try:
        return f"{os.stat(os.path.dirname(known.path)).st_dev:x}" == known.volume
    except OSError:
        return False


def _describe(session: Session, video: Video, path: bytes, left: bytes | None) -> None:
    """Keeps the searchable paths true, and a title that nobody chose in step with the file's name."""
    if left is not None and video.title == title_of(left):
        video.title = title_of(path)
    keys = session.scalars(
        select(Location.path_key).where(Location.video_id == video.id).order_by(Location.id)
    )
    put_document(session, video.id, "title", video.title)
    put_document(session, video.id, "path", "\n".join(keys))


def _forget_if_empty(session: Session, video_id: int) -> None:
    """Drops a content that no path holds and nobody ever captioned: a file that was still growing."""
    held = session.scalar(select(exists().where(Location.video_id == video_id)))
    captioned = session.scalar(select(exists().where(Caption.video_id == video_id)))
    if not held and not captioned:
        session.delete(session.get_one(Video, video_id))
        session.flush()
        return
    if not held:
        queue.cancel(session, video_id=video_id)
    refresh_status(session, video_id)


def set_online(session: Session, paths: Sequence[bytes], *, online: bool) -> int:
    """Marks locations as within reach or not. Returns how many changed."""
    changed = 0
    for location in session.scalars(select(Location).where(Location.path.in_(paths))).all():
        if bool(location.online) != online:
            location.online = int(online)
            refresh_status(session, location.video_id)
            changed += 1
    return changed


def online_path(session: Session, video_id: int) -> bytes | None:
    """A path where the content lies now, the one seen last."""
    return session.scalars(
        select(Location.path)
        .where(Location.video_id == video_id, Location.online == 1)
        .order_by(Location.last_seen.desc(), Location.id)
    ).first()


# Facts and scenes ---------------------------------------------------------------------------------


def record_facts(session: Session, video_id: int, facts: VideoFacts) -> None:
    """Stores what probing told."""
    video = session.get_one(Video, video_id)
    video.duration, video.width, video.height = facts.duration, facts.width, facts.height
    video.fps, video.codec, video.rotation = facts.fps, facts.codec, facts.rotation
    video.recorded_at = facts.recorded_at


def record_scenes(session: Session, video_id: int, spans: Sequence[SceneSpan]) -> None:
    """Stores the scenes of a video. Scenes that are there already stay, since notes hang on them."""
    stretches.forget(session, video_id)
    if session.scalar(select(exists().where(Scene.video_id == video_id))):
        return
    for index, span in enumerate(spans):
        session.add(
            Scene(
                video_id=video_id,
                idx=index,
                start=span.start,
                end=span.end,
                keyframe=span.keyframe,
                thumbnail=span.thumbnail,
                moments=[round(moment, 3) for moment in span.moments],
            )
        )


def scenes_of(session: Session, video_id: int) -> list[Scene]:
    """The scenes of a video in order."""
    return list(
        session.scalars(select(Scene).where(Scene.video_id == video_id).order_by(Scene.idx))
    )


def set_tags(session: Session, video_id: int, tags: Sequence[str]) -> None:
    """Replaces the tags of a video."""
    for tag in session.scalars(select(Tag).where(Tag.video_id == video_id)):
        session.delete(tag)
    session.flush()
    for name in dict.fromkeys(unicodedata.normalize("NFC", tag) for tag in tags):
        session.add(Tag(video_id=video_id, name=name))
    put_document(session, video_id, "tag", "\n".join(tags))


def offer_title(session: Session, video_id: int, path: bytes, title: str | None) -> None:
    """Gives a video a title, unless it has one that is more than its file's name."""
    video = session.get_one(Video, video_id)
    if title and video.title == title_of(path):
        video.title = title
        put_document(session, video_id, "title", title)


def offer_tags(session: Session, video_id: int, tags: Sequence[str]) -> None:
    """Gives a video tags, unless it has some."""
    if tags and not session.scalar(select(exists().where(Tag.video_id == video_id))):
        set_tags(session, video_id, tags)


def record_thumbnail(session: Session, scene_id: int, thumbnail: bytes) -> None:
    """Stores the small picture of a scene."""
    session.get_one(Scene, scene_id).thumbnail = thumbnail


def move_location(session: Session, source: bytes, seen: FileSeen) -> int | None:
    """Follows a rename at once, where the file is plainly the same. Returns the video's id.

    Else None: then the new path is looked at like any other file.
    """
    location = session.scalars(select(Location).where(Location.path == source)).one_or_none()
    taken = session.scalar(select(exists().where(Location.path == seen.path)))
    if location is None or taken:
        return None
    if (location.size, location.mtime_ns) != (seen.size, seen.mtime_ns):
        return None
    location.path, location.path_key = seen.path, path_key(seen.path)
    location.volume, location.online, location.last_seen = seen.volume, 1, now()
    session.flush()
    video = session.get_one(Video, location.video_id)
    _describe(session, video, seen.path, source)
    refresh_status(session, video.id)
    return video.id
