"""The program in a real terminal."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalog.database import Catalog

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

PROGRAM = """
import sys
from catalog.home import find_home
from catalog.language import choose_language
from tui.commands import open_tui
choose_language("ko")
sys.exit(open_tui(find_home(sys.argv[1])))
"""


class Terminal:
    """One tmux pane of its own server."""

    def __init__(self, socket: Path) -> None:
        self._tmux = ["tmux", "-S", str(socket), "-f", "/dev/null", "-u"]
        # The pane has a size of its own.
        self._env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "TMUX")}

    def run(self, *arguments: str) -> str:
        """Runs a tmux command."""
        done = subprocess.run(
            [*self._tmux, *arguments], capture_output=True, text=True, check=False, env=self._env
        )
        return done.stdout

    def type(self, text: str) -> None:
        """Types text as it is."""
        self.run("send-keys", "-l", text)

    def cursor_column(self) -> int:
        """Where input methods draw."""
        return int(self.run("display-message", "-p", "#{cursor_x}"))

    def wait_for(self, condition: Callable[[str], bool], seconds: float = 15.0) -> str:
        """Waits until the screen shows something."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            screen = self.run("capture-pane", "-p")
            if condition(screen):
                return screen
            time.sleep(0.1)
        pytest.fail(self.run("capture-pane", "-p"))


@pytest.fixture
def terminal(samples: Catalog, tmp_path: Path) -> Iterator[Terminal]:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    terminal = Terminal(tmp_path / "tmux")
    terminal.run(
        *("new-session", "-d", "-x", "120", "-y", "36"),
        *("-c", str(Path(__file__).parents[2]), "-e", "LANG=C.UTF-8", "-e", "COLORTERM=truecolor"),
        *("-e", f"PYTHONPATH={Path(__file__).parents[2]}", "-e", "NO_COLOR="),
        *(sys.executable, str(program), str(samples.home.data_dir)),
    )
    yield terminal
    terminal.run("kill-server")


def test_typing_korean_in_a_terminal(terminal: Terminal) -> None:
    screen = terminal.wait_for(lambda text: "시장에서 강아지가" in text)
    assert "해설 > 목록" in screen
    terminal.type("ㅓㅓㅓㅏ")
    terminal.wait_for(lambda text: "3/8" in text)
    terminal.type("/")
    time.sleep(0.3)
    start = terminal.cursor_column()
    for syllable in "상자":
        terminal.type(syllable)
    terminal.wait_for(lambda text: "/ 상자" in text and "결과" in text)
    assert terminal.cursor_column() == start + 4
    terminal.run("send-keys", "Down")
    terminal.run("send-keys", "Escape")
    terminal.wait_for(lambda text: "해설 > 목록" in text)
    terminal.type("ㅂ")
    until = time.monotonic() + 60
    while terminal.run("list-sessions") and time.monotonic() < until:
        time.sleep(0.1)
    assert not terminal.run("list-sessions")


def test_the_right_edge_is_straight(terminal: Terminal) -> None:
    """A wide character drawn in the wrong number of cells would push the pane's line aside."""
    from rich.cells import cell_len

    screen = terminal.wait_for(lambda text: "무대에서" in text and "│" in text)
    edges = {cell_len(line[: line.index("│")]) for line in screen.splitlines() if "│" in line}
    assert len(edges) == 1
