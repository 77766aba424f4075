"""Columns of cells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.safe_text import shown
from tui.words import clock, column, progress_bar


@given(st.text(st.sampled_from("가힣ab 漢ㅋ🙂-"), max_size=30), st.integers(0, 40), st.booleans())
def test_a_column_has_its_cells(text: str, cells: int, right: bool) -> None:
    assert cell_len(column(shown(text), cells, right=right)) == cells


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0.0, "0:00"), (59.9, "0:59"), (265.0, "4:25"), (3753.0, "1:02:33")],
)
def test_clock(seconds: float | None, text: str) -> None:
    assert clock(seconds) == text


def test_progress_bar() -> None:
    assert progress_bar(0.5, 10) == "[####----]  50%"
    assert progress_bar(1.7, 10).startswith("[########]")
