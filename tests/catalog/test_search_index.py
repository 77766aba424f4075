"""The search index: whatever happens while it is made, it is what a rebuild from scratch would give."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count, product

import pytest
from sqlalchemy import delete

from catalog.captions import Draft, add_revision, edit, undo
from catalog.database import Catalog, open_catalog
from catalog.errors import NotFoundError
from catalog.library import FileSeen, place_file
from catalog.schema import Origin, Video
from catalog.search import analysis, indexing, verifying
from catalog.search.analysis import Analyser, Analysis
from catalog.search.index import raw_connection
from catalog.search.query import search

SUBJECTS = "강아지가 고양이가 해녀가 소방관이 할머니가 아이들이 새끼 수달이 누리호가 BMW가 세 명이".split(" ")
PLACES = "시장에서 공원에서 횡단보도에서 바닷가에서 주차장에서 운동장에서 다리 위에서".split(" ")
DEEDS = "걸어간다. 상자를 문다. 노래를 부른다. 케잌을 먹는다. 산책을 한다. 눈을 쓸었다.".split(". ")


def sentences() -> Iterator[str]:
    """Sentences without end, each of them once."""
    for number in count(1):
        for subject, place, deed in product(SUBJECTS, PLACES, DEEDS):
            yield f"{place} {subject} {deed.rstrip('.')}. {number}번째 장면이다."


@pytest.fixture(scope="module")
def analyser() -> Analyser:
    """Loaded once: it takes a second."""
    return Analyser()


@pytest.fixture(autouse=True)
def loaded_once(analyser: Analyser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparing takes the loaded analyser too."""
    monkeypatch.setattr(verifying, "Analyser", lambda: analyser)


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


# Verifying ---------------------------------------------------------------------------------------

PLANTED = {
    "a ghost row": ["INSERT INTO search_index(rowid, lemmas, also, words) VALUES (999, '유령', '', '')"],
    "a missing row": ["DELETE FROM search_index WHERE rowid = 1"],
    "a row of another text": [
        "DELETE FROM search_index WHERE rowid = 3",
        "INSERT INTO search_index(rowid, lemmas, also, words) VALUES (3, '고래', '', '고래가')",
    ],
    "a token in another column": [
        "DELETE FROM search_index WHERE rowid = 3",
        "INSERT INTO search_index(rowid, lemmas, also, words) SELECT 3, '', text, '' FROM document"
        " WHERE id = 3",
    ],
    "a count too high": ["UPDATE search_word SET n = n + 1 WHERE word = '강아지' AND kind = 'n'"],
    "a count of nothing": ["UPDATE search_word SET n = 0 WHERE word = '강아지' AND kind = 'n'"],
    "a word of no text": ["INSERT INTO search_word VALUES ('유령', 'n', '', 1, 'ㅇㅠ', 'ㅇㄹ', 'ㅇㅠ')"],
    "a word that is gone": ["DELETE FROM search_word WHERE word = '강아지'"],
    "a word that sounds otherwise": ["UPDATE search_word SET sound = 'x' WHERE word = '강아지'"],
    "other keys": ["UPDATE search_word SET keys = 'x' WHERE word = '강아지' AND kind = 'n'"],
    "other initials": ["UPDATE search_word SET initials = 'ㅋㅋ' WHERE word = '강아지'"],
    "another reading": ["UPDATE search_word SET reading = '고래' WHERE word = '강아지가' AND kind = 'w'"],
    "an ending of no word": ["INSERT INTO search_ending VALUES ('렁이', '누렁이')"],
    "an ending that is gone": ["DELETE FROM search_ending WHERE word = '강아지'"],
    "no endings": ["DELETE FROM search_ending"],
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_and_a_rebuild_mends_it(
    catalog: Catalog, analyser: Analyser, name: str
) -> None:
    add(catalog, some(20))
    is_sound(catalog, analyser)
    run_sql(catalog, *PLANTED[name])
    assert verifying.faults(catalog, thorough=True)
    indexing.ask_rebuild(catalog, check=True)
    is_sound(catalog, analyser)


def test_a_damaged_index_is_found_by_the_quick_check_too(
    catalog: Catalog, analyser: Analyser
) -> None:
    add(catalog, some(200))
    is_sound(catalog, analyser)
    run_sql(catalog, "DELETE FROM search_index_data WHERE id > 10")
    assert verifying.faults(catalog)
    indexing.ask_rebuild(catalog, check=True)
    is_sound(catalog, analyser)
    assert finds(catalog, "강아지")


def test_texts_that_wait_are_no_fault_but_cannot_be_compared(
    catalog: Catalog, analyser: Analyser
) -> None:
    add(catalog, some(3))
    assert verifying.faults(catalog) == []
    assert len(verifying.faults(catalog, thorough=True)) == 1
    is_sound(catalog, analyser)


def test_what_is_written_meanwhile_is_no_fault(
    catalog: Catalog, analyser: Analyser, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = add(catalog, some(30))
    is_sound(catalog, analyser)
    class WithOthers(Analyser):
        """Somebody edits, and the daemon reads it, while texts are compared."""

        def analyse(self, texts: Sequence[str]) -> list[Analysis]:
            with catalog.write() as session:
                edit(session, ids[0], "두루미가 논에 내린다.")
            indexing.index_pending(catalog, analyser=analyser)
            return analyser.analyse(texts)

    monkeypatch.setattr(verifying, "Analyser", WithOthers)
    assert verifying.faults(catalog, thorough=True) == []


# Changes -----------------------------------------------------------------------------------------


def test_edits_undo_and_deletions_leave_nothing_behind(catalog: Catalog, analyser: Analyser) -> None:
    ids = add(catalog, some(60))
    is_sound(catalog, analyser)
    with catalog.write() as session:
        for video_id in ids[:20]:
            edit(session, video_id, "두루미가 논에 내린다.")
        for video_id in ids[:10]:
            undo(session, video_id)
    for video_id in ids[15:40]:
        remove(catalog, video_id)
    is_sound(catalog, analyser)
    assert finds(catalog, "두루미") == set(ids[10:15])
    for video_id in [*ids[:15], *ids[40:]]:
        remove(catalog, video_id)
    is_sound(catalog, analyser)
    for table in ("search_word", "search_ending", "search_index_docsize"):
        assert rows(catalog, f"SELECT count(*) FROM {table}") == [(0,)], table


def test_a_text_that_comes_back_before_it_was_read_is_counted_once(
    catalog: Catalog, analyser: Analyser
) -> None:
    ids = add(catalog, some(2))
    is_sound(catalog, analyser)
    with catalog.write() as session:
        edit(session, ids[0], "두루미가 논에 내린다.")
    with catalog.write() as session:
        undo(session, ids[0])
    is_sound(catalog, analyser)
    with catalog.write() as session:
        edit(session, ids[0], "두루미가 논에 내린다.")
    remove(catalog, ids[0])
    is_sound(catalog, analyser)


def test_a_new_text_is_found_before_the_analyser_has_read_it(catalog: Catalog) -> None:
    (video_id,) = add(catalog, ["두루미가 논에 내린다."])
    for query in ("두루미", "두루미가", "논에", "두루미 논", "두루"):
        assert finds(catalog, query) == {video_id}, query


def test_a_batch_that_was_changed_while_it_was_read_is_read_again(
    catalog: Catalog, analyser: Analyser
) -> None:
    ids = add(catalog, some(30))
    edits = iter(ids)

    class Slow(Analyser):
        """Takes so long that somebody edits a text and deletes another meanwhile."""

        def __init__(self) -> None:
            pass

        def analyse(self, texts: Sequence[str]) -> list[Analysis]:
            with suppress(StopIteration), catalog.write() as session:
                edit(session, next(edits), "두루미가 논에 내린다.")
                session.execute(delete(Video).where(Video.id == next(edits)))
            return analyser.analyse(texts)

    indexing.index_pending(catalog, analyser=Slow())
    is_sound(catalog, analyser)
    indexing.ask_rebuild(catalog)
    indexing.index_pending(catalog, analyser=Slow())
    is_sound(catalog, analyser)


class Held(Analyser):
    """Reads as another does, but only once it may go on."""

    def __init__(self, real: Analyser) -> None:
        self._real = real
        self.began, self.go_on = threading.Event(), threading.Event()

    def analyse(self, texts: Sequence[str]) -> list[Analysis]:
        found = self._real.analyse(texts)
        self.began.set()
        assert self.go_on.wait(60)
        return found


@pytest.mark.parametrize("rebuild", [False, True])
def test_what_another_did_meanwhile_is_not_done_twice(
    catalog: Catalog, analyser: Analyser, rebuild: bool
) -> None:
    ids = add(catalog, some(10))
    is_sound(catalog, analyser)
    with catalog.write() as session:
        edit(session, ids[0], "송아지가 들판에서 운다.")
    held = Held(analyser)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(indexing.index_pending, catalog, analyser=held)
        assert held.began.wait(60)
        if rebuild:
            indexing.ask_rebuild(catalog)
        indexing.index_pending(catalog, analyser=analyser)
        # In the list of texts that are gone, this one takes the row of the one before.
        with catalog.write() as session:
            edit(session, ids[1], "두루미가 논에 내린다.")
        held.go_on.set()
        slow.result(60)
    is_sound(catalog, analyser)


def test_two_who_index_and_one_who_writes(catalog: Catalog, analyser: Analyser) -> None:
    ids = add(catalog, some(300))
    texts = iter(some(2_000)[300:])
    stop = threading.Event()

    def write() -> int:
        done = 0
        while not stop.is_set() and done < 150:
            with catalog.write() as session:
                edit(session, ids[done % 40], next(texts))
                with suppress(NotFoundError):
                    undo(session, ids[40 + done % 40])
                if done % 5 == 0:
                    session.execute(delete(Video).where(Video.id == ids[100 + done]))
            done += 1
        return done

    def index() -> None:
        other = open_catalog(catalog.home)
        while not stop.is_set():
            indexing.index_pending(other, analyser=analyser)
            time.sleep(0.01)
        other.close()

    with ThreadPoolExecutor(3) as pool:
        others = [pool.submit(index) for _ in range(2)]
        writing = pool.submit(write)
        for _ in range(3):
            time.sleep(0.3)
            indexing.ask_rebuild(catalog)
        assert writing.result(120) == 150
        stop.set()
        for one in others:
            one.result(60)
    is_sound(catalog, analyser)


# Killed ------------------------------------------------------------------------------------------

MANY = 250
"""Videos, each with three texts: enough that a process is killed on its way."""
_LOOK_SECONDS = 0.01
_UPDATE = """
import sys
from pathlib import Path
from catalog.search import indexing
indexing.BATCH = 20
from catalog.cli import main
sys.exit(main(["--home", sys.argv[1], "index", sys.argv[2]]))
"""


def start(catalog: Catalog, action: str) -> "subprocess.Popen[bytes]":
    """A real process that indexes, in small batches so that there is time to kill it."""
    return subprocess.Popen(
        [sys.executable, "-c", _UPDATE, str(catalog.home.data_dir), action],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def kill_on_the_way(catalog: Catalog, action: str) -> tuple[int, int]:
    """Starts it, and kills it once it has written something. Returns what waited before and after."""
    with catalog.read() as connection, start(catalog, action) as process:
        before = indexing.waiting(connection)
        while action == "rebuild" and not before and process.poll() is None:
            time.sleep(_LOOK_SECONDS)
            before = indexing.waiting(connection)
        while indexing.waiting(connection) >= before and process.poll() is None:
            time.sleep(_LOOK_SECONDS)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.returncode == -signal.SIGKILL, process.stderr and process.stderr.read()
    return before, left(catalog)


def test_killed_while_it_indexes(catalog: Catalog, analyser: Analyser) -> None:
    ids = add(catalog, some(MANY))
    for _ in range(2):
        before, after = kill_on_the_way(catalog, "update")
        assert 0 < after < before
        assert verifying.faults(catalog) == []  # quickly: texts still wait
        with catalog.write() as session:
            edit(session, ids[after % MANY], "두루미가 논에 내린다.")
    is_sound(catalog, analyser)


def test_killed_while_it_rebuilds(catalog: Catalog, analyser: Analyser) -> None:
    ids = add(catalog, some(MANY))
    is_sound(catalog, analyser)
    everywhere = finds(catalog, "강아지")
    before, after = kill_on_the_way(catalog, "rebuild")
    assert 0 < after < before
    assert finds(catalog, "강아지") == everywhere  # the old index serves meanwhile
    assert finds(catalog, "걸어가는 강아지")
    with catalog.write() as session:
        edit(session, ids[0], "두루미가 논에 내린다.")
        edit(session, ids[-1], "두루미가 논에 내린다.")
    remove(catalog, ids[1])
    remove(catalog, ids[-2])
    before, after = kill_on_the_way(catalog, "update")  # goes on where it was
    assert 0 < after < before <= 2 * 3 * MANY
    is_sound(catalog, analyser)


def test_ended_by_the_daemon_it_goes_without_a_word(catalog: Catalog, analyser: Analyser) -> None:
    add(catalog, some(MANY))
    before = left(catalog)
    with start(catalog, "update") as process:
        while left(catalog) == before and process.poll() is None:
            time.sleep(_LOOK_SECONDS)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert process.returncode != 0
    assert b"Traceback" not in said
    is_sound(catalog, analyser)


# Another analyser --------------------------------------------------------------------------------


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> str:
    """An analyser of another version, for this process."""
    version = "kiwi 99.0, rules 7"
    monkeypatch.setattr(analysis, "analyser_version", lambda: version)
    monkeypatch.setattr(indexing, "analyser_version", lambda: version)
    return version


def test_after_an_upgrade_everything_is_read_anew(
    catalog: Catalog, analyser: Analyser, request: pytest.FixtureRequest
) -> None:
    add(catalog, some(50))
    is_sound(catalog, analyser)
    # What only the old analyser made of the texts: a word, how a word sounds, a part of a word.
    run_sql(
        catalog,
        "INSERT INTO search_word VALUES ('옛말', 'n', '', 5, 'ㅇㅖㅅㅁㅏㄹ', 'ㅇㅁ', 'ㅇㅖㅅㅁㅏㄹ')",
        "UPDATE search_word SET sound = 'old', keys = 'old' WHERE word = '고양이'",
        "DELETE FROM search_ending WHERE word = '고양이'",
        "INSERT INTO search_ending VALUES ('지', '강아지')",
    )
    version = request.getfixturevalue("newer")
    with catalog.read() as connection:
        assert indexing.analyser_of(connection) != version
    assert indexing.index_pending(catalog, analyser=analyser) == len(
        rows(catalog, "SELECT 1 FROM document")
    )
    with catalog.read() as connection:
        assert indexing.analyser_of(connection) == version
    assert rows(catalog, "SELECT 1 FROM search_word WHERE word = '옛말'") == []
    is_sound(catalog, analyser)
    assert indexing.index_pending(catalog, analyser=analyser) == 0


def test_a_search_goes_on_while_everything_is_read_anew(
    catalog: Catalog, analyser: Analyser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "BATCH", 150)
    add(catalog, some(MANY))
    indexing.index_pending(catalog, analyser=analyser)
    queries = ("강아지", "걸어가는 할머니", "ㄱㅇㅈ", "고양ㅇ", "노래 부르는", '"눈을 쓸었다"', "세 명")
    before = {query: finds(catalog, query) for query in queries}
    assert [query for query in queries if not before[query]] == []
    indexing.ask_rebuild(catalog)
    seen = []

    def look(done: int, total: int) -> None:
        seen.append((done, total))
        assert {query: finds(catalog, query) for query in queries} == before

    indexing.index_pending(catalog, on_progress=look, analyser=analyser)
    assert len(seen) > 2
    assert seen[-1][0] == len(rows(catalog, "SELECT 1 FROM document"))
    assert all(done <= total for done, total in seen)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_stopped_halfway_it_goes_on_later(catalog: Catalog, analyser: Analyser) -> None:
    add(catalog, some(MANY))
    stop = threading.Event()
    assert len(rows(catalog, "SELECT 1 FROM document")) > indexing.BATCH
    first = indexing.index_pending(
        catalog, on_progress=lambda done, total: stop.set(), should_stop=stop.is_set, analyser=analyser
    )
    assert 0 < first < len(rows(catalog, "SELECT 1 FROM document"))
    rest = indexing.index_pending(catalog, analyser=analyser)
    assert first + rest == len(rows(catalog, "SELECT 1 FROM document"))
    is_sound(catalog, analyser)


def test_the_state_is_kept_as_others_read_it(catalog: Catalog, analyser: Analyser) -> None:
    add(catalog, some(2))
    is_sound(catalog, analyser)
    ((value,),) = rows(catalog, "SELECT value FROM state WHERE key = 'search'")
    assert json.loads(str(value)) == {
        "analyser": analysis.analyser_version(),
        "rebuilding": False,
    }


def test_merging_changes_nothing_that_is_found(catalog: Catalog, analyser: Analyser) -> None:
    ids = add(catalog, some(MANY))
    indexing.index_pending(catalog, analyser=analyser)
    for start_at in range(0, 150, 50):
        with catalog.write() as session:
            for video_id in ids[start_at : start_at + 50]:
                edit(session, video_id, "두루미가 논에 내린다.")
        indexing.index_pending(catalog, analyser=analyser)
    before = finds(catalog, "두루미"), finds(catalog, "강아지")
    indexing.merge(catalog)
    assert (finds(catalog, "두루미"), finds(catalog, "강아지")) == before
    is_sound(catalog, analyser)
