"""Korean typing: the parser, the anchor of input methods, and composed text."""

import subprocess
import sys
import unicodedata

import pytest
from textual import _xterm_parser, constants, events
from textual._xterm_parser import XTermParser

from catalog.database import Catalog
from tests.tui.driving import Open
from tui.terminal import SEQUENCE_LIMIT
from tui.widgets.text_boxes import SearchBox


def test_the_kitty_protocol_is_off() -> None:
    code = "import tui.app; from textual import constants; print(constants.DISABLE_KITTY_KEY)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_a_long_commit_in_one_sequence_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DISABLE_KITTY_KEY", False)  # a person may turn it on again
    assert _xterm_parser._MAX_SEQUENCE_SEARCH_THRESHOLD == SEQUENCE_LIMIT
    text = "가나다라마바사아"
    commit = f"\x1b[0;;{':'.join(str(ord(syllable)) for syllable in text)}u"
    read = list(XTermParser().feed(commit))
    typed = "".join(event.character or "" for event in read if isinstance(event, events.Key))
    assert typed == text


async def test_the_cursor_stands_where_the_syllable_is_made(
    samples: Catalog, open_app: Open
) -> None:
    async with open_app(samples) as pilot:
        await pilot.press("slash")
        box = pilot.app.screen.query_one(SearchBox)
        start = box.cursor_screen_offset.x
        await pilot.press(*"강아지")
        assert box.cursor_screen_offset.x == start + 6
        await pilot.press("left")
        assert box.cursor_screen_offset.x == start + 4


async def test_loose_jamo_are_composed(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        await pilot.press("slash")
        box = pilot.app.screen.query_one(SearchBox)
        for jamo in unicodedata.normalize("NFD", "강아지"):
            box.insert_text_at_cursor(jamo)
        assert box.value == "강아지"
        assert box.cursor_position == 3


async def test_a_paste_takes_the_first_line_and_no_key_fires(
    samples: Catalog, open_app: Open
) -> None:
    async with open_app(samples) as pilot:
        await pilot.press("slash")
        box = pilot.app.screen.query_one(SearchBox)
        box.post_message(events.Paste("quit\x1b[31m\n둘째"))
        await pilot.pause()
        assert box.value == "quit␛[31m"
        assert pilot.app.is_running
