"""Other ways to search Korean with SQLite, for the tables of `tests.benchmarks.search_quality`.

Each is what a good recipe makes of it: FTS5 with the stock tokenizers, with pairs of syllables, and with
the lemmas of kiwi. All ask for every word, know "phrases", -exclusions and OR, and rank by bm25.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

from catalog.sqlite import sqlite3

_RUN = re.compile(r"[가-힣]+|[^\W_가-힣]+")
_TERM = re.compile(r'(-?)(?:["“「]([^"”」]*)["”」]?|(\S+))')
_BATCH = 1_000
_CONTENT = ("N", "V", "XR", "SL", "SN", "SH", "MAG", "W_")
"""Beginnings of the tags of the Sejong tag set that carry meaning."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query in terms that every design understands."""

    groups: tuple[tuple[str, ...], ...]
    """All must hold; of each, one text is enough."""
    excluded: tuple[str, ...]


def parse(query: str) -> Asked:
    """Reads words, "phrases", -exclusions and OR (also `|`)."""
    groups: list[tuple[str, ...]] = []
    excluded: list[str] = []
    joined = False
    for minus, phrase, word in _TERM.findall(unicodedata.normalize("NFC", query)):
        text = (phrase or word).replace('"', " ")
        if word in ("OR", "|") and groups:
            joined = True
        elif minus:
            excluded.append(text)
        elif joined:
            groups[-1] = (*groups[-1], text)
            joined = False
        else:
            groups.append((text,))
    return Asked(tuple(groups), tuple(excluded))


class Design(Protocol):
    """A full-text index in a file of its own."""

    name: str

    def add(self, rows: Iterable[tuple[int, str]]) -> None:
        """Indexes texts by their ids."""

    def search(self, query: str, limit: int) -> Sequence[int]:
        """The ids of the best texts."""


class _Table:
    """A contentless FTS5 table."""

    def __init__(self, path: Path, tokenizer: str) -> None:
        self._connection = sqlite3.connect(str(path), isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = off")
        self._connection.execute(
            f"CREATE VIRTUAL TABLE t USING fts5(text, content = '', tokenize = \"{tokenizer}\")"
        )

    def fill(self, rows: Iterable[tuple[int, str]]) -> None:
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO t(rowid, text) VALUES (?, ?)", rows)
        self._connection.execute("COMMIT")
        self._connection.execute("INSERT INTO t(t) VALUES ('optimize')")

    def ask(
        self,
        asked: Asked,
        phrase: Callable[[str], str],
        limit: int,
        joint: str = " AND ",
    ) -> list[int]:
        """The best rows; `phrase` turns a text into tokens, or into nothing where it cannot be asked."""
        groups = [[phrase(text) for text in group] for group in asked.groups]
        wanted = [_any_of(group) for group in groups if any(group)]
        if not wanted:
            return []
        expression = "(" + joint.join(wanted) + ")"
        unwanted = [phrase(text) for text in asked.excluded]
        if any(unwanted):
            expression += f" NOT {_any_of(unwanted)}"
        rows = self._connection.execute(
            "SELECT rowid FROM t WHERE t MATCH ? ORDER BY rank LIMIT ?", (expression, limit)
        )
        return [int(row[0]) for row in rows]


def _any_of(phrases: Iterable[str]) -> str:
    return "(" + " OR ".join(f'"{phrase}"' for phrase in phrases if phrase) + ")"


class Stock:
    """A tokenizer of SQLite's own, and the words of the query as they are."""

    def __init__(self, name: str, path: Path, tokenizer: str, shortest: int = 1) -> None:
        self.name = name
        self._table = _Table(path, tokenizer)
        self._shortest = shortest

    def add(self, rows: Iterable[tuple[int, str]]) -> None:
        """Indexes texts by their ids, composed, since SQLite does not compose."""
        self._table.fill((number, unicodedata.normalize("NFC", text)) for number, text in rows)

    def search(self, query: str, limit: int) -> Sequence[int]:
        """The ids of the texts that hold every word that is long enough for the tokenizer."""

        def phrase(text: str) -> str:
            return text if len(text) >= self._shortest else ""

        return self._table.ask(parse(query), phrase, limit)


class Bigrams:
    """Overlapping pairs of syllables, made by the application; Latin words whole."""

    name = "bigrams"

    def __init__(self, path: Path) -> None:
        self._table = _Table(path, "unicode61 remove_diacritics 0")

    def add(self, rows: Iterable[tuple[int, str]]) -> None:
        """Indexes texts by their ids."""
        self._table.fill((number, " ".join(self._tokens(text))) for number, text in rows)

    def search(self, query: str, limit: int) -> Sequence[int]:
        """The ids of the texts that hold every pair of every word, side by side."""
        return self._table.ask(parse(query), lambda text: " ".join(self._tokens(text)), limit)

    @staticmethod
    def _tokens(text: str) -> list[str]:
        tokens: list[str] = []
        for run in _RUN.findall(unicodedata.normalize("NFC", text).lower()):
            paired = "가" <= run[0] <= "힣" and len(run) > 1
            tokens += [a + b for a, b in pairwise(run)] if paired else [run]
        return tokens


class Lemmas:
    """The dictionary forms that kiwi finds, of texts and of queries: all of them, then any."""

    name = "kiwi lemmas"

    def __init__(self, path: Path) -> None:
        from kiwipiepy import Kiwi

        self._kiwi: Any = Kiwi(num_workers=1, load_multi_dict=False)
        self._table = _Table(path, "unicode61 remove_diacritics 0")

    def add(self, rows: Iterable[tuple[int, str]]) -> None:
        """Indexes texts by their ids, analysed in batches."""
        batch: list[tuple[int, str]] = []
        done: list[tuple[int, str]] = []
        for row in rows:
            batch.append(row)
            if len(batch) == _BATCH:
                done += self._analysed(batch)
                batch.clear()
        self._table.fill(done + self._analysed(batch))

    def search(self, query: str, limit: int) -> Sequence[int]:
        """The ids of the texts with every lemma; where there is none, of those with any."""
        asked = parse(query)
        if (
            not asked.excluded
            and all(len(group) == 1 for group in asked.groups)
            and '"' not in query
        ):
            # Words are read together, as in a text, since kiwi reads by context.
            lemmas = self._lemmas(" ".join(group[0] for group in asked.groups)).split()
            asked = Asked(tuple((lemma,) for lemma in lemmas), ())
            found = self._table.ask(asked, str, limit)
            return found or self._table.ask(asked, str, limit, " OR ")
        return self._table.ask(asked, self._lemmas, limit)

    def _lemmas(self, text: str) -> str:
        return self._analysed([(0, text)])[0][1]

    def _analysed(self, rows: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
        texts = [unicodedata.normalize("NFC", text) for _, text in rows]
        return [
            (number, " ".join(_lemma(token) for token in tokens if token.tag.startswith(_CONTENT)))
            for (number, _), tokens in zip(rows, self._kiwi.tokenize(texts), strict=True)
        ]


def _lemma(token: Any) -> str:
    """Verbs and adjectives in -다, so that 말 and 말다 differ; what is no letter is left out."""
    form = token.form.lower() + ("다" if token.tag.startswith("V") else "")
    return "".join(_RUN.findall(form))


def designs(folder: Path) -> dict[str, Callable[[], Design]]:
    """How to make each design, with its index in a folder."""
    return {
        "unicode61": lambda: Stock("unicode61", folder / "unicode61.db", "unicode61"),
        "trigram": lambda: Stock("trigram", folder / "trigram.db", "trigram", shortest=3),
        "bigrams": lambda: Bigrams(folder / "bigrams.db"),
        "kiwi lemmas": lambda: Lemmas(folder / "lemmas.db"),
    }
