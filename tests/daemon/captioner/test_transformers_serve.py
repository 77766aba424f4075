"""The remote captioner against a real engine: `transformers serve` with the bundled model."""

import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from catalog import browse
from catalog.database import Catalog
from catalog.ingest import take_file
from catalog.settings import load_settings
from daemon.captioner.base import Answer, Pictures, Question, Turn
from daemon.captioner.endpoint import Patience
from daemon.captioner.profiles import DEMO_CHECKPOINT
from daemon.captioner.remote import RemoteCaptioner
from daemon.worker import Worker
from tests.clips import plain, write_video
from tests.daemon.captioner.test_remote import dead_address, free_port

pytestmark = pytest.mark.timeout(600)

START_SECONDS = 240.0
"""Importing torch takes ten seconds on an idle machine, and minutes on a busy one."""
PATIENT = Patience(first_rest=0.2, longest_rest=1.0, wait=START_SECONDS)


class Served:
    """A `transformers serve` that can be killed and started again at the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}/v1"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            str(Path(sys.executable).parent / "transformers"), "serve", str(DEMO_CHECKPOINT),
            "--host", "127.0.0.1", "--port", str(self.port), "--device", "cpu", "--dtype", "float32",
        ]  # fmt: skip
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(self.folder)}
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            assert self.process is not None
            assert self.process.poll() is None, (self.folder / "serve.log").read_text()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.1)
        pytest.fail("transformers serve did not start")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    engine = Served(tmp_path_factory.mktemp("serve"))
    engine.start()
    try:
        engine.wait()
        yield engine
    finally:
        engine.kill()


def remote(*addresses: str, at_once: int = 2) -> RemoteCaptioner:
    return RemoteCaptioner(
        addresses, model=str(DEMO_CHECKPOINT), at_once=at_once, patience=PATIENT, frames=4
    )


def frames(count: int = 4) -> Pictures:
    pictures = np.zeros((count, 96, 128, 3), dtype=np.uint8)
    for index in range(count):
        pictures[index, 30:60, 5 + index * 20 : 35 + index * 20, 0] = 255
    return pictures


def test_it_answers_every_kind_of_question(served: Served) -> None:
    still = frames(1)[0]
    questions = [
        Question("이 영상을 한국어로 묘사해 주세요.", frames(), max_new_tokens=8),
        Question("이 사진을 한국어로 묘사해 주세요.", stills=(still,), max_new_tokens=8),
        Question("둘을 묘사해 주세요.", frames(2), stills=(still,), max_new_tokens=8),
        Question("색은?", stills=(still,), earlier=(Turn("무엇?", "원"),), max_new_tokens=8),
        Question("글만 있는 물음 <image>", max_new_tokens=8, repetition_penalty=1.2),
    ]
    with closing(remote(served.address)) as captioner:
        answers = captioner.answer(questions)
    assert captioner.identity.model == "checkpoint"
    assert all(answer.text for answer in answers)
    remark = "repetition_penalty left out: the engine does not take it"
    assert [answer.remarks for answer in answers] == [()] * 4 + [(remark,)]


def test_a_token_limit_leaves_a_text_unfinished(served: Served) -> None:
    with closing(remote(served.address)) as captioner:
        (answer,) = captioner.answer([Question("묘사해 주세요.", frames(), max_new_tokens=2)])
    assert not answer.finished


def test_a_video_is_captioned_though_one_of_two_engines_is_dead(
    served: Served, catalog: Catalog, tmp_path: Path
) -> None:
    colours = ((200, 30, 30), (30, 200, 30), (30, 30, 200))
    path = write_video(tmp_path / "셋.mp4", [plain(one) for one in colours for _ in range(25)])
    video_id, _ = take_file(catalog, str(path).encode())
    with closing(remote(dead_address(), served.address)) as captioner:
        settings = load_settings(catalog.home)
        worker = Worker(catalog, settings, lambda model: captioner, threading.Event())
        assert worker.run_next()
        worker.close()
    with catalog.read() as connection:
        view = browse.video(connection, video_id)
    assert worker.outcome.done == 1
    assert [scene.note is not None for scene in view.scenes] == [True] * 3
    assert view.caption is not None
    assert view.caption.model == "checkpoint"


def test_it_is_killed_and_started_again_in_the_middle_of_work(served: Served) -> None:
    """Last of all: the engine is another one afterwards."""
    prompts = [f"{number}번 영상을 묘사해 주세요." for number in range(16)]
    told: dict[int, list[Answer]] = {}
    with closing(remote(served.address)) as captioner:
        pending = [
            captioner.submit([Question(prompt, frames(), max_new_tokens=8)]) for prompt in prompts
        ]
        told[0] = pending[0].answers(lambda: False)
        served.kill()
        served.start()
        for number, one in enumerate(pending[1:], 1):
            told[number] = one.answers(lambda: False)
        again = captioner.answer(
            [Question(prompt, frames(), max_new_tokens=8) for prompt in prompts]
        )
    assert [len(told[number]) for number in range(16)] == [1] * 16
    assert [told[number][0].text for number in range(16)] == [answer.text for answer in again]
