"""Damaged files end in frames or in an error that names them, and harm nothing else.

`tests/benchmarks/mutated_files.py` does the same with thousands.
"""

from pathlib import Path

import pytest

from catalog.errors import ErrorCode
from tests import mutations

EXPECTED = {
    "read",
    ErrorCode.UNREADABLE,
    ErrorCode.TRUNCATED,
    ErrorCode.NO_VIDEO_STREAM,
    ErrorCode.OUT_OF_MEMORY,
}


@pytest.fixture(scope="module")
def sound_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return mutations.make_sound_files(tmp_path_factory.mktemp("sound"))


def test_sound_files_are_read(sound_files: list[Path]) -> None:
    outcomes = {path.name: mutations.read_all(path) for path in sound_files}
    sound = outcomes.pop("cover.mp3")
    assert set(outcomes.values()) == {"read"}
    assert sound == ErrorCode.NO_VIDEO_STREAM


@pytest.mark.parametrize("seed", range(8))
def test_damaged_files_end_well(sound_files: list[Path], tmp_path: Path, seed: int) -> None:
    for path in sound_files:
        how, data = mutations.mutate(path.read_bytes(), seed)
        damaged = tmp_path / path.name
        damaged.write_bytes(data)
        assert mutations.read_all(damaged) in EXPECTED, (path.name, how, seed)


@pytest.mark.parametrize("seed", [198, 326, 890, 1001, 1232, 1495, 1543, 1682])
def test_what_the_thousands_found_stays_mended(
    sound_files: list[Path], tmp_path: Path, seed: int
) -> None:
    """Pictures that change their size, times that run backwards, gaps longer than a stretch."""
    path = sound_files[seed % len(sound_files)]
    damaged = tmp_path / path.name
    damaged.write_bytes(mutations.mutate(path.read_bytes(), seed)[1])
    assert mutations.read_all(damaged) == "read"
