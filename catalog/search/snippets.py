"""The part of a text that shows best why it was found, cut to a width in terminal cells."""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

Span = tuple[int, int]
"""Code points, the end left out."""

CUT = "..."  # three full stops: fonts for Korean draw U+2026 one cell wide or two
_LEAST_CELLS = 12
_GIVEN_UP = 8  # one character in so many cells, so that a snippet begins and ends with a whole word
_BREAKS = re.compile(r"[\t-\r\x1c-\x1e\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Snippet:
    """A part of a text, with `...` where something was left out, and the spans that matched in it."""

    text: str
    highlights: tuple[Span, ...]


def snippet(text: str, highlights: Sequence[Span], room: int) -> Snippet:
    """As much of a text as so many cells hold (12 at least), around most of the words that matched.

    1. Line breaks and tabs become spaces.
    2. No syllable is cut, nor a character from its marks, nor a match that fits.
    3. It begins and ends with a whole word where one begins or ends nearby.
    """
    line = _BREAKS.sub(" ", text)
    ruler = _Ruler(line, max(room, _LEAST_CELLS))
    if ruler.fits(0, ruler.size):
        return Snippet(line, tuple(highlights))
    spans = [ruler.characters(span) for span in highlights]
    low, high = _window(ruler, spans, line)
    start, end = ruler.starts[low], ruler.starts[high]
    before, after = CUT if low else "", CUT if high < ruler.size else ""
    shift = len(before) - start
    kept = ((max(start, first), min(end, last)) for first, last in highlights)
    return Snippet(
        before + line[start:end] + after,
        tuple((first + shift, last + shift) for first, last in kept if first < last),
    )


def cells(text: str) -> int:
    """The width of a text on a terminal. A syllable takes two cells, whether composed or in jamo."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if character < "\u0300":
        return 1
    if "\u1160" <= character <= "\u11ff" or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class _Ruler:
    """A text as characters with their marks: where each begins, and the cells before it."""

    def __init__(self, text: str, room: int) -> None:
        beginnings = list(_beginnings(text))
        self.starts = [*beginnings, len(text)]
        self.size = len(beginnings)
        widths = (
            cells(text[start:end]) for start, end in zip(beginnings, self.starts[1:], strict=True)
        )
        self.before = list(accumulate(widths, initial=0))
        self.spaces = [text[start].isspace() for start in beginnings]
        self._room = room
        self.spare = room // _GIVEN_UP
        """So many characters may be left out at an end for the sake of whole words."""

    def characters(self, span: Span) -> Span:
        """The characters that a span of code points lies in."""
        return bisect_right(self.starts, span[0]) - 1, bisect_left(self.starts, span[1])

    def fits(self, low: int, high: int) -> bool:
        """Whether there is room for these characters and for what says that others are left out."""
        cuts = (low > 0) + (high < self.size)
        return self.before[high] - self.before[low] + cuts * len(CUT) <= self._room

    def room_left(self, low: int, high: int) -> int:
        """The cells that are free beside these characters and two cuts."""
        return self._room - 2 * len(CUT) - (self.before[high] - self.before[low])


def _beginnings(text: str) -> Iterator[int]:
    joined = False
    for place, character in enumerate(text):
        follows = not _cells(character) or "\U0001f3fb" <= character <= "\U0001f3ff"
        if not place or not (joined or follows):
            yield place
        joined = character == "\u200d"


def _window(ruler: _Ruler, spans: Sequence[Span], line: str) -> Span:
    """The characters to show."""
    first, last = _densest(ruler, spans, line)
    if not ruler.fits(first, last):  # a match wider than the room
        return first, _grown(ruler, first, first)[1]
    low, high = _grown(ruler, first, last)
    for start, end in spans:
        if start < low < end:
            low = end
        if start < high < end:
            high = start
    return _whole_words(ruler, low, high, first, last)


def _densest(ruler: _Ruler, spans: Sequence[Span], line: str) -> Span:
    """The stretch with the most different matches, then the most matches, then the first."""
    words = [line[ruler.starts[start] : ruler.starts[end]].lower() for start, end in spans]
    best, most = (spans[0] if spans else (0, 0)), (0, 0)
    inside: Counter[str] = Counter()
    end = 0
    for begin, (low, _) in enumerate(spans):
        end = max(end, begin)
        while end < len(spans) and ruler.room_left(low, spans[end][1]) >= 0:
            inside[words[end]] += 1
            end += 1
        worth = (len(inside), end - begin)
        if end > begin and worth > most:
            best, most = (low, spans[end - 1][1]), worth
        if end > begin:
            inside[words[begin]] -= 1
            inside += Counter()  # drops what is there no more
    return best


def _grown(ruler: _Ruler, low: int, high: int) -> Span:
    """A stretch with what stands around it: a third before it, the rest after it."""
    lead = ruler.room_left(low, high) // 3
    first = low
    while low > 0 and ruler.before[first] - ruler.before[low - 1] <= lead:
        low -= 1
    while high < ruler.size and ruler.fits(low, high + 1):
        high += 1
    if ruler.fits(low, ruler.size):
        high = ruler.size
    while low > 0 and ruler.fits(low - 1, high):
        low -= 1
    if ruler.fits(0, high):
        low = 0
    return low, high


def _whole_words(ruler: _Ruler, low: int, high: int, first: int, last: int) -> Span:
    """A stretch without half a word at its ends, and without spaces there."""
    spaces = ruler.spaces
    if low > 0 and not spaces[low - 1]:
        words = (place for place in range(low, min(first, low + ruler.spare)) if spaces[place])
        low = next(words, low)
    if high < ruler.size and not spaces[high]:
        ends = (place for place in range(high - 1, max(last, high - ruler.spare) - 1, -1))
        high = next((place for place in ends if spaces[place]), high)
    while low < first and spaces[low]:
        low += 1
    while high > last and spaces[high - 1]:
        high -= 1
    return low, high
