"""What a query asks for, one concept for each word or phrase that a text must hold."""

from dataclasses import dataclass, field
from enum import StrEnum


class How(StrEnum):
    """Why a text is among the results."""

    EXACT = "exact"  # the words asked for, in any form
    VARIANT = "variant"  # another spelling, a synonym, a word of the same stem
    COMPLETION = "completion"  # a word that begins so
    PART = "part"  # a longer word that holds the word
    INITIALS = "initials"  # a word with these initials
    LAYOUT = "layout"  # typed on the other keyboard layout
    TYPO = "typo"  # one key beside
    FEWER = "fewer"  # some of the words only
    MEANING = "meaning"  # none of the words: near in meaning


GENERIC = frozenset(
    """
    영상 동영상 비디오 장면 모습 화면 사진 클립 부분 컷 찾다 나오다 보이다 보여주다 알려주다 것 거 곳 데
    때 좀 어디 언제 누구 모든 전부 모두 보다 관련 관하다 대하다 검색 찍다 담다 담기다 찍히다 우리 촬영
    촬영하다 나 내 그 중 등 들어가다 있다 하다
    """.split()
)
"""What people say around what they look for. The first to be left out when no text holds every word."""


@dataclass(slots=True)
class Concept:
    """One thing asked for, with the phrases of index tokens that stand for it."""

    text: str
    words: tuple[str, ...]
    """As asked, each of which would do: several of them where the query says OR."""
    exact: list[str] = field(default_factory=list)
    n: int = 0
    how: How = How.EXACT
    """How `exact` came about."""
    unknown: bool = False
    """Whether no text that the analyser has read holds it as typed; a text that waits still may."""
    silent: bool = False
    number: bool = False
    literal: str = ""
    """A phrase that must stand so in the text, in normal form and without spaces."""
    instead: str = ""
    """What was taken to be meant, where it is not what was typed."""
    parts: tuple[str, ...] = ()
    """A sentence typed without spaces: its words."""
    likely: int = 0
    """So many of `exact` are likelier than the others."""
    several: bool = False
    """Whether `exact` are different words, among which none is known to be the one that was meant."""

    @property
    def generic(self) -> bool:
        """Whether it says little of what is looked for."""
        return self.silent or self.text in GENERIC or any(one in GENERIC for one in self.exact)
