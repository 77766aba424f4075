"""Text as search sees it: one normal form, the way back to the original, words and particles."""

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

_ZERO_WIDTH = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")
RUN = re.compile(r"[가-힣]+|[^\W_가-힣]+")
"""A stretch of one script in a text of normal form: syllables, or letters and digits of others."""

SENTENCE = "ː"
"""The token between two sentences. No word holds this sign, which FTS5 takes for a letter."""
COUNTER = "ː"
"""What tells a counter (세 명) from a noun of the same sound."""

PARTICLES = tuple(
    sorted(
        """
        에서는 에서도 에게는 에게서 으로는 으로도 이라고 이라는 에서 에게 한테 으로 까지 부터 처럼 보다
        하고 이랑 라고 라는 이나 이며 이고 마다 조차 밖에 은 는 이 가 을 를 에 의 와 과 도 만 로 랑 나 께
        """.split(),
        key=len,
        reverse=True,
    )
)
"""Particles that may follow a noun, the longest first."""


@dataclass(frozen=True, slots=True)
class Normalised:
    """A text in normal form. `spans[i]` is where character i lies in the original, in code points."""

    text: str
    spans: tuple[tuple[int, int], ...]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """The original's code points behind `text[start:end]`, which must not be empty."""
        return self.spans[start][0], self.spans[end - 1][1]


def normalise(original: str) -> Normalised:
    """NFC, full-width forms narrowed, zero-width characters dropped, lower case.

    NFKC is no choice here: it would turn a typed ㄱ (U+3131) into a conjoining jamo.
    """
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


def without_particle(run: str) -> str | None:
    """The noun of a Hangul run, if it ends in a particle and at least two syllables are left."""
    for particle in PARTICLES:
        if run.endswith(particle) and len(run) - len(particle) >= 2:
            return run[: -len(particle)]
    return None
