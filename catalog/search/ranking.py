"""The order of the results: by tier, and within one by weight and by what only the texts can say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog.search.concepts import Concept, How
from catalog.search.text import normalise, runs
from catalog.search.waterfall import Found

_FIELDS = {"title": 1.1, "tag": 1.1, "caption": 1.0, "note": 1.0, "subtitle": 0.9, "path": 0.6}
"""How much a match in a field says of the video. A path repeats the title, with folders around it."""
_AS_TYPED = 0.3
_WHOLE_WORD = 0.2
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
    words = runs(normalise(text).text)
    solid = "".join(words)
    fall = sum(one.literal not in solid for one in concepts if one.literal)
    gain = 0.0
    for concept in concepts:
        for word in concept.words:
            if any(run.startswith(word) for run in words):
                gain += _AS_TYPED / len(concepts)
                if word in words:
                    gain += _WHOLE_WORD / len(concepts)
                break
    typed = "".join(concept.words[0] for concept in concepts if concept.words)
    if len(concepts) > 1 and typed and typed in solid:
        gain += _IN_ORDER
    return fall * 3, gain


__all__ = ["Ranked", "ranked"]
