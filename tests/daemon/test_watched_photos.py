"""The watcher takes photos where the setting says so, by a scan as by an event."""

import os
from pathlib import Path

import pytest
from watchdog.events import FileCreatedEvent

from catalog import browse, library
from catalog.database import Catalog
from catalog.settings import load_settings
from daemon.watcher import Watcher


@pytest.mark.parametrize("wanted", [True, False])
def test_photos_are_taken_where_they_are_wanted(
    catalog: Catalog, tmp_path: Path, wanted: bool
) -> None:
    folder = tmp_path / "앨범"
    folder.mkdir()
    for name in ("scanned.jpg", "poster.jpg", "clip.mp4"):
        (folder / name).write_bytes(name.encode() * 10)
    with catalog.write() as session:
        library.add_folder(session, folder)
    settings = load_settings(catalog.home, photos=wanted, settle_seconds=0)
    watcher = Watcher(catalog, settings)
    watcher.watch_folders()
    watcher.turn()
    late = folder / "late.png"
    late.write_bytes(b"late" * 10)
    watcher._inbox.put(FileCreatedEvent(os.fsdecode(late)))
    watcher.turn()
    watcher.close()
    with catalog.read() as connection:
        views = list(browse.videos(connection, browse.video_ids(connection)))
    photos = {"scanned", "late"} if wanted else set()
    assert {view.title for view in views} == {"clip", *photos}
