"""Why a text of a model needs a person's eye: the names, how grave each is, and words for people.

The names are a contract: they appear in JSON and in the catalog. `daemon.captioner.gate` finds them.
"""

from collections.abc import Iterable
from enum import IntEnum, StrEnum

from catalog.language import tr


class Reason(StrEnum):
    """What is wrong with a text."""

    EMPTY = "empty"  # nothing, or only signs
    NOT_KOREAN = "not_korean"  # mostly another language, or English words in the middle
    FOREIGN_SCRIPT = "foreign_script"  # Chinese, Japanese, Russian letters among Hangul
    REPETITION = "repetition"  # the model went round in circles
    REFUSAL = "refusal"  # it says that it cannot, or that it is an AI
    PROMPT_ECHO = "prompt_echo"  # it repeats what it was asked
    BROKEN_TEXT = "broken_text"  # halves of syllables, signs for unknown bytes
    CONTROL_TOKENS = "control_tokens"  # `USER:`, `<video>` and their like
    UNFINISHED = "unfinished"  # the last sentence is cut off
    META_OPENER = "meta_opener"  # "this video shows", "of course", before the thing itself
    MARKUP = "markup"  # lists, headings, bold
    MIXED_SPEECH_LEVEL = "mixed_speech_level"  # -습니다 beside -한다
    DOUBLED_WORD = "doubled_word"  # a word twice in a row
    UNEVEN_SPACING = "uneven_spacing"  # one word spaced in two ways, or no spaces at all


class Gravity(IntEnum):
    """How much is done about a reason. The value is its weight when texts are compared."""

    FLAG = 1  # readable and true: a person may polish it
    RETRY = 10  # asked once more, more strictly; not worth a translation
    SERIOUS = 100  # of no use as it is: asked again, then translated from English


_SERIOUS = (
    Reason.EMPTY,
    Reason.NOT_KOREAN,
    Reason.FOREIGN_SCRIPT,
    Reason.REPETITION,
    Reason.REFUSAL,
    Reason.PROMPT_ECHO,
    Reason.BROKEN_TEXT,
    Reason.CONTROL_TOKENS,
)
_RETRIED = (Reason.UNFINISHED, Reason.META_OPENER)

GRAVITY: dict[Reason, Gravity] = {
    reason: Gravity.SERIOUS
    if reason in _SERIOUS
    else Gravity.RETRY
    if reason in _RETRIED
    else Gravity.FLAG
    for reason in Reason
}
"""How grave each reason is."""

WORDS: dict[Reason, str] = {
    Reason.EMPTY: "the text is empty",
    Reason.NOT_KOREAN: "it is not in Korean, or not throughout",
    Reason.FOREIGN_SCRIPT: "Chinese, Japanese or other letters stand among the Korean",
    Reason.REPETITION: "it says the same thing over and over",
    Reason.REFUSAL: "the model declined to describe it",
    Reason.PROMPT_ECHO: "it repeats the prompt",
    Reason.BROKEN_TEXT: "some letters are broken",
    Reason.CONTROL_TOKENS: "control words of the model show in it",
    Reason.UNFINISHED: "the last sentence is cut off",
    Reason.META_OPENER: "it talks about the video, not about what is in it",
    Reason.MARKUP: "it has lists, headings or other markup",
    Reason.MIXED_SPEECH_LEVEL: "it mixes polite and plain endings",
    Reason.DOUBLED_WORD: "a word stands twice in a row",
    Reason.UNEVEN_SPACING: "its spacing is wrong",
}
"""What a person reads, as English message ids for `catalog.language.tr`."""


def in_words(reason: str) -> str:
    """A reason as a person reads it. A name that this version does not know stays as it is."""
    known = reason in WORDS
    return tr(WORDS[Reason(reason)]) if known else reason


def weight(reasons: Iterable[str]) -> int:
    """How bad a text with these reasons is; 0 is a good one."""
    return sum(GRAVITY[Reason(reason)] for reason in reasons)


def gravest(reasons: Iterable[str]) -> Gravity | None:
    """The gravest of the reasons; None for a good text."""
    return max((GRAVITY[Reason(reason)] for reason in reasons), default=None)
