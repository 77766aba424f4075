"""Search beside other ways to search Korean with SQLite, on one gold set and the same notes.

Prints recall@20, precision of what is shown, and nDCG@10 by category and overall, and how many of the
relevant rows have all their words highlighted. Run it from the root of the project:

    python -m tests.benchmarks.search_quality --notes 100000 [--only ours] [--worst 20]
        [--gold FOLDER] [--catalog FOLDER --keep] [--seed 1] [--category typo]

`--catalog FOLDER` makes the catalog there; with `--keep` one that is already there is asked again.
Exit 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from catalog.database import Catalog, connect_readonly, open_catalog
from catalog.home import find_home
from catalog.search.index.indexing import index_pending
from catalog.search.query import synonyms
from catalog.search.query.asking import search
from tests.benchmarks.search_designs import designs
from tests.benchmarks.search_notes import among, make_catalog, notes, titles
from tests.catalog.search.gold import FOLDER, GoldSet, Question, read
from tests.catalog.search.gold.scoring import DEPTH, Hit, Score, mean, score

GOAL, LEAST = 0.92, 0.80
"""nDCG@10 overall and of each category."""
CERTAIN = ("particle", "nfd", "keyboard", "choseong", "ime", "numeral", "phrase", "boolean")
CERTAIN_GOAL = 0.97
"""nDCG@10 of the categories that leave no doubt what is meant."""

Ask = Callable[[str], Sequence[Hit]]


def open_benchmark(
    folder: Path, count: int, gold: GoldSet, seed: int, *, keep: bool = False
) -> Catalog:
    """An indexed catalog of the gold notes among `count` others."""
    home = find_home(folder)
    if not (keep and home.catalog_file.exists()):
        home.catalog_file.unlink(missing_ok=True)
        background = notes(count, seed, gold.absence)
        texts = among(gold.notes.values(), background, count, seed)
        make_catalog(folder, texts, titles(seed + 1, gold.absence))
    catalog = open_catalog(home)
    start, cpu = time.monotonic(), time.process_time()
    indexed = index_pending(catalog)
    print(
        f"{indexed:,} texts indexed in {time.monotonic() - start:.0f} s"
        f" ({time.process_time() - cpu:.0f} s of processor time)",
        file=sys.stderr,
    )
    return catalog


def asking(connection: Any, gold: GoldSet, by_text: Mapping[str, str]) -> Ask:
    """How the program itself answers, with the gold set's synonyms."""
    known = synonyms.read(gold.synonyms)

    def ask(query: str) -> list[Hit]:
        matches = search(connection, query, limit=DEPTH, synonyms=known).matches
        return [Hit(by_text.get(it.text, ""), it.text, it.highlights) for it in matches]

    return ask


def ask_all(gold: GoldSet, ask: Ask) -> list[tuple[Question, Score]]:
    """Every question of the set with the score of its answer."""
    return [(question, score(question, ask(question.query))) for question in gold.questions]


def print_table(results: Mapping[str, Sequence[tuple[Question, Score]]], gold: GoldSet) -> None:
    """recall@20 / precision / nDCG@10 of each design by category."""
    print(f"{'recall@20 / precision / nDCG@10':27}" + "".join(f"{name:>21}" for name in results))
    for category in (*gold.categories, "overall"):
        cells, size = "", 0
        for scored in results.values():
            group = [it for question, it in scored if category in (question.category, "overall")]
            size = len(group)
            cells += f"{_three(group):>21}"
        print(f"{f'{category} ({size})':27}{cells}")


def _three(group: Sequence[Score]) -> str:
    columns = (
        (it.recall for it in group),
        (it.precision for it in group),
        (it.gain for it in group),
    )
    return " / ".join(f"{mean(column):.2f}" for column in columns)


def print_worst(scored: Iterable[tuple[Question, Score]], ask: Ask, count: int) -> None:
    """The questions with the lowest nDCG@10, and what was shown for them."""
    for question, it in sorted(scored, key=lambda pair: pair[1].gain)[:count]:
        print(f"\n{it.gain:.2f} [{question.category}] {question.query}")
        shown = ask(question.query)
        for hit in shown[:8]:
            print(f"    {question.grades.get(hit.note, '-')} {hit.note:16} {hit.text[:70]}")
        missing = question.relevant - {hit.note for hit in shown}
        for note in sorted(missing)[:5]:
            print(f"    missing {question.grades[note]} {note:14} {gold_text(question, note)}")


def gold_text(question: Question, note: str) -> str:
    """The words by which a note should have been found."""
    return ", ".join(question.words.get(note, ()))


def print_uncovered(scored: Sequence[tuple[Question, Score]]) -> float:
    """The share of the relevant rows whose words are all highlighted; returns it."""
    covered = sum(it.covered for _, it in scored)
    coverable = sum(it.coverable for _, it in scored)
    poor = [question.query for question, it in scored if it.covered < it.coverable]
    share = covered / coverable if coverable else 0.0
    print(f"\nhighlighted: {covered} of {coverable} relevant rows ({100 * share:.1f} %)")
    if poor:
        print("not all words: " + ", ".join(poor))
    return share


def goals_missed(scored: Sequence[tuple[Question, Score]]) -> list[str]:
    """A sentence for each goal that was missed."""
    missed = []
    overall = mean(it.gain for _, it in scored)
    if overall < GOAL:
        missed.append(f"overall {overall:.3f} < {GOAL}")
    for category in dict.fromkeys(question.category for question, _ in scored):
        reached = mean(it.gain for question, it in scored if question.category == category)
        goal = CERTAIN_GOAL if category in CERTAIN else LEAST
        if reached < goal:
            missed.append(f"{category} {reached:.3f} < {goal}")
    return missed


def ask_others(
    catalog: Catalog, gold: GoldSet, by_text: Mapping[str, str], names: Sequence[str]
) -> dict[str, list[tuple[Question, Score]]]:
    """The same questions to the other designs, over the same texts."""
    results = {}
    with tempfile.TemporaryDirectory() as scratch:
        made = designs(Path(scratch))
        for name in names:
            design = made[name]()
            with catalog.read() as connection:
                rows = connection.execute("SELECT id, text FROM document")
                design.add((row[0], row[1]) for row in rows)
                texts = dict(connection.execute("SELECT id, text FROM document").fetchall())

            def ask(query: str, design: Any = design, texts: Any = texts) -> list[Hit]:
                found = [texts[number] for number in design.search(query, DEPTH)]
                return [Hit(by_text.get(text, ""), text) for text in found]

            results[name] = ask_all(gold, ask)
    return results


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--notes", type=int, default=20_000, help="in the background")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gold", type=Path, default=FOLDER, help="folder of a gold set")
    parser.add_argument("--catalog", type=Path, help="folder for the catalog")
    parser.add_argument("--keep", action="store_true", help="use the catalog that is there")
    parser.add_argument("--only", help="names of designs, with commas; `ours` is this program")
    parser.add_argument("--worst", type=int, default=0, help="show so many poor answers")
    parser.add_argument("--category", help="ask the questions of one category only")
    return parser.parse_args()


def main() -> int:
    """Builds, asks, prints; exit 1 when a goal is missed."""
    arguments = _arguments()
    gold = read(arguments.gold)
    only = arguments.only.split(",") if arguments.only else None
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.catalog or Path(scratch)
        catalog = open_benchmark(folder, arguments.notes, gold, arguments.seed, keep=arguments.keep)
        if arguments.category:
            chosen = tuple(it for it in gold.questions if it.category == arguments.category)
            gold = GoldSet(gold.notes, chosen, gold.synonyms)
        by_text = {text: note for note, text in gold.notes.items()}
        others = [name for name in designs(folder) if only is None or name in only]
        results = ask_others(catalog, gold, by_text, others)
        missed: list[str] = []
        if only is None or "ours" in only:
            with closing(connect_readonly(catalog.path)) as connection:
                ask = asking(connection, gold, by_text)
                results["ours"] = ask_all(gold, ask)
                print_table(results, gold)
                print_uncovered(results["ours"])
                print_worst(results["ours"], ask, arguments.worst)
            missed = goals_missed(results["ours"])
            print("goals " + ("missed: " + "; ".join(missed) if missed else "met"))
        else:
            print_table(results, gold)
        catalog.close()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
