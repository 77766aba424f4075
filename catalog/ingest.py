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

from catalog import overview
from catalog.database import Catalog
from catalog.errors import CodedError, ErrorCode
from catalog.fingerprint import SAMPLE_BYTES, fingerprint, full_hash
from catalog.library import (
    FileSeen,
    Placement,
    find_content,
    place_file,
    set_online,
    unseen_content_id,
)
from catalog.paths import path_key
from catalog.schema import Folder, Location, Video

EXTENSIONS = frozenset(
    """
    .264 .265 .3g2 .3gp .asf .avi .dv .flv .gif .h264 .hevc .m2ts .m2v .m4v .mkv .mov .mp4 .mpeg .mpg
    .mts .mxf .ogv .ts .vob .webm .wmv
    """.split()
)
"""File name endings that are taken for video."""

PHOTO_EXTENSIONS = frozenset(".jpg .jpeg .png .webp .heic .heif .avif".split())
"""File name endings that are taken for photos, where photos are wanted."""

IGNORED = """
    .* *.part *.partial *.crdownload *.download *.!qB *.aria2 *.tmp *~ ~syncthing~*
    @eaDir #recycle __MACOSX lost+found $RECYCLE.BIN
    """.split()
"""Names that are never looked at, as shell patterns; a folder's name hides all that is in it."""

ARTWORK = """
    poster fanart folder cover banner backdrop landscape logo clearlogo clearart thumb disc discart
    keyart characterart poster[0-9]* fanart[0-9]* backdrop[0-9]* thumb[0-9]* season* albumart*
    *-poster *-fanart *-banner *-backdrop *-landscape *-logo *-clearlogo *-clearart *-thumb *-disc
    *-discart *-keyart *-characterart *-fanart[0-9]* *-backdrop[0-9]* *-thumb[0-9]*
    """.split()
"""Pictures that media centres put beside videos: names in lower case without the ending."""

_ARTWORK_FOLDERS = frozenset({"extrafanart", "extrathumbs", "metadata"})
_TILES = ".trickplay"
"""How the folders end in which Jellyfin keeps preview tiles."""

_BATCH = 500
"""Locations changed in one transaction, so that other writers get their turn."""


def ignored(name: str) -> bool:
    """Whether a file's or a folder's own name is on the ignore list."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in IGNORED)


def hidden(path: bytes, root: bytes) -> bool:
    """Whether a name on the way from `root` to a path is on the ignore list."""
    below = os.fsdecode(os.path.relpath(path, root))
    return any(ignored(name) for name in Path(below).parts)


def is_candidate(path: bytes, root: bytes, *, photos: bool = False) -> bool:
    """Whether a path looks like a finished video, or a photo where these are wanted.

    Only the names below `root` count.
    """
    ending = os.path.splitext(os.fsdecode(path))[1].lower()
    if photos and ending in PHOTO_EXTENSIONS:
        return not hidden(path, root) and not _is_artwork(path, root)
    return ending in EXTENSIONS and not hidden(path, root)


def _is_artwork(path: bytes, root: bytes) -> bool:
    """Whether a picture belongs to a video rather than stands for itself.

    1. Its name, or that of a folder it is in, is one that media centres give.
    2. A video beside it has the same name: a downloaded thumbnail, or one half of a live photo.
    """
    names = Path(os.fsdecode(os.path.relpath(path, root)))
    if any(name.lower() in _ARTWORK_FOLDERS or name.endswith(_TILES) for name in names.parts[:-1]):
        return True
    stem = names.stem.lower()
    if any(fnmatch.fnmatchcase(stem, pattern) for pattern in ARTWORK):
        return True
    beside = os.path.splitext(path)[0]
    endings = (form for one in EXTENSIONS for form in (one, one.upper()))
    return any(os.path.exists(beside + os.fsencode(ending)) for ending in endings)


def walk(root: bytes, *, recursive: bool = True, photos: bool = False) -> Iterator[bytes]:
    """The candidate files under a folder, in a stable order. What cannot be looked at is passed over."""
    yield from _walk(root, root, recursive=recursive, photos=photos)


def _walk(folder: bytes, root: bytes, *, recursive: bool, photos: bool) -> Iterator[bytes]:
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if ignored(os.fsdecode(entry.name)):
            continue
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
            is_wanted = not is_folder and is_candidate(entry.path, root, photos=photos)
            is_wanted = is_wanted and entry.is_file()
        except OSError:  # a link that leads to itself, say
            continue
        if is_wanted:
            yield entry.path
        elif is_folder and recursive:
            yield from _walk(entry.path, root, recursive=True, photos=photos)


def take_file(
    catalog: Catalog, path: bytes, *, prompt: str = "", priority: int = 0
) -> tuple[int, Placement]:
    """Puts a file that has come to rest into the catalog. Returns its video's id.

    `prompt` and `priority` are for the job of a new content. A file that may not be read is listed too:
    its job fails and says why. Raises `CodedError` (vanished) when it is gone.
    """
    try:
        seen = FileSeen.of(path)
        content_id = _content_id(catalog, Path(os.fsdecode(path)), seen)
    except FileNotFoundError as error:
        raise CodedError(ErrorCode.VANISHED, f"{path_key(path)} is gone") from error
    except OSError:
        content_id = unseen_content_id(path)
    with catalog.write() as session:
        return place_file(session, seen, content_id, prompt=prompt, priority=priority)


def _content_id(catalog: Catalog, path: Path, seen: FileSeen) -> str:
    """The fingerprint, with a hash of the whole behind it when another content has the same one."""
    content_id = fingerprint(path)
    if seen.size <= 3 * SAMPLE_BYTES:  # the fingerprint has read it all
        return content_id
    with catalog.write() as session:
        video = find_content(session, content_id)
        if video is None:
            return content_id
        theirs = video.full_hash
        others = _other_copies(session, video.id, path)
    if theirs is None:
        if not others:
            return content_id
        theirs = full_hash(others[0])
        with catalog.write() as session:
            session.get_one(Video, video.id).full_hash = theirs
    mine = full_hash(path)
    return content_id if mine == theirs else f"{content_id}-{mine[:8]}"


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
    catalog: Catalog,
    folder_path: bytes,
    *,
    photos: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
) -> Reconciled:
    """Compares a watched folder with the catalog. Marks what is out of reach and deletes nothing."""
    result = Reconciled()
    with catalog.read() as connection:
        recursive, expected = overview.folder_facts(connection, folder_path)
        known = overview.files_under(connection, folder_path)
    present: set[bytes] = set()
    if os.path.isdir(folder_path):
        present = set(_until(walk(folder_path, recursive=recursive, photos=photos), should_stop))
    if should_stop():
        return result
    result.files = len(present)
    result.absent = not os.path.isdir(folder_path) or (expected > 0 and not present)
    result.changed = [path for path in sorted(present) if is_news(path, known.get(path))]
    # A file outside the candidates (added by name, say) is missing only if it is really gone.
    gone = [
        path
        for path, facts in known.items()
        if facts[2] and path not in present and not os.path.exists(path)
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


def is_news(path: bytes, known: overview.FileFacts | None) -> bool:
    """Whether a file is there, and is not as the catalog knows it."""
    try:
        seen = FileSeen.of(path)
    except OSError:
        return False
    return known != (seen.size, seen.mtime_ns, True)
