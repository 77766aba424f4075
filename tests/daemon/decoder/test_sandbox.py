"""What reads a file can reach nothing else, and what it gives is not believed unchecked."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from catalog.errors import ErrorCode, InterruptedByUserError
from daemon import media
from daemon.decoder import landlock, seccomp
from daemon.decoder.limits import Limits
from daemon.decoder.order import Order
from daemon.media import MediaError, Probe, calls
from daemon.media.sandbox import Sandbox
from daemon.media.visits import StalledError
from tests.clips import numbers, textured, write_numbered, write_video
from tests.daemon.decoder import hostile

ROOT = Path(__file__).parents[3]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_numbered(tmp_path / "a.mp4", 100)


@pytest.fixture
def own_sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Sandbox]]:
    """Puts a sandbox of the test's own in the place of the usual one."""
    made: list[Sandbox] = []

    def make(**arguments: object) -> Sandbox:
        made.append(Sandbox(**arguments))  # type: ignore[arg-type]
        monkeypatch.setattr(calls, "_SANDBOX", made[-1])
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_decoder_process_can_do_nothing_but_read_its_file(video: Path) -> None:
    if not landlock.version() or not seccomp.known():
        pytest.skip("this kernel has no Landlock, or the machine's calls are not known")
    ran = subprocess.run(
        [sys.executable, "-m", "tests.daemon.decoder.attempts", str(video)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    lines = ran.stdout.splitlines()
    assert [line for line in lines if line.startswith("ALLOWED")] == []
    assert sum(line.startswith("refused") for line in lines) >= 25, ran.stderr
    assert lines[-1] == "threads 4"
    assert ran.returncode == -signal.SIGXCPU
    assert video.exists()


@pytest.mark.parametrize("answer", [*hostile.ANSWERS])
def test_no_answer_harms_or_is_believed(
    video: Path,
    tmp_path: Path,
    own_sandbox: Callable[..., Sandbox],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
) -> None:
    facts = media.probe(video)
    own_sandbox(zygote="tests.daemon.decoder.hostile", silence_seconds=1.0)
    monkeypatch.setattr(calls, "_LEAST_SECONDS", 2.0)
    timeouts = {"sleep", "no end"}
    expected = ErrorCode.DECODE_TIMEOUT if answer in timeouts else ErrorCode.DECODER_CRASHED
    with pytest.raises(MediaError, match=answer) as raised:
        media.probe(tmp_path / answer)
    assert raised.value.code == expected
    with pytest.raises(MediaError, match=answer) as raised:
        media.sample_frames(tmp_path / answer, facts, [0.1, 0.5], long_side=None)
    assert raised.value.code == expected


def children_of(sandbox: Sandbox) -> list[int]:
    """Waits for decoder processes to be there and returns their ids."""
    for _ in range(500):
        if sandbox._zygote is not None:
            pid = sandbox._zygote.pid
            with suppress(OSError):
                found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
                if found:
                    return [int(one) for one in found]
        time.sleep(0.01)
    raise AssertionError("no decoder process was started")


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Takes seconds to search."""
    pictures = [textured(number, (640, 480)) for number in range(7)]
    shown = (pictures[number % 7] for number in range(1500))
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    return write_video(path, shown, options={"preset": "ultrafast"})


def while_it_searches(
    sandbox: Sandbox, path: Path, facts: Probe, number: signal.Signals
) -> tuple[BaseException | None, int]:
    """Sends a signal to the process that searches a video; returns what the search raised."""
    raised: list[BaseException | None] = []

    def search() -> None:
        try:
            media.find_scenes(path, facts)
        except MediaError as error:
            raised.append(error)
        else:
            raised.append(None)

    thread = threading.Thread(target=search)
    thread.start()
    (pid,) = children_of(sandbox)
    os.kill(pid, number)
    thread.join(30)
    return raised[0], pid


def test_a_share_that_gives_nothing_is_given_up(
    long_video: Path, own_sandbox: Callable[..., Sandbox]
) -> None:
    facts = media.probe(long_video)
    sandbox = own_sandbox(silence_seconds=1.0)
    error, pid = while_it_searches(sandbox, long_video, facts, signal.SIGSTOP)
    assert isinstance(error, StalledError)
    assert error.code == ErrorCode.DECODE_TIMEOUT
    assert "nothing to read for 1 seconds" in str(error)
    time.sleep(0.5)
    assert not Path(f"/proc/{pid}").exists()


def test_a_decoder_that_dies_takes_nothing_along(
    long_video: Path, own_sandbox: Callable[..., Sandbox]
) -> None:
    facts = media.probe(long_video)
    error, _ = while_it_searches(own_sandbox(), long_video, facts, signal.SIGSEGV)
    assert isinstance(error, MediaError)
    assert error.code == ErrorCode.DECODER_CRASHED
    assert "SIGSEGV" in str(error)
    assert media.probe(long_video).frame_count == 1500


def test_a_starting_process_that_hangs_is_replaced(
    video: Path, own_sandbox: Callable[..., Sandbox]
) -> None:
    sandbox = own_sandbox(start_seconds=2.0)
    assert media.probe(video).frame_count == 100
    assert sandbox._zygote is not None
    hanging = sandbox._zygote.pid
    os.kill(hanging, signal.SIGSTOP)
    assert media.probe(video).frame_count == 100
    assert sandbox._zygote.pid != hanging


def test_a_call_whose_starting_process_dies_is_made_again(
    long_video: Path, own_sandbox: Callable[..., Sandbox]
) -> None:
    facts = media.probe(long_video)
    sandbox = own_sandbox()
    with ThreadPoolExecutor(1) as pool:
        search = pool.submit(media.find_scenes, long_video, facts)
        children_of(sandbox)
        assert sandbox._zygote is not None
        sandbox._zygote.kill()
        assert len(search.result(60)) > 0


def test_a_starting_process_that_died_is_started_again(
    video: Path, own_sandbox: Callable[..., Sandbox]
) -> None:
    sandbox = own_sandbox()
    assert media.probe(video).frame_count == 100
    assert sandbox._zygote is not None
    sandbox._zygote.kill()
    sandbox._zygote.wait()
    assert media.probe(video).frame_count == 100


def test_a_call_stops_when_told_to(long_video: Path) -> None:
    with pytest.raises(InterruptedByUserError):
        media.find_scenes(long_video, media.probe(long_video), should_stop=lambda: True)


def test_memory_has_a_limit(tmp_path: Path, own_sandbox: Callable[..., Sandbox]) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (4000, 4000)).save(path)
    order = Order(
        "still", os.fsencode(path), {"long_side": None}, Limits(memory=16 << 20, seconds=60)
    )
    with pytest.raises(MediaError) as raised, own_sandbox().call(order, room=1):
        pass
    assert raised.value.code == ErrorCode.OUT_OF_MEMORY


def test_many_chapters_are_not_too_much(tmp_path: Path, video: Path) -> None:
    titles = "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={n}\nEND={n + 1}\ntitle={'긴 제목 ' * 40}{n}\n"
        for n in range(600)
    )
    notes, path = tmp_path / "chapters.txt", tmp_path / "chapters.mkv"
    notes.write_text(";FFMETADATA1\n" + titles)
    if not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg is not installed")
    command = ["ffmpeg", "-v", "error", "-i", video, "-i", notes, "-map_metadata", "1"]
    subprocess.run([*command, "-c", "copy", path], check=True)
    assert len(media.probe(path).chapters) >= 500


def test_calls_leave_nothing_open(video: Path) -> None:
    facts = media.probe(video)
    before = sorted(os.listdir("/proc/self/fd"))
    for _ in range(20):
        media.sample_frames(video, facts, [1.0], long_side=64)
        with pytest.raises(MediaError):
            media.probe(video.parent)
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_many_threads_may_ask_at_once(video: Path) -> None:
    facts = media.probe(video)
    with ThreadPoolExecutor(8) as pool:
        sampled = pool.map(
            lambda n: media.sample_frames(video, facts, [n / 25], long_side=None), range(40)
        )
        assert [numbers(one.images) for one in sampled] == [[n] for n in range(40)]
