"""How good an answer is: recall, precision and normalised discounted cumulative gain.

The gain of a grade is 2^grade - 1 and its discount log2(rank + 1), as in Burges et al., Learning to
Rank using Gradient Descent (2005).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log2, nan

from tests.catalog.search.gold.gold import Question, uncovered

DEPTH = 20
"""Ranks that count for recall and precision."""
GAIN_DEPTH = 10
"""Ranks that count for the cumulative gain."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One row of an answer. `note` is empty for a text that is no gold note."""

    note: str
    text: str
    highlights: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """Of one answer; each from 0 to 1."""

    recall: float
    """Relevant notes among the first 20, of at most 20 that there are."""
    precision: float
    """Relevant rows of the first 20 that are shown; not a number where nothing is."""
    gain: float
    """nDCG@10."""
    covered: int
    """Relevant rows whose every word is highlighted."""
    coverable: int
    """Relevant rows of which words are listed."""


def score(question: Question, hits: Sequence[Hit]) -> Score:
    """Rates an answer. A note that stands in it twice counts once."""
    shown = list(hits[:DEPTH])
    seen = list(dict.fromkeys(hit.note for hit in shown if hit.note))
    relevant = question.relevant
    good = sum(note in relevant for note in seen)
    marked = [hit for hit in shown if hit.note in relevant and question.words.get(hit.note)]
    covered = sum(
        not uncovered(hit.text, hit.highlights, question.words[hit.note]) for hit in marked
    )
    return Score(
        recall=good / min(DEPTH, len(relevant)),
        precision=good / len(shown) if shown else nan,
        gain=_gain(question, hits),
        covered=covered,
        coverable=len(marked),
    )


def _gain(question: Question, hits: Sequence[Hit]) -> float:
    best = sorted(question.grades.values(), reverse=True)
    once: set[str] = set()
    grades = []
    for hit in hits[:GAIN_DEPTH]:
        grades.append(0 if hit.note in once else question.grades.get(hit.note, 0))
        once.add(hit.note)
    return _discounted(grades) / _discounted(best[:GAIN_DEPTH])


def _discounted(grades: Iterable[int]) -> float:
    return float(sum((2**grade - 1) / log2(rank + 1) for rank, grade in enumerate(grades, 1)))


def mean(numbers: Iterable[float]) -> float:
    """The mean of those that are numbers; not a number if none is."""
    real = [number for number in numbers if number == number]
    return sum(real) / len(real) if real else nan
