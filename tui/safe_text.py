"""Text from outside on its way to the screen, and text that a person typed.

What is shown here is never read as markup.
"""

import unicodedata

from catalog import safe_text

_SEPARATORS = {0x2028: "\N{REPLACEMENT CHARACTER}", 0x2029: "\N{REPLACEMENT CHARACTER}"}
"""They break lines for some programs, so they would break a row of a list."""


def shown(text: str, *, lines: bool = False) -> str:
    """A text that a terminal only draws, with one character for each of the original.

    1. Control characters become their pictures (U+2400 and on).
    2. C1 controls, line separators, direction controls and surrogates become U+FFFD.
    3. With `lines`, line feeds stay.
    """
    if lines:
        return "\n".join(shown(line) for line in text.split("\n"))
    return safe_text.shown(text).translate(_SEPARATORS)


def typed(text: str) -> str:
    """A text that a person typed or pasted, harmless and in NFC: some keyboards send loose jamo."""
    return shown(unicodedata.normalize("NFC", text.replace("\r\n", "\n")), lines=True)
