"""Filters as SQL, on a real catalog."""

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from catalog.captions import Draft, add_revision, edit
from catalog.database import Catalog
from catalog.library import FileSeen, place_file
from catalog.schema import Origin, Scene, Tag, Video
from catalog.search.query.filters import condition, selective
from catalog.search.query.syntax import parse

NOW = int(datetime(2026, 11, 20, 12).timestamp())
DAY = 86_400


@pytest.fixture
def titles(catalog: Catalog) -> dict[int, str]:
    """Five videos by id: dog (captioned by a model), cat (edited), note (a scene), odd, photo."""
    with catalog.write() as session:
        dog = _video(session, "/Home/여행/제주/dog.mp4", 59.7, "2026-11-19T03:00:00Z")
        add_revision(session, dog.id, Draft("강아지", Origin.MODEL, model="LLaVA-OneVision/0.5B"))
        session.add_all([Tag(video_id=dog.id, name="겨울"), Tag(video_id=dog.id, name="Snow")])
        cat = _video(session, "/Home/여행 2/cat.mp4", 125.0, "2025-03-01T03:00:00Z")
        add_revision(session, cat.id, Draft("고양이", Origin.MODEL, model="demo"))
        edit(session, cat.id, "검은 고양이")
        add_revision(session, cat.id, Draft("고양이다", Origin.MODEL, model="demo"))
        note = _video(session, "/Home/강의/note.mp4", 3600.0, None)
        scene = Scene(video_id=note.id, idx=0, start=0.0, end=9.0, keyframe=1.0)
        session.add(scene)
        session.flush()
        add_revision(session, note.id, Draft("칠판", Origin.HUMAN), scene_id=scene.id)
        odd = _video(session, "/Home/100%_\\/odd.mp4", None, "no date")
        photo = _video(session, "/Home/사진/photo.jpg", 0.0, "2026-11-20T01:00:00Z")
        dog.status = cat.status = "captioned"
        note.status, odd.status, photo.status = "needs_review", "failed", "offline"
        return {video.id: video.title for video in (dog, cat, note, odd, photo)}


def _video(session: Session, path: str, duration: float | None, recorded: str | None) -> Video:
    video_id, _ = place_file(session, FileSeen(path.encode(), 100, 1, "8"), path)
    video: Video = session.get_one(Video, video_id)
    video.duration, video.recorded_at, video.added_at = duration, recorded, NOW - 400 * DAY
    session.flush()
    return video


CASES = {
    "path:제주": "dog",
    "path:HOME": "dog cat note odd photo",
    "path:100%": "odd",
    "path:_": "odd",
    'path:"\\"': "odd",
    "path:h%me": "",
    "folder:여행": "dog",
    "folder:/home/여행": "dog",
    "folder:/home/여행/": "dog",
    "folder:여행/제주": "dog",
    'folder:"여행 2"': "cat",
    "folder:제주/dog.mp4": "",
    "-folder:여행": "cat note odd photo",
    "tag:겨울": "dog",
    "tag:snow": "dog",
    "tag:#겨울": "dog",
    "tag:겨": "",
    "-tag:겨울": "cat note odd photo",
    "status:captioned": "dog cat",
    "is:needs_review": "note",
    "-is:offline": "dog cat note odd",
    "model:llava": "dog",
    "model:0.5b": "dog",
    "model:demo": "",
    "-model:llava": "cat note odd photo",
    "len:60": "dog",
    "len:>60": "cat note",
    "len:<=2:05": "dog cat photo",
    "len:1m..1시간": "cat note",
    "-len:>60": "dog photo",
    "after:2026-11": "dog photo",
    "after:오늘": "photo",
    "before:2025-04": "cat",
    "before:1y": "cat note odd",
    "after:2025 before:2026": "cat note odd",
    "has:edit": "cat note",
    "has:proposal": "cat",
    "has:note": "note",
    "has:caption": "dog cat",
    "-has:caption": "note odd photo",
    "has:tag": "dog",
    "is:edited": "cat note",
    "is:photo": "photo",
    "-is:photo": "dog cat note odd",
    "is:edited len:>10m": "note",
    "": "dog cat note odd photo",
}


@pytest.mark.parametrize("all_videos", [False, True])
def test_filters(catalog: Catalog, titles: dict[int, str], all_videos: bool) -> None:
    found = {}
    with catalog.read() as connection:
        for query in CASES:
            sql, values = condition(parse(query).filters, NOW, all_videos=all_videos)
            rows = connection.execute(f"SELECT v.id FROM video v WHERE {sql} ORDER BY v.id", values)
            found[query] = " ".join(titles[row[0]] for row in rows)
    assert found == CASES


def test_the_videos_of_selective_filters(catalog: Catalog, titles: dict[int, str]) -> None:
    def chosen(query: str, most: int) -> list[str] | None:
        with catalog.read() as connection:
            ids = selective(connection, parse(query).filters, most, NOW)
        return None if ids is None else [titles[video_id] for video_id in ids]

    assert chosen("len:>60", 2) == ["note", "cat"]
    assert chosen("len:>60", 1) is None
    assert chosen("folder:여행", 5) == ["dog"]
    assert chosen("tag:없음", 5) == []
    assert chosen("강아지", 5) is None
    assert chosen("has:edit", 5) is None, "every video would have to be looked up"
    assert chosen("has:edit status:captioned", 5) == ["cat"]


def test_values_are_never_part_of_the_sql() -> None:
    hostile = "path:x');DROP(TABLE);-- tag:'; model:\"a' OR 1=1\""
    sql, values = condition(parse(hostile).filters, NOW)
    assert "drop" not in sql.lower()
    assert len(values) == 3
