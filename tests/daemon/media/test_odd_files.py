"""Every odd file of the table gives what a player would show, or a clear refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.daemon.media import odd_files
from tests.daemon.media.odd_files import Odd
from tests.daemon.media.odd_table import ROWS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(odd_files.FFMPEG is None, reason="ffmpeg is not installed")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    odd_files.write_sources(folder)
    return folder


@pytest.mark.parametrize("odd", [pytest.param(odd, id=odd.name) for odd in ROWS])
def test_it_comes_out_right(odd: Odd, sources: Path, tmp_path: Path) -> None:
    try:
        path = odd_files.write(odd, sources, tmp_path)
    except odd_files.MissingEncoderError as error:
        pytest.skip(str(error))
    did, wrong = odd_files.judged(odd, path)
    assert not wrong, f"{odd.what}: {did}"


def test_the_table_is_long_and_each_file_is_in_it_once() -> None:
    names = [odd.name for odd in ROWS]
    assert len(names) == len(set(names)) >= 40
