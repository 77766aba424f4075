"""Reads titles and tags out of what the model says when it is asked for them."""

import re
import unicodedata

from catalog.review import Gravity, Reason, gravest
from daemon.captioner.gate import cleaned, review_reasons

LONGEST_TITLE = 60
LONGEST_TAG = 20
MOST_TAGS = 10

_LABEL = re.compile(
    r"^\s*(?:제목|타이틀|태그|낱말|키워드|검색어|해시태그|title|tags)\s*[::]\s*", re.IGNORECASE
)
_NUMBER = re.compile(r"^\s*(?:\d{1,2}[.)]\s+|[-*•]\s+)")
_HASHTAG_GAP = re.compile(r"\s+(?=#)")
_SEPARATOR = re.compile(r"[,，、;/|\n]|·")
_AROUND = " \t\"'“”‘’「」『』《》〈〉<>()[]*#.。!~"
_SENTENCE = re.compile(r"(?:니다|어요|아요|예요|해요|세요|한다|있다|된다|는다)$")

# A title or a tag is no sentence, so these two say nothing about it.
_NO_FAULTS = {Reason.UNFINISHED, Reason.META_OPENER}


def parse_title(text: str) -> str | None:
    """The title in an answer to `TITLE`: its first line, bare. None if there is no usable one."""
    for line in unicodedata.normalize("NFC", text).splitlines():
        title = cleaned(_LABEL.sub("", _NUMBER.sub("", line.strip().strip("*"))))
        title = _LABEL.sub("", title).strip(_AROUND)
        if title:
            return title if len(title) <= LONGEST_TITLE and _is_good(title) else None
    return None


def parse_tags(text: str) -> list[str]:
    """The tags in an answer to `TAGS`: at most ten different ones that are good Korean.

    Commas, lines and hashtags part them. A whole sentence is an answer, but no tag.
    """
    listed = _HASHTAG_GAP.sub(",", _LABEL.sub("", unicodedata.normalize("NFC", text)))
    tags: list[str] = []
    for part in _SEPARATOR.split(listed):
        tag = cleaned(_LABEL.sub("", _NUMBER.sub("", part))).strip(_AROUND).replace("_", " ")
        if _is_tag(tag) and tag.casefold() not in map(str.casefold, tags):
            tags.append(tag)
    return tags[:MOST_TAGS]


def _is_tag(tag: str) -> bool:
    return 0 < len(tag) <= LONGEST_TAG and not _SENTENCE.search(tag) and _is_good(tag)


def _is_good(text: str) -> bool:
    """Whether the gate finds nothing grave in it. Names such as KTX or iPhone may stand alone."""
    reasons = set(review_reasons(text, finished=True)) - _NO_FAULTS
    if text.isascii() and all(word != word.lower() for word in text.split()):
        reasons -= {Reason.NOT_KOREAN}
    return gravest(reasons) in (None, Gravity.FLAG)
