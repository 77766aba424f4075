"""Finds a model that goes in circles: letters, words, phrases and sentences that come again and again."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from daemon.captioner.gate.sentences import (
    QUOTED,
    any_of,
    bare,
    sentences,
    without_quotations,
    words,
)

MIN_NEW_TRIPLES = 0.6
"""Of the runs of three words in a long text, so many should be new; a loop has fewer."""
LONG_TEXT = 15
"""From so many words on, the share of new runs means something."""
LONGEST_PHRASE = 30
"""So many words are looked for in a row; what comes again later is a sentence that repeats."""
MOST_ALIKE = 3
"""So many sentences may differ in a single word."""

MOST_OF_A_WORD = 5
"""So often a word may come in a text that is made of little else."""

_LETTER_RUN = re.compile(r"([^\W\d_])\1{4,}")
_SYLLABLES_RUN = re.compile(r"([가-힣]{2,8}?)\1{3,}|([가-힣]{4,12}?)\2{2,}")
_SIGN_RUN = re.compile(r"([^\w\s.…-])(?:\s?\1){4,}|[.…]{8,}")
_LEADING_LINK = re.compile(
    "^"
    + any_of(
        r"그리고 또한 또 이어서 그런\s다음 그다음 그\s후 이후 다음으로 그러고\s나서 그는 그녀는 먼저 끝으로"
    )
    + r"\s+"
)


def goes_in_circles(text: str) -> bool:
    """Whether letters, words, phrases or sentences repeat as no writer repeats them."""
    own = without_quotations(text)
    spoken = words(own)
    return (
        bool(_LETTER_RUN.search(own) or _SYLLABLES_RUN.search(own) or _SIGN_RUN.search(own))
        or repeats_a_phrase(spoken)
        or repeats_a_sentence(sentences(own))
        or any(returns_to_a_phrase(words(part)) for part in sentences(own))
        or has_few_new_triples(spoken)
        or leans_on_a_word(spoken)
    )


def repeats_a_phrase(spoken: Sequence[str]) -> bool:
    """Whether a phrase follows itself: a word three times, a long phrase twice.

    One syllable may come four times, as a knock at a door does.
    """
    for length in range(1, min(LONGEST_PHRASE, len(spoken) // 2) + 1):
        times = 2 if length >= 4 else 3
        if length == 1:
            if _longest_run(spoken) >= 3:
                return True
            continue
        run = 0
        for before, after in zip(spoken, spoken[length:], strict=False):
            run = run + 1 if before == after else 0
            if run >= length * (times - 1):
                return True
    return False


def returns_to_a_phrase(spoken: Sequence[str]) -> bool:
    """Whether four words in a row come again within one sentence."""
    fours = list(zip(spoken, spoken[1:], spoken[2:], spoken[3:], strict=False))
    return len(set(fours)) < len(fours)


def _longest_run(spoken: Sequence[str]) -> int:
    """The longest run of one word; single syllables and quotations count from the third on."""
    longest = run = 1
    for before, after in pairwise(spoken):
        run = run + 1 if before == after else 1
        sound = len(after) == 1 or after == QUOTED
        longest = max(longest, run - 2 if sound else run)
    return longest


def repeats_a_sentence(parts: Sequence[str]) -> bool:
    """Whether a sentence of three words or more comes twice, or four are alike but for a word."""
    told = [_LEADING_LINK.sub("", bare(part)).split() for part in parts]
    told = [sentence for sentence in told if len(sentence) >= 3]
    if len({tuple(sentence) for sentence in told}) < len(told):
        return True
    gaps = Counter(
        (place, *sentence[:place], *sentence[place + 1 :])
        for sentence in told
        for place in range(len(sentence))
    )
    return any(count > MOST_ALIKE for count in gaps.values())


def has_few_new_triples(spoken: Sequence[str]) -> bool:
    """Whether a long text is made of the same runs of three words."""
    triples = list(zip(spoken, spoken[1:], spoken[2:], strict=False))
    return len(spoken) >= LONG_TEXT and len(set(triples)) < MIN_NEW_TRIPLES * len(triples)


def leans_on_a_word(spoken: Sequence[str]) -> bool:
    """Whether one word is a quarter of a text: `벽은 흰색이고 바닥은 흰색이고 문은 흰색이고`."""
    word, count = Counter(spoken).most_common(1)[0] if spoken else ("", 0)
    return word != QUOTED and count >= MOST_OF_A_WORD and count >= len(spoken) / 4


_PARTICLE = any_of("이 가 은 는 을 를 에 에서 의 으로 와 과 에게 한테 습니다 하고 하며 있고")
_DOUBLE_IN_ONE = re.compile(rf"([가-힣]{{2,7}}(?:{_PARTICLE}|다|요))\1")
_DOUBLED_ENDING = re.compile(
    rf"(?:[가-힣]{_PARTICLE}|[가-힣]{{2}}[다로도고]|[빨파노하까][란간얀만맣]|초록|검은|작은|많은|[가-힣]색)$"
)
_DOUBLED_NOUN = frozenset(
    "남자 여자 사람 아이 소년 소녀 남성 여성 자동차 자전거 강아지 고양이 나무 건물 도로 하늘 바다 버스"
    " 트럭 물 꽃 새 집 산 길 손 공 옷 큰 흰 두 세 네 그".split()
)
_MEANT_TWICE = frozenset(
    "높이 깊이 많이 길이 깊숙이 일일이 나날이 나란히 겹겹이 알알이 줄줄이 켜켜이 층층이 집집이 쌍쌍이"
    " 더욱이 송이 곳곳에 손에 서로 따로 바로 새로 고루 골고루 두루 하나 조금 도란 두근 소근 사뿐 차근"
    " 곱게 크게 작게 빨리 천천히".split()
)


def doubles_a_word(text: str) -> bool:
    """Whether a word stands twice in a row by mistake: `남자가남자가`, `빨간 빨간`.

    Mimetic words and adverbs are said twice on purpose, so only what carries a particle or an
    ending counts, and common nouns.
    """
    own = without_quotations(text)
    if _DOUBLE_IN_ONE.search(own):
        return True
    pairs = [
        (before, bare(after))
        for before, after in pairwise(own.split())
        if before == bare(before)  # a sign between them parts them
    ]
    return any(
        _is_doubled(before) if before == after else _is_doubled_noun(before, after)
        for before, after in pairs
    )


def _is_doubled(word: str) -> bool:
    if word in _MEANT_TWICE:
        return False
    return word in _DOUBLED_NOUN or bool(_DOUBLED_ENDING.search(word))


def _is_doubled_noun(before: str, after: str) -> bool:
    """Whether a noun is said first without its particle, then with it: `자동차 자동차가`."""
    particle = after.removeprefix(before)
    return (
        before in _DOUBLED_NOUN
        and len(before) > 1
        and particle != after
        and bool(re.fullmatch(_PARTICLE, particle))
    )
