"""Search as somebody types: every state that an input method shows, and every whole syllable.

A graphical program sees the word change with each key (고, 공, 고야, 고양 …), a terminal only whole
syllables. Of each state, from the first key of the second syllable on, it counts blank answers, whether
a text with the word is among the first 10, and the processor time. Run it from the root of the project:

    python -m tests.benchmarks.search_typing --notes 100000 [--catalog FOLDER --keep] [--rounds 3]

Exit 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.database import connect_readonly
from catalog.search.korean.hangul import compose, keystrokes
from catalog.search.query.asking import glance
from tests.benchmarks.search_quality import open_benchmark
from tests.benchmarks.search_speed import percentile
from tests.catalog.search.gold import read

WORDS = """
해녀 고양이 강아지 소방관 횡단보도 신호등 놀이터 미끄럼틀 유모차 지게차 컨베이어 자전거
피아노 태권도 수영장 해수욕장 김치냉장고 할머니 청설모 멧돼지 수달 드론 로봇 케이크
초콜릿 두쫀쿠 탕후루 성수동 울릉도 롯데월드타워 브이로그 엘리베이터 줄다리기 장독대 우체통 오징어
심폐소생술 쓰레기 불꽃놀이 돌잔치
""".split()
"""Words of the gold notes that the background does not hold."""
IN_TOP = 10
LATE_GOAL, TOP_GOAL = 30.0, 0.95
"""Milliseconds for 99 of 100 keys, and the share of states with the word in the first 10."""


@dataclass(frozen=True, slots=True)
class State:
    """What stands in the search field on the way to a word."""

    text: str
    word: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What a state found."""

    state: State
    blank: bool
    in_top: bool
    milliseconds: float


def states_by_key(words: Sequence[str]) -> Iterator[State]:
    """Every state of a two-set keyboard's input method, from the second syllable's first key on."""
    for word in words:
        keys = keystrokes(word)
        for count in range(len(keystrokes(word[0])) + 1, len(keys) + 1):
            yield State(compose(keys[:count]), word)


def states_by_syllable(words: Sequence[str]) -> Iterator[State]:
    """What a terminal delivers: two syllables, three, and so on."""
    for word in words:
        for count in range(2, len(word) + 1):
            yield State(word[:count], word)


def answer(connection: Any, state: State) -> Answered:
    """Asks as the screen does while somebody types."""
    start = time.thread_time()
    matches = glance(connection, state.text).matches
    milliseconds = 1000 * (time.thread_time() - start)
    return Answered(
        state,
        blank=not matches,
        in_top=any(_holds(match.text, state.word) for match in matches[:IN_TOP]),
        milliseconds=milliseconds,
    )


def _holds(text: str, word: str) -> bool:
    return word in unicodedata.normalize("NFC", text).replace(" ", "")


def print_row(label: str, answered: Sequence[Answered]) -> tuple[float, float, float]:
    """A row of the table; returns the shares of blanks and of words in the first 10, and p99."""
    ordered = sorted(one.milliseconds for one in answered)
    blank = sum(one.blank for one in answered) / len(answered)
    in_top = sum(one.in_top for one in answered) / len(answered)
    times = [percentile(ordered, 0.5), percentile(ordered, 0.99), ordered[-1]]
    cells = "".join(f"{value:>9.2f}" for value in times)
    print(f"{label:28}{100 * blank:>8.1f} %{100 * in_top:>8.1f} %{cells}")
    return blank, in_top, times[1]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--notes", type=int, default=20_000, help="in the background")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--catalog", type=Path, help="folder for the catalog")
    parser.add_argument("--keep", action="store_true", help="use the catalog that is there")
    parser.add_argument("--rounds", type=int, default=3, help="of all states")
    return parser.parse_args()


def main() -> int:
    """Builds, types, prints; exit 1 when a goal is missed."""
    arguments = _arguments()
    gold = read()
    kinds = {
        "every key": list(states_by_key(WORDS)),
        "whole syllables": list(states_by_syllable(WORDS)),
        "first syllable": [State(word[0], word) for word in WORDS],
    }
    missed = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.catalog or Path(scratch)
        catalog = open_benchmark(folder, arguments.notes, gold, arguments.seed, keep=arguments.keep)
        print(
            f"{len(WORDS)} words{'':19}{'blank':>10}{'in top 10':>10}{'p50':>9}{'p99':>9}{'max':>9}"
        )
        with closing(connect_readonly(catalog.path)) as connection:
            for label, states in kinds.items():
                rounds = range(arguments.rounds)
                answered = [answer(connection, state) for _ in rounds for state in states]
                blank, in_top, late = print_row(f"{label} ({len(states)})", answered)
                # One syllable says too little for a word, but should never blank the list.
                if blank or late > LATE_GOAL or (in_top < TOP_GOAL and label != "first syllable"):
                    missed.append(label)
                poor = {it.state.text: it.state.word for it in answered if not it.in_top}
                if label != "first syllable" and poor:
                    print("    not in top: " + ", ".join(f"{a} → {b}" for a, b in poor.items()))
        catalog.close()
    print("goals " + ("missed: " + ", ".join(missed) if missed else "met"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
