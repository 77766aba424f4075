"""Captioned videos for the tests of the search index, and short ways to look at it."""

from collections.abc import Iterator, Sequence
from itertools import count

from sqlalchemy import delete

from catalog.captions import Draft, add_revision
from catalog.database import Catalog
from catalog.library import FileSeen, place_file
from catalog.schema import Origin, Video
from catalog.search.index import indexing, verifying
from catalog.search.index.analysis import Analyser
from catalog.search.index.documents import raw_connection
from catalog.search.query.asking import search

SUBJECTS = (
    "강아지가, 고양이가, 해녀가, 소방관이, 할머니가, 아이들이, 새끼 수달이, 누리호가, BMW가, 아이 세 명이"
).split(", ")
PLACES = "시장에서, 공원에서, 횡단보도에서, 바닷가에서, 주차장에서, 운동장에서, 다리 위에서".split(
    ", "
)
DEEDS = "걸어간다. 상자를 문다. 노래를 부른다. 케잌을 먹는다. 산책을 한다. 눈을 쓸었다.".split(". ")


def sentences() -> Iterator[str]:
    """Sentences without end, each of them once."""
    for number in count():
        subject, place, deed = (them[number % len(them)] for them in (SUBJECTS, PLACES, DEEDS))
        yield f"{place} {subject} {deed.rstrip('.')}. {number}번째 장면이다."


def add(catalog: Catalog, texts: Sequence[str], first: int = 0) -> list[int]:
    """Captioned videos, one for each text."""
    found = []
    with catalog.write() as session:
        for number, text in enumerate(texts, first):
            seen = FileSeen(f"/videos/{number}.mp4".encode(), 100, 1, "8")
            video_id, _ = place_file(session, seen, f"{number:032x}")
            add_revision(session, video_id, Draft(text, Origin.MODEL, model="demo"))
            found.append(video_id)
    return found


def some(number: int) -> list[str]:
    return [text for text, _ in zip(sentences(), range(number), strict=False)]


def remove(catalog: Catalog, video_id: int) -> None:
    with catalog.write() as session:
        session.execute(delete(Video).where(Video.id == video_id))


def run_sql(catalog: Catalog, *statements: str) -> None:
    with catalog.write() as session:
        for statement in statements:
            raw_connection(session).execute(statement)


def left(catalog: Catalog) -> int:
    with catalog.read() as connection:
        return indexing.waiting(connection)


def rows(catalog: Catalog, statement: str) -> list[tuple[object, ...]]:
    with catalog.read() as connection:
        return [tuple(row) for row in connection.execute(statement)]


def finds(catalog: Catalog, query: str) -> set[int]:
    with catalog.read() as connection:
        return {match.video_id for match in search(connection, query, limit=1000).matches}


def is_sound(catalog: Catalog, analyser: Analyser) -> None:
    """What is left is read; then every row is as in an index that is made anew."""
    indexing.index_pending(catalog, analyser=analyser)
    assert left(catalog) == 0
    assert verifying.faults(catalog, thorough=True) == []
