"""What both sides of the index agree on: the kinds of words, and how a numeral is written there."""

from catalog.search.korean.text import COUNTER

NOUN, PREDICATE, COMPOUND, LATIN, STEM, WRITTEN = "n", "p", "c", "l", "s", "w"
"""The kinds of entries in the lexicon: a noun or adverb, a predicate in -다, a compound of nouns, a word in
another script, what stands before the particles of a word that the analyser took apart, and a word as it
stands in a text."""
_SIGNS = {"%": "퍼센트", "°": "도"}
"""Counters that are no letters, which the index would drop."""


def number_tokens(value: int, counter: str) -> str:
    """The tokens of a numeral with what it counts; the counter is kept apart from a noun of its sound."""
    return f"{value} {_SIGNS.get(counter, counter)}{COUNTER}" if counter else str(value)
