"""The search index: whatever happens while it is made, it is what a rebuild from scratch would give."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import delete

from catalog.captions import Draft, add_revision, edit, undo
from catalog.database import Catalog, open_catalog
from catalog.errors import NotFoundError
from catalog.home import find_home
from catalog.library import SceneSpan, record_scenes, scenes_of, set_tags
from catalog.schema import Origin, Video
from catalog.search.index import indexing, verifying
from catalog.search.index.analysis import Analyser, Analysis
from catalog.sidecars.jsonl import export_lines, import_lines
from tests.catalog.search.texts import add, finds, is_sound, remove, rows, run_sql, some


@pytest.fixture(scope="module")
def analyser() -> Analyser:
    """Loaded once: it takes a second."""
    return Analyser()


@pytest.fixture(autouse=True)
def loaded_once(analyser: Analyser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparing takes the loaded analyser too."""
    monkeypatch.setattr(verifying, "Analyser", lambda: analyser)


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


def test_edits_undo_and_deletions_leave_nothing_behind(
    catalog: Catalog, analyser: Analyser
) -> None:
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


def test_what_is_imported_is_searched_as_what_was_written(
    catalog: Catalog, analyser: Analyser, tmp_path: Path
) -> None:
    ids = add(catalog, some(30))
    with catalog.write() as session:
        record_scenes(session, ids[0], [SceneSpan(0, 1.5, 0.7), SceneSpan(1.5, 4, 3)])
        scene_id = scenes_of(session, ids[0])[0].id
        add_revision(
            session, ids[0], Draft("두루미가 논에 내린다.", Origin.MODEL), scene_id=scene_id
        )
        set_tags(session, ids[0], ["여행", "철새 탐조"])
        edit(session, ids[1], "손으로 쓴 글이다.")
    lines = list(export_lines(catalog))
    other = open_catalog(find_home(tmp_path / "other"))
    try:
        for _ in range(2):  # the second time changes nothing
            import_lines(other, lines, "export.jsonl")
            is_sound(other, analyser)
        for query in ("두루미", "탐조하는 철새", "손글", "강아지"):
            assert len(finds(other, query)) == len(finds(catalog, query)), query
    finally:
        other.close()
    is_sound(catalog, analyser)
    with catalog.write() as session:
        record_scenes(session, ids[0], [SceneSpan(0, 4, 2)])  # the notes of the old scenes go
    is_sound(catalog, analyser)


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
