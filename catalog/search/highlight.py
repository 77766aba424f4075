"""Where a text answers to a query, as code-point spans of the original text.

Words of the text are looked up in the lexicon, as the analyser read them; so 걸어 is marked for 걷다, and
양말 is not for 말. Of a noun its own syllables are marked, of a predicate the whole word.
"""

import re
from collections.abc import Iterable, Sequence

from catalog.search.forms import WRITTEN, number_tokens
from catalog.search.inflection import dictionary_forms
from catalog.search.lexicon import Lexicon
from catalog.search.numerals import numbers
from catalog.search.resolve import segments, stems_of
from catalog.search.text import RUN, Normalised, is_hangul, normalise

Span = tuple[int, int]
_LONG_RUN = 6
_CONNECTOR = r"[-_.'&+/]?"


class Highlighter:
    """Marks texts for the phrases of one query."""

    def __init__(self, lexicon: Lexicon, phrases: Iterable[str], written: Iterable[str]) -> None:
        self._lexicon = lexicon
        self._phrases = [phrase.split() for phrase in dict.fromkeys(phrases)]
        self._written = {word.replace(" ", "") for word in written}
        self._known = {token for phrase in self._phrases for token in phrase}

    def spans(self, originals: Sequence[str]) -> list[tuple[Span, ...]]:
        """The spans of each text, in order and apart from each other."""
        normals = [normalise(one) for one in originals]
        runs = {run for normal in normals for run in RUN.findall(normal.text) if is_hangul(run)}
        self._lexicon.entries(runs)  # one question for all texts
        return [self._of(normal) for normal in normals]

    def _of(self, normal: Normalised) -> tuple[Span, ...]:
        found: list[tuple[Span, str]] = []
        for match in RUN.finditer(normal.text):
            run = match.group()
            found += [
                ((match.start() + start, match.start() + end), token)
                for (start, end), token in self._of_run(run)
            ]
        for number in numbers(normal.text):
            tokens = number_tokens(number.value, number.counter)
            found += [((number.start, number.end), token) for token in tokens.split()]
        found += self._joined(normal.text)
        present = {token for _, token in found}
        wanted = {
            token for phrase in self._phrases if present.issuperset(phrase) for token in phrase
        } | self._written
        spans = [span for span, token in found if token in wanted]
        return _merged(normal.original_span(*span) for span in spans)

    def _of_run(self, run: str) -> list[tuple[Span, str]]:
        if not is_hangul(run):
            return [((0, len(run)), run)] if run in self._known or run in self._written else []
        found: list[tuple[Span, str]] = []
        for word in self._written:
            if run.startswith(word):
                found.append(((0, len(word)), word))
        readings = [one for one in self._lexicon.entries([run])[run] if one.kind == WRITTEN]
        if not readings and len(run) >= _LONG_RUN:
            found += self._of_long_run(run)
        tokens = {token for one in readings for token in one.tokens.split()} or self._guessed(run)
        for token in self._known:
            if token in tokens:
                found.append((_place(run, token), token))
            elif len(token) > 1 and run.startswith(token):
                found.append(((0, len(token)), token))
            elif len(token) > 1 and token in run and not token.endswith("다"):
                found.append((_place(run, token), token))
        return found

    def _guessed(self, run: str) -> set[str]:
        return {run, *stems_of(run), *dictionary_forms(run)}

    def _of_long_run(self, run: str) -> list[tuple[Span, str]]:
        """A sentence without spaces: word by word."""
        found: list[tuple[Span, str]] = []
        place = 0
        for part in segments(self._lexicon, run):
            if len(part) < _LONG_RUN:
                found += [
                    ((place + start, place + end), token)
                    for (start, end), token in self._of_run(part)
                ]
            place += len(part)
        return found

    def _joined(self, text: str) -> list[tuple[Span, str]]:
        """Words that are written with a hyphen here: k-pop for kpop."""
        return [
            (match.span(), token)
            for token in (self._known | self._written)
            if not is_hangul(token) and len(token) > 1
            for match in re.finditer(_CONNECTOR.join(map(re.escape, token)), text)
        ]


def _place(run: str, token: str) -> Span:
    start = run.find(token)
    return (0, len(run)) if start < 0 else (start, start + len(token))


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
