"""Korean particles and endings by rule, for the background notes. No analyser is asked.

The rules are those of a school grammar (한글 맞춤법, articles 15 to 18 and 34 to 40): what a particle
or an ending looks like depends on the last sound before it, and five classes of stems change.
"""

from __future__ import annotations

import re

_BASE, _MEDIALS, _FINALS = 0xAC00, 21, 28
_L, _N, _B, _SS = 8, 4, 17, 20
"""Numbers of the finals ㄹ, ㄴ, ㅂ and ㅆ."""
_CLOSED_LETTERS = frozenset("LMNRlmnr013678")
"""Letters and digits whose Korean name ends in a consonant: 엘, 엠, 엔, 알, 영, 일, 삼, 육, 칠, 팔."""
_MERGED = {0: 0, 1: 1, 4: 4, 5: 5, 6: 6, 8: 9, 11: 10, 13: 14, 18: 4, 20: 6}
"""The medial of an open stem, and what it becomes with 아 or 어: ㅗ+ㅏ is ㅘ, ㅡ gives way."""
_PARTICLE = re.compile(r"^(은|이|을|과|으로)/(는|가|를|와|로)$")


def final(character: str) -> int:
    """The number of a syllable's final consonant; 0 for an open one, -1 for what is no syllable."""
    code = ord(character) - _BASE
    return code % _FINALS if 0 <= code < 11172 else -1


def _with_final(character: str, number: int) -> str:
    code = ord(character) - _BASE
    return chr(_BASE + code - code % _FINALS + number)


def _medial(character: str) -> int:
    return (ord(character) - _BASE) // _FINALS % _MEDIALS


def _with_medial(character: str, number: int) -> str:
    code = ord(character) - _BASE
    return chr(_BASE + code - (_medial(character) - number) * _FINALS)


def attach(noun: str, particle: str) -> str:
    """A noun with a particle; `은/는` and the like give both forms, the one after a consonant first."""
    both = _PARTICLE.match(particle)
    if not both:
        return noun + particle
    number = final(noun[-1])
    closed = number > 0 or (number < 0 and noun[-1] in _CLOSED_LETTERS)
    # 로, not 으로, follows ㄹ as well: 서울로.
    if particle == "으로/로" and (number == _L or noun[-1] in "LRlr178"):
        closed = False
    return noun + both[1 if closed else 2]


class Predicate:
    """A verb or adjective, possibly with words before it (`들고 가`), and its forms.

    `irregular` is ㅂ, ㄷ, ㅅ or 르 for a stem of that class, else empty.
    """

    def __init__(self, stem: str, irregular: str = "") -> None:
        self.stem = stem
        self.irregular = irregular
        self.before_vowel = self._softened()

    def _softened(self) -> str:
        """The stem before 으 or a vowel: 굽 is 구우, 걷 is 걸, 짓 is 지."""
        head, last = self.stem[:-1], self.stem[-1]
        if self.irregular == "ㅂ":
            return head + _with_final(last, 0) + "우"
        if self.irregular == "ㄷ":
            return head + _with_final(last, _L)
        if self.irregular == "ㅅ":
            return head + _with_final(last, 0)
        return self.stem

    def infinitive(self) -> str:
        """The form in 아 or 어: 먹어, 고쳐, 골라, 도와."""
        if self.stem.endswith("하"):
            return self.stem[:-1] + "해"
        if self.irregular == "르":
            head = self.stem[:-1]
            ending = "라" if _medial(head[-1]) in (0, 8) else "러"
            return head[:-1] + _with_final(head[-1], _L) + ending
        if self.irregular == "ㅂ" and self.stem[-1] in "돕곱":
            return self.before_vowel[:-1] + "와"
        stem = self.before_vowel
        last, medial = stem[-1], _medial(stem[-1])
        if self.irregular in ("ㅅ", "ㄷ") or final(last) > 0:
            return stem + ("아" if medial in (0, 2, 8) else "어")
        if medial in (16, 19):  # ㅟ and ㅢ stay apart from 어: 쉬어, 띄어
            return stem + "어"
        if medial == 18 and len(stem) > 1 and _medial(stem[-2]) in (0, 8):
            return stem[:-1] + _with_medial(last, 0)
        return stem[:-1] + _with_medial(last, _MERGED.get(medial, medial))

    def _joined(self, number: int) -> str:
        """The stem with a consonant as its final, or with 으 and that consonant: 가 is 간, 먹 is 먹은."""
        stem = self.before_vowel
        if self.irregular != "ㅅ" and final(stem[-1]) in (0, _L) and self.irregular != "ㄷ":
            return stem[:-1] + _with_final(stem[-1], number)
        return stem + _with_final("으", number)

    def _before_eu(self, ending: str) -> str:
        stem = self.before_vowel
        eu = "" if final(stem[-1]) in (0, _L) and self.irregular not in ("ㅅ", "ㄷ") else "으"
        return stem + eu + ending

    @property
    def _before_n(self) -> str:
        """The stem without the ㄹ that falls out before ㄴ, ㅂ and ㅅ: 팔 is 파."""
        last = self.stem[-1]
        return self.stem[:-1] + (_with_final(last, 0) if final(last) == _L else last)

    def present(self) -> str:
        """The plain present, 해라체: 먹는다, 간다, 판다; stems in 있 keep their form."""
        if self.stem.endswith("있"):
            return self.stem + "다"
        bare = self._before_n
        if final(bare[-1]) > 0:
            return self.stem + "는다"
        return bare[:-1] + _with_final(bare[-1], _N) + "다"

    def forms(self) -> dict[str, str]:
        """Every form that a note may use, by a name of its own."""
        open_form = self.infinitive()
        past = open_form[:-1] + _with_final(open_form[-1], _SS)
        progressive = self.stem if self.stem.endswith("있") else f"{self.stem}고 있"
        return {
            "present": self.present(),
            "past": f"{past}다",
            "progressive": f"{progressive}다",
            "and": f"{self.stem}고",
            "while": self._before_eu("며"),
            "during": self._before_eu("면서"),
            "because": f"{open_form}서",
            "upon": f"{self.stem}자",
            "until": f"{self.stem}다가",
            "in order": self._before_eu("려고"),
            "which": f"{self._before_n}는",
            "which did": f"{self.stem}던" if self.stem.endswith("있") else self._joined(_N),
            "scene": f"{self._before_n}는 모습이 보인다",
            "start": f"{self.stem}기 시작한다",
            "cannot": f"{self.stem}지 못한다",
            "formal": self._formal(),
            "casual": f"{past}음",
        }

    def _formal(self) -> str:
        bare = self._before_n
        if final(bare[-1]) > 0:
            return self.stem + "습니다"
        return bare[:-1] + _with_final(bare[-1], _B) + "니다"
