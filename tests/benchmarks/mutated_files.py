"""Reads thousands of damaged files as a job does and prints what became of them.

    .venv/bin/python -m tests.benchmarks.mutated_files [--count 2000] [--seed 0] [--keep FOLDER]

Goals: no hang, no end of this process, every file within its time limit. A file that brought a
decoder process to its end, or that took longer than a tenth of its limit, is named, and kept where
asked. The same seed makes the same files.
"""

import argparse
import collections
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from catalog.errors import ErrorCode
from tests import mutations

_SLOW_SECONDS = 6.0


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sound = mutations.make_sound_files(Path(folder))
        begun = time.monotonic()
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            seeds = range(wanted.seed, wanted.seed + wanted.count)
            rows = list(pool.map(lambda seed: _one(sound, seed, Path(folder), wanted.keep), seeds))
    _print(rows, time.monotonic() - begun)


def _one(
    sound: list[Path], seed: int, folder: Path, keep: Path | None
) -> tuple[str, str, str, float]:
    original = sound[seed % len(sound)]
    how, data = mutations.mutate(original.read_bytes(), seed)
    path = folder / f"{seed}-{original.name}"
    path.write_bytes(data)
    begun = time.monotonic()
    outcome = mutations.read_all(path)
    seconds = time.monotonic() - begun
    if outcome == ErrorCode.DECODER_CRASHED or seconds > _SLOW_SECONDS:
        print(f"{path.name} ({how}): {outcome} after {seconds:.1f} s", file=sys.stderr)
        if keep:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / path.name).write_bytes(data)
    path.unlink()
    return original.name, how, outcome, seconds


def _print(rows: list[tuple[str, str, str, float]], seconds: float) -> None:
    for column, title in ((0, "file"), (1, "damage")):
        outcomes = sorted({row[2] for row in rows})
        print(f"{title:18}", *(f"{one:>16}" for one in outcomes), f"{'longest, s':>12}")
        for name in sorted({row[column] for row in rows}):
            mine = [row for row in rows if row[column] == name]
            counts = collections.Counter(row[2] for row in mine)
            longest = max(row[3] for row in mine)
            print(f"{name:18}", *(f"{counts[one]:16}" for one in outcomes), f"{longest:12.2f}")
        print()
    longest = max(row[3] for row in rows)
    timeouts = sum(row[2] == ErrorCode.DECODE_TIMEOUT for row in rows)
    print(
        f"{len(rows)} files in {seconds:.0f} s; longest {longest:.1f} s (goal: below 60);", end=" "
    )
    print(f"beyond their limit: {timeouts} (goal: 0); this process lived (goal: it does)")


if __name__ == "__main__":
    main()
