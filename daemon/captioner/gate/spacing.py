"""Looks at the spaces between words."""

import re
from itertools import pairwise

from daemon.captioner.gate.sentences import any_of, words

LONGEST_WORD = 16
"""Syllables of the longest compound with its particle; more in a row lacks spaces."""
MOST_SYLLABLES_A_WORD = 6.5
"""More on the average, and the text has hardly any spaces; Korean has a little over three."""
FEWEST_SYLLABLES_A_WORD = 1.7
"""Fewer on the average, and the words are torn apart."""

_HANGUL_ONLY = re.compile(r"[가-힣]+")
_PARTICLE = re.compile(
    any_of(
        "에서는 에서도 으로는 에게는 까지 부터 에서 에게 으로 들이 들을 들은 들의 들과"
        " 이 가 은 는 을 를 에 의 와 과 도 로 만"
    )
    + "$"
)
_AUXILIARY = re.compile(
    "^"
    + any_of(
        "[주준줄줍줘줬] [보본볼봅봐봤] [내낸낼냅냈] [오온올옵와왔] [가간갈갑갔] [두둔둡둬뒀] [나난났]"
        " [하한할합해했] [되된될됩돼됐] 있 놓 버리 버린 버렸 같은 만큼 듯 뿐 때"
    )
)
_STANDS_APART = frozenset(
    "한 두 세 네 그 이 저 첫 새 각 온 큰 긴 안 못 잘 더 덜 다 또 꼭 매 몇 여러".split()
)
_MIN_COMPOUND = 3


def is_spaced_unevenly(text: str) -> bool:
    """Whether one word is spaced in two ways, or the text has far too few or too many spaces."""
    korean = [word for word in words(text) if _HANGUL_ONLY.fullmatch(word)]
    return _lacks_or_abounds(korean) or splits_a_word(korean)


def _lacks_or_abounds(korean: list[str]) -> bool:
    syllables = sum(map(len, korean))
    if any(len(word) > LONGEST_WORD for word in korean):
        return True
    if syllables >= 20 and syllables / len(korean) > MOST_SYLLABLES_A_WORD:
        return True
    return len(korean) >= 8 and syllables / len(korean) < FEWEST_SYLLABLES_A_WORD


def splits_a_word(korean: list[str]) -> bool:
    """Whether a word that stands whole elsewhere is torn in two, as `자전 거` beside `자전거`.

    Auxiliary verbs may be written either way, and small words before a noun are words of their own.
    """
    whole = {stem(word) for word in korean}
    return any(
        before not in _STANDS_APART
        and before != after
        and not _AUXILIARY.search(after)
        and any(
            len(before + part) >= _MIN_COMPOUND and before + part in whole
            for part in {after, _PARTICLE.sub("", after)} - {""}
        )
        for before, after in pairwise(korean)
    )


def stem(word: str) -> str:
    """A word without its particle, if a word is left."""
    shorter = _PARTICLE.sub("", word)
    return shorter if len(shorter) >= 2 else word
