"""The `search` command. Apart from the others that look, since it must be there at once."""

import argparse

from catalog.database import open_catalog
from catalog.errors import ExitCode, UsageError
from catalog.hit_views import HitsView
from catalog.hits import find
from catalog.home import Home, given_path
from catalog.language import tr
from catalog.meaning import by_meaning
from catalog.safe_text import shown
from catalog.search.query.synonyms import read as read_synonyms
from catalog.terminal import emit_json_list, narrate

_MOST_HITS = 1_000_000


def search(options: argparse.Namespace, home: Home) -> int:
    """The `search` command. Nothing found is exit code 1."""
    if options.limit < 1:
        raise UsageError("--limit must be at least 1")
    query, limit = " ".join(options.query), min(options.limit, _MOST_HITS)
    found = _found(options, home, query, limit)
    if options.json:
        emit_json_list(hit.json() for hit in found.hits)
    if found.instead:
        narrate(
            tr(
                "Nothing holds that as it is written. Shown for: {query}",
                query=shown(found.instead),
            )
        )
    if not options.json:
        _say(found, limit)
    if found.hits:
        return ExitCode.DONE
    narrate(tr("Nothing matches {query!r}. Try fewer or shorter words.", query=shown(query)))
    return ExitCode.FAILED


def _found(options: argparse.Namespace, home: Home, query: str, limit: int) -> HitsView:
    folder = given_path(options.folder) if options.folder else None
    after = _instant(options.after)
    synonyms = read_synonyms(home.synonyms_file)
    for complaint in synonyms.complaints:
        narrate(shown(complaint))
    with open_catalog(home).read() as connection, by_meaning(home) as meaning:
        found = find(
            connection,
            query,
            limit=limit,
            folder=folder,
            after=after,
            synonyms=synonyms,
            meaning=meaning,
        )
        if meaning is not None and meaning.trouble:
            narrate(shown(meaning.trouble))
    return found


def _say(found: HitsView, limit: int) -> None:
    # Imported here: a program that reads JSON has no use for it, and waits.
    from catalog.commands.hit_lines import say_videos

    say_videos(found.hits)
    if len(found.hits) == limit:
        narrate(tr("The best {count} are shown. More: --limit {more}", count=limit, more=limit * 5))


def _instant(date: str | None) -> int | None:
    if date is None:
        return None
    from datetime import datetime

    try:
        return int(datetime.fromisoformat(date).timestamp())
    except ValueError as error:
        raise UsageError(f"--after takes a date such as 2026-11-20, not {date!r}") from error
