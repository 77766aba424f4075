"""Telling what is near in meaning from what is only nearer than the rest."""

import json
from statistics import NormalDist, median

from catalog.search.meaning.opening import Connection

_SAMPLE = 256
_LEAST = 12
"""With fewer texts nothing can be said of what is usual."""
_RIGHT_ANGLE = 1.0
_BY_CHANCE = 1
_LEAST_SIGMAS = 2.0
_SIGMA_OF_MAD = 1.4826
"""From the median absolute deviation to the standard deviation of a normal distribution."""

_DISTANCES = """
SELECT (
    SELECT vec_distance_cosine(vec_int8(code), vec_int8(:code)) FROM fine
    WHERE document_id >= probe.value ORDER BY document_id LIMIT 1
) FROM json_each(:probes) AS probe
"""


def farthest_related(connection: Connection, code: bytes) -> float:
    """The cosine distance below which a text counts as related to a code.

    Unrelated texts lie about one usual distance, spread like a normal distribution; the limit is set so
    that one of them all may be below it by chance. What is usual is estimated on a sample, by its median
    and median absolute deviation, which the few related texts in it do not shift.
    """
    first, last = connection.execute(
        "SELECT (SELECT min(document_id) FROM fine), (SELECT max(document_id) FROM fine)"
    ).fetchone()
    if first is None or last - first < _LEAST:
        return _RIGHT_ANGLE
    count = last - first + 1  # a bound, which is enough: the limit grows with its logarithm's root
    sample = min(_SAMPLE, count)
    probes = [first + place * (last - first) // (sample - 1) for place in range(sample)]
    rows = connection.execute(_DISTANCES, {"code": code, "probes": json.dumps(probes)})
    distances: list[float] = [row[0] for row in rows]
    usual = median(distances)
    sigma = _SIGMA_OF_MAD * median(abs(distance - usual) for distance in distances)
    return usual - sigma * max(_LEAST_SIGMAS, NormalDist().inv_cdf(1 - _BY_CHANCE / count))
