"""The search for scenes goes on where it was stopped, and waits for a disk that gives nothing."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from catalog import browse, stretches
from catalog.database import Catalog
from catalog.errors import ErrorCode, InterruptedByUserError
from catalog.ingest import take_file
from catalog.settings import load_settings
from daemon import media, pipeline
from daemon.media import calls, search
from daemon.media.visits import StalledError
from daemon.worker import Worker
from tests.clips import textured, write_video
from tests.daemon.scripted import ScriptedCaptioner

MINUTES = 17


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long, small and slow: a slide a minute, two frames a second."""
    pictures = (textured(second // 60, (64, 48)) for second in range(60 * MINUTES) for _ in (0, 1))
    path = tmp_path_factory.mktemp("lecture") / "강의.mp4"
    return write_video(path, pictures, fps=2, options={"preset": "ultrafast", "g": "40"})


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The starts of the stretches that were searched."""
    starts: list[float] = []

    def noted(path: Path, facts: media.Probe, start: float, *rest: float, **how: object) -> object:
        found = calls.search_stretch(path, facts, start, *rest, **how)  # type: ignore[arg-type]
        starts.append(start)
        return found

    monkeypatch.setattr(search, "search_stretch", noted)
    return starts


def test_what_was_found_before_is_not_searched_again(lecture: Path, searched: list[float]) -> None:
    facts = media.probe(lecture)
    kept: dict[int, bytes] = {}
    scenes = media.find_scenes(lecture, facts, keep=kept.__setitem__)
    assert len(scenes) == MINUTES
    assert [scene.start for scene in scenes] == pytest.approx(
        [60.0 * minute for minute in range(MINUTES)], abs=0.51
    )
    assert len(searched) == len(kept) >= 3
    del searched[:], kept[1]
    again = media.find_scenes(lecture, facts, known=kept, keep=kept.__setitem__)
    assert again == scenes
    assert len(searched) == 1
    del searched[:]
    kept[0] = kept[0][:-3]  # as a damaged catalog would have it
    assert media.find_scenes(lecture, facts, known=kept) == scenes
    assert searched == [0.0]


def test_searches_of_several_videos_share_the_processor(
    lecture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most, lock = 0, 0, threading.Lock()

    def counted(*which: object, **how: object) -> object:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        found = calls.search_stretch(*which, **how)  # type: ignore[arg-type]
        with lock:
            at_once -= 1
        return found

    monkeypatch.setattr(search, "search_stretch", counted)
    facts = media.probe(lecture)
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(media.find_scenes, lecture, facts) for _ in range(4)]
        assert {len(run.result()) for run in runs} == {MINUTES}
    assert most == min(len(os.sched_getaffinity(0)), 4 * 3)


def test_a_search_that_waits_for_its_turn_stops_when_told_to(
    lecture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = media.probe(lecture)
    monkeypatch.setattr(search, "_SEATS", threading.BoundedSemaphore(1))
    with search._SEATS, pytest.raises(InterruptedByUserError):
        media.find_scenes(lecture, facts, should_stop=lambda: True)


def test_a_job_that_was_stopped_goes_on_with_the_next_stretch(
    catalog: Catalog, lecture: Path, searched: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    video_id, *_ = take_file(catalog, os.fsencode(lecture))
    stop = threading.Event()
    keep = pipeline.VideoJob._keep_stretch

    def keep_one(job: pipeline.VideoJob, index: int, found: bytes) -> None:
        if stop.is_set():
            raise InterruptedByUserError
        keep(job, index, found)
        stop.set()

    monkeypatch.setattr(pipeline.VideoJob, "_keep_stretch", keep_one)
    settings = load_settings(catalog.home)
    Worker(catalog, settings, lambda model: ScriptedCaptioner(), stop).run_next()
    with catalog.read() as connection:
        kept = stretches.kept(connection, video_id, media.recipe("exact"))
    assert len(kept) == 1
    del searched[:]
    monkeypatch.setattr(pipeline.VideoJob, "_keep_stretch", keep)
    Worker(catalog, settings, lambda model: ScriptedCaptioner(), threading.Event()).run_next()
    with catalog.read() as connection:
        assert len(browse.video(connection, video_id).scenes) == MINUTES
        assert stretches.kept(connection, video_id, media.recipe("exact")) == {}
    assert len(searched) == len(search.stretches(media.probe(lecture))) - 1


def test_a_disk_that_gives_nothing_costs_no_try(
    catalog: Catalog, lecture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video_id, *_ = take_file(catalog, os.fsencode(lecture))

    def stalled(path: Path) -> media.Probe:
        raise StalledError(ErrorCode.DECODE_TIMEOUT, f"{path} gave nothing")

    monkeypatch.setattr(media, "probe", stalled)
    worker = Worker(
        catalog, load_settings(catalog.home), lambda model: ScriptedCaptioner(), threading.Event()
    )
    worker.run_next()
    with catalog.read() as connection:
        assert browse.video(connection, video_id).status == "offline"
        job = connection.execute("SELECT state, attempts FROM job").fetchone()
    assert tuple(job) == ("queued", 0)
