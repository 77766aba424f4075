"""Opening the terminal UI from the command line."""

import io

import pytest

from catalog.errors import ExitCode
from catalog.home import Home
from tui.commands import open_tui


def test_a_pipe_is_refused_with_a_sentence(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert open_tui(home) == ExitCode.USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert "\x1b" not in err
    assert "list --json" in err
    assert not home.catalog_file.exists()
