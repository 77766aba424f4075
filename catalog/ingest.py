"""From the disk into the catalog: which files are candidates, and how a folder is reconciled.

Nothing here waits: the watcher decides when a file has come to rest.
"""

import fnmatch
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.database import Catalog
from catalog.errors import CodedError, ErrorCode
from catalog.fingerprint import SAMPLE_BYTES, fingerprint, full_hash
from catalog.library import (
    FileSeen,
    Placement,
    find_content,
    locations_under,
    place_file,
    set_online,
)
from catalog.schema import Folder, Location

EXTENSIONS = frozenset(
    """
    .3g2 .3gp .asf .avi .flv .gif .h264 .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogv .ts .vob
    .webm .wmv
    """.split()
)
"""File name endings that are taken for video."""

IGNORED = """
    .* *.part *.partial *.crdownload *.download *.!qB *.aria2 *.tmp *~ ~syncthing~*
    @eaDir #recycle __MACOSX lost+found $RECYCLE.BIN
    """.split()
"""Names that are never looked at, as shell patterns; a folder's name hides all that is in it."""


_BATCH = 500
"""Locations changed in one transaction, so that other writers get their turn."""


def ignored(name: str) -> bool:
    """Whether a file's or a folder's own name is on the ignore list."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in IGNORED)


def is_candidate(path: bytes, root: bytes = b"/") -> bool:
    """Whether a path looks like a finished video. Only the names below `root` count."""
    below = os.fsdecode(os.path.relpath(path, root))
    ending = os.path.splitext(below)[1].lower()
    return ending in EXTENSIONS and not any(ignored(name) for name in Path(below).parts)


def walk(root: bytes, *, recursive: bool = True) -> Iterator[bytes]:
    """The candidate files under a folder, in a stable order. What cannot be listed is passed over."""
    try:
        with os.scandir(root) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if ignored(os.fsdecode(entry.name)):
            continue
        if entry.is_dir(follow_symlinks=False):
            if recursive:
                yield from walk(entry.path)
        elif is_candidate(entry.path, root) and entry.is_file():
            yield entry.path


def take_file(catalog: Catalog, path: bytes) -> tuple[int, Placement]:
    """Puts a file that has come to rest into the catalog. Returns its video's id.

    Raises `CodedError` (vanished, unreadable) when it cannot be read.
    """
    readable = Path(os.fsdecode(path))
    try:
        seen = FileSeen.of(path)
        content_id = _content_id(catalog, readable, seen)
    except FileNotFoundError as error:
        raise CodedError(ErrorCode.VANISHED, f"{readable} is gone") from error
    except OSError as error:
        raise CodedError(
            ErrorCode.UNREADABLE,
            f"{readable} cannot be read: {error.strerror}; check its permissions",
        ) from error
    with catalog.write() as session:
        return place_file(session, seen, content_id)


def _content_id(catalog: Catalog, path: Path, seen: FileSeen) -> str:
    """The fingerprint, with a hash of the whole behind it when another content has the same one."""
    content_id = fingerprint(path)
    if seen.size <= 3 * SAMPLE_BYTES:  # the fingerprint has read it all
        return content_id
    with catalog.write() as session:
        video = find_content(session, content_id)
        others = [] if video is None else _other_copies(session, video.id, path)
    if not others:
        return content_id
    mine = full_hash(path)
    return content_id if mine == full_hash(others[0]) else f"{content_id}-{mine[:8]}"


def _other_copies(session: Session, video_id: int, path: Path) -> list[Path]:
    paths = session.scalars(
        select(Location.path).where(Location.video_id == video_id, Location.online == 1)
    )
    copies = [Path(os.fsdecode(raw)) for raw in paths]
    return [copy for copy in copies if copy != path and copy.exists() and not copy.samefile(path)]


@dataclass(slots=True)
class Reconciled:
    """What a look at a folder found."""

    changed: list[bytes] = field(default_factory=list)
    """Candidates that the catalog does not know as they are."""
    files: int = 0
    gone_offline: int = 0
    absent: bool = False
    """The folder is missing, or empty where it was not: nothing below it was touched but set offline."""


def reconcile(
    catalog: Catalog, folder_path: bytes, *, should_stop: Callable[[], bool] = lambda: False
) -> Reconciled:
    """Compares a watched folder with the catalog. Marks what is out of reach and deletes nothing."""
    result = Reconciled()
    with catalog.write() as session:
        folder = session.scalars(select(Folder).where(Folder.path == folder_path)).one_or_none()
        recursive = folder is None or bool(folder.recursive)
        expected = 0 if folder is None else folder.files_seen
        known = {
            row.path: (row.size, row.mtime_ns, bool(row.online))
            for row in locations_under(session, folder_path)
        }
    present: set[bytes] = set()
    if os.path.isdir(folder_path):
        present = set(_until(walk(folder_path, recursive=recursive), should_stop))
    if should_stop():
        return result
    result.files = len(present)
    result.absent = not os.path.isdir(folder_path) or (expected > 0 and not present)
    result.changed = [path for path in sorted(present) if _is_news(path, known.get(path))]
    # A file outside the candidates (added by name, say) is missing only if it is really gone.
    gone = [
        path
        for path, (_, _, online) in known.items()
        if online and path not in present and not os.path.exists(path)
    ]
    for start in range(0, len(gone), _BATCH):
        with catalog.write() as session:
            result.gone_offline += set_online(session, gone[start : start + _BATCH], online=False)
    _remember_folder(catalog, folder_path, result)
    return result


def _remember_folder(catalog: Catalog, folder_path: bytes, result: Reconciled) -> None:
    with catalog.write() as session:
        folder = session.scalars(select(Folder).where(Folder.path == folder_path)).one_or_none()
        if folder is not None:
            folder.present = int(not result.absent)
            folder.files_seen = result.files or folder.files_seen


def _until(paths: Iterable[bytes], should_stop: Callable[[], bool]) -> Iterator[bytes]:
    for path in paths:
        if should_stop():
            return
        yield path


def _is_news(path: bytes, known: tuple[int, int, bool] | None) -> bool:
    try:
        seen = FileSeen.of(path)
    except OSError:
        return False
    return known != (seen.size, seen.mtime_ns, True)
