"""Several videos at once, one model at a time, and a model that is put away."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog import browse, queue
from catalog.database import Catalog
from catalog.errors import CodedError, ErrorCode
from catalog.ingest import take_file
from catalog.settings import load_settings
from daemon.captioner.base import Engine, Question
from daemon.worker import Worker
from tests.clips import plain, write_video
from tests.daemon.scripted import ScriptedCaptioner

Opener = Callable[[str], Engine]


@pytest.fixture
def videos(catalog: Catalog, tmp_path: Path) -> list[int]:
    """Six short videos."""
    paths = [
        write_video(tmp_path / f"{n}.mp4", [plain((40 * n, 80, 120)) for _ in range(12)])
        for n in range(6)
    ]
    return [take_file(catalog, str(path).encode())[0] for path in paths]


def worker_with(catalog: Catalog, opener: Opener, at_once: int = 4) -> Worker:
    settings = load_settings(catalog.home, jobs_at_once=at_once)
    return Worker(catalog, settings, opener, threading.Event())


def run_all(worker: Worker) -> None:
    """Runs jobs until none is due and none runs."""
    while worker.start_due() or worker.running:
        time.sleep(0.01)


def statuses(catalog: Catalog, ids: list[int]) -> set[str]:
    with catalog.read() as connection:
        return {view.status for view in browse.videos(connection, ids)}


def states(catalog: Catalog) -> list[tuple[str, int]]:
    with catalog.read() as connection:
        return [(job.state, job.attempts) for job in browse.jobs(connection)]


def test_videos_meet_at_the_model(catalog: Catalog, videos: list[int]) -> None:
    together = threading.Barrier(4, timeout=20)

    def meet(number: int, question: Question) -> str:
        if number <= 4:
            together.wait()
        return f"문장 {number}이 있다."

    worker = worker_with(catalog, lambda model: ScriptedCaptioner(meet))
    run_all(worker)
    assert statuses(catalog, videos) == {"captioned"}
    assert worker.outcome.done == 6
    worker.close()


def test_no_more_videos_at_once_than_set(catalog: Catalog, videos: list[int]) -> None:
    seen = []

    def look(number: int, question: Question) -> str:
        seen.append(len(worker.running))
        time.sleep(0.05)
        return "글이 있다."

    worker = worker_with(catalog, lambda model: ScriptedCaptioner(look), at_once=2)
    run_all(worker)
    assert max(seen) == 2


def test_models_take_turns_and_the_loaded_one_goes_first(
    catalog: Catalog, videos: list[int]
) -> None:
    with catalog.write() as session:
        queue.cancel(session)
        for video_id, model in zip(videos, "abaabb", strict=True):
            queue.put(session, video_id, model=model)
    opened: list[str] = []
    alive: list[ScriptedCaptioner] = []

    def opener(model: str) -> Engine:
        assert not any(one.alive for one in alive), "two models at once"
        opened.append(model)
        alive.append(ScriptedCaptioner())
        return alive[-1]

    worker = worker_with(catalog, opener)
    run_all(worker)
    assert opened == ["a", "b"]
    assert statuses(catalog, videos) == {"captioned"}


def test_a_more_urgent_job_for_another_model_is_not_overtaken_for_ever(
    catalog: Catalog, videos: list[int]
) -> None:
    with catalog.write() as session:
        queue.cancel(session)
        for video_id in videos[:5]:
            queue.put(session, video_id)
        queue.put(session, videos[5], model="other", priority=5)
        first = queue.claim(session)
        assert first is not None
        assert first.model == "other"
        assert queue.claim(session, loaded="other", in_use=True) is None
        queue.release(session, first)
        ordinary = queue.claim(session, loaded="", in_use=True)
        assert ordinary is None, "the urgent one goes first, and waits for the change of models"


def test_a_model_that_does_not_load_is_tried_once_for_all(
    catalog: Catalog, videos: list[int]
) -> None:
    tries = []

    def opener(model: str) -> Engine:
        tries.append(model)
        time.sleep(0.3)
        raise CodedError(ErrorCode.MODEL_UNAVAILABLE, "the model is not there")

    worker = worker_with(catalog, opener)
    run_all(worker)
    assert len(tries) == 1
    assert states(catalog) == [("queued", 0)] * 6
    assert worker.outcome.fault is not None


def test_an_idle_model_is_put_away_and_loaded_again(catalog: Catalog, videos: list[int]) -> None:
    opened: list[ScriptedCaptioner] = []

    def opener(model: str) -> Engine:
        opened.append(ScriptedCaptioner())
        return opened[-1]

    worker = worker_with(catalog, opener)
    assert not worker.unload_if_idle(0)
    run_all(worker)
    assert not worker.unload_if_idle(60)
    assert worker.unload_if_idle(0)
    assert not opened[0].alive
    with catalog.write() as session:
        queue.put(session, videos[0])
    run_all(worker)
    assert len(opened) == 2


def test_a_model_that_died_is_opened_again_by_the_next_job(
    catalog: Catalog, videos: list[int]
) -> None:
    opened: list[ScriptedCaptioner] = []

    def die_once(number: int, question: Question) -> str:
        if len(opened) == 1:
            opened[0].alive = False
            raise CodedError(ErrorCode.OUT_OF_MEMORY, "the process is gone")
        return "글이 있다."

    def opener(model: str) -> Engine:
        opened.append(ScriptedCaptioner(die_once))
        return opened[-1]

    worker = worker_with(catalog, opener, at_once=1)
    run_all(worker)
    assert len(opened) == 2
    assert sorted(states(catalog)) == [("failed", 1)]
    assert worker.outcome.done == 5


def test_jobs_in_hand_are_given_back_while_the_gpu_is_left_alone(
    catalog: Catalog, videos: list[int]
) -> None:
    at_it = threading.Event()

    def linger(number: int, question: Question) -> str:
        at_it.set()
        time.sleep(0.2)
        return "글이 있다."

    worker = worker_with(catalog, lambda model: ScriptedCaptioner(linger))
    worker.start_due()
    assert at_it.wait(20)
    worker.held.set()
    while worker.running:
        time.sleep(0.01)
    assert not worker.start_due()
    assert set(states(catalog)) == {("queued", 0)}
    worker.held.clear()
    run_all(worker)
    assert statuses(catalog, videos) == {"captioned"}


def test_a_file_that_is_no_video_loads_no_model(catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "text.mp4"
    path.write_text("no video")
    take_file(catalog, str(path).encode())
    opened = []
    worker = worker_with(catalog, lambda model: opened.append(model))  # type: ignore[arg-type, func-returns-value]
    run_all(worker)
    assert opened == []
    assert states(catalog) == [("failed", 1)]
