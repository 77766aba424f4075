"""docs/searching.md keeps its word: its examples, on the videos that it describes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.captions import Draft, add_revision
from catalog.database import Catalog, open_catalog
from catalog.hits import find
from catalog.home import find_home
from catalog.library import FileSeen, place_file
from catalog.schema import Origin
from catalog.search.grouping import WHY
from catalog.search.index.indexing import index_pending
from catalog.search.query.synonyms import Synonyms, read
from catalog.search.query.syntax import parse

GUIDE = (Path(__file__).parent.parent / "docs/searching.md").read_text(encoding="utf-8")


def tables(heading: str) -> Iterator[list[str]]:
    """The rows below each heading row that begins so, cell by cell."""
    inside = False
    for line in GUIDE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith(f"| {heading} |"):
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not set(line) <= set("|-"):
            yield cells


FILES = [(row[0].strip("`"), row[1]) for row in tables("file")]
EXAMPLES = [
    (query, {title for title in row[1].split(", ") if title})
    for row in tables("you type")
    for query in re.findall(r"`([^`]+)`", row[0])
]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """The nine videos, indexed."""
    catalog = open_catalog(find_home(tmp_path_factory.mktemp("guide")))
    with catalog.write() as session:
        for number, (path, caption) in enumerate(FILES):
            seen = FileSeen(f"/영상/{path}".encode(), 100, number, "1")
            video_id, _ = place_file(session, seen, path)
            add_revision(session, video_id, Draft(caption, Origin.MODEL, model="demo"))
    index_pending(catalog)
    yield catalog
    catalog.close()


@pytest.fixture(scope="module")
def synonyms(tmp_path_factory: pytest.TempPathFactory) -> Synonyms:
    """The file that the guide shows."""
    block = re.search(r"```\n(# a comment\n.*?)```", GUIDE, re.DOTALL)
    assert block is not None
    file = tmp_path_factory.mktemp("synonyms") / "synonyms.txt"
    file.write_text(block[1], encoding="utf-8")
    found = read(file)
    assert not found.complaints
    return found


def titles(catalog: Catalog, query: str, synonyms: Synonyms) -> list[str]:
    with catalog.read() as connection:
        hits = find(connection, query, synonyms=synonyms).hits
    return list(dict.fromkeys(hit.title for hit in hits))


def test_the_guide_has_examples() -> None:
    assert len(FILES) == 9
    assert len(EXAMPLES) > 40


@pytest.mark.parametrize(("query", "expected"), [one for one in EXAMPLES if one[1]])
def test_what_the_guide_finds_comes_first(
    archive: Catalog, synonyms: Synonyms, query: str, expected: set[str]
) -> None:
    found = titles(archive, query, synonyms)
    assert set(found[: len(expected)]) == expected


@pytest.mark.parametrize("query", [one[0] for one in EXAMPLES if not one[1]])
def test_what_the_guide_calls_a_filter_is_one(query: str) -> None:
    asked = parse(query)
    assert (len(asked.filters), asked.groups) == (1, ())


@pytest.mark.parametrize(
    ("query", "left_out"),
    [("말", "낮잠"), ("3명", "버스"), ("강아지 -공원", "산책"), ("강아지 -folder:여행", "시장")],
)
def test_what_the_guide_says_is_not_found(
    archive: Catalog, synonyms: Synonyms, query: str, left_out: str
) -> None:
    assert left_out not in titles(archive, query, synonyms)


def listed(beginning: str) -> list[str]:
    """The names in backticks of one sentence."""
    start = GUIDE.index(beginning)
    return re.findall(r"`([^`]+)`", GUIDE[start : GUIDE.index(".\n", start)])


def test_the_values_that_the_guide_lists() -> None:
    days = listed("Days are")
    values = [f"after:{day}" for day in days[: days.index("3주") + 1]]
    values += [f"len:{length}" for length in ("90", "1m30s", "1분30초", "1:30", "1분..5분")]
    statuses = ("queued", "running", "captioned", "needs_review", "failed", "dead", "offline")
    assert all(f"`{status}`" in GUIDE or f"status:{status}" in GUIDE for status in statuses)
    values += [f"{name}:{status}" for name in ("status", "is") for status in statuses]
    values += ["is:edited", "is:photo", "상태:실패", "여부:사진", 'folder:"여행 2"']
    values += [f"has:{fact}" for fact in ("edit", "caption", "note", "tag", "proposal")]
    values += ["경로:가", "폴더:가", "모델:가", "태그:가", "이전:지난달", "길이:60", "있음:수정"]
    assert [one for one in values if len(parse(one).filters) != 1 or parse(one).groups] == []


def test_an_exclusion_by_itself_finds_nothing(archive: Catalog, synonyms: Synonyms) -> None:
    assert titles(archive, "-강아지", synonyms) == []
    assert titles(archive, "태그:겨울", synonyms) == []
    assert len(titles(archive, "model:demo", synonyms)) == 9


def test_the_guide_names_every_reason() -> None:
    assert [why for why in WHY.values() if f"*{why}*" not in GUIDE] == []
