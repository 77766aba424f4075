"""What search costs: processor time of queries and of indexing, bytes a note, memory, the whole command.

Times are those of the asking thread, so other programs do not count. Indexing runs in a process of its
own, whose memory is its own too. Run it from the root of the project:

    python -m tests.benchmarks.search_speed --notes 100000 [--rounds 5] [--gold FOLDER]
        [--catalog FOLDER --keep] [--seed 1]

`--catalog FOLDER` makes the catalog there; with `--keep` one that is already there is asked again, and
the cost of indexing is left out. Exit 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3 as stock_sqlite3  # the project's own SQLite is built without dbstat
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.database import connect_readonly, open_catalog
from catalog.home import find_home
from catalog.search.query import synonyms
from catalog.search.query.asking import search
from tests.benchmarks.search_notes import among, make_catalog, notes, titles
from tests.catalog.search.gold import FOLDER, GoldSet, read

MEDIAN_GOAL, LATE_GOAL = 3.0, 30.0
"""Milliseconds for the median and for 99 of 100 queries, at a million notes."""
BYTES_GOAL, INDEX_GOAL, COMMAND_GOAL = 450, 1.4, 60
"""Bytes and milliseconds a note, and milliseconds for the whole command."""

COMMON = (
    """
남자|공원|천천히|트럭|아이 김밥|학교 강의|아침에 학교|서울 공원|통계 강의|남자가 가방을 고른다
공원에서 책상을 닦는 여자|의사가 환자를 치료하는 장면|회의실에서 회의하는 학생들 영상 찾아줘
양말 -가방|"공원에서"|남자 OR 여자
""".strip()
    .replace("\n", "|")
    .split("|")
)
"""Queries for what is common in the background, which the gold set's own words are not."""

_INDEX = """
import json, resource, sys, time
from catalog.database import open_catalog
from catalog.home import find_home
from catalog.search.index.analysis import Analyser
from catalog.search.index.indexing import index_pending

class Timed(Analyser):
    spent = 0.0
    def analyse(self, texts):
        start = time.process_time()
        try:
            return super().analyse(texts)
        finally:
            Timed.spent += time.process_time() - start

catalog = open_catalog(find_home(sys.argv[1]))
analyser = Timed()
analyser.analyse(["준비"])
loaded = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
Timed.spent, start = 0.0, time.process_time()
count = index_pending(catalog, analyser=analyser)
catalog.close()
print(json.dumps({
    "texts": count, "all": time.process_time() - start, "analysis": Timed.spent,
    "loaded": loaded, "most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
}))
"""

_MODULES = """
import sys
from catalog.cli import main
sys.argv = ["haeseol", *sys.argv[1:]]
try:
    main()
except SystemExit:
    pass
print(*({"kiwipiepy", "torch", "numpy", "sqlalchemy", "pydantic"} & set(sys.modules)), file=sys.stderr)
"""


@dataclass(frozen=True, slots=True)
class Took:
    """One query, and its processor time in milliseconds."""

    query: str
    milliseconds: float


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` of an ordered list does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def time_queries(connection: Any, queries: Sequence[str], known: synonyms.Synonyms) -> list[Took]:
    """Each query once."""
    took = []
    for query in queries:
        start = time.thread_time()
        search(connection, query, synonyms=known)
        took.append(Took(query, 1000 * (time.thread_time() - start)))
    return took


def print_times(label: str, took: Sequence[Took]) -> tuple[float, float]:
    """A row of the table; returns median and 99th percentile, in milliseconds."""
    ordered = sorted(one.milliseconds for one in took)
    shown = [percentile(ordered, share) for share in (0.5, 0.95, 0.99)] + [ordered[-1]]
    print(f"{label:36}" + "".join(f"{value:>9.2f}" for value in shown))
    return shown[0], shown[2]


def measure_queries(path: Path, gold: GoldSet, rounds: int) -> tuple[float, float]:
    """Prints what queries cost; returns median and 99th percentile of the gold set's, when warm."""
    known = synonyms.read(gold.synonyms)
    queries = [question.query for question in gold.questions]
    with closing(connect_readonly(path)) as connection:
        print(f"\n{'milliseconds of processor time':36}{'p50':>9}{'p95':>9}{'p99':>9}{'max':>9}")
        print_times("gold queries, new connection", time_queries(connection, queries, known))
        warm = [it for _ in range(rounds) for it in time_queries(connection, queries, known)]
        result = print_times(f"gold queries, {rounds} rounds more", warm)
        common = [it for _ in range(rounds) for it in time_queries(connection, COMMON, known)]
        print_times(f"common words, {rounds} rounds", common)
    least: dict[str, float] = {}
    for it in (*warm, *common):
        least[it.query] = min(it.milliseconds, least.get(it.query, it.milliseconds))
    slowest = sorted(least.items(), key=lambda pair: -pair[1])[:8]
    print("slowest at their best: " + ", ".join(f"{query} {ms:.1f}" for query, ms in slowest))
    return result


def measure_indexing(folder: Path, count: int) -> float:
    """Indexes in a process of its own and prints what it cost; returns milliseconds a note."""
    done = subprocess.run(
        [sys.executable, "-c", _INDEX, str(folder)], check=True, capture_output=True, text=True
    )
    figures = json.loads(done.stdout.splitlines()[-1])
    a_note: float = 1000 * figures["all"] / count
    analysis = 1000 * figures["analysis"] / count
    print(
        f"indexing {figures['texts']:,} texts: {a_note:.3f} ms of processor time a note"
        f" (analysis {analysis:.3f}, writing {a_note - analysis:.3f})"
    )
    loaded, most = figures["loaded"] / 1024, figures["most"] / 1024
    print(f"memory: {loaded:.0f} MB with the analyser loaded, at most {most:.0f} MB")
    return a_note


def measure_bytes(path: Path, count: int) -> float | None:
    """Prints the size of each table; returns the bytes a note of all that search adds."""
    with closing(stock_sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        try:
            sizes = dict(connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
        except stock_sqlite3.Error as error:
            print(f"bytes: Python's SQLite cannot tell ({error})")
            return None
    groups = {"document": 0, "index": 0, "lexicon": 0, "lists": 0, "all else": 0}
    for name, size in sizes.items():
        groups[_group(name)] += size
    for name, size in sorted(sizes.items(), key=lambda pair: -pair[1]):
        if name.startswith("search_") and size / count >= 0.5:
            print(f"    {name:32}{size / count:9.1f} bytes a note")
    print(
        "bytes a note: " + ", ".join(f"{name} {size / count:.0f}" for name, size in groups.items())
    )
    return (groups["index"] + groups["lexicon"] + groups["lists"]) / count


def _group(table: str) -> str:
    if table.startswith("search_index"):
        return "index"
    if table in ("search_pending", "search_rebuild", "search_stale"):
        return "lists"
    if table.startswith("search_"):
        return "lexicon"
    return "document" if table.startswith("document") else "all else"


def processor_time(command: Sequence[str]) -> float:
    """Milliseconds of user and system time of a whole process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def measure_command(folder: Path, runs: int) -> float:
    """Prints what the whole command costs beside an empty Python; returns its median."""
    haeseol = str(Path(sys.executable).parent / "haeseol")
    arguments = ["--home", str(folder), "search", "강아지", "--json"]
    took: dict[str, list[float]] = {"python -c pass": [], "haeseol search 강아지 --json": []}
    for _ in range(runs):
        took["python -c pass"].append(processor_time([sys.executable, "-c", "pass"]))
        took["haeseol search 강아지 --json"].append(processor_time([haeseol, *arguments]))
    for name, times in took.items():
        times.sort()
        print(f"{name}: least {times[0]:.0f} ms, median {times[len(times) // 2]:.0f} ms")
    loaded = subprocess.run(
        [sys.executable, "-c", _MODULES, *arguments], capture_output=True, text=True, check=True
    ).stderr.strip()
    print("it imports " + (loaded or "neither kiwipiepy nor torch, numpy, sqlalchemy or pydantic"))
    return took["haeseol search 강아지 --json"][runs // 2]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--notes", type=int, default=20_000, help="in the background")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gold", type=Path, default=FOLDER, help="folder of a gold set")
    parser.add_argument("--catalog", type=Path, help="folder for the catalog")
    parser.add_argument("--keep", action="store_true", help="use the catalog that is there")
    parser.add_argument("--rounds", type=int, default=5, help="of all queries")
    parser.add_argument("--runs", type=int, default=15, help="of the whole command")
    return parser.parse_args()


def main() -> int:
    """Builds, measures, prints; exit 1 when a goal is missed."""
    arguments = _arguments()
    gold = read(arguments.gold)
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.catalog or Path(scratch)
        home = find_home(folder)
        reached: list[tuple[str, float | None, float]] = []
        if not (arguments.keep and home.catalog_file.exists()):
            home.catalog_file.unlink(missing_ok=True)
            background = notes(arguments.notes, arguments.seed, gold.absence)
            texts = among(gold.notes.values(), background, arguments.notes, arguments.seed)
            make_catalog(folder, texts, titles(arguments.seed + 1, gold.absence))
            a_note = measure_indexing(folder, arguments.notes + len(gold.notes))
            reached.append(("ms a note to index", a_note, INDEX_GOAL))
        open_catalog(home).close()
        with closing(connect_readonly(home.catalog_file)) as connection:
            query = "SELECT count(*) FROM document WHERE field IN ('caption', 'note')"
            count = int(connection.execute(query).fetchone()[0])
        print(f"{count:,} notes, {os.path.getsize(home.catalog_file) / 1e6:.0f} MB")
        reached.append(("bytes a note", measure_bytes(home.catalog_file, count), BYTES_GOAL))
        median, late = measure_queries(home.catalog_file, gold, arguments.rounds)
        reached += [("ms, p50", median, MEDIAN_GOAL), ("ms, p99", late, LATE_GOAL)]
        reached.append(("ms a command", measure_command(folder, arguments.runs), COMMAND_GOAL))
    missed = [f"{name} {it:.2f} > {goal}" for name, it, goal in reached if it and it > goal]
    print("goals " + ("missed: " + "; ".join(missed) if missed else "met"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
