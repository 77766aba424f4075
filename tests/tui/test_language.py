"""Every string that a person reads exists in Korean."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from rich.cells import cell_len

import tui
from catalog.language import korean_messages
from catalog.terminal import STATUS_WORDS
from tui.widgets.job_list import PROGRESS
from tui.words import ERROR_WORDS

SOURCES = sorted(Path(tui.__path__[0]).rglob("*.py"))
LABELS = {"Action": 2}
"""Calls whose argument at a place is a message id."""


def messages_of(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            place = LABELS.get(node.func.id, 0 if node.func.id == "tr" else None)
            if place is not None and isinstance(node.args[place], ast.Constant):
                yield str(ast.literal_eval(node.args[place]))


def all_messages() -> set[str]:
    literal = {message for source in SOURCES for message in messages_of(source)}
    return literal | {*STATUS_WORDS.values(), *ERROR_WORDS.values()}


def test_it_is_in_korean_with_the_same_facts() -> None:
    assert all_messages() - korean_messages().keys() == set()
    for message in all_messages():
        facts = [
            sorted(re.findall(r"{\w+}", text)) for text in (message, korean_messages()[message])
        ]
        assert facts[0] == facts[1], message


def test_words_fit_their_columns() -> None:
    assert max(cell_len(korean_messages()[word]) for word in STATUS_WORDS.values()) <= 8
    assert max(cell_len(korean_messages()[word]) for word in ERROR_WORDS.values()) <= PROGRESS
