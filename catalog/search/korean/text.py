"""Text as search sees it: one normal form, the way back to the original, words and particles."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, overload

_ODD = re.compile("[\u00ad\u02d0\u0130\u1100-\u11ff\u200b-\u200d\u2060\u3000\ufeff\uff01-\uff5e]")
_ZERO_WIDTH = frozenset("\u02d0\u00ad\u200b\u200c\u200d\u2060\ufeff")
RUN = re.compile(r"[가-힣]+|[^\W_가-힣]+")
"""A stretch of one script in a text of normal form: syllables, or letters and digits of others."""

SENTENCE = "ː"
"""The token between two sentences. No word holds this sign, which FTS5 takes for a letter."""
COUNTER = "ː"
"""What tells a counter (세 명) from a noun of the same sound."""

_CASES = """
    에 에서 에게 에게서 한테 한테서 께 께서 로 으로 로서 으로서 로써 으로써 와 과 하고 랑 이랑
    까지 부터 처럼 같이 보다 만큼 대로 마다 만 밖에 조차 마저 에다 에다가 이라고 라고
""".split()
_LAST = "은 는 도 만 의 나 이나 요 까지 부터 이라도 라도".split()
_OTHERS = """
    은 는 이 가 을 를 의 도 나 이나 며 이며 고 이고 야 이야 라도 이라도 든 이든 든지 이든지 란 이란
    라는 이라는 이다 입니다 이요 요 커녕 뿐 뿐만 더러 아 여 이여
""".split()
PARTICLES = frozenset({*_CASES, *_OTHERS, *(case + last for case in _CASES for last in _LAST)})
"""Particles that may follow a noun, alone or two in a row."""


class Normalised(NamedTuple):
    """A text in normal form. `spans[i]` is where character i lies in the original, in code points."""

    text: str
    spans: Sequence[tuple[int, int]]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """The original's code points behind `text[start:end]`, which must not be empty."""
        return self.spans[start][0], self.spans[end - 1][1]


class _Same(Sequence[tuple[int, int]]):
    """The spans of a text that is its own normal form but for case."""

    def __init__(self, length: int) -> None:
        self._length = length

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> tuple[int, int]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[tuple[int, int]]: ...
    def __getitem__(self, index: int | slice) -> tuple[int, int] | Sequence[tuple[int, int]]:
        places = range(self._length)[index]
        return (places, places + 1) if isinstance(places, int) else [(i, i + 1) for i in places]


def _is_plain(text: str) -> bool:
    """Whether a text is in normal form but for case, as nearly every text is."""
    return _ODD.search(text) is None and unicodedata.is_normalized("NFC", text)


def normalise(original: str) -> Normalised:
    """NFC, full-width forms narrowed, zero-width characters dropped, lower case.

    NFKC is no choice here: it would turn a typed ㄱ (U+3131) into a conjoining jamo.
    """
    if _is_plain(original):
        lower = original.lower()
        if len(lower) == len(original):
            return Normalised(lower, _Same(len(lower)))
    characters: list[str] = []
    spans: list[tuple[int, int]] = []
    for start, end in _clusters(original):
        for character in unicodedata.normalize("NFC", original[start:end]):
            for folded in _fold(character):
                characters.append(folded)
                spans.append((start, end))
    return Normalised("".join(characters), tuple(spans))


def _clusters(text: str) -> list[tuple[int, int]]:
    """Where each character with its combining marks, or each decomposed syllable, lies."""
    starts = [
        index
        for index, character in enumerate(text)
        if index == 0 or not (unicodedata.combining(character) or "\u1160" <= character <= "\u11ff")
    ]
    return list(pairwise([*starts, len(text)]))


def _fold(character: str) -> str:
    if character in _ZERO_WIDTH:
        return ""
    code = ord(character)
    if 0xFF01 <= code <= 0xFF5E:
        character = chr(code - 0xFEE0)
    elif character == "\u3000":
        return " "
    return character.lower()


def runs(normal_text: str) -> list[str]:
    """The stretches of one script in a text of normal form."""
    return RUN.findall(normal_text)


def is_hangul(run: str) -> bool:
    """Whether a run is made of syllables."""
    return "가" <= run[0] <= "힣"


def stems_before_particles(run: str) -> list[str]:
    """What is left of a Hangul run without each particle that it may end in, the longest particle first."""
    return [run[:place] for place in range(1, len(run)) if run[place:] in PARTICLES]


def without_particle(run: str) -> str | None:
    """The noun of a Hangul run, if it ends in a particle and at least two syllables are left."""
    return next((stem for stem in stems_before_particles(run) if len(stem) > 1), None)
