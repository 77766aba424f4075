"""Contents and locations, on real files."""

import os
import shutil
import unicodedata
from pathlib import Path

import pytest

from catalog import browse, ingest, library
from catalog.captions import edit
from catalog.database import Catalog
from catalog.errors import CodedError
from catalog.fingerprint import SAMPLE_BYTES, fingerprint, full_hash
from catalog.hits import find
from catalog.library import Placement
from catalog.schema import Job, Location, Video


@pytest.fixture
def folder(catalog: Catalog, tmp_path: Path) -> Path:
    """A watched folder."""
    made = tmp_path / "videos"
    made.mkdir()
    with catalog.write() as session:
        library.add_folder(session, made)
    return made


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def take(catalog: Catalog, path: Path) -> tuple[int, Placement]:
    return ingest.take_file(catalog, os.fsencode(path))


def view(catalog: Catalog, video_id: int) -> browse.VideoView:
    with catalog.read() as connection:
        return browse.video(connection, video_id)


def reconcile(catalog: Catalog, folder: Path) -> ingest.Reconciled:
    return ingest.reconcile(catalog, os.fsencode(folder))


def test_a_new_file_is_queued_once(catalog: Catalog, folder: Path) -> None:
    clip = write(folder / "a.mp4", b"a" * 100)
    video_id, placement = take(catalog, clip)
    assert placement is Placement.NEW
    assert take(catalog, clip) == (video_id, Placement.KNOWN)
    with catalog.write() as session:
        assert session.query(Job).count() == 1
    assert view(catalog, video_id).status == "queued"


def test_a_rename_keeps_the_caption_and_starts_no_job(catalog: Catalog, folder: Path) -> None:
    clip = write(folder / "a.mp4", b"a" * 100)
    video_id, _ = take(catalog, clip)
    with catalog.write() as session:
        edit(session, video_id, "사람의 글")
    moved = clip.rename(folder / "새 이름.mp4")
    assert take(catalog, moved) == (video_id, Placement.MOVED)
    seen = view(catalog, video_id)
    assert (seen.paths, seen.title) == ((str(moved),), "새 이름")
    assert seen.caption is not None
    with catalog.write() as session:
        assert session.query(Job).count() == 1


def test_a_copy_is_one_more_place(catalog: Catalog, folder: Path) -> None:
    video_id, _ = take(catalog, write(folder / "a.mp4", b"a" * 100))
    assert take(catalog, write(folder / "b.mp4", b"a" * 100)) == (video_id, Placement.COPIED)
    assert len(view(catalog, video_id).paths) == 2


def test_equal_fingerprints_of_different_contents_are_told_apart(
    catalog: Catalog, folder: Path
) -> None:
    size = SAMPLE_BYTES * 8
    first, second = bytearray(size), bytearray(size)
    second[SAMPLE_BYTES + 10] = 1  # between the places that the fingerprint reads
    a, b = write(folder / "a.mp4", bytes(first)), write(folder / "b.mp4", bytes(second))
    assert fingerprint(a) == fingerprint(b)
    assert full_hash(a) != full_hash(b)
    assert take(catalog, a)[0] != take(catalog, b)[0]
    assert take(catalog, b)[1] is Placement.KNOWN


def test_a_file_that_grew_is_not_listed_twice(catalog: Catalog, folder: Path) -> None:
    clip = write(folder / "a.mp4", b"a" * 100)
    take(catalog, clip)
    video_id, placement = take(catalog, write(clip, b"a" * 200))
    assert placement is Placement.REPLACED
    with catalog.read() as connection:
        assert browse.video_ids(connection) == [video_id]


def test_a_missing_file_is_offline_and_comes_back(catalog: Catalog, folder: Path) -> None:
    clip = write(folder / "a.mp4", b"a" * 100)
    take(catalog, write(folder / "b.mp4", b"b" * 100))
    video_id, _ = take(catalog, clip)
    reconcile(catalog, folder)
    aside = clip.rename(folder.parent / "a.mp4")
    assert reconcile(catalog, folder).gone_offline == 1
    assert view(catalog, video_id).status == "offline"
    aside.rename(clip)
    assert reconcile(catalog, folder).changed == [os.fsencode(clip)]
    take(catalog, clip)
    assert view(catalog, video_id).status == "queued"


def test_an_unmounted_folder_loses_nothing(catalog: Catalog, folder: Path) -> None:
    video_id, _ = take(catalog, write(folder / "a.mp4", b"a" * 100))
    reconcile(catalog, folder)
    folder.rename(folder.parent / "elsewhere")
    folder.mkdir()  # the empty mount point that is left
    assert reconcile(catalog, folder).absent
    assert view(catalog, video_id).status == "offline"
    with catalog.write() as session:
        assert session.query(Video).count() == 1


def test_macos_names_are_found_as_typed(catalog: Catalog, folder: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "강아지.mp4")
    video_id, _ = take(catalog, write(folder / decomposed, b"a" * 100))
    with catalog.read() as connection:
        assert browse.find_video(connection, str(folder / "강아지.mp4")) == video_id
    assert view(catalog, video_id).title == "강아지"
    assert os.fsencode(decomposed) in view(catalog, video_id).raw_paths[0]


def test_names_that_are_no_utf8_are_kept_as_bytes(catalog: Catalog, folder: Path) -> None:
    raw = os.fsencode(folder) + b"/\xff\xfe.mp4"
    Path(os.fsdecode(raw)).write_bytes(b"a" * 100)
    video_id, _ = ingest.take_file(catalog, raw)
    assert view(catalog, video_id).raw_paths == (raw,)
    assert "\ufffd" in view(catalog, video_id).path


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.mp4", "a.mp4.part", "a.mp4.crdownload", "a.tmp", "a.mp4~", "notes.txt", "a.nfo",
        "@eaDir/a.mp4", "#recycle/a.mp4", ".stversions/a.mp4", "__MACOSX/._a.mp4", "a.mp3",
    ],
)  # fmt: skip
def test_what_is_no_finished_video_is_passed_over(
    catalog: Catalog, folder: Path, name: str
) -> None:
    path = write(folder / name, b"a" * 100)
    assert reconcile(catalog, folder).changed == []
    assert not ingest.is_candidate(os.fsencode(path), os.fsencode(folder))


@pytest.mark.parametrize("name", ["a.mp4", "A.MKV", "깊은/폴더/영상.webm", "b.MOV"])
def test_videos_are_found_in_every_folder_below(catalog: Catalog, folder: Path, name: str) -> None:
    path = write(folder / name, b"a" * 100)
    assert reconcile(catalog, folder).changed == [os.fsencode(path)]


def test_a_vanished_file_has_a_code(catalog: Catalog, folder: Path) -> None:
    with pytest.raises(CodedError, match=r"gone") as raised:
        take(catalog, folder / "none.mp4")
    assert raised.value.code == "vanished"


def test_a_link_that_leads_to_itself_blinds_nobody(catalog: Catalog, folder: Path) -> None:
    (folder / "loop.mp4").symlink_to(folder / "loop.mp4")
    clip = write(folder / "a.mp4", b"a" * 100)
    assert reconcile(catalog, folder).changed == [os.fsencode(clip)]


def test_a_chosen_title_stays_and_every_path_is_found(catalog: Catalog, folder: Path) -> None:
    video_id, _ = take(catalog, write(folder / "IMG_1.mp4", b"a" * 100))
    with catalog.write() as session:
        session.get_one(Video, video_id).title = "제주 여행"
    take(catalog, write(folder / "IMG_2.mp4", b"a" * 100))
    assert view(catalog, video_id).title == "제주 여행"
    with catalog.read() as connection:
        assert [hit.field for hit in find(connection, "IMG 1").hits] == ["path"]
        assert [hit.field for hit in find(connection, "IMG 2").hits] == ["path"]


def test_a_copy_does_not_take_the_place_of_one_on_an_absent_disk(
    catalog: Catalog, folder: Path
) -> None:
    disk = folder / "disk"
    clip = write(disk / "a.mp4", b"a" * 100)
    video_id, _ = take(catalog, clip)
    with catalog.write() as session:
        session.query(Location).one().volume = "another"
    shutil.move(disk, folder.parent / "unplugged")
    assert take(catalog, write(folder / "copy.mp4", b"a" * 100)) == (video_id, Placement.COPIED)
    assert set(view(catalog, video_id).paths) == {str(clip), str(folder / "copy.mp4")}


def test_a_collision_is_remembered_while_the_first_file_is_away(
    catalog: Catalog, folder: Path
) -> None:
    size = SAMPLE_BYTES * 8
    second = bytearray(size)
    second[SAMPLE_BYTES + 10] = 1
    a, b = write(folder / "a.mp4", bytes(size)), write(folder / "b.mp4", bytes(second))
    first_id, second_id = take(catalog, a)[0], take(catalog, b)[0]
    a.rename(folder.parent / "a.mp4")
    reconcile(catalog, folder)
    os.utime(b)
    assert take(catalog, b)[0] == second_id != first_id


def test_an_overwritten_content_with_texts_keeps_its_last_path_and_has_no_job(
    catalog: Catalog, folder: Path
) -> None:
    clip = write(folder / "a.mp4", b"a" * 100)
    old, _ = take(catalog, clip)
    with catalog.write() as session:
        edit(session, old, "옛 글")
    new, _ = take(catalog, write(clip, b"b" * 100))
    assert view(catalog, new).caption is None
    ghost = view(catalog, old)
    assert ghost.caption is not None
    assert (ghost.path, ghost.paths, ghost.status) == (str(clip), (), "offline")
    with catalog.read() as connection:
        assert [job.video_id for job in browse.jobs(connection)] != [old]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_listed(catalog: Catalog, folder: Path) -> None:
    clip = write(folder / "a.mp4", b"a" * 100)
    clip.chmod(0)
    video_id, _ = take(catalog, clip)
    assert view(catalog, video_id).content_id.startswith("path-")
    clip.chmod(0o600)
    assert reconcile(catalog, folder).changed == [os.fsencode(clip)]
    assert take(catalog, clip)[0] == video_id
    assert not view(catalog, video_id).content_id.startswith("path-")
