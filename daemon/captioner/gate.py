"""Looks at a text before it is stored, and says why a person should look too."""

import re
import unicodedata

_LETTER = re.compile(r"[^\W\d_]")
_HANGUL = re.compile(r"[가-힣]")
MIN_HANGUL_SHARE = 0.6
"""Below this share of Hangul among the letters, a text is hardly Korean; names and brands fit above it."""


def cleaned(text: str) -> str:
    """NFC, one space between words, no control characters."""
    printable = "".join(
        " " if character.isspace() else character
        for character in unicodedata.normalize("NFC", text)
        if character.isspace() or unicodedata.category(character)[0] != "C"
    )
    return " ".join(printable.split())


def review_reasons(text: str, *, finished: bool) -> tuple[str, ...]:
    """Why a text needs review: `empty`, `not_korean`, `unfinished`, or nothing."""
    if not text:
        return ("empty",)
    letters = _LETTER.findall(text)
    korean = len(_HANGUL.findall(text))
    reasons = []
    if not letters or korean / len(letters) < MIN_HANGUL_SHARE:
        reasons.append("not_korean")
    if not finished:
        reasons.append("unfinished")
    return tuple(reasons)
