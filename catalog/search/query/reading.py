"""From the syntax of a query to its concepts: words in a row, phrases, alternatives, exclusions."""

from collections.abc import Sequence
from itertools import product

from catalog.search.korean.text import runs
from catalog.search.query import syntax
from catalog.search.query.concepts import Concept, How
from catalog.search.query.interpreter import Interpreter

_PHRASE_READINGS = 8
_MOST_GROUPS, _MOST_ALTERNATIVES, _MOST_PHRASE_WORDS = 16, 8, 12
"""Words of a query beyond these are not looked for: nobody types them, and each costs its time."""


def concepts_of(
    interpreter: Interpreter, asked: syntax.Query
) -> tuple[list[Concept], list[Concept]]:
    """What a text must hold, and what it must not."""
    wanted: list[Concept] = []
    excluded: list[Concept] = []
    row: list[str] = []
    for group in list(dict.fromkeys(asked.groups))[:_MOST_GROUPS]:
        plain = len(group.alternatives) == 1 and isinstance(group.alternatives[0], syntax.Word)
        if plain and not group.excluded:
            if runs(group.alternatives[0].text):
                row.append(group.alternatives[0].text)
            continue
        wanted += interpreter.concepts(row)
        row = []
        choices = [
            _phrase(interpreter, one.text)
            if isinstance(one, syntax.Phrase)
            else _joined(interpreter.concepts([one.text]))
            for one in group.alternatives[:_MOST_ALTERNATIVES]
            if runs(one.text)
        ]
        if choices:
            (excluded if group.excluded else wanted).append(_either(choices))
    return wanted + interpreter.concepts(row), excluded


def _phrase(interpreter: Interpreter, text: str) -> Concept:
    """A phrase in quotes: its words side by side in any spacing, and so in the text."""
    parts = interpreter.concepts(text.split()[:_MOST_PHRASE_WORDS])
    literal = "".join(runs(text))
    concept = _joined(parts)
    concept.text, concept.literal = text, literal
    whole = interpreter.of_word(literal)
    if whole.how is How.EXACT:
        concept.exact += whole.exact
    concept.words = (" ".join(runs(text)), literal)
    return concept


def _joined(parts: Sequence[Concept]) -> Concept:
    if len(parts) == 1:
        return parts[0]
    text = " ".join(one.text for one in parts)
    readings = [one.exact[:2] for one in parts if one.exact]
    if readings:  # "무단 투기" is also in 무단 투기하다
        readings[-1] = [*readings[-1], *(f"{one}하다" for one in readings[-1])]
    choices = list(product(*readings))[:_PHRASE_READINGS]
    phrases = [" ".join(choice) for choice in choices if choice]
    return Concept(text, (text,), phrases, min((one.n for one in parts), default=0))


def _either(choices: Sequence[Concept]) -> Concept:
    if len(choices) == 1:
        return choices[0]
    return Concept(
        " OR ".join(one.text for one in choices),
        tuple(word for one in choices for word in one.words),
        list(dict.fromkeys(phrase for one in choices for phrase in one.exact)),
        sum(one.n for one in choices),
    )


def words_of(asked: syntax.Query) -> list[str]:
    """The words of a query that is nothing but words in a row; else none."""
    words = []
    for group in asked.groups:
        first = group.alternatives[0]
        plain = len(group.alternatives) == 1 and isinstance(first, syntax.Word)
        if group.excluded or not plain or not runs(first.text):
            return []
        words.append(first.text)
    return [] if asked.filters else words[:_MOST_GROUPS]
