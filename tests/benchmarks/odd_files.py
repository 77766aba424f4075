"""Prints what is done with each odd file of the tests' table, and whether that is right.

The files are made with ffmpeg, which must be installed. Run it from the root of the project:

    python -m tests.benchmarks.odd_files [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.daemon.media import odd_files
from tests.daemon.media.odd_table import ROWS


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    file: str
    what: str
    did: str
    wrong: tuple[str, ...]


def lines(folder: Path) -> Iterator[Line]:
    """Makes and judges each file."""
    odd_files.write_sources(folder)
    for odd in ROWS:
        own = folder / odd.name.replace(".", "-")
        own.mkdir()
        try:
            did, wrong = odd_files.judged(odd, odd_files.write(odd, folder, own))
        except odd_files.MissingEncoderError as error:
            did, wrong = "not made", [str(error)]
        yield Line(odd.name, odd.what, did, tuple(wrong))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one object a line instead")
    as_json = parser.parse_args().json
    if odd_files.FFMPEG is None:
        print("ffmpeg is not installed; install it with your package manager.", file=sys.stderr)
        return 1
    if not as_json:
        print("| file | what it is | what we did | right? |\n|---|---|---|---|")
    count = right = 0
    with tempfile.TemporaryDirectory() as folder:
        for line in lines(Path(folder)):
            count, right = count + 1, right + (not line.wrong)
            if as_json:
                print(json.dumps(asdict(line), ensure_ascii=False))
            else:
                verdict = "; ".join(line.wrong) or "yes"
                print(f"| `{line.file}` | {line.what} | {line.did} | {verdict} |")
    print(f"\n{right} of {count} are right.", file=sys.stderr if as_json else sys.stdout)
    return int(right < count)


if __name__ == "__main__":
    sys.exit(main())
