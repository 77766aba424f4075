"""Several videos at once, one model at a time, and a model that is put away."""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from catalog import browse, queue
from catalog.database import Catalog
from catalog.errors import CodedError, ErrorCode
from catalog.ingest import take_file
from catalog.schema import Job
from catalog.settings import load_settings
from daemon.captioner.base import Engine, Question
from daemon.captioner.checkpoints import Checkpoint
from daemon.captioner.process import ModelProcess
from daemon.captioner.profiles import DEMO_CHECKPOINT
from daemon.service import Service
from daemon.worker import Worker
from tests.clips import plain, write_video
from tests.daemon.scripted import ScriptedCaptioner

ROOT = Path(__file__).parents[2]

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
    busy = True
    while busy:
        # Looked at first: a job that ends during the search leaves room that the search did not see.
        busy = bool(worker.running)
        busy = worker.start_due() or busy
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


def test_a_video_that_ends_the_model_process_pays_alone(
    catalog: Catalog, videos: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with catalog.write() as session:
        queue.cancel(session)
        for number, video_id in enumerate(videos[:3]):
            queue.put(session, video_id, prompt="die" if number == 1 else "영상이다.")
    checkpoint = Checkpoint("scripted", DEMO_CHECKPOINT, "none", 4)
    worker = worker_with(
        catalog, lambda model: ModelProcess(checkpoint, module="tests.daemon.scripted_child")
    )
    run_all(worker)
    worker.close()
    with catalog.read() as connection:
        jobs = {job.video_id: (job.state, job.attempts) for job in browse.jobs(connection)}
    assert jobs == {videos[1]: ("failed", 1)}
    assert worker.outcome.done == 2


def test_two_jobs_of_one_video_take_turns(catalog: Catalog, videos: list[int]) -> None:
    with catalog.write() as session:
        queue.cancel(session)
        queue.put(session, videos[0], prompt="하나")
        queue.put(session, videos[0], prompt="둘")
        first = queue.claim(session)
        assert first is not None
        assert queue.claim(session) is None
        queue.finish(session, first)
        assert queue.claim(session) is not None


def test_a_job_for_another_model_waits_no_longer_than_patience(
    catalog: Catalog, videos: list[int]
) -> None:
    with catalog.write() as session:
        queue.cancel(session)
        waited = queue.put(session, videos[0], model="other")
        queue.put(session, videos[1])
        job = queue.claim(session, loaded="")
        assert job is not None
        assert job.model == "", "the loaded one goes first"
        queue.release(session, job)
        session.get_one(Job, waited).run_after -= queue.PATIENCE_SECONDS + 1
        session.flush()
        job = queue.claim(session, loaded="")
        assert job is not None
        assert job.model == "other"


def test_a_job_that_chose_an_engine_itself_holds_up_no_other(
    catalog: Catalog, videos: list[int]
) -> None:
    with catalog.write() as session:
        queue.put(session, videos[0], model="remote", priority=5)

    def opener(model: str) -> Engine:
        if model == "remote":
            raise CodedError(ErrorCode.ENGINE_UNREACHABLE, "no engine answers")
        return ScriptedCaptioner()

    worker = worker_with(catalog, opener)
    run_all(worker)
    assert worker.outcome.done == 6
    assert states(catalog) == [("failed", 1)]


def test_once_goes_on_until_all_is_done_though_another_program_locks_the_catalog(
    catalog: Catalog, videos: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.service._AFTER_ERROR_SECONDS", 0.1)
    service = Service(
        catalog,
        load_settings(catalog.home, settle_seconds=0),
        open_captioner=lambda model: ScriptedCaptioner(),
    )
    real, failures = service.worker.start_due, iter([1, 1])

    def start_due() -> bool:
        if next(failures, None):
            raise OperationalError("BEGIN IMMEDIATE", None, Exception("database is locked"))
        return real()

    service.worker.start_due = start_due  # type: ignore[method-assign]
    assert service.run_until_idle().done == 6


def test_once_tells_of_a_fault_though_a_job_beside_it_ended_well(
    catalog: Catalog, videos: list[int]
) -> None:
    slow = threading.Event()

    def fill_up(number: int, question: Question) -> str:
        if number == 1:
            slow.wait(10)
            return "글이 있다."
        threading.Timer(0.5, slow.set).start()
        raise OSError(28, "No space left on device")

    service = Service(
        catalog,
        load_settings(catalog.home, settle_seconds=0, jobs_at_once=2),
        open_captioner=lambda model: ScriptedCaptioner(fill_up),
    )
    outcome = service.run_until_idle()
    assert outcome.fault is not None
    assert outcome.fault.code == "disk_full"


def test_a_stop_does_not_wait_for_a_model_process_that_hangs(
    catalog: Catalog, videos: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr("daemon.worker._END_SECONDS", 0.5)
    opened: list[ModelProcess] = []

    def stand_still(process: ModelProcess) -> None:
        with suppress(CodedError):
            process.submit([Question("x" * 50_000_000)])

    def opener(model: str) -> Engine:
        checkpoint = Checkpoint("scripted", DEMO_CHECKPOINT, "none", 4)
        opened.append(ModelProcess(checkpoint, module="tests.daemon.scripted_child"))
        os.kill(opened[0].pid, signal.SIGSTOP)
        # More than a socket holds: whoever sends it stands still with the process.
        threading.Thread(target=stand_still, args=opened, daemon=True).start()
        time.sleep(0.3)
        return opened[0]

    worker = worker_with(catalog, opener)
    worker.start_due()
    while not opened or time.monotonic() - worker.slot.used_at < 1:
        time.sleep(0.05)
    worker.stop.set()
    before = time.monotonic()
    worker.close()
    assert time.monotonic() - before < 15
    assert not Path(f"/proc/{opened[0].pid}").exists()
