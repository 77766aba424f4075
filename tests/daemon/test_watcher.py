"""The watcher on a real folder, with the real observer: what happens on disk is in the catalog after."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalog import browse, library
from catalog.captions import edit
from catalog.database import Catalog
from catalog.settings import load_settings
from daemon.watcher import Watcher

PATIENCE_SECONDS = 20.0


@pytest.fixture
def folder(catalog: Catalog, tmp_path: Path) -> Path:
    made = tmp_path / "영상"
    made.mkdir()
    with catalog.write() as session:
        library.add_folder(session, made)
    return made


@pytest.fixture
def watching(catalog: Catalog, folder: Path) -> Iterator[Watcher]:
    """A watcher at work; a file needs half a second of rest."""
    watcher = Watcher(catalog, load_settings(catalog.home, settle_seconds=0.5))
    stop = threading.Event()
    watcher.watch_folders()
    thread = threading.Thread(target=watcher.run, args=(stop,))
    thread.start()
    yield watcher
    stop.set()
    thread.join()


def paths(catalog: Catalog) -> dict[str, str]:
    """Every path in the catalog with its video's status."""
    with catalog.read() as connection:
        views = browse.videos(connection, browse.video_ids(connection))
        return {Path(path).name: view.status for view in views for path in view.paths}


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def jobs(catalog: Catalog) -> int:
    with catalog.read() as connection:
        return int(connection.execute("SELECT count(*) FROM job").fetchone()[0])


@pytest.mark.usefixtures("watching")
class TestArrivals:
    """Every way in which a file comes into a folder."""

    def test_written_in_place(self, catalog: Catalog, folder: Path) -> None:
        (folder / "a.mp4").write_bytes(b"a")
        eventually(lambda: paths(catalog) == {"a.mp4": "queued"})

    def test_moved_in(self, catalog: Catalog, folder: Path) -> None:
        outside = folder.parent / "a.mp4"
        outside.write_bytes(b"a")
        outside.rename(folder / "a.mp4")
        eventually(lambda: paths(catalog) == {"a.mp4": "queued"})

    def test_a_tree_moved_in(self, catalog: Catalog, folder: Path) -> None:
        tree = folder.parent / "tree/deep"
        tree.mkdir(parents=True)
        for name in "abc":
            (tree / f"{name}.mp4").write_bytes(name.encode())
        (folder.parent / "tree").rename(folder / "tree")
        eventually(lambda: set(paths(catalog)) == {"a.mp4", "b.mp4", "c.mp4"})

    def test_in_a_new_folder_below(self, catalog: Catalog, folder: Path) -> None:
        (folder / "x/y").mkdir(parents=True)
        (folder / "x/y/a.mp4").write_bytes(b"a")
        eventually(lambda: paths(catalog) == {"a.mp4": "queued"})

    def test_a_download_that_is_renamed_at_its_end(self, catalog: Catalog, folder: Path) -> None:
        part = folder / "a.mp4.part"
        part.write_bytes(b"a")
        time.sleep(1)
        assert paths(catalog) == {}
        part.rename(folder / "a.mp4")
        eventually(lambda: paths(catalog) == {"a.mp4": "queued"})

    def test_hard_link_and_symbolic_link(self, catalog: Catalog, folder: Path) -> None:
        outside = folder.parent / "a.mp4"
        outside.write_bytes(b"a")
        os.link(outside, folder / "hard.mp4")
        (folder / "soft.mp4").symlink_to(outside)
        eventually(lambda: set(paths(catalog)) == {"hard.mp4", "soft.mp4"})
        assert jobs(catalog) == 1

    def test_a_slow_copy_is_taken_once_after_its_end(self, catalog: Catalog, folder: Path) -> None:
        clip = folder / "slow.mp4"
        for _ in range(6):  # a new handle each time, so that only its growth tells
            with clip.open("ab") as file:
                file.write(b"chunk")
            time.sleep(0.3)
            assert paths(catalog) == {}
        eventually(lambda: paths(catalog) == {"slow.mp4": "queued"})
        with catalog.read() as connection:
            (video_id,) = browse.video_ids(connection)
            assert browse.video(connection, video_id).size == 30


@pytest.mark.usefixtures("watching")
class TestChanges:
    """What happens to a captioned file."""

    @pytest.fixture
    def clip(self, catalog: Catalog, folder: Path) -> Path:
        clip = folder / "a.mp4"
        clip.write_bytes(b"a")
        eventually(lambda: paths(catalog) == {"a.mp4": "queued"})
        with catalog.write() as session:
            edit(session, 1, "사람의 글")
        return clip

    def test_a_rename_is_followed(self, catalog: Catalog, folder: Path, clip: Path) -> None:
        clip.rename(folder / "b.mp4")
        eventually(lambda: set(paths(catalog)) == {"b.mp4"})
        assert jobs(catalog) == 1

    def test_a_renamed_folder_is_followed(self, catalog: Catalog, folder: Path, clip: Path) -> None:
        (folder / "x").mkdir()
        clip.rename(folder / "x/a.mp4")
        (folder / "x").rename(folder / "y")

        def followed() -> bool:
            with catalog.read() as connection:
                return browse.video(connection, 1).paths == (str(folder / "y/a.mp4"),)

        eventually(followed)
        assert jobs(catalog) == 1

    def test_a_deleted_file_is_offline_and_keeps_its_text(
        self, catalog: Catalog, folder: Path, clip: Path
    ) -> None:
        clip.unlink()
        eventually(lambda: paths(catalog) == {"a.mp4": "offline"})
        with catalog.read() as connection:
            assert browse.video(connection, 1).caption is not None

    def test_an_atomic_replace_is_another_content(
        self, catalog: Catalog, folder: Path, clip: Path
    ) -> None:
        new = folder / ".new"
        new.write_bytes(b"another")
        new.replace(clip)
        eventually(lambda: jobs(catalog) == 2)

    def test_touching_it_starts_nothing(self, catalog: Catalog, folder: Path, clip: Path) -> None:
        os.utime(clip)
        (folder / "marker.mp4").write_bytes(b"marker")
        eventually(lambda: "marker.mp4" in paths(catalog))
        assert jobs(catalog) == 2

    def test_a_tree_that_leaves_is_offline(
        self, catalog: Catalog, folder: Path, clip: Path
    ) -> None:
        (folder / "x").mkdir()
        clip.rename(folder / "x/a.mp4")
        eventually(lambda: paths(catalog)["a.mp4"] == "queued")
        (folder / "stays.mp4").write_bytes(b"stays")
        eventually(lambda: "stays.mp4" in paths(catalog))
        shutil.move(folder / "x", folder.parent / "gone")
        eventually(lambda: paths(catalog)["a.mp4"] == "offline")


def test_a_folder_added_later_is_watched_too(
    catalog: Catalog, watching: Watcher, tmp_path: Path
) -> None:
    later = tmp_path / "later"
    later.mkdir()
    (later / "there.mp4").write_bytes(b"there")
    with catalog.write() as session:
        library.add_folder(session, later)
    watching.ask_watch()
    eventually(lambda: set(paths(catalog)) == {"there.mp4"})
    (later / "comes.mp4").write_bytes(b"comes")
    eventually(lambda: set(paths(catalog)) == {"there.mp4", "comes.mp4"})


def test_folders_below_are_left_out_where_that_is_asked_for(
    catalog: Catalog, folder: Path, watching: Watcher
) -> None:
    with catalog.write() as session:
        library.add_folder(session, folder, recursive=False)
    watching.ask_watch()
    time.sleep(1)
    (folder / "below").mkdir()
    (folder / "below/a.mp4").write_bytes(b"a")
    (folder / "b.mp4").write_bytes(b"b")
    eventually(lambda: "b.mp4" in paths(catalog))
    time.sleep(1)
    assert set(paths(catalog)) == {"b.mp4"}


def test_an_emptied_folder_is_complained_of_once(
    catalog: Catalog, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "a.mp4").write_bytes(b"a")
    watcher = Watcher(catalog, load_settings(catalog.home, settle_seconds=0.0))
    watcher.ask_reconcile()
    watcher.turn()
    (folder / "a.mp4").unlink()
    for _ in range(3):
        watcher.ask_reconcile()
        watcher.turn()
    assert caplog.text.count("suddenly empty") == 1


def test_what_came_while_nobody_watched_is_found_by_the_scan(
    catalog: Catalog, folder: Path
) -> None:
    (folder / "a.mp4").write_bytes(b"a")
    watcher = Watcher(catalog, load_settings(catalog.home, settle_seconds=0.0))
    watcher.ask_reconcile()
    watcher.turn()
    watcher.turn()
    assert paths(catalog) == {"a.mp4": "queued"}


def test_a_folder_that_comes_back_is_watched_again(catalog: Catalog, folder: Path) -> None:
    watcher = Watcher(catalog, load_settings(catalog.home, settle_seconds=0.0))
    watcher.watch_folders()
    folder.rmdir()
    folder.mkdir()
    eventually(lambda: (watcher.watch_folders(), watcher.turn(), _seen(catalog, folder))[-1])
    watcher.close()


def _seen(catalog: Catalog, folder: Path) -> bool:
    (folder / "back.mp4").write_bytes(b"back")
    return "back.mp4" in paths(catalog)
