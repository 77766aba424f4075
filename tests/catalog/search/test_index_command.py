"""The `index` command, as a person runs it, and what it prints for programs."""

import json
import subprocess
import sys
import threading
import time

import pytest

from catalog.captions import Draft, add_revision
from catalog.cli import main
from catalog.database import Catalog
from catalog.library import FileSeen, place_file
from catalog.schema import Origin
from catalog.search.index import verifying
from catalog.search.index.documents import raw_connection
from catalog.search.index.indexing import index_pending, waiting
from catalog.search.query.asking import search

TEXTS = ("강아지가 공원에서 걸어간다.", "할머니가 횡단보도를 건넌다.", "아이가 양말을 신는다.")


@pytest.fixture(autouse=True)
def texts(catalog: Catalog) -> None:
    for number, text in enumerate(TEXTS):
        add(catalog, number, text)


def add(catalog: Catalog, number: int, text: str) -> None:
    with catalog.write() as session:
        seen = FileSeen(f"/videos/{number}.mp4".encode(), 100, number, "8")
        video_id, _ = place_file(session, seen, f"{number:032x}")
        add_revision(session, video_id, Draft(text, Origin.MODEL, model="demo"))


def run_sql(catalog: Catalog, statement: str) -> None:
    with catalog.write() as session:
        raw_connection(session).execute(statement)


def documents(catalog: Catalog) -> int:
    with catalog.read() as connection:
        return int(connection.execute("SELECT count(*) FROM document").fetchone()[0])


class Command:
    """`haeseol index`, in this process."""

    def __init__(self, catalog: Catalog, capsys: pytest.CaptureFixture[str]) -> None:
        self._home = ["--home", str(catalog.home.data_dir)]
        self._capsys = capsys
        self.code = 0
        self.told = ""

    def __call__(self, *arguments: str) -> str:
        """What it printed; `code` is how it ended, `told` what it said beside."""
        self.code = main([*self._home, "index", *arguments])
        printed = self._capsys.readouterr()
        self.told = printed.err
        return printed.out


@pytest.fixture
def index(catalog: Catalog, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(catalog, capsys)


def test_the_state_says_what_waits(catalog: Catalog, index: Command) -> None:
    state = json.loads(index("--json"))
    assert (index.code, state["texts"], state["waiting"]) == (
        0,
        documents(catalog),
        documents(catalog),
    )
    assert state["analyser"] == ""
    assert "waiting for the analyser" in index("status")


def test_update_reads_everything_and_says_how_much_memory(catalog: Catalog, index: Command) -> None:
    state = json.loads(index("update", "--json"))
    assert index.code == 0
    assert state["waiting"] == 0
    assert state["words"] > 10
    assert state["analyser"].startswith("kiwi ")
    assert 50e6 < state["peak_memory_bytes"] < 4e9
    assert "memory at most" in index("update")
    with catalog.read() as connection:
        assert search(connection, "걸었던").matches


def test_update_with_nothing_to_do_loads_no_analyser(catalog: Catalog, index: Command) -> None:
    index_pending(catalog)
    code = (
        "import sys; from catalog.cli import main; code = main(sys.argv[1:]);"
        "sys.exit(99 if 'kiwipiepy' in sys.modules else code)"
    )
    for action in ("update", "status", "verify"):
        command = [
            sys.executable,
            "-c",
            code,
            "--home",
            str(catalog.home.data_dir),
            "index",
            action,
        ]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0, action


def test_a_sound_index_passes(catalog: Catalog, index: Command) -> None:
    index_pending(catalog)
    assert "sound" in index("verify")
    assert index.code == 0
    assert "sound" in index("verify", "--thorough")
    assert index.code == 0
    assert json.loads(index("verify", "--thorough", "--json")) == {"faults": []}


def test_faults_are_told_with_what_to_do_and_that_helps(catalog: Catalog, index: Command) -> None:
    index_pending(catalog)
    run_sql(catalog, "DELETE FROM search_index WHERE rowid = 1")
    run_sql(
        catalog, "INSERT INTO search_index(rowid, lemmas, also, words) VALUES (99, 'x', '', '')"
    )
    run_sql(catalog, "UPDATE search_word SET n = 7, sound = 'x' WHERE word = '강아지'")
    run_sql(catalog, "DELETE FROM search_ending")
    said = index("verify")
    assert index.code == 1
    assert "1 texts are not in the index" in said
    assert "1 rows of the index belong to no text" in said
    assert "index rebuild" in index.told
    assert len(json.loads(index("verify", "--json"))["faults"]) == 2
    index("rebuild")
    assert index.code == 0
    index("verify", "--thorough")
    assert index.code == 0


def test_a_wrong_count_is_only_found_by_the_thorough_check(
    catalog: Catalog, index: Command
) -> None:
    index_pending(catalog)
    run_sql(catalog, "UPDATE search_word SET n = 7 WHERE word = '강아지' AND kind = 'n'")
    index("verify")
    assert index.code == 0
    assert "강아지" in index("verify", "--thorough")
    assert index.code == 1


def test_rebuild_reads_everything_anew(catalog: Catalog, index: Command) -> None:
    index("update")
    state = json.loads(index("rebuild", "--json"))
    assert (index.code, state["waiting"]) == (0, 0)
    assert verifying.faults(catalog, thorough=True) == []


def test_an_empty_catalog_is_sound(
    catalog: Catalog, index: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    run_sql(catalog, "DELETE FROM video")
    index("update")
    assert index.code == 0
    assert json.loads(index("verify", "--thorough", "--json")) == {"faults": []}
    state = json.loads(index("--json"))
    assert (state["texts"], state["words"], state["waiting"]) == (0, 0, 0)


def test_it_follows_what_comes_until_nothing_comes(catalog: Catalog, index: Command) -> None:
    def write() -> None:
        while left(catalog):
            time.sleep(0.05)
        add(catalog, 7, "두루미가 논에 내린다.")

    writer = threading.Thread(target=write)
    writer.start()
    began = time.monotonic()
    assert index("update", "--follow", "2") == ""
    writer.join()
    assert index.code == 0
    assert time.monotonic() - began >= 2
    assert left(catalog) == 0
    with catalog.read() as connection:
        assert search(connection, "내리는 두루미").matches


def left(catalog: Catalog) -> int:
    with catalog.read() as connection:
        return waiting(connection)


def test_it_speaks_korean(
    catalog: Catalog, index: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAESEOL_LANG", "ko")
    monkeypatch.setenv("LANGUAGE", "ko")
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    said = index("update")
    assert "texts" not in said
    assert any("가" <= one <= "힣" for one in said)
