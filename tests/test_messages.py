"""Both languages are complete: every message in the code has its Korean, and no other."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.cli import main
from catalog.errors import ADVICE, ErrorCode
from catalog.grammar import build_parser
from catalog.language import choose_language, korean_messages, tr
from catalog.library import Placement
from catalog.review import WORDS as REVIEW_WORDS
from catalog.terminal import STATUS_WORDS

ROOT = Path(__file__).parent.parent
SEARCH_FIELDS = ("caption", "note", "title", "path", "tag")


def messages_in_code() -> Iterator[tuple[str, str]]:
    """Every literal given to `tr`, with the file it stands in."""
    for package in ("catalog", "daemon", "tui"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "tr":
                    argument = node.args[0]
                    if isinstance(argument, ast.Constant):
                        yield argument.value, str(file.relative_to(ROOT))


def expected_ids() -> set[str]:
    shown = (*ADVICE.values(), *STATUS_WORDS.values(), *REVIEW_WORDS.values())
    tables = {*shown, *Placement, *SEARCH_FIELDS}
    return {message for message, _ in messages_in_code()} | tables


def placeholders(message: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(message) if name}


def test_every_message_has_its_korean() -> None:
    missing = {m: f for m, f in messages_in_code() if m not in korean_messages()}
    assert missing == {}
    assert expected_ids() - korean_messages().keys() == set()


def test_no_korean_is_left_over() -> None:
    """Some ids stand in tables and are translated where they are shown, so any literal counts."""
    assert korean_messages().keys() - set(literals()) == set()


def literals() -> Iterator[str]:
    """Every string in the code."""
    for package in ("catalog", "daemon", "tui"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


def test_translations_keep_the_facts() -> None:
    different = {
        message: korean
        for message, korean in korean_messages().items()
        if placeholders(message) != placeholders(korean)
    }
    assert different == {}


def test_korean_is_korean() -> None:
    without_hangul = {
        message
        for message, korean in korean_messages().items()
        if not any("가" <= character <= "힣" for character in korean)
    }
    assert without_hangul == set()


def test_every_error_code_has_advice() -> None:
    assert set(ADVICE) == set(ErrorCode)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "C.UTF-8", "HAESEOL_LANG": "ko"}, "ko"),
        ({}, "en"),
    ],
)
def test_the_locale_decides(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert choose_language(None) == expected
    assert choose_language("ko") == "ko"
    assert tr("paused") == "멈춤"


def test_the_settings_file_decides_too(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('lang = "ko"')
    assert choose_language(None, tmp_path / "config.toml") == "ko"


def test_help_is_in_the_persons_language(capsys: pytest.CaptureFixture[str]) -> None:
    for language, word in (("ko", "폴더"), ("en", "folder")):
        with pytest.raises(SystemExit):
            main(["--lang", language, "run", "--help"])
        assert word in capsys.readouterr().out
    choose_language("en")
    assert "captions your videos" in build_parser().format_help().lower()
