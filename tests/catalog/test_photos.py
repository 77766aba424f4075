"""Photos are candidates where a person wants them, artwork never is, and what is there stays."""

import argparse
import json
import os
from pathlib import Path

import pytest

from catalog import browse, captions, ingest, library
from catalog.captions import Draft
from catalog.commands import look
from catalog.database import Catalog
from catalog.schema import Origin


@pytest.fixture
def folder(catalog: Catalog, tmp_path: Path) -> Path:
    made = tmp_path / "앨범"
    made.mkdir()
    with catalog.write() as session:
        library.add_folder(session, made)
    return made


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(path.name.encode() * 20)
    return path


def found(catalog: Catalog, folder: Path, *, photos: bool) -> list[str]:
    """The names that a reconcile takes for news; each is a candidate by its path as well."""
    root = os.fsencode(folder)
    changed = ingest.reconcile(catalog, root, photos=photos).changed
    for path in changed:
        assert ingest.is_candidate(path, root, photos=photos)
    return [os.path.relpath(os.fsdecode(path), folder) for path in changed]


@pytest.mark.parametrize(
    "name", ["a.jpg", "B.JPEG", "c.png", "d.webp", "e.HEIC", "f.heif", "g.avif"]
)
def test_photos_are_candidates_only_where_they_are_wanted(
    catalog: Catalog, folder: Path, name: str
) -> None:
    write(folder / name)
    write(folder / "clip.mp4")
    assert found(catalog, folder, photos=False) == ["clip.mp4"]
    assert sorted(found(catalog, folder, photos=True)) == sorted([name, "clip.mp4"])


@pytest.mark.parametrize(
    "name",
    [
        "poster.jpg", "Fanart.JPG", "folder.jpg", "cover.png", "banner.webp", "clearlogo.png",
        "film-poster.jpg", "film-thumb.jpg", "film-fanart2.jpg", "season01-poster.jpg",
        "backdrop1.jpg", "AlbumArtSmall.jpg", "extrafanart/a.jpg", "extrathumbs/thumb1.jpg",
        "film.trickplay/320 - 10x10/0.jpg", ".hidden.jpg", "@eaDir/a.jpg", "._a.jpg", "a.jpg.part",
        "film.jpg", "film.PNG", "IMG_1.HEIC",
    ],
)  # fmt: skip
def test_artwork_is_passed_over(catalog: Catalog, folder: Path, name: str) -> None:
    for video in ("film.mkv", "IMG_1.MOV"):
        write(folder / video)
    path = write(folder / name)
    assert found(catalog, folder, photos=True) == ["IMG_1.MOV", "film.mkv"]
    assert not ingest.is_candidate(os.fsencode(path), os.fsencode(folder), photos=True)


def test_a_watched_folder_may_have_any_name(catalog: Catalog, tmp_path: Path) -> None:
    folder = tmp_path / "metadata"
    write(folder / "a.jpg")
    with catalog.write() as session:
        library.add_folder(session, folder)
    assert found(catalog, folder, photos=True) == ["a.jpg"]


def test_what_was_taken_stays_when_photos_are_not_wanted_any_more(
    catalog: Catalog, folder: Path
) -> None:
    photo = write(folder / "a.jpg")
    video_id, _ = ingest.take_file(catalog, os.fsencode(photo))
    caption_photo(catalog, video_id)
    again = ingest.reconcile(catalog, os.fsencode(folder), photos=False)
    assert (again.changed, again.gone_offline) == ([], 0)
    with catalog.read() as connection:
        assert browse.video(connection, video_id).caption is not None
        assert browse.video(connection, video_id).status != "offline"


def caption_photo(catalog: Catalog, video_id: int) -> None:
    """Does what the pipeline does of a photo."""
    with catalog.write() as session:
        taken = "2024-10-12T09:00:00"
        facts = library.VideoFacts(0.0, 4000, 3000, 0.0, "jpeg", 90, taken)
        library.record_facts(session, video_id, facts)
        captions.add_revision(
            session, video_id, Draft("바다 위로 해가 진다.", Origin.MODEL, "demo")
        )


def test_a_photo_is_shown_as_a_video_without_length_or_scenes(
    catalog: Catalog, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video_id, _ = ingest.take_file(catalog, os.fsencode(write(folder / "a.jpg")))
    caption_photo(catalog, video_id)
    for as_json in (True, False):
        options = argparse.Namespace(video=str(video_id), json=as_json, status=None)
        assert look.show(options, catalog.home) == 0
        assert look.list_videos(options, catalog.home) == 0
    out = capsys.readouterr().out
    decoder = json.JSONDecoder()
    shown, end = decoder.raw_decode(out)
    assert (shown["duration"], shown["fps"], shown["codec"]) == (0.0, 0.0, "jpeg")
    assert (shown["scenes"], shown["caption"]["text"]) == ([], "바다 위로 해가 진다.")
    assert shown["recorded_at"] == "2024-10-12T09:00:00"
    (listed,), _ = decoder.raw_decode(out[end:].lstrip())
    assert listed == shown
    assert "바다 위로 해가 진다." in out[end:]
