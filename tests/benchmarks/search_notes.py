"""Background notes, and catalogs full of them, for the search benchmarks.

Shows some notes, or counts what is in many:

    python -m tests.benchmarks.search_notes [--notes 20] [--seed 1] [--count]
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from catalog.database import open_catalog
from catalog.home import find_home
from catalog.sqlite import sqlite3
from tests.catalog.search.gold import read
from tests.catalog.search.gold.background import notes, titles

__all__ = ["among", "make_catalog", "notes", "titles"]

NOTES_PER_VIDEO = 8


def among(gold: Iterable[str], background: Iterable[str], count: int, seed: int) -> Iterator[str]:
    """The gold notes at random places among `count` background notes."""
    chosen = list(gold)
    rng = random.Random(seed)
    rng.shuffle(chosen)
    places = sorted(rng.randrange(count + 1) for _ in chosen)
    waiting = deque(zip(places, chosen, strict=True))
    for number, note in enumerate(background):
        while waiting and waiting[0][0] <= number:
            yield waiting.popleft()[1]
        yield note
    yield from (note for _, note in waiting)


def make_catalog(path_home: Path, texts: Iterable[str], named: Iterable[str]) -> None:
    """A catalog of videos with eight texts each: a caption, and seven notes of scenes.

    `named` gives the titles. Triggers list every text for the analyser; the index is not made here.
    """
    home = find_home(path_home)
    open_catalog(home).close()
    connection = sqlite3.connect(str(home.catalog_file), isolation_level=None)
    connection.execute("PRAGMA synchronous = off")
    connection.execute("BEGIN")
    title_of = iter(named)
    for number, text in enumerate(texts):
        video, scene = divmod(number, NOTES_PER_VIDEO)
        if scene == 0:
            _add_video(connection, video + 1, next(title_of))
            scene_id, field = None, "caption"
        else:
            field = "note"
            scene_id = connection.execute(
                'INSERT INTO scene (video_id, idx, start, "end", keyframe) VALUES (?, ?, ?, ?, ?)',
                (video + 1, scene - 1, scene * 5.0, scene * 5.0 + 5, scene * 5.0 + 1),
            ).lastrowid
        connection.execute(_ADD_DOCUMENT, (video + 1, scene_id, field, text))
    connection.execute("COMMIT")
    connection.close()


_ADD_DOCUMENT = "INSERT INTO document (video_id, scene_id, field, text) VALUES (?, ?, ?, ?)"


def _add_video(connection: sqlite3.Connection, video: int, title: str) -> None:
    added = 1_600_000_000 + video * 60
    path = f"/archive/{video % 97:02d}/{title}.mp4"
    connection.execute(
        "INSERT INTO video (id, content_id, size, title, status, added_at, duration)"
        " VALUES (?, ?, ?, ?, 'captioned', ?, 45.0)",
        (video, f"{video:032x}", 1_000_000 + video, title, added),
    )
    connection.execute(
        "INSERT INTO location (video_id, path, path_key, volume, size, mtime_ns, first_seen, last_seen)"
        " VALUES (?, ?, ?, 'benchmark', ?, 0, ?, ?)",
        (video, path.encode(), path, 1_000_000 + video, added, added),
    )
    connection.execute(_ADD_DOCUMENT, (video, None, "title", title))
    connection.execute(_ADD_DOCUMENT, (video, None, "path", path))


def main() -> int:
    """Prints notes, or counts what is in them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--notes", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", action="store_true", help="count instead of showing")
    arguments = parser.parse_args()
    start = time.process_time()
    words: set[str] = set()
    syllables = []
    for note in notes(arguments.notes, arguments.seed, read().absence):
        if not arguments.count:
            print(note)
            continue
        note = unicodedata.normalize("NFC", note)
        words.update(note.split())
        syllables.append(sum("가" <= character <= "힣" for character in note))
    if arguments.count:
        rate = arguments.notes / (time.process_time() - start)
        syllables.sort()
        print(f"{arguments.notes:,} notes, {rate:,.0f} a second, {len(words):,} distinct words")
        print(f"syllables: median {syllables[len(syllables) // 2]}, most {syllables[-1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
