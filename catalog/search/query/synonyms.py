"""The user's own synonyms: a text file with one group of words a line.

# a comment
강아지, 개, 멍멍이      each finds the others
탈것 => 자동차, 버스    탈것 finds these, but none of these finds 탈것
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from catalog.language import tr
from catalog.search.korean.text import normalise

_LARGEST_BYTES = 4_000_000
_MOST_WORDS = 64  # of one group: each is looked up, and a longer list is hardly meant


class Synonyms(NamedTuple):
    """What each word also finds, by its normal form; words keep the order of the file."""

    words: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    complaints: tuple[str, ...] = ()
    """A sentence for each line that was passed over, in the language of the process."""

    def of(self, word: str) -> tuple[str, ...]:
        """The words that a word also finds, itself left out. The word is in normal form."""
        return self.words.get(word, ())


def read(path: Path) -> Synonyms:
    """Reads a file of synonyms; one that is not there is empty, one that cannot be read says so."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
        if len(content) > _LARGEST_BYTES:
            raise ValueError(tr("it is longer than 4 MB"))
        text = content.decode("utf-8-sig")
    except FileNotFoundError:
        return Synonyms()
    except (OSError, ValueError) as error:
        return Synonyms(complaints=(tr("{path} cannot be read: {error}", path=path, error=error),))
    return parse(text, path.name)


def parse(text: str, name: str) -> Synonyms:
    """Reads the lines of a file; `name` is how complaints call it."""
    found: dict[str, dict[str, None]] = {}
    complaints: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        content = line.partition("#")[0].strip()
        if not content:
            continue
        left, arrow, right = content.partition("=>")
        sources, targets = _words(left), _words(right if arrow else left)
        problem = _problem(sources, targets, bool(arrow))
        if problem:
            complaints.append(
                tr("{file}, line {line}: {problem}", file=name, line=number, problem=tr(problem))
            )
            continue
        for source in sources:
            others = found.setdefault(source, {})
            others.update(dict.fromkeys(word for word in targets if word != source))
    return Synonyms({word: tuple(others) for word, others in found.items()}, tuple(complaints))


def _words(text: str) -> list[str]:
    """The words between commas, in normal form with single spaces, each once."""
    words = (" ".join(normalise(word).text.split()) for word in text.replace("，", ",").split(","))
    return list(dict.fromkeys(word for word in words if any(map(str.isalnum, word))))


def _problem(sources: list[str], targets: list[str], one_way: bool) -> str:
    """What is wrong with a line, as an English message id; "" if nothing is."""
    if one_way and not (sources and targets):
        return "`=>` needs a word on both sides"
    if not one_way and len(sources) < 2:
        return "a group needs two words or more, with commas between"
    if one_way and sources == targets:
        return "a word cannot stand for itself"
    if max(len(sources), len(targets)) > _MOST_WORDS:
        return "a group may have 64 words at most"
    return ""
