"""From an inflected predicate back to its dictionary form, without an analyser.

`dictionary_forms` proposes; the vocabulary decides which of its proposals are words. So it may propose
too much, and must not propose too little. The rules are those of the standard grammar: endings join the
stem as it is, with a linking 으, as a final consonant, or with 아/어, each with its irregular stems.
"""

from functools import lru_cache

from catalog.search.korean.hangul import is_hangul_word, letters, syllable

# After the stem as it is: 먹고, 가지.
_PLAIN = frozenset(
    """
    고 고는 고서 고도 고요 고있 지 지만 지도 지는 지요 지마 죠 게 게끔 겠 겠다 겠지 겠네 겠어 겠어요
    겠습니다 다 다가 다가도 다니 다면 네 네요 는 는다 는데 는데요 는지 는가 는구나 던 던데 던지 더니
    더라 더라도 거나 거든 거든요 건 기 기도 기는 기에 기만 기를 기가 기로 긴 길 자 자고 자마자 잖아
    잖아요 도록 듯 듯이 든 든지 느라 느라고 느냐 냐 냐고 나 나요 나봐 군 군요 구나 소 습니다 습니까
    습니다만 을수록 자며 며칠
    """.split()
)
# After a vowel or the linking 으: 가면, 먹으면.
_LINKED = frozenset(
    """
    면 면서 면서도 면은 며 며서 니 니까 니까요 려 려고 려는 려면 려다 려다가 려던 러 라 라고 라는 라니
    세 세요 셔 셔서 셔요 셨 셨다 셨어요 셨는데 시 시는 시고 시면 시니 시던 시다 시지 시죠 신 실 심
    십니다 십시오 십시요 므로 마 오 나 소서 랴
    """.split()
)
# Behind a final ㄴ, ㄹ, ㅁ or ㅂ that belongs to the ending: 간다, 갈까, 감이, 갑니다.
_AFTER_FINAL = {
    "ㄴ": frozenset("다 데 데요 지 지도 가 다고 다는 다면 다며 다던 들".split()) | {""},
    "ㄹ": frozenset("까 까요 게 게요 래 래요 지 지도 걸 만한 수록 뿐 텐데 때".split()) | {""},
    "ㅁ": frozenset("이 을 은 과 에 도 으로".split()) | {""},
    "ㅂ": frozenset("니다 니까 니다만 시다 디다".split()),
}
# After the form in 아/어: 가서, 먹어요.
_AFTER_A = frozenset(
    """
    서 서는 서도 서야 서요 요 도 야 야지 야지요 야만 야겠다 야할 라 라고 라도 라서 주 줬 봐 보 볼 본 져
    지 진 질 짐
    """.split()
) | {""}
# After the ㅆ of the past.
_PAST = frozenset(
    """
    다 다가 다고 다는 다면 다며 던 던데 더니 더라 던지 고 고요 지 지만 지요 죠 어 어요 어도 으면 으며
    으나 으니 으니까 을 을때 을까 을지 음 는데 는데요 는지 는가 네 네요 나 나요 냐 냐고 습니다 습니까
    거든 거든요 기 기에 기도 었다 었던 었고 었는데 구나 군 군요 자 잖아 잖아요 소 단 답니다 대 대요 을땐
    을걸 을텐데
    """.split()
) | {""}

_AUXILIARIES = frozenset(
    "주다 지다 오다 가다 보다 버리다 놓다 두다 내다 대다 드리다 나가다 나오다 하다 있다 달라다".split()
)
_MOST_SYLLABLES = 12


@lru_cache(maxsize=512)
def dictionary_forms(word: str) -> frozenset[str]:
    """Every predicate in -다 that `word`, a run of syllables, may be a form of.

    The word itself is among them if it ends in 다.
    """
    if len(word) > _MOST_SYLLABLES or not is_hangul_word(word):
        return frozenset()
    return frozenset(stem + "다" for stem in _stems(word) if stem)


@lru_cache(maxsize=512)
def forms_before_auxiliary(word: str) -> frozenset[str]:
    """The predicates before an auxiliary in one word: 돕다 for 도와주는."""
    found: set[str] = set()
    for place in range(1, min(len(word), _MOST_SYLLABLES)) if is_hangul_word(word) else ():
        body, tail = word[:place], word[place:]
        if not letters(body[-1])[2] and _may_be_auxiliary(tail):
            found |= _stems_of_a_form(body)
    return frozenset(stem + "다" for stem in found if stem)


def _stems(word: str) -> set[str]:
    found: set[str] = set()
    for place in range(1, len(word) + 1):
        body, tail = word[:place], word[place:]
        initial, vowel, final = letters(body[-1])
        if tail in _PLAIN:
            found |= _bare(body, drops=tail[0] in "는느니네나냐소시세습오")
        if tail in _LINKED and not final:
            found |= _vowel_stems(body)
        if tail in _LINKED and final == "ㄹ":
            found.add(body)
        if tail in _AFTER_FINAL.get(final, ()):
            found |= _vowel_stems(body[:-1] + syllable(initial, vowel))
        if final == "ㅆ" and tail in _PAST:
            found |= _stems_of_a_form(body[:-1] + syllable(initial, vowel))
        if not final and tail in _AFTER_A:
            found |= _stems_of_a_form(body)
    # 하시다 is 하다, politely; 걸으시다 is 걷다.
    polite = {stem[:-1] for stem in found if len(stem) > 1 and stem[-1] == "시"}
    return found.union(*map(_vowel_stems, (stem for stem in polite if not letters(stem[-1])[2])))


@lru_cache(maxsize=512)
def _may_be_auxiliary(word: str) -> bool:
    return any(stem + "다" in _AUXILIARIES for stem in _stems(word))


def _bare(stem: str, *, drops: bool) -> set[str]:
    """Stems before an ending that joins them as they are; some endings make a final ㄹ fall."""
    found = {stem}
    initial, vowel, final = letters(stem[-1])
    if drops and not final:
        found.add(stem[:-1] + syllable(initial, vowel, "ㄹ"))
    return found


def _vowel_stems(form: str) -> set[str]:
    """Stems whose form before a linking 으, ㄴ, ㄹ, ㅁ or ㅂ is `form`, which ends in a vowel."""
    found = _bare(form, drops=True)
    initial, vowel, _ = letters(form[-1])
    found.add(form[:-1] + syllable(initial, vowel, "ㅎ"))  # 파라면: 파랗다
    before = form[:-1]
    if not before:
        return found
    head, last = before[:-1], letters(before[-1])
    if form[-1] == "으":
        found.add(before)
        if last[2] == "ㄹ":
            found.add(head + syllable(last[0], last[1], "ㄷ"))  # 걸으면: 걷다
        if not last[2]:
            found.add(head + syllable(last[0], last[1], "ㅅ"))  # 지으면: 짓다
    if form[-1] == "우" and not last[2]:
        found.add(head + syllable(last[0], last[1], "ㅂ"))  # 고우면: 곱다
    return found


_FULL_VOWEL = {
    "ㅏ": "ㅏㅡ", "ㅓ": "ㅓㅡㅜ", "ㅐ": "ㅐ", "ㅔ": "ㅔ", "ㅕ": "ㅕㅣ", "ㅘ": "ㅗ", "ㅝ": "ㅜ",
    "ㅙ": "ㅚㅙ", "ㅞ": "ㅞ", "ㅖ": "ㅖ", "ㅗ": "ㅗ", "ㅜ": "ㅜ", "ㅣ": "ㅣ", "ㅟ": "ㅟ",
}  # fmt: skip
"""Vowels that a stem may have had before 아/어 melted into it: 와 is 오다, 려 is 리다, 써 is 쓰다."""
_COLOURS = {"ㅐ": "ㅏㅓ", "ㅔ": "ㅓㅏ", "ㅒ": "ㅑ", "ㅖ": "ㅕ"}
"""Irregular ㅎ: 파래 is 파랗다, 하얘 is 하얗다."""


def _stems_of_a_form(form: str) -> set[str]:
    """Stems whose form in 아/어 is `form`, which ends in a vowel."""
    initial, vowel, _ = letters(form[-1])
    before = form[:-1]
    found = {before + syllable(initial, one) for one in _FULL_VOWEL.get(vowel, "")}
    found |= {before + syllable(initial, one, "ㅎ") for one in _COLOURS.get(vowel, "")}
    if form[-1] in "해여":
        found.add((before if form[-1] == "해" else "") + "하")
    if not before:
        return {stem for stem in found if stem}
    head, last = before[:-1], letters(before[-1])
    if form[-1] in "아어여":
        found.add(before)
        if last[2] == "ㄹ":
            found.add(head + syllable(last[0], last[1], "ㄷ"))
        if not last[2]:
            found.add(head + syllable(last[0], last[1], "ㅅ"))
    if form[-1] in "와워" and not last[2]:
        found.add(head + syllable(last[0], last[1], "ㅂ"))
    if form[-1] in "라러" and last[2] == "ㄹ":
        found.add(head + syllable(last[0], last[1]) + "르")  # 몰라: 모르다
    if form.endswith("르러"):
        found.add(form[:-1])  # 이르러: 이르다
    return found


_MELTED = {"ㅗ": "ㅘ", "ㅜ": "ㅝ", "ㅣ": "ㅕ", "ㅚ": "ㅙ"}


def forms_in_a(lemma: str) -> set[str]:
    """The forms in 아/어 that a predicate in -다 may have, irregular ones among them: 걷다, 걸어 and 걷어."""
    stem = lemma[:-1]
    if not is_hangul_word(stem) or not lemma.endswith("다"):
        return set()
    head, (initial, vowel, final) = stem[:-1], letters(stem[-1])
    found = {stem + "어", stem + "아"}
    if not final:
        found.add(head + syllable(initial, _MELTED[vowel]) if vowel in _MELTED else stem)
    if stem.endswith("하"):
        found.add(head + "해")
    if vowel == "ㅡ" and not final:
        found |= {head + syllable(initial, "ㅓ"), head + syllable(initial, "ㅏ")}
    if stem.endswith("르") and head and not letters(head[-1])[2]:
        before, (first, middle, _) = head[:-1], letters(head[-1])
        found |= {before + syllable(first, middle, "ㄹ") + one for one in "라러"}
    if final == "ㅂ":
        found |= {head + syllable(initial, vowel) + one for one in "와워"}
    if final in ("ㄷ", "ㅅ"):
        open_stem = head + syllable(initial, vowel, "ㄹ" if final == "ㄷ" else "")
        found |= {open_stem + one for one in "아어"}
    return found
