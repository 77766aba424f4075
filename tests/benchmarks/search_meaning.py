"""What search by meaning costs, with a made-up model of the size of potion-multilingual-128M.

Prints bytes a note, microseconds to index one, milliseconds of processor time a query, and memory, and
how sqlite-vec's `vec0` table compares. Run it from the root of the project:

    python -m tests.benchmarks.search_meaning --notes 100000 [--model FOLDER]

The model is as large as the real one (500,353 tokens of a unigram tokenizer, 256 dimensions of float32),
and knows nothing: its pieces and vectors are random. It takes half a gigabyte in the temporary folder.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sqlalchemy import text
from tokenizers import Tokenizer, models, pre_tokenizers

from catalog.database import Catalog, open_catalog
from catalog.home import find_home
from catalog.search.index.documents import index_everything_at_once, raw_connection
from catalog.search.meaning import opening
from catalog.search.meaning.asking import Meaning
from catalog.search.meaning.embedder import Embedder
from catalog.search.meaning.upkeep import bring_up_to_date
from tests.benchmarks.search_notes import notes
from tests.catalog.search.gold import FOLDER, read

_TOKENS, _DIMENSION = 500_353, 256
_SYLLABLES = 11_172
_BATCH = 512
_ROUNDS = 5
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
_LATIN = "abcdefghijklmnopqrstuvwxyz"


def made_up_model(folder: Path) -> Path:
    """Random pieces of Hangul and Latin letters, and a random matrix."""
    chance = random.Random(1)
    syllables = [chr(0xAC00 + number) for number in range(_SYLLABLES)]
    frequent = chance.sample(syllables, 1800)
    pieces = dict.fromkeys(["<unk>", "▁", *syllables, *_LATIN], -12.0)
    while len(pieces) < _TOKENS:
        hangul = chance.random() < 0.4
        letters, length = (
            (frequent, chance.randint(2, 4)) if hangul else (_LATIN, chance.randint(3, 9))
        )
        word = "".join(chance.choices(letters, k=length))
        pieces.setdefault(f"▁{word}" if chance.random() < 0.5 else word, -8 - chance.random() * 8)
    tokenizer = Tokenizer(models.Unigram(list(pieces.items()), 0, False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    matrix = np.random.default_rng(0).standard_normal((_TOKENS, _DIMENSION), dtype=np.float32)
    save_file({"embeddings": matrix}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"normalize": True}), encoding="utf-8")
    return folder


def _made_elsewhere(folder: Path) -> Path:
    """In a process of its own, whose memory would else count as that of each later child."""
    process = multiprocessing.get_context("spawn").Process(target=made_up_model, args=(folder,))
    process.start()
    process.join()
    return folder


def fill(catalog: Catalog, texts: Sequence[str]) -> None:
    """One video whose notes are these texts."""
    with catalog.write() as session:
        session.execute(
            text(
                "INSERT INTO video (id, content_id, size, title, status, added_at)"
                " VALUES (1, 'x', 1, 'x', 'captioned', 0)"
            )
        )
        session.execute(
            text("INSERT INTO document (video_id, field, text) VALUES (1, 'note', :text)"),
            [{"text": one} for one in texts],
        )
        index_everything_at_once(raw_connection(session))


def print_upkeep(catalog: Catalog, model: Path, count: int) -> None:
    """Indexing all, then nothing."""
    for what in ("to index a note", "a note when nothing has changed"):
        own, child = time.process_time(), _children()
        bring_up_to_date(catalog, model)
        own, child = time.process_time() - own, _children() - child
        print(f"µs {what}: index {own / count * 1e6:.1f}, model {child / count * 1e6:.1f}")
    size = sum(file.stat().st_size for file in catalog.home.data_dir.glob("meaning.db*"))
    print(f"bytes a note: {size / count:.0f}")


def print_memory(model: Path, texts: Sequence[str]) -> None:
    """The most that the model's process takes while it reads texts."""
    with Embedder(model) as embedder:
        for start in range(0, len(texts), _BATCH):
            embedder.codes(texts[start : start + _BATCH])
        assert embedder._process is not None
        status = Path(f"/proc/{embedder._process.pid}/status").read_text(encoding="utf-8")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    print(f"MB of the model's process: {int(peak.split()[1]) // 1024}")


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def print_queries(catalog: Catalog, model: Path, queries: Sequence[str]) -> None:
    """Queries of the gold set, once the model is loaded."""
    with Meaning(catalog.home, model) as meaning:
        start = time.monotonic()
        meaning.nearest("강아지")
        print(f"s for the first query: {time.monotonic() - start:.2f}")
        for limit in (20, 100):
            taken = sorted(_milliseconds(meaning.nearest, query, limit) for query in queries)
            middle, late = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
            print(f"ms a query, the nearest {limit}: median {middle:.1f}, 99 % {late:.1f}")


def _milliseconds(ask: Callable[..., object], *arguments: object) -> float:
    start = time.thread_time()
    ask(*arguments)
    return (time.thread_time() - start) * 1e3


def print_commands(catalog: Catalog, model: Path) -> None:
    """Whole processes: Python alone, `haeseol search` by words, and by both."""
    search = [
        "-m",
        "catalog.cli",
        "--home",
        str(catalog.home.data_dir),
        "search",
        "강아지",
        "--json",
    ]
    commands = {"python -c pass": ["-c", "pass"], "search by words": search}
    _print_processes(commands)
    catalog.home.config_file.write_text(f'meaning_model = "{model}"\n', encoding="utf-8")
    _print_processes({"search by both": search})


def _print_processes(commands: dict[str, list[str]]) -> None:
    environment = {key: value for key, value in os.environ.items() if key != _NO_BYTECODE}
    for name, arguments in commands.items():
        taken = []
        for _ in range(_ROUNDS):
            used, start = _children(), time.monotonic()
            subprocess.run(
                [sys.executable, *arguments],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,  # nothing found is no failure of the measurement
                env=environment,
            )
            taken.append((_children() - used, time.monotonic() - start))
        processor, waited = sorted(taken)[_ROUNDS // 2]
        print(f"{name}: {processor * 1e3:.0f} ms of processor time, {waited * 1e3:.0f} ms waited")


def print_tables(catalog: Catalog) -> None:
    """The nearest by signs, in the index's own table and in `vec0` tables of the same content."""
    with closing(opening.open_for_writing(catalog.home)) as index:
        bits = index.execute("SELECT bits FROM coarse WHERE bits IS NOT NULL LIMIT 1").fetchone()[0]
        asked = {"ordinary": _ORDINARY}
        for chunk in (1024, 4096):
            table = f"temp.chunks_of_{chunk}"
            index.execute(
                f"CREATE VIRTUAL TABLE {table} USING vec0(bits bit[{8 * len(bits)}], chunk_size={chunk})"
            )
            index.execute(
                f"INSERT INTO {table}(rowid, bits) SELECT document_id, vec_bit(bits) FROM coarse"
                " WHERE bits IS NOT NULL"
            )
            asked[table] = f"SELECT rowid FROM {table} WHERE bits MATCH vec_bit(?) AND k = ?"
        for name, query in asked.items():
            for limit in (20, 100, 400):
                rounds = [
                    _milliseconds(lambda q=query, n=limit: index.execute(q, (bits, n)).fetchall())
                    for _ in range(9)
                ]
                print(f"ms for the nearest {limit} by signs, {name}: {sorted(rounds)[4]:.1f}")


_ORDINARY = "SELECT document_id FROM coarse ORDER BY vec_distance_hamming(vec_bit(bits), vec_bit(?)) LIMIT ?"


def main() -> int:
    """Parses the command line, prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--notes", type=int, default=10_000)
    parser.add_argument("--model", type=Path, help="a model2vec folder; a made-up one if not given")
    options = parser.parse_args()
    gold = read(FOLDER)
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or _made_elsewhere(Path(folder))
        with closing(open_catalog(find_home(Path(folder) / "home"))) as catalog:
            texts = list(notes(options.notes, 1, gold.absence))
            fill(catalog, texts)
            print_upkeep(catalog, model, options.notes)
            print_memory(model, texts)
            print_queries(catalog, model, [question.query for question in gold.questions])
            print_commands(catalog, model)
            print_tables(catalog)
    return 0


if __name__ == "__main__":
    sys.exit(main())
