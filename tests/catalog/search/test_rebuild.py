"""Indexing that is killed, stopped, or made anew after an upgrade: it goes on, and search with it."""

import json
import signal
import subprocess
import sys
import threading
import time

import pytest

from catalog.captions import edit
from catalog.database import Catalog
from catalog.search.index import analysis, indexing, verifying
from catalog.search.index.analysis import Analyser
from tests.catalog.search.texts import add, finds, is_sound, left, remove, rows, run_sql, some


@pytest.fixture(scope="module")
def analyser() -> Analyser:
    """Loaded once: it takes a second."""
    return Analyser()


@pytest.fixture(autouse=True)
def loaded_once(analyser: Analyser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparing takes the loaded analyser too."""
    monkeypatch.setattr(verifying, "Analyser", lambda: analyser)


# Killed ------------------------------------------------------------------------------------------

MANY = 250
"""Videos, each with three texts: enough that a process is killed on its way."""
_LOOK_SECONDS = 0.01
_UPDATE = """
import sys
from pathlib import Path
from catalog.search.index import indexing
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
    queries = (
        "강아지",
        "걸어가는 할머니",
        "ㄱㅇㅈ",
        "고양ㅇ",
        "노래 부르는",
        '"눈을 쓸었다"',
        "세 명",
    )
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
        catalog,
        on_progress=lambda done, total: stop.set(),
        should_stop=stop.is_set,
        analyser=analyser,
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
