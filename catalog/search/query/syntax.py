"""The language of queries: words, "phrases", -exclusions, OR, and filters such as after:2026-11.

What is no syntax is text: a query is never wrong. Reading it takes linear time.

    강아지 공원              both
    "빨간 우산"              side by side; also “ ” 「 」, and a quote that is never closed
    -고양이 -"흰 눈"         neither
    강아지 OR 고양이         either; also |
    경로:여행 길이:>60       filters, in English and Korean; -상태:실패 turns one round
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from catalog.search.korean.text import normalise
from catalog.search.query.days import is_day


class Word(NamedTuple):
    """A word as it was typed, in normal form."""

    text: str


class Phrase(NamedTuple):
    """Words side by side, in normal form, with single spaces between."""

    text: str


class Group(NamedTuple):
    """What a text must hold: any of the alternatives. An excluded one must not be held."""

    alternatives: tuple[Word | Phrase, ...]
    excluded: bool = False


class Filter(NamedTuple):
    """A condition on the video or the text.

    1. `len`: the operator is one of > >= < <= = with seconds, or .. with the two ends, both within.
    2. Any other: the operator is a colon. The value of `status`, `has` and `is` is an English name; of
       `after` and `before` whatever `catalog.search.query.days` reads; otherwise text in normal form.
    """

    name: str
    operator: str
    value: str | float | tuple[float, float]
    excluded: bool = False


class Query(NamedTuple):
    """A query that was read: all groups and all filters must hold."""

    groups: tuple[Group, ...] = ()
    filters: tuple[Filter, ...] = ()

    @property
    def text_words(self) -> tuple[str, ...]:
        """The words that may be held, in order, those of phrases one by one."""
        wanted = (a.text for group in self.groups if not group.excluded for a in group.alternatives)
        return tuple(word for text in wanted for word in text.split())


_NAMES = {
    **{name: name for name in "path folder status model tag after before len has is".split()},
    **{"경로": "path", "파일": "path", "폴더": "folder", "상태": "status", "모델": "model"},
    **{"태그": "tag", "이후": "after", "부터": "after", "이전": "before", "까지": "before"},
    **{"길이": "len", "duration": "len", "있음": "has", "포함": "has", "여부": "is"},
}
_STATUSES = {
    **{s: s for s in "queued running captioned needs_review failed dead offline".split()},
    **{"대기": "queued", "처리": "running", "진행": "running", "완료": "captioned"},
    **{"검토": "needs_review", "검토필요": "needs_review", "review": "needs_review"},
    **{"실패": "failed", "중단": "dead", "끊김": "offline", "오프라인": "offline"},
}
_VALUES = {
    "status": _STATUSES,
    "is": {**_STATUSES, "edited": "edited", "수정됨": "edited", "photo": "photo", "사진": "photo"},
    "has": {
        **{name: name for name in "edit proposal note caption tag".split()},
        **{"수정": "edit", "제안": "proposal", "메모": "note", "장면": "note", "캡션": "caption"},
        **{"해설": "caption", "태그": "tag"},
    },
}

_PIECE = re.compile(
    r"""
    (?P<bar>[|｜])
    | (?<!\S)(?P<or>OR|ＯＲ)(?!\S)
    | (?P<minus>(?:(?<!\S)|(?<=[|｜]))[-－](?=[^\s|｜]))?
      (?:
        (?P<field>(?:(?<!\S)|(?<=[-－|｜]))[^\W\d_]{1,10})[:：]
          (?: ["＂“”](?P<quoted>[^"＂“”]*)["＂“”]? | 「(?P<cornered>[^」]*)」?
            | (?P<value>[^\s|｜"＂“”「」]+) )
        | (?:(?:(?<!\S)|(?<=[-－|｜]))["＂”]|“)(?P<phrase>[^"＂“”]*)["＂“”]?
        | [「『](?P<bracketed>[^」』]*)[」』]?
        | (?P<word>[^\s|｜"＂“”「」『』]+)
      )
    """,
    re.VERBOSE,
)
# Compiled when a length is asked for, as most queries have none.
_DURATION = (
    r"(?:(?P<h>[0-9]{1,6}(?:\.[0-9]+)?)(?:h|시간))?(?:(?P<m>[0-9]{1,6}(?:\.[0-9]+)?)(?:m|min|분))?"
    r"(?:(?P<s>[0-9]{1,6}(?:\.[0-9]+)?)(?:s|sec|초)?)?"
)
_CLOCK = r"(?:([0-9]{1,4}):)?([0-9]{1,4}):([0-9]{2}(?:\.[0-9]+)?)"
_COMPARISON = r"(>=|<=|=>|=<|>|<|=)?(.+)"

_Item = Word | Phrase | None
"""A term, or None for an OR between terms."""


def parse(query: str) -> Query:
    """Reads a query. Any text at all is one; signs alone ask for nothing."""
    filters: list[Filter] = []
    items: list[tuple[_Item, bool]] = []
    after_filter = False
    for match in _PIECE.finditer(query):
        excluded = bool(match["minus"])
        if match["bar"] or match["or"]:
            # An OR cannot reach over a filter; it is no word there either.
            if not after_filter:
                items.append((None, bool(match["or"])))
        elif match["field"] and (condition := _filter(match, excluded)):
            filters.append(condition)
            after_filter = True
            while items and items[-1][0] is None:
                items.pop()
        elif term := _term(match):
            items.append((term, excluded))
            after_filter = False
    return Query(tuple(_groups(items)), tuple(filters))


def _term(match: "re.Match[str]") -> Word | Phrase | None:
    quoted = match["phrase"] if match["phrase"] is not None else match["bracketed"]
    written = match[0][len(match["minus"] or "") :] if quoted is None else quoted
    text = " ".join(normalise(written).text.split())
    if not any(map(str.isalnum, text)):
        return None
    return Word(text) if quoted is None else Phrase(text)


def _groups(items: list[tuple[_Item, bool]]) -> Iterator[Group]:
    """Terms joined by OR become one group; an OR that joins nothing is the word it is."""
    alternatives: list[Word | Phrase] = []
    joined = False
    for place, (term, flag) in enumerate(items):
        if term is None:
            following = items[place + 1] if place + 1 < len(items) else (None, True)
            joined = bool(alternatives) and following[0] is not None and not following[1]
            if not joined and flag:
                if alternatives:
                    yield Group(tuple(alternatives))
                alternatives = [Word("or")]
            continue
        if alternatives and not joined:
            yield Group(tuple(alternatives))
            alternatives = []
        joined = False
        if flag:
            yield Group((term,), excluded=True)
        else:
            alternatives.append(term)
    if alternatives:
        yield Group(tuple(alternatives))


def _filter(match: "re.Match[str]", excluded: bool) -> Filter | None:
    """The filter that a piece is; None if it is text after all."""
    name = _NAMES.get(normalise(match["field"]).text)
    value = match["value"] or match["quoted"] or match["cornered"] or ""
    value = " ".join(normalise(value).text.split())
    if name is None or not value:
        return None
    if name == "len":
        length = _length(value)
        return Filter(name, *length, excluded) if length else None
    if name in _VALUES:
        known = _VALUES[name].get(value.replace(" ", ""))
        return Filter(name, ":", known, excluded) if known else None
    if name in ("after", "before"):
        day = value.replace(" ", "")
        return Filter(name, ":", day, excluded) if is_day(day) else None
    return Filter(name, ":", value, excluded)


def _length(value: str) -> tuple[str, float | tuple[float, float]] | None:
    low, dots, high = value.replace(" ", "").partition("..")
    if dots:
        ends = [end for end in (_seconds(low), _seconds(high)) if end is not None]
        return ("..", (min(ends), max(ends))) if len(ends) == 2 else None
    match = re.fullmatch(_COMPARISON, low)
    seconds = _seconds(match[2]) if match else None
    if match is None or seconds is None:
        return None
    operator = {"=>": ">=", "=<": "<=", None: "="}.get(match[1], match[1])
    return operator, seconds


def _seconds(text: str) -> float | None:
    """Seconds of 90, 1.5m, 1m30s, 1분30초, 1:30 or 1:02:03; None for anything else."""
    if clock := re.fullmatch(_CLOCK, text):
        return int(clock[1] or 0) * 3600.0 + int(clock[2]) * 60.0 + float(clock[3])
    match = re.fullmatch(_DURATION, text)
    if not text or match is None:
        return None
    return sum(float(match[unit] or 0) * size for unit, size in (("h", 3600), ("m", 60), ("s", 1)))
