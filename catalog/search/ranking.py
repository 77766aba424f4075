"""The order of the results: by tier, and within one by weight and by what only the texts can say."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog.search.concepts import Concept, How
from catalog.search.text import PARTICLES, normalise, runs
from catalog.search.waterfall import Found

_FIELDS = {"title": 1.1, "tag": 1.1, "caption": 1.0, "note": 1.0, "subtitle": 0.9, "path": 0.6}
"""How much a match in a field says of the video. A path repeats the title, with folders around it."""
_AS_TYPED = 0.2
_WHOLE_WORD = 0.8
_REST = re.compile(r"[가-힣]*")
_PARTICLES = frozenset((*PARTICLES, "들", "들이", "들을", "들은", "들의", "들과", "들도", "들에게"))
_IN_ORDER = 0.2
_RECENT = 0.05


@dataclass(frozen=True, slots=True)
class Ranked:
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
    if not found:
        return []
    rows = {
        row[0]: row
        for row in connection.execute(
            "SELECT id, video_id, scene_id, field, text FROM document"
            f" WHERE id IN ({','.join(str(one.document_id) for one in found)})"
        )
    }
    kept = [one for one in found if one.document_id in rows]
    newest = max((one.document_id for one in kept), default=1)
    scored = []
    for one in kept:
        number, video, scene, field, text = rows[one.document_id]
        tier, gain = _by_text(text, concepts)
        weight = one.weight * (1 + gain) * _FIELDS.get(field, 1.0)
        weight *= 1 + _RECENT * number / newest
        if not one.weight:  # too many to weigh: the newest first
            weight = number / newest
        score = round(1000 - 10 * (one.tier + tier) + 9 * weight / (1 + weight), 4)
        scored.append(Ranked(number, video, scene, field, text, one.how, score))
    return sorted(scored, key=lambda one: (-one.score, -one.document_id))


def _by_text(text: str, concepts: Sequence[Concept]) -> tuple[int, float]:
    """Tiers that a text falls, and by how much its weight grows, for how it holds what was typed."""
    plain = normalise(text).text
    solid = "".join(runs(plain))
    fall = sum(one.literal not in solid for one in concepts if one.literal)
    gain = sum(
        max((_closeness(plain, word) for word in one.words), default=0.0) for one in concepts
    )
    typed = "".join(one.words[0] for one in concepts if one.words)
    if len(concepts) > 1 and typed.replace(" ", "") in solid:
        gain += _IN_ORDER
    return fall * 3, gain / max(1, len(concepts))


def _closeness(plain: str, word: str) -> float:
    """What a text gains that holds a word as it was typed; most if only a particle follows there."""
    best = 0.0
    start = plain.find(word)
    while start >= 0 and best < _WHOLE_WORD:
        if not start or not plain[start - 1].isalnum():
            rest = _REST.match(plain, start + len(word))
            particle = rest is not None and (not rest.group() or rest.group() in _PARTICLES)
            best = max(best, _WHOLE_WORD if particle else _AS_TYPED)
        start = plain.find(word, start + 1)
    return best


__all__ = ["Ranked", "ranked"]
