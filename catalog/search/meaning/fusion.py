"""Making one ranking out of several that have no common scale."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)

RANK_CONSTANT = 60
"""k of reciprocal rank fusion, as its authors chose it: how little the very first ranks weigh."""


def fuse(
    *rankings: Sequence[Item],
    weights: Sequence[float] | None = None,
    k: int = RANK_CONSTANT,
) -> list[tuple[Item, float]]:
    """Reciprocal rank fusion: the best first, each with the sum of weight / (k + rank), ranks from 1.

    Only the first place of an item in a ranking counts. Of equal scores, the one that stands in an
    earlier ranking, or further up in it, comes first. Formula: Cormack, Clarke, Büttcher, "Reciprocal
    rank fusion outperforms Condorcet and individual rank learning methods", SIGIR 2009.
    """
    scores: dict[Item, float] = {}
    shares = [1.0] * len(rankings) if weights is None else weights
    for ranking, weight in zip(rankings, shares, strict=True):
        for rank, item in enumerate(dict.fromkeys(ranking), 1):
            scores[item] = scores.get(item, 0.0) + weight / (k + rank)
    return sorted(
        scores.items(), key=lambda pair: -pair[1]
    )  # a stable sort keeps the order of ties
