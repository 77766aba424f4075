"""Takes a text apart: quotations, sentences, words. The rules are about what the model says itself."""

import re

QUOTED = "□"
"""Stands for a quotation: a sign in the picture may be in any language and say anything."""

_LONGEST_QUOTATION = 60
_PAIRS = (
    ("“", "”"),
    ("‘", "’"),
    ("「", "」"),
    ("『", "』"),
    ("《", "》"),
    ("〈", "〉"),
    ('"', '"'),
)
_QUOTATION = re.compile(
    "|".join(
        f"{re.escape(a)}[^{re.escape(a + b)}]{{1,{_LONGEST_QUOTATION}}}{re.escape(b)}"
        for a, b in _PAIRS
    )
    + rf"|(?<![A-Za-z])'[^']{{1,{_LONGEST_QUOTATION}}}'"
)
_BETWEEN_TERMS = re.compile(r"[,;=:()/\n]+")
_HANGUL_ONLY = re.compile(r"[가-힣\s]+")
_SENTENCE_END = re.compile(r"(?<=[.!?…。])[\"'”’)\]」』]*\s+")
_EDGES = "\"'“”‘’「」『』()[]{}<>.,!?…。:;~-"


def any_of(alternatives: str) -> str:
    """A pattern for any of the alternatives, which are parted by spaces."""
    return f"(?:{'|'.join(alternatives.split())})"


def without_quotations(text: str) -> str:
    """The text with a sign in place of every quotation of ordinary length."""
    return _QUOTATION.sub(QUOTED, text)


def without_terms(text: str, glossary: str) -> str:
    """The text with a sign in place of a folder's own words that are not written in Hangul."""
    terms = (term.strip() for term in _BETWEEN_TERMS.split(glossary))
    foreign = (term for term in terms if len(term) > 1 and not _HANGUL_ONLY.fullmatch(term))
    for term in sorted(foreign, key=len, reverse=True):
        text = text.replace(term, QUOTED)
    return text


def sentences(text: str) -> list[str]:
    """The sentences of a text, with their full stops."""
    return [part for part in _SENTENCE_END.split(text.strip()) if part]


def bare(word: str) -> str:
    """A word without the signs around it."""
    return word.strip(_EDGES)


def words(text: str) -> list[str]:
    """The words of a text without the signs around them."""
    return [word for word in map(bare, text.split()) if word]
