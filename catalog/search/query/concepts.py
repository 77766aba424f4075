"""What a query asks for, one concept for each word or phrase that a text must hold."""

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


class Concept:
    """One thing asked for, with the phrases of index tokens that stand for it.

    `words` are as asked, each of which would do: several of them where the query says OR.
    """

    def __init__(
        self,
        text: str,
        words: tuple[str, ...],
        exact: list[str] | None = None,
        n: int = 0,
        *,
        number: bool = False,
    ) -> None:
        self.text = text
        self.words = words
        self.exact = exact or []
        self.n = n
        self.number = number
        self.how = How.EXACT
        """How `exact` came about."""
        self.unknown = False
        """Whether no text that the analyser has read holds it as typed; one that waits still may."""
        self.silent = False
        """Whether it is a word without content of its own: 하는, 있는."""
        self.literal = ""
        """A phrase that must stand so in the text, in normal form and without spaces."""
        self.instead = ""
        """What was taken to be meant, where it is not what was typed."""
        self.parts: tuple[str, ...] = ()
        """A sentence typed without spaces: its words."""
        self.several = False
        """Whether `exact` are different words, of which nobody knows which one was meant."""
        self.likely = 0
        """So many of them are likelier than the others."""

    @property
    def generic(self) -> bool:
        """Whether it says little of what is looked for."""
        return self.silent or self.text in GENERIC or any(one in GENERIC for one in self.exact)
