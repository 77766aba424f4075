"""Reading a gold set, and whether highlights cover the words they should."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.catalog.search.gold.absence import Absence

FOLDER = Path(__file__).parent
RELEVANT = 1
"""The least grade of a note that counts for recall and precision."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a person typed, and the notes that answer it."""

    query: str
    category: str
    grades: Mapping[str, int]
    """By the id of the note. Those of grade 0 are traps that a person looked at."""
    words: Mapping[str, Sequence[str]]
    """Words of a note, as it writes them, each of which a highlight must touch."""
    absence: Absence
    """What no background note may hold, or it might be an answer that nobody graded."""

    @property
    def relevant(self) -> frozenset[str]:
        """The ids of the notes that answer."""
        return frozenset(note for note, grade in self.grades.items() if grade >= RELEVANT)


@dataclass(frozen=True, slots=True)
class GoldSet:
    """Notes by id, the questions, and the user's synonym file that goes with them."""

    notes: Mapping[str, str]
    questions: tuple[Question, ...]
    synonyms: Path

    @property
    def categories(self) -> tuple[str, ...]:
        """In the order of the file."""
        return tuple(dict.fromkeys(question.category for question in self.questions))

    @property
    def absence(self) -> Absence:
        """What the background must not hold for all questions together."""
        return Absence.union(question.absence for question in self.questions)


def read(folder: Path = FOLDER) -> GoldSet:
    """Reads `notes.jsonl`, `queries.jsonl` and, where there is one, `synonyms.txt`."""
    notes = {line["id"]: line["text"] for line in _lines(folder / "notes.jsonl")}
    questions = tuple(_question(line) for line in _lines(folder / "queries.jsonl"))
    for question in questions:
        unknown = set(question.grades) - set(notes)
        if unknown:
            raise ValueError(f"{question.query}: there is no note {', '.join(sorted(unknown))}")
    return GoldSet(notes, questions, folder / "synonyms.txt")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def _question(line: Mapping[str, Any]) -> Question:
    return Question(
        query=line["query"],
        category=line["category"],
        grades=line["grades"],
        words=line.get("words", {}),
        absence=Absence(
            line.get("absent", ()), line.get("absent_re", ()), line.get("absent_all", ())
        ),
    )


def uncovered(
    text: str, highlights: Iterable[tuple[int, int]], words: Iterable[str]
) -> tuple[str, ...]:
    """The words that no highlight touches, wherever in the text they stand.

    A highlight need not cover a whole word: of 강아지가, 강아지 is enough.
    """
    spans = tuple(highlights)
    return tuple(word for word in words if not _is_touched(text, word, spans))


def _is_touched(text: str, word: str, spans: Sequence[tuple[int, int]]) -> bool:
    at = text.find(word)
    while at >= 0:
        if any(start < at + len(word) and end > at for start, end in spans):
            return True
        at = text.find(word, at + 1)
    return False
