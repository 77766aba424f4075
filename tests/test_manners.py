"""What the daemon gives back when it has nothing to do, seen from outside: its memory, its processes."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.clips import textured, write_video
from tests.test_acceptance import Installation, eventually

MIB = 2**20


def resident(pid: int) -> int:
    """Resident memory of a process, in bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def model_processes(pid: int) -> list[int]:
    """The model processes that a daemon has started, from whichever thread."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            for child in (task / "children").read_text().split():
                if "captioner.child" in Path(f"/proc/{child}/cmdline").read_text():
                    found.add(int(child))
    return sorted(found)


def start(installation: Installation, folder: Path) -> "subprocess.Popen[bytes]":
    installation.environment["HAESEOL_UNLOAD_MINUTES"] = "0.02"
    daemon = installation.start("run", folder)
    log = installation.home.parent / "daemon.log"
    eventually(lambda: "Watching" in log.read_text(), "it watches")
    return daemon


def stop(daemon: "subprocess.Popen[bytes]") -> None:
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(timeout=60) == 0


def test_an_idle_daemon_gives_its_memory_back(tmp_path: Path) -> None:
    installation, folder = Installation(tmp_path / "home"), tmp_path / "videos"
    folder.mkdir()
    daemon = start(installation, folder)
    try:
        eventually(lambda: installation.run("status").returncode == 0, "the catalog is there")
        before = resident(daemon.pid)
        for number in range(4):
            write_video(folder / f"{number}.mp4", [textured(number)] * 50)
        eventually(lambda: len(model_processes(daemon.pid)) == 1, "the model is loaded")
        eventually(
            lambda: (
                {one["status"] for one in installation.videos().values()} == {"captioned"}
                and len(installation.videos()) == 4
            ),
            "all are captioned",
        )
        eventually(lambda: model_processes(daemon.pid) == [], "the model is put away")
        eventually(lambda: resident(daemon.pid) < before * 1.2, "its memory is given back")
        after = resident(daemon.pid)
        libraries = Path(f"/proc/{daemon.pid}/maps").read_text()
    finally:
        stop(daemon)
    print(f"before {before / MIB:.0f} MiB, after {after / MIB:.0f} MiB")
    assert after < 150 * MIB
    assert "libtorch" not in libraries


def test_a_daemon_outlives_its_model_process(tmp_path: Path) -> None:
    installation, folder = Installation(tmp_path / "home"), tmp_path / "videos"
    folder.mkdir()
    write_video(folder / "하나.mp4", [textured(1)] * 20)
    daemon = start(installation, folder)
    log = installation.home.parent / "daemon.log"
    try:
        eventually(lambda: len(model_processes(daemon.pid)) == 1, "the model loads")
        os.kill(model_processes(daemon.pid)[0], signal.SIGKILL)
        eventually(lambda: "out_of_memory" in log.read_text(), "the log says what happened")
        assert daemon.poll() is None
        waiting = installation.videos()["하나.mp4"]["status"]
        assert waiting in ("queued", "failed")  # while it loaded, or while it wrote
    finally:
        stop(daemon)
