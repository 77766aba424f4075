"""The one door for text from outside on its way to a terminal: names, captions, messages of libraries."""

import re

_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def shown(text: str) -> str:
    """Text that a terminal can only print: no escape sequence, no line break, no bidi override.

    C0 becomes its picture (U+2400 and on), DEL U+2421, and C1, bidi controls and surrogates U+FFFD.
    Applying it twice changes nothing more.
    """
    return _CONTROL.sub(_picture, text)


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"
