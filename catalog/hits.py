"""What a search found, as a person sees it: each text with its video and its scene."""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.hit_views import HitsView, HitView, PlaceView
from catalog.paths import path_key
from catalog.search.query.asking import NO_SYNONYMS, Answer, glance, search
from catalog.search.query.synonyms import Synonyms

if TYPE_CHECKING:
    from catalog.search.meaning.asking import Meaning


def find(
    connection: Any,
    query: str,
    *,
    limit: int = 20,
    folder: Path | None = None,
    after: int | None = None,
    synonyms: Synonyms = NO_SYNONYMS,
    meaning: "Meaning | None" = None,
) -> HitsView:
    """The texts that answer a query, the best first.

    `folder` keeps to videos with a copy below it, `after` to those recorded or added since that instant
    (seconds since 1970). With `meaning`, those come in too that share no word with the query;
    `meaning.trouble` says afterwards why they do not. A stop from another thread raises
    `InterruptedByUserError`.
    """
    ask = (
        partial(search, connection, query)
        if meaning is None
        else _by_both(connection, query, meaning)
    )
    raw_folder = None if folder is None else os.fsencode(folder)
    answer = ask(limit=limit, folder=raw_folder, after=after, synonyms=synonyms)
    return _shown(connection, answer)


def _by_both(connection: Any, query: str, meaning: "Meaning") -> Callable[..., Answer]:
    from catalog.search.meaning.answering import search_by_both  # off for most

    return partial(search_by_both, connection, query, meaning)


def find_soon(
    connection: Any, query: str, *, limit: int = 20, synonyms: Synonyms = NO_SYNONYMS
) -> HitsView:
    """A first answer to a query that is still being typed, the newest texts first."""
    return _shown(connection, glance(connection, query, limit=limit, synonyms=synonyms))


def _shown(connection: Any, answer: Answer) -> HitsView:
    return HitsView(tuple(_hits(connection, answer)), answer.instead)


def _hits(connection: Any, answer: Answer) -> Iterator[HitView]:
    videos = _videos(connection, [one.video_id for one in answer.matches])
    scenes = _scenes(connection, [one.scene_id for one in answer.matches if one.scene_id])
    for match in answer.matches:
        path, title = videos[match.video_id]
        yield HitView(
            video_id=match.video_id,
            path=path,
            title=title,
            field=match.field,
            scene=None if match.scene_id is None else scenes.get(match.scene_id),
            text=match.text,
            highlights=match.highlights,
            score=match.score,
            how=match.how,
        )


def _videos(connection: Any, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Path and title of each video; of one without a file, the path where it lay last."""
    rows = connection.execute(
        "SELECT v.id, v.title, (SELECT l.path FROM location l WHERE l.video_id = v.id"
        " ORDER BY l.online DESC, l.last_seen DESC, l.id LIMIT 1), d.text"
        " FROM video v LEFT JOIN document d ON d.video_id = v.id AND d.field = 'path'"
        f" WHERE v.id IN ({_listed(ids)})"
    )
    return {
        row[0]: ((row[3] or "").partition("\n")[0] if row[2] is None else path_key(row[2]), row[1])
        for row in rows
    }


def _scenes(connection: Any, ids: Sequence[int]) -> dict[int, PlaceView]:
    rows = connection.execute(
        f'SELECT id, idx, start, "end" FROM scene WHERE id IN ({_listed(ids)})'
    )
    return {row[0]: PlaceView(row[0], row[1], row[2], row[3]) for row in rows}


def _listed(ids: Sequence[int]) -> str:
    return ",".join(map(str, dict.fromkeys(ids)))
