"""The systemd user unit under a real user manager."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clips import textured, write_video
from tests.test_acceptance import Installation, eventually

UNIT = Path(__file__).parent.parent / "systemd/haeseol.service"
MANAGER = Path("/lib/systemd/systemd")

pytestmark = pytest.mark.skipif(
    not MANAGER.exists() or shutil.which("systemctl") is None or os.geteuid() != 0,
    reason="needs systemd, and root to pretend that it was booted",
)


class UserManager:
    """`systemd --user` with a home and a runtime folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("HAESEOL_")},
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "XDG_CONFIG_HOME": str(folder / ".config"),
        }
        (folder / "run").mkdir(mode=0o700)
        Path("/run/systemd/system").mkdir(parents=True, exist_ok=True)
        self.log = (folder / "systemd.log").open("wb")
        self.process = subprocess.Popen(
            [MANAGER, "--user"], env=self.environment, stdout=self.log, stderr=self.log
        )
        up = ("running", "degraded")
        eventually(lambda: self("is-system-running").stdout.strip() in up, "systemd is up")

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["systemctl", "--user", *arguments],
            env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def show(self, name: str) -> str:
        return self("show", "haeseol", "--property", name, "--value").stdout.strip()

    def close(self) -> None:
        self("exit")
        self.process.wait(timeout=60)
        self.log.close()


@pytest.fixture
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UserManager]:
    # A socket's path may be 108 bytes long, and pytest's own folders are deep.
    import tempfile

    with tempfile.TemporaryDirectory(prefix="hs") as folder:
        opened = UserManager(Path(folder))
        yield opened
        opened.close()


def test_the_unit_is_well_formed() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(UNIT)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "haeseol" in line]
    # The one thing that it may miss here is the installed command.
    assert [line for line in ours if "is not executable" not in line] == []


def test_start_caption_kill_restart_stop(manager: UserManager, tmp_path: Path) -> None:
    installation = Installation(tmp_path / "home")
    folder = tmp_path / "videos"
    folder.mkdir()
    installation.run("folders", "add", folder)
    home = Path(manager.environment["HOME"])
    units = home / ".config/systemd/user"
    (units / "haeseol.service.d").mkdir(parents=True)
    shutil.copy(UNIT, units)
    (units / "haeseol.service.d/test.conf").write_text(
        f"""
        [Service]
        ExecStart=
        ExecStart={sys.executable} -m catalog.cli --home {installation.home} run
        Environment=HAESEOL_MODEL=demo HAESEOL_SETTLE_SECONDS=0.5
        WorkingDirectory={UNIT.parent.parent}
        RestartSec=1s
        """.replace("        ", "")
    )
    manager("daemon-reload")
    started = manager("start", "haeseol")
    assert started.returncode == 0, started.stderr
    assert manager.show("ActiveState") == "active"
    write_video(folder / "a.mp4", [textured(1)] * 25)
    eventually(lambda: _captioned(installation) == {"a.mp4"}, "the dropped clip is captioned")
    first = manager.show("MainPID")
    os.kill(int(first), 9)
    eventually(
        lambda: manager.show("NRestarts") == "1" and manager.show("ActiveState") == "active",
        "systemd starts it again",
    )
    assert manager.show("MainPID") != first
    write_video(folder / "b.mp4", [textured(2)] * 50)
    eventually(lambda: _captioned(installation) == {"a.mp4", "b.mp4"}, "and it goes on")
    began = time.monotonic()
    manager("stop", "haeseol")
    assert time.monotonic() - began < 45
    assert (manager.show("Result"), manager.show("ExecMainStatus")) == ("success", "0")


def _captioned(installation: Installation) -> set[str]:
    return {name for name, video in installation.videos().items() if video["caption"]}


def test_a_wrong_configuration_is_not_retried(manager: UserManager, tmp_path: Path) -> None:
    home = Path(manager.environment["HOME"])
    units = home / ".config/systemd/user"
    (units / "haeseol.service.d").mkdir(parents=True)
    shutil.copy(UNIT, units)
    (units / "haeseol.service.d/test.conf").write_text(
        f"[Service]\nExecStart=\nExecStart={sys.executable} -m catalog.cli --home {tmp_path} run\n"
        f"Environment=HAESEOL_MODEL=nonsense\nWorkingDirectory={UNIT.parent.parent}\nRestartSec=1s\n"
    )
    manager("daemon-reload")
    assert manager("start", "haeseol").returncode == 0  # its process was started
    eventually(lambda: manager.show("ActiveState") == "failed", "it gives up")
    time.sleep(2)
    assert manager.show("ExecMainStatus") == "78"
    assert manager.show("NRestarts") == "0"
