"""Half blocks."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.factory import HEIGHT, WIDTH, thumbnail
from tui.thumbnails import Picture, fitting_size, half_blocks


def test_a_blob_is_read() -> None:
    picture = Picture.from_blob(thumbnail(0))
    assert picture is not None
    assert (picture.width, picture.height) == (WIDTH, HEIGHT)
    rows = list(half_blocks(picture, 40, 11))
    assert [len(row) for row in rows] == [40] * 11
    assert rows[3][20] == (picture.at(20, 6), picture.at(20, 7))


def test_a_broken_blob_is_no_picture() -> None:
    for blob in (None, b"", b"\x02", b"\x00\x00", b"\x02\x02abc", thumbnail(0)[:-1]):
        assert Picture.from_blob(blob) is None


@settings(max_examples=25)
@given(st.integers(1, 255), st.integers(1, 255), st.integers(1, 80), st.integers(1, 30))
def test_a_picture_fits(width: int, height: int, columns: int, rows: int) -> None:
    picture = Picture(width, height, bytes(width * height * 3))
    across, down = fitting_size(picture, columns, rows)
    assert 1 <= across <= columns
    assert 1 <= down <= rows
    cells = list(half_blocks(picture, across, down))
    assert len(cells) == down
