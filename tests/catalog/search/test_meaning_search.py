"""Search by meaning as a person reaches it: setting, commands, the terminal UI's searches, the daemon."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from catalog.captions import Draft, add_revision, edit
from catalog.cli import main
from catalog.database import Catalog, open_catalog
from catalog.errors import UsageError
from catalog.hit_views import HitView
from catalog.hits import find
from catalog.home import Home, find_home
from catalog.library import FileSeen, place_file
from catalog.meaning import by_meaning, meaning_model
from catalog.schema import Origin, Video
from catalog.search.index.indexing import index_pending
from catalog.search.meaning import asking, opening
from catalog.search.meaning.upkeep import bring_up_to_date, state
from catalog.settings import load_settings
from daemon.indexer import Indexer
from tests.catalog.search.meaning_model import CAPTIONS, build
from tests.tui.driving import messages, screen_text
from tests.tui.driving import wait_for as until
from tui.app import HaeseolApp
from tui.reader import Searcher

BURGLAR = "복면을 쓴 도둑이 금고를 뒤진다."
SNOW = "함박눈이 골목에 쌓여 제설차가 치운다."
DOG = "강아지가 꼬리를 흔들며 짖는다."
STOLEN = "도둑이 진열장을 깨고 반지를 훔쳐 달아난다."


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that knows the words of `CAPTIONS`."""
    return build(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def template(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a video for each caption, both of its indexes up to date."""
    home = find_home(tmp_path_factory.mktemp("template"))
    with closing(open_catalog(home)) as catalog:
        for number, text in enumerate((BURGLAR, SNOW, DOG, *CAPTIONS)):
            add_video(catalog, number, text)
        index_pending(catalog)
        assert bring_up_to_date(catalog, model).finished
    return home.data_dir


def add_video(catalog: Catalog, number: int, text: str) -> int:
    """A video of that caption; even ones lie in /videos/cctv, odd ones in /videos/home."""
    with catalog.write() as session:
        folder = "home" if number % 2 else "cctv"
        seen = FileSeen(f"/videos/{folder}/{number}.mp4".encode(), 100 + number, 1, "8")
        video_id, _ = place_file(session, seen, f"{number}.mp4")
        add_revision(session, video_id, Draft(text, Origin.MODEL, model="demo"))
    return video_id


@pytest.fixture
def archive(template: Path, tmp_path: Path) -> Iterator[Catalog]:
    """A copy of the template."""
    with closing(open_catalog(find_home(shutil.copytree(template, tmp_path / "home")))) as catalog:
        yield catalog


def switch_on(home: Home, model: Path) -> None:
    home.config_file.write_text(f'meaning_model = "{model}"\n', encoding="utf-8")


@pytest.fixture
def switched_on(archive: Catalog, model: Path) -> Catalog:
    """An archive where search goes by meaning too."""
    switch_on(archive.home, model)
    return archive


def hits(catalog: Catalog, query: str, **options: object) -> list[HitView]:
    with catalog.read() as connection, by_meaning(catalog.home) as meaning:
        found = find(connection, query, meaning=meaning, **options).hits  # type: ignore[arg-type]
        assert meaning is None or meaning.trouble == ""
        return list(found)


def texts(catalog: Catalog, query: str, **options: object) -> list[str]:
    return [hit.text for hit in hits(catalog, query, **options)]


# The setting


def test_the_setting(home: Home, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert meaning_model(home) is None
    home.config_dir.mkdir(parents=True)
    switch_on(home, model)
    assert load_settings(home).meaning_model == meaning_model(home) == model
    monkeypatch.setenv("HAESEOL_MEANING_MODEL", "~/model")
    assert meaning_model(home) == Path.home() / "model"
    monkeypatch.setenv("HAESEOL_MEANING_MODEL", "")
    assert meaning_model(home) is None
    home.config_file.write_text("# meaning_model is off\n", encoding="utf-8")
    assert meaning_model(home) is None
    home.config_file.write_text("meaning_model = 3\n", encoding="utf-8")
    monkeypatch.delenv("HAESEOL_MEANING_MODEL")
    with pytest.raises(UsageError, match="meaning_model"):
        meaning_model(home)


_SEARCHING = """
import json, sys
from catalog.cli import main
code = main(["--home", sys.argv[1], "search", "강아지", "--json"])
sys.stderr.write(json.dumps([code, sorted(sys.modules)]))
"""


def modules_of_a_search(home: Home) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", _SEARCHING, str(home.data_dir)], capture_output=True, check=True
    )
    code, modules = json.loads(run.stderr)
    assert code == 0
    assert json.loads(run.stdout)
    return set(modules)


def test_off_by_default_and_then_nothing_of_it_is_loaded(archive: Catalog, model: Path) -> None:
    archive.home.config_file.write_text('model = "demo"\n', encoding="utf-8")
    modules = modules_of_a_search(archive.home)
    off = {"catalog.search.meaning", "catalog.settings", "pydantic", "sqlite_vec", "numpy"}
    assert modules & off == set()
    switch_on(archive.home, model)
    assert "catalog.search.meaning" in modules_of_a_search(archive.home), "the control"


# What a search finds


def test_a_caption_is_found_without_a_common_word(switched_on: Catalog, archive: Catalog) -> None:
    found = hits(switched_on, "침입자", limit=40)
    only_meaning = [hit for hit in found if hit.how == "meaning"]
    assert BURGLAR in [hit.text for hit in only_meaning]
    assert all(hit.highlights == () for hit in only_meaning)
    assert found[0].how != "meaning", "what holds the word comes first"
    assert "침입자" in found[0].text
    scores = [hit.score for hit in found]
    assert scores == sorted(scores, reverse=True)
    archive.home.config_file.unlink()
    assert BURGLAR not in texts(archive, "침입자", limit=40)


def test_what_words_find_stays_before_what_only_meaning_finds(switched_on: Catalog) -> None:
    reasons = [hit.how == "meaning" for hit in hits(switched_on, "강아지", limit=60)]
    assert reasons == sorted(reasons)
    assert 0 < sum(reasons) < len(reasons)
    assert len(hits(switched_on, "강아지", limit=3)) == 3


def test_filters_and_exclusions_hold_for_meaning_too(switched_on: Catalog) -> None:
    assert BURGLAR in texts(switched_on, "침입자", limit=40)
    assert BURGLAR in texts(switched_on, "침입자 folder:cctv", limit=40)
    assert BURGLAR not in texts(switched_on, "침입자 folder:home", limit=40)
    assert BURGLAR in texts(switched_on, "침입자", limit=40, folder=Path("/videos/cctv"))
    assert BURGLAR not in texts(switched_on, "침입자", limit=40, folder=Path("/videos/home"))
    assert BURGLAR not in texts(switched_on, "침입자", limit=40, after=int(time.time()) + 60)
    assert BURGLAR not in texts(switched_on, "침입자 -금고", limit=40)
    assert BURGLAR not in texts(switched_on, '침입자 -"복면을 쓴"', limit=40)
    for without in ("folder:cctv", "-강아지", ""):
        assert all(hit.how != "meaning" for hit in hits(switched_on, without, limit=40))


def test_a_filter_looks_beyond_the_nearest(
    switched_on: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_MOST_NEAREST", 2)
    monkeypatch.setattr(asking, "_FARTHER", (4, 100))
    looked_at: list[int] = []
    with by_meaning(switched_on.home) as meaning:
        assert meaning is not None
        *_, (farthest, _) = meaning.nearest("침입자", 100)

        def passing(documents: Sequence[int]) -> list[int]:
            looked_at.append(len(documents))
            return [one for one in documents if one == farthest]

        assert [one for one, _ in meaning.blend([], "침입자", passing).ranking] == [farthest]
    assert looked_at[:2] == [2, 4]
    assert 4 < looked_at[2] < 100


def test_a_deleted_text_is_not_found(switched_on: Catalog) -> None:
    with switched_on.write() as session:
        session.delete(session.get_one(Video, 1))
    assert BURGLAR not in texts(switched_on, "침입자", limit=40)


@pytest.mark.parametrize("query", ["\udcff", "침입자 -\udcff", '"', "OR", "ㅊㅇㅈ", "말" * 5000])
def test_any_text_may_be_asked(switched_on: Catalog, query: str) -> None:
    hits(switched_on, query)


# The commands


def run(catalog: Catalog, *arguments: str) -> int:
    return main(["--home", str(catalog.home.data_dir), "--lang", "en", *arguments])


def test_the_way_of_a_new_text(switched_on: Catalog, capsys: pytest.CaptureFixture[str]) -> None:
    """Written, read for meaning by the command, found by the command."""
    add_video(switched_on, 500, STOLEN)

    def searched() -> list[dict[str, object]]:
        capsys.readouterr()
        run(switched_on, "search", "침입자", "--json", "--limit", "50")
        found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
        return found

    assert STOLEN not in [hit["text"] for hit in searched()]
    assert run(switched_on, "index", "meaning") == 0
    count = len(CAPTIONS) + 4
    assert f"read for search by meaning: {2 * count} of {2 * count}" in capsys.readouterr().out
    assert {"text": STOLEN, "how": "meaning", "highlights": []}.items() <= next(
        hit for hit in searched() if hit["text"] == STOLEN
    ).items()
    assert run(switched_on, "search", "침입자", "--limit", "50") == 0
    assert BURGLAR in capsys.readouterr().out


def test_the_state_of_the_index(
    archive: Catalog, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def told() -> object:
        assert run(archive, "index", "--json") == 0
        return json.loads(capsys.readouterr().out)["meaning"]

    assert told() is None
    switch_on(archive.home, model)
    count = 2 * (len(CAPTIONS) + 3)  # a caption and a title each
    assert told() == {"texts": count, "read": count, "trouble": ""}
    add_video(archive, 500, STOLEN)
    assert told() == {"texts": count + 2, "read": count, "trouble": ""}
    switch_on(archive.home, model / "none")
    assert "meaning_model" in str(told())


def test_another_model_has_read_nothing(switched_on: Catalog, tmp_path: Path) -> None:
    other = build(tmp_path / "other", dimension=16)
    assert state(switched_on, other).read == 0


def test_reading_for_meaning_needs_the_setting(
    archive: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(archive, "index", "meaning") == 2
    assert "`meaning_model`" in capsys.readouterr().err


def test_search_goes_on_by_words_and_says_why(
    switched_on: Catalog, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opening.index_file(switched_on.home).unlink()
    assert run(switched_on, "search", "강아지", "--json") == 0
    said = capsys.readouterr()
    assert DOG in [hit["text"] for hit in json.loads(said.out)]
    assert "meaning index is not made yet" in said.err
    assert said.err.count("\n") == 1
    switch_on(switched_on.home, model / "none")
    assert run(switched_on, "search", "강아지", "--json") == 0
    assert "meaning_model" in capsys.readouterr().err


def test_one_process_reads_for_meaning_and_another_waits(switched_on: Catalog) -> None:
    home = switched_on.home
    command = [sys.executable, "-m", "catalog.cli", "--home", str(home.data_dir), "--lang", "en"]
    with (home.data_dir / "meaning-upkeep.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen([*command, "index", "meaning"], stderr=subprocess.PIPE)
        assert process.stderr is not None
        with process.stderr as said:
            assert b"waiting for it" in said.readline()
            assert process.poll() is None
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert process.wait(30) == 0


# The terminal UI's searches


def test_the_third_answer_goes_by_meaning(switched_on: Catalog) -> None:
    searcher = Searcher(switched_on)
    with closing(searcher):
        answers = list(searcher.answers("침입자"))
    assert len(answers) == 3
    for found in answers[:2]:
        assert BURGLAR not in [hit.text for hit in found.hits]
    assert BURGLAR in [hit.text for hit in answers[2].hits]
    assert {found.trouble for found in answers} == {""}


def test_without_meaning_there_are_two_answers(archive: Catalog) -> None:
    with closing(Searcher(archive)) as searcher:
        assert len(list(searcher.answers("강아지"))) == 2


def test_a_newer_query_does_not_wait_for_the_model(
    switched_on: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    from catalog.search.meaning.embedder import Embedder

    monkeypatch.setattr(Embedder, "ready", lambda self, seconds: time.sleep(seconds) or False)
    with closing(Searcher(switched_on)) as searcher:
        answers: list[object] = []
        thread = threading.Thread(target=lambda: answers.extend(searcher.answers("강아지")))
        thread.start()
        wait_for(lambda: len(answers) == 2)
        thread.join(0.3)
        assert thread.is_alive(), "it waits for the model"
        searcher.interrupt()
        thread.join(5)
        assert not thread.is_alive()
        assert len(answers) == 2


def test_a_trouble_is_told_and_passes(
    switched_on: Catalog, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening.index_file(switched_on.home).unlink()
    with closing(Searcher(switched_on)) as searcher:
        *_, last = searcher.answers("강아지")
        assert "not made yet" in last.trouble
        assert DOG in [hit.text for hit in last.hits]
        bring_up_to_date(switched_on, model)
        *_, last = searcher.answers("강아지")
        assert "not made yet" in last.trouble, "not at every key"
        monkeypatch.setattr("tui.reader._RETRY_SECONDS", 0.0)
        searcher._by_meaning._retry_at = 0.0
        *_, last = searcher.answers("침입자")
        assert last.trouble == ""
        assert BURGLAR in [hit.text for hit in last.hits]


def test_wrong_settings_are_a_trouble_too(archive: Catalog) -> None:
    archive.home.config_file.write_text("meaning_model = 3\n", encoding="utf-8")
    with closing(Searcher(archive)) as searcher:
        *_, last = searcher.answers("강아지")
    assert "meaning_model" in last.trouble
    assert last.hits


async def test_the_terminal_ui_shows_what_only_meaning_finds(switched_on: Catalog) -> None:
    app = HaeseolApp(switched_on)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await pilot.press("/", *"침입자")
        await until(pilot, lambda: BURGLAR[:9] in screen_text(pilot))


async def test_the_terminal_ui_tells_of_a_trouble_once(switched_on: Catalog) -> None:
    opening.index_file(switched_on.home).unlink()
    app = HaeseolApp(switched_on)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await pilot.press("/", *"강아")
        await until(pilot, lambda: "not made yet" in messages(pilot))
        await pilot.press("지")
        await until(pilot, lambda: DOG[:3] in screen_text(pilot))
        assert messages(pilot).count("not made yet") == 1


# The daemon


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def looked(indexer: Indexer, condition: Callable[[], bool]) -> Callable[[], bool]:
    """A look at each turn, as the daemon's scheduler does."""

    def look() -> bool:
        indexer.look()
        return condition()

    return look


def all_read(catalog: Catalog, model: Path) -> bool:
    counts = state(catalog, model)
    return counts.read == counts.texts


def test_the_daemon_reads_what_is_there_when_it_is_switched_on(
    switched_on: Catalog, model: Path
) -> None:
    opening.index_file(switched_on.home).unlink()
    with closing(Indexer(switched_on, by_meaning=True)) as indexer:
        wait_for(looked(indexer, lambda: all_read(switched_on, model)))
        wait_for(looked(indexer, lambda: not indexer._meaning.runs()))
        indexer.look()
        assert not indexer._meaning.runs(), "there is nothing left to do"


def test_the_daemon_follows_new_texts(
    switched_on: Catalog, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.indexer._MEANING_SECONDS", 0.2)
    with closing(Indexer(switched_on, by_meaning=True)) as indexer:
        wait_for(looked(indexer, lambda: not indexer._unread and not indexer._meaning.runs()))
        video = add_video(switched_on, 500, STOLEN)
        wait_for(looked(indexer, lambda: all_read(switched_on, model)))
        assert indexer._words.runs(), "the analyser's process is still there for more"
        with switched_on.write() as session:
            edit(session, video, "신랑이 신부에게 부케를 던진다.")
        wait_for(
            looked(indexer, lambda: "신랑이" in "".join(texts(switched_on, "예식장", limit=40)))
        )


def test_meaning_steps_back_behind_all_others(
    switched_on: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (switched_on.home.data_dir / "meaning-upkeep.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # so that it lasts
        with closing(Indexer(switched_on, by_meaning=True)) as indexer:
            indexer.look()
            process = indexer._meaning._process
            assert process is not None
            assert os.getpriority(os.PRIO_PROCESS, process.pid) >= 10
        assert process.returncode is not None, "it ends with the daemon"


def test_a_run_that_ends_reads_everything_first(switched_on: Catalog, model: Path) -> None:
    add_video(switched_on, 500, STOLEN)
    indexer = Indexer(switched_on, by_meaning=True)
    indexer.finish(threading.Event())
    assert all_read(switched_on, model)
    assert STOLEN in texts(switched_on, "침입자", limit=40)


def test_a_model_that_does_not_load_is_said_once(
    switched_on: Catalog, model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    switch_on(switched_on.home, model / "none")
    indexer = Indexer(switched_on, by_meaning=True)
    indexer.finish(threading.Event())
    wait_for(looked(indexer, lambda: "failed" in caplog.text))
    for _ in range(5):
        indexer.look()
    assert caplog.text.count("failed") == 1
    assert "haeseol index meaning" in caplog.text
    assert not indexer._meaning.runs()
    switch_on(switched_on.home, model)
    opening.index_file(switched_on.home).unlink()
    indexer._meaning._not_before = 0.0  # an hour later
    with closing(indexer):
        wait_for(looked(indexer, lambda: all_read(switched_on, model)))


def test_where_it_is_off_the_daemon_does_nothing(archive: Catalog) -> None:
    opening.index_file(archive.home).unlink()
    indexer = Indexer(archive)
    indexer.look()
    indexer.finish(threading.Event())
    assert not opening.index_file(archive.home).exists()
