"""The model process: batches of whatever waits, stops, crashes, and what its end gives back."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import CodedError, InterruptedByUserError
from daemon.captioner.base import Question
from daemon.captioner.checkpoints import Checkpoint
from daemon.captioner.local import LocalCaptioner
from daemon.captioner.process import STARTED, ModelProcess
from daemon.captioner.profiles import DEMO_CHECKPOINT

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def tests_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def started(name: str = "scripted", should_stop: Callable[[], bool] = bool) -> ModelProcess:
    checkpoint = Checkpoint(name, DEMO_CHECKPOINT, "none", 4)
    return ModelProcess(checkpoint, should_stop=should_stop, module="tests.daemon.scripted_child")


@pytest.fixture
def process() -> Iterator[ModelProcess]:
    opened = started()
    yield opened
    opened.close()


def told(process: ModelProcess, *prompts: str) -> list[str]:
    return [answer.text for answer in process.answer([Question(it) for it in prompts])]


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_the_real_model_says_the_same_in_its_own_process(demo_captioner: LocalCaptioner) -> None:
    rng = np.random.default_rng(3)
    questions = [
        Question("이 영상을 묘사해 주세요.", rng.integers(0, 255, (n, 54, 96, 3), dtype=np.uint8))
        for n in (8, 4, 8)
    ]
    process = ModelProcess(Checkpoint("demo", DEMO_CHECKPOINT, "none", 8), device="cpu")
    try:
        assert process.identity == demo_captioner.identity
        assert (process.frames, process.long_side) == (8, demo_captioner.long_side)
        assert process.answer(questions) == demo_captioner.answer(questions)
    finally:
        process.close()
    assert not is_alive(process.pid)


def test_what_waits_while_the_model_is_at_work_becomes_one_batch(process: ModelProcess) -> None:
    first = process.submit([Question("sleep 0.5")])
    time.sleep(0.2)  # the process has taken it
    others = [process.submit([Question(name)]) for name in "abcde"]
    assert [one.answers(bool)[0].text for one in others] == ["a: 4", "b: 4", "c: 4", "d: 4", "e: 1"]
    assert first.answers(bool)[0].text == "sleep 0.5: 1"


def test_a_batch_holds_questions_of_one_kind(process: ModelProcess) -> None:
    pictures = np.zeros((2, 8, 8, 3), dtype=np.uint8)
    process.submit([Question("sleep 0.5")])
    time.sleep(0.2)
    mixed = [Question("a"), Question("b", pictures), Question("c"), Question("d", pictures[:1])]
    assert [answer.text for answer in process.answer(mixed)] == ["a: 2", "b: 1", "c: 2", "d: 1"]


def test_many_threads_get_their_own_answers(process: ModelProcess) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: told(process, f"{n}", f"{n}+")[0], range(40)))
    assert [answer.split(":")[0] for answer in answers] == [str(n) for n in range(40)]


def test_a_stop_ends_the_writing_within_a_second_and_the_process_goes_on(
    process: ModelProcess,
) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    before = time.monotonic()
    with pytest.raises(InterruptedByUserError):
        process.answer([Question("sleep 30")], should_stop=stop.is_set)
    assert time.monotonic() - before < 2
    assert told(process, "next") == ["next: 1"]
    assert process._told == {}
    assert process._owed == set()


def test_a_stop_of_one_asker_leaves_the_others_in_its_batch_alone(process: ModelProcess) -> None:
    process.submit([Question("sleep 0.3")])
    time.sleep(0.1)
    given_up, kept = process.submit([Question("sleep 0.6")]), process.submit([Question("b")])
    time.sleep(0.5)
    given_up.drop()
    assert kept.answers(bool)[0].text == "b: 2"


def test_an_error_of_the_model_reaches_those_who_asked(process: ModelProcess) -> None:
    with pytest.raises(CodedError, match="the card is full") as raised:
        told(process, "fail")
    assert raised.value.code == "gpu_out_of_memory"
    with pytest.raises(CodedError, match="ValueError: a bug"):
        told(process, "bug")
    assert told(process, "next") == ["next: 1"]


def test_a_bug_at_one_question_leaves_the_others_of_its_batch_alone(process: ModelProcess) -> None:
    process.submit([Question("sleep 0.5")])
    time.sleep(0.2)
    bad, good = process.submit([Question("bug")]), process.submit([Question("fine")])
    with pytest.raises(CodedError, match="a bug"):
        bad.answers(bool)
    assert good.answers(bool)[0].text == "fine: 1"


def test_what_a_library_prints_does_not_mix_with_our_data(
    process: ModelProcess, capfd: pytest.CaptureFixture[str]
) -> None:
    assert os.readlink(f"/proc/{process.pid}/fd/1") == os.readlink(f"/proc/{process.pid}/fd/2")


def test_a_process_is_known_as_ours_from_its_start_to_its_end(process: ModelProcess) -> None:
    """Or the daemon would take a model that is loading for a stranger on the card."""
    assert process.pid in STARTED
    with pytest.raises(InterruptedByUserError):
        started("slow", should_stop=lambda: len(STARTED) == 2)
    assert process.pid in STARTED
    assert len(STARTED) == 1


def test_a_process_that_the_system_ends_says_so_and_is_not_alive(process: ModelProcess) -> None:
    with pytest.raises(CodedError, match="memory ran out") as raised:
        told(process, "die")
    assert raised.value.code == "out_of_memory"
    assert not process.alive
    with pytest.raises(CodedError):
        told(process, "next")


def test_a_model_that_does_not_load_leaves_no_process(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CodedError, match="there is no such model"):
        started("none")
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    assert "scripted_child" not in " ".join(
        Path(f"/proc/{pid}/cmdline").read_text() for pid in children.split() if is_alive(int(pid))
    )


def test_a_process_of_another_version_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an update on the disk while the daemon runs."""
    monkeypatch.setattr("daemon.captioner.process.SPOKEN", "of yesterday")
    with pytest.raises(CodedError, match="start the daemon anew"):
        started()


def test_a_stop_while_it_loads_is_heard() -> None:
    before = time.monotonic()
    with pytest.raises(InterruptedByUserError):
        started("slow", should_stop=lambda: time.monotonic() > before + 1)
    assert time.monotonic() - before < 10


def test_it_ends_with_the_daemon_even_when_that_is_killed() -> None:
    code = (
        "import time\n"
        "from daemon.captioner.checkpoints import Checkpoint\n"
        "from daemon.captioner.process import STARTED, ModelProcess\n"
        "from daemon.captioner.profiles import DEMO_CHECKPOINT\n"
        "checkpoint = Checkpoint('scripted', DEMO_CHECKPOINT, 'none', 4)\n"
        "process = ModelProcess(checkpoint, module='tests.daemon.scripted_child')\n"
        "print(process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as daemon:
        assert daemon.stdout is not None
        pid = int(daemon.stdout.readline())
        daemon.kill()
    until = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_alive(pid)
