"""What the demo world can show and the Korean words for it; numpy is not even needed here.

A *triple* is (colour, shape, motion). `HELD_OUT` lists the triples that training never sees,
so that a right caption for one of them was read from the pixels and not remembered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from itertools import product


class Shape(Enum):
    """An outline; the value is its Korean noun."""

    CIRCLE = "원"
    SQUARE = "사각형"
    TRIANGLE = "삼각형"
    STAR = "별"


class Colour(Enum):
    """A colour of an object; the value is its Korean adjective."""

    RED = "빨간"
    BLUE = "파란"
    GREEN = "초록"
    YELLOW = "노란"
    WHITE = "흰"
    PURPLE = "보라"


class Motion(Enum):
    """What an object does; the value is the Korean predicate that ends a sentence."""

    RIGHTWARD = "왼쪽에서 오른쪽으로 움직인다"
    LEFTWARD = "오른쪽에서 왼쪽으로 움직인다"
    UP = "위로 올라간다"
    DOWN = "아래로 내려간다"
    GROW = "점점 커진다"
    SHRINK = "점점 작아진다"
    BLINK = "깜빡인다"
    STILL = "가만히 있다"
    BRIEF = "잠깐 나타난다"

    @property
    def connective(self) -> str:
        """The predicate in the form that another clause follows."""
        return CONNECTIVES[self]


class Background(Enum):
    """The plain colour behind the objects; the value is its Korean adjective."""

    BLACK = "검은"
    GREY = "회색"
    BROWN = "갈색"
    SKY = "하늘색"


Triple = tuple[Colour, Shape, Motion]

SHAPES, COLOURS, BACKGROUNDS = tuple(Shape), tuple(Colour), tuple(Background)
MOTIONS = tuple(motion for motion in Motion if motion is not Motion.BRIEF)
"""What an object does as long as it is there; a brief appearance is but a moment of another's scene."""

CONNECTIVES = {
    Motion.RIGHTWARD: "왼쪽에서 오른쪽으로 움직이고",
    Motion.LEFTWARD: "오른쪽에서 왼쪽으로 움직이고",
    Motion.UP: "위로 올라가고",
    Motion.DOWN: "아래로 내려가고",
    Motion.GROW: "점점 커지고",
    Motion.SHRINK: "점점 작아지고",
    Motion.BLINK: "깜빡이고",
    Motion.STILL: "가만히 있고",
    Motion.BRIEF: "잠깐 나타나고",
}

_FIRST, _NEXT = "먼저", "이어서"

NOTHING = "알아볼 수 있는 도형이 없다."
"""The sentence for a scene in which no object can be made out."""

REVERSED = {
    Motion.RIGHTWARD: Motion.LEFTWARD,
    Motion.LEFTWARD: Motion.RIGHTWARD,
    Motion.UP: Motion.DOWN,
    Motion.DOWN: Motion.UP,
    Motion.GROW: Motion.SHRINK,
    Motion.SHRINK: Motion.GROW,
    Motion.BLINK: Motion.BLINK,
    Motion.STILL: Motion.STILL,
    Motion.BRIEF: Motion.BRIEF,
}
"""What a motion becomes when the clip is played backwards."""


def _held_out() -> frozenset[Triple]:
    """36 triples: one motion for each of the 24 coloured shapes and a second for every other one.

    The motion shifts with colour and shape, so each colour, shape and motion stays well covered.
    """
    held: set[Triple] = set()
    for (c, colour), (s, shape) in product(enumerate(COLOURS), enumerate(SHAPES)):
        held.add((colour, shape, MOTIONS[(c + 2 * s) % 8]))
        if (c + s) % 2 == 0:
            held.add((colour, shape, MOTIONS[(c + 2 * s + 5) % 8]))
    return frozenset(held)


HELD_OUT: frozenset[Triple] = _held_out()
ALL_TRIPLES: tuple[Triple, ...] = tuple(product(COLOURS, SHAPES, MOTIONS))
TRAINED: tuple[Triple, ...] = tuple(triple for triple in ALL_TRIPLES if triple not in HELD_OUT)

BRIEF_HELD_OUT: frozenset[Triple] = frozenset(
    (colour, SHAPES[(3 * index + 1) % 4], Motion.BRIEF) for index, colour in enumerate(COLOURS)
)
"""Six brief appearances that training never sees, one of each colour."""
BRIEF_TRAINED: tuple[Triple, ...] = tuple(
    triple for triple in product(COLOURS, SHAPES, (Motion.BRIEF,)) if triple not in BRIEF_HELD_OUT
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a scene sentence says."""

    background: Background | None
    triples: frozenset[Triple]
    order: tuple[Triple, ...] = ()
    """The triples one after the other, where the sentence says that they follow each other."""


def canonical(triples: list[Triple] | tuple[Triple, ...]) -> list[Triple]:
    """Order objects as sentences name them: by colour, shape and motion, what is brief behind the rest."""
    return sorted(
        triples,
        key=lambda it: (
            it[2] is Motion.BRIEF,
            COLOURS.index(it[0]),
            SHAPES.index(it[1]),
            tuple(Motion).index(it[2]),
        ),
    )


def sentence(
    background: Background,
    triples: list[Triple] | tuple[Triple, ...],
    *,
    in_turn: bool = False,
) -> str:
    """Say a scene in Korean; no triples means that nothing can be recognised.

    With `in_turn` the objects act one after the other, in the order given.
    """
    if not triples:
        return NOTHING
    told = list(triples) if in_turn else canonical(triples)
    clauses = [
        f"{colour.value} {shape.value}이 {motion.value if place == len(told) else motion.connective}"
        for place, (colour, shape, motion) in enumerate(told, 1)
    ]
    if in_turn and len(told) > 1:
        clauses = [f"{_FIRST} {clauses[0]}", *(f"{_NEXT} {clause}" for clause in clauses[1:])]
    return f"{background.value} 배경에서 {' '.join(clauses)}."


def _alternatives(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_MOTION_WORDS = {motion.value: motion for motion in Motion} | {
    words: motion for motion, words in CONNECTIVES.items()
}
_CLAUSE = re.compile(
    f"({_alternatives([it.value for it in Colour])}) ({_alternatives([it.value for it in Shape])})이 "
    f"({_alternatives(list(_MOTION_WORDS))})"
)
_BACKGROUND = re.compile(f"({_alternatives([it.value for it in Background])}) 배경")


_IN_TURN = re.compile(f"배경에서 {_FIRST} ")


def read(text: str) -> Reading:
    """Read background and objects back from a sentence, ignoring whatever else it says."""
    found = _BACKGROUND.search(text)
    told = _told(text)
    order = tuple(told) if _IN_TURN.search(text) else ()
    return Reading(Background(found[1]) if found else None, frozenset(told), order)


def parse(text: str) -> set[Triple]:
    """Read the (colour, shape, motion) triples back from a sentence."""
    return set(_told(text))


def _told(text: str) -> list[Triple]:
    return [
        (Colour(colour), Shape(shape), _MOTION_WORDS[motion])
        for colour, shape, motion in _CLAUSE.findall(text)
    ]
