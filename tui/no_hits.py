"""What to try when a search found nothing."""

from collections.abc import Iterator

from catalog.language import tr
from catalog.search.korean.hangul import initials, is_hangul_word
from catalog.search.query import syntax
from tui.reader import Found
from tui.safe_text import shown

_QUOTES = str.maketrans("", "", '"＂“”「」『』')


def advice(found: Found) -> tuple[str, ...]:
    """The lines that stand in the place of hits."""
    heading = tr("Nothing fits '{query}'.", query=shown(found.query))
    return (heading, "", *_chances(found), *_always(found))


def _chances(found: Found) -> Iterator[str]:
    """Other queries, by what this one asks for."""
    query = found.query
    asked = syntax.parse(query)
    words = " ".join(asked.text_words)
    if asked.filters and words:
        yield tr("- without the filters: {query}", query=shown(words))
    elif len(asked.text_words) > 1 and "-" not in query:
        yield tr("- fewer words: {query}", query=shown(max(asked.text_words, key=len)))
    if (plain := query.translate(_QUOTES)) != query:
        yield tr("- without the quotation marks: {query}", query=shown(plain.strip()))
    if len(asked.text_words) == 1 and query == words and len(query) > 2:
        yield tr("- try fewer letters: {query}", query=shown(query[:-1].strip()))
    if len(asked.text_words) == 1 and len(words) > 1 and is_hangul_word(words):
        yield tr("- by initials: {query}", query=initials(words))


def _always(found: Found) -> Iterator[str]:
    if found.without_caption:
        yield tr("- videos without a caption yet: {count} (2: queue)", count=found.without_caption)
    yield tr("- what a search can ask for: F1")
    yield tr("- Esc goes back to the list")
