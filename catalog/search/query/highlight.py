"""Where a text answers to a query, as code-point spans of the original text.

Words of the text are looked up in the lexicon, as the analyser read them; so 걸어 is marked for 걷다, and
양말 is not for 말. Of a noun its own syllables are marked, of a predicate the whole word.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from catalog.search.korean.hangul import is_hangul_word
from catalog.search.korean.inflection import dictionary_forms
from catalog.search.korean.numerals import numbers
from catalog.search.korean.text import COUNTER, RUN, Normalised, is_hangul, normalise
from catalog.search.lexicon import Lexicon
from catalog.search.query.resolve import segments, stems_of
from catalog.search.spans import Span, merged
from catalog.search.tokens import WRITTEN, number_tokens

_LONG_RUN = 6
_CONNECTOR = r"[-_.'&+/]?"


class Highlighter:
    """Marks texts for the phrases of one query, given as tokens, and for its words as typed."""

    def __init__(self, lexicon: Lexicon, phrases: Iterable[str], written: Iterable[str]) -> None:
        self._lexicon = lexicon
        self._phrases = [phrase.split() for phrase in dict.fromkeys(phrases)]
        self._written = {word.replace(" ", "") for word in written}
        tokens = {token for phrase in self._phrases for token in phrase}
        self._numbers = any(token.endswith(COUNTER) or token.isdecimal() for token in tokens)
        self._foreign = {one for one in tokens | self._written if not is_hangul_word(one)}
        hangul = tokens - self._foreign
        self._predicates = {token for token in hangul if token.endswith("다")}
        self._nouns = hangul - self._predicates
        self._initials = {_initial(token[0]) for token in self._predicates}
        self._holding: dict[str, bool] = {}

    def spans(self, originals: Sequence[str]) -> list[tuple[Span, ...]]:
        """The spans of each text, in order and apart from each other."""
        normals = [normalise(one) for one in originals]
        runs = {run for normal in normals for run in RUN.findall(normal.text) if is_hangul(run)}
        self._holding = {run: self._may_hold(run) for run in runs}
        self._lexicon.entries(run for run in runs if self._holding[run])  # one question for all
        return [self._of(normal) for normal in normals]

    def _may_hold(self, run: str) -> bool:
        """Whether a run of syllables may hold one of the tokens; no look into the lexicon is spent else.

        Every form of a predicate begins with the initial of its stem.
        """
        if any(noun in run for noun in self._nouns) or any(map(run.startswith, self._written)):
            return True
        reach = 1 if len(run) < _LONG_RUN else len(run)
        return any(_initial(syllable) in self._initials for syllable in run[:reach])

    def _of(self, normal: Normalised) -> tuple[Span, ...]:
        found = [*self._in_runs(normal.text), *self._in_numbers(normal.text)]
        found += self._joined(normal.text)
        present = {token for _, token in found}
        wanted = {
            token for phrase in self._phrases if present.issuperset(phrase) for token in phrase
        }
        wanted |= self._written
        return merged(normal.original_span(*span) for span, token in found if token in wanted)

    def _in_runs(self, text: str) -> Iterator[tuple[Span, str]]:
        for match in RUN.finditer(text):
            run, place = match.group(), match.start()
            if self._holding.get(run):
                for (start, end), token in self._of_run(run):
                    yield (place + start, place + end), token

    def _in_numbers(self, text: str) -> Iterator[tuple[Span, str]]:
        for number in numbers(text) if self._numbers else ():
            for token in number_tokens(number.value, number.counter).split():
                yield (number.start, number.end), token

    def _of_run(self, run: str) -> Iterator[tuple[Span, str]]:
        for word in self._written:
            if run.startswith(word):
                yield (0, len(word)), word
        readings = [one for one in self._lexicon.entries([run])[run] if one.kind == WRITTEN]
        if not readings and len(run) >= _LONG_RUN:
            yield from self._of_long_run(run)
        tokens = {token for one in readings for token in one.tokens.split()}
        tokens = tokens or {run, *stems_of(run), *dictionary_forms(run)}
        for token in self._predicates & tokens:
            yield _place(run, token), token
        for noun in self._nouns:
            # A syllable must be a word there: 말 is not in 양말. Longer nouns hardly stand by accident.
            if noun in tokens or (len(noun) > 1 and noun in run):
                yield _place(run, noun), noun

    def _of_long_run(self, run: str) -> Iterator[tuple[Span, str]]:
        """A sentence without spaces: word by word."""
        place = 0
        for part in segments(self._lexicon, run):
            if len(part) < _LONG_RUN:
                for (start, end), token in self._of_run(part):
                    yield (place + start, place + end), token
            place += len(part)

    def _joined(self, text: str) -> Iterator[tuple[Span, str]]:
        """Words of other scripts, also where a hyphen is in them: k-pop for kpop."""
        for token in self._foreign:
            pattern = _CONNECTOR.join(map(re.escape, token))
            for match in re.finditer(rf"(?<![^\W_가-힣]){pattern}", text):
                yield match.span(), token


def _initial(syllable: str) -> int:
    return (ord(syllable) - 0xAC00) // 588


def _place(run: str, token: str) -> Span:
    start = run.find(token)
    return (0, len(run)) if start < 0 else (start, start + len(token))
