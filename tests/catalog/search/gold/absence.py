"""Which generated notes may stand in the background of a gold set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


class Absence:
    """Refuses notes that hold what a question asks for, so that no answer goes ungraded.

    `parts` are substrings, `patterns` regular expressions, `sets` lists of substrings that must not
    stand together. All are compared in lower case.
    """

    def __init__(
        self,
        parts: Iterable[str] = (),
        patterns: Iterable[str] = (),
        sets: Iterable[Sequence[str]] = (),
    ) -> None:
        self.parts = tuple(dict.fromkeys(part.lower() for part in parts))
        self.patterns = tuple(dict.fromkeys(patterns))
        self.sets = tuple(dict.fromkeys(tuple(part.lower() for part in one) for one in sets))
        # What holds no space is looked for word by word, and each word is looked at once only.
        inner = [re.escape(part) for part in self.parts if " " not in part]
        inner += [pattern for pattern in self.patterns if " " not in pattern]
        self._word = re.compile("|".join(inner) or "(?!)", re.IGNORECASE)
        self._phrases = tuple(part for part in self.parts if " " in part)
        outer = [pattern for pattern in self.patterns if " " in pattern]
        self._between_words = re.compile("|".join(outer) or "(?!)", re.IGNORECASE)
        self._verdicts: dict[str, bool] = {}

    @classmethod
    def union(cls, absences: Iterable[Absence]) -> Absence:
        """What refuses all that any of them refuses."""
        each = tuple(absences)
        return cls(
            (part for one in each for part in one.parts),
            (pattern for one in each for pattern in one.patterns),
            (parts for one in each for parts in one.sets),
        )

    def allows(self, text: str) -> bool:
        """Whether a text, in NFC, may stand in the background."""
        verdicts = self._verdicts
        for word in text.split(" "):
            refused = verdicts.get(word)
            if refused is None:
                refused = verdicts[word] = self._word.search(word) is not None
            if refused:
                return False
        lowered = text.lower()
        return not (
            any(phrase in lowered for phrase in self._phrases)
            or any(all(part in lowered for part in parts) for parts in self.sets)
            or self._between_words.search(text)
        )
