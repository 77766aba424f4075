"""The order of the results: by tier, and within one by weight and by what only the texts can say."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from catalog.search.korean.text import PARTICLES, normalise, runs
from catalog.search.query.concepts import Concept, How
from catalog.search.query.waterfall import Found

_FIELDS = {"title": 1.1, "tag": 1.1, "caption": 1.0, "note": 1.0, "subtitle": 0.9, "path": 0.6}
"""How much a match in a field says of the video. A path repeats the title, with folders around it."""
_AS_TYPED, _WHOLE_WORD, _IN_ORDER = 0.2, 0.8, 0.2
"""What a text gains that holds a word as typed, alone but for particles, and the words in their order."""
_RECENT = 0.05
_SHORT = 120.0
"""Code points. A text of this length weighs half of what a word by itself would, if nobody weighed it."""
_LITERAL_TIERS = 3
"""So many tiers a text falls that does not hold a phrase in quotes as it was written."""
_AFTER_A_WORD = PARTICLES | {""}
_REST = re.compile(r"[가-힣]*")


class Ranked(NamedTuple):
    """A document in its place."""

    document_id: int
    video_id: int
    scene_id: int | None
    field: str
    text: str
    how: How
    score: float


def ranked(connection: Any, found: Sequence[Found], concepts: Sequence[Concept]) -> list[Ranked]:
    """The documents with their texts, the best first."""
    numbers = ",".join(str(one.document_id) for one in found)
    rows = {
        row[0]: row
        for row in connection.execute(
            f"SELECT id, video_id, scene_id, field, text FROM document WHERE id IN ({numbers})"
        )
    }
    newest = max(rows, default=1)
    scored = []
    for one in found:
        if one.document_id in rows:
            number, video, scene, field, text = rows[one.document_id]
            recent = number / newest
            score = _score(one, field, text, recent, concepts)
            scored.append(Ranked(number, video, scene, field, text, one.how, score))
    return sorted(scored, key=lambda one: (-one.score, -one.document_id))


def _score(
    found: Found, field: str, text: str, recent: float, concepts: Sequence[Concept]
) -> float:
    """Falls with the tier, and within one with the weight: never are two tiers in one range."""
    plain = normalise(text).text
    weight = found.weight or 1 / (1 + len(plain) / _SHORT)
    weight *= 1 + _gain(plain, concepts)
    weight *= _FIELDS.get(field, 1.0) * (1 + _RECENT * recent)
    literals = [one.literal for one in concepts if one.literal]
    solid = "".join(runs(plain)) if literals else ""
    tier = found.tier + _LITERAL_TIERS * sum(one not in solid for one in literals)
    return round(1000 - 10 * tier + 9 * weight / (1 + weight), 4)


def _gain(plain: str, concepts: Sequence[Concept]) -> float:
    """By how much the weight of a text grows for how it holds what was typed."""
    gain = sum(
        max((_closeness(plain, word) for word in one.words), default=0.0) for one in concepts
    ) / max(1, len(concepts))
    typed = " ".join(one.words[0] for one in concepts if one.words)
    return gain + (_IN_ORDER if len(concepts) > 1 and typed in plain else 0.0)


def _closeness(plain: str, word: str) -> float:
    """What a text gains that holds a word as it was typed."""
    best = 0.0
    start = plain.find(word)
    while start >= 0 and best < _WHOLE_WORD:
        if not start or not plain[start - 1].isalnum():
            rest = _REST.match(plain, start + len(word))
            particle = rest is not None and rest.group().removeprefix("들") in _AFTER_A_WORD
            best = max(best, _WHOLE_WORD if particle else _AS_TYPED)
        start = plain.find(word, start + 1)
    return best
