"""The `recaption` command: queue videos again, with another model, prompt or number of frames."""

import argparse
from pathlib import Path

from catalog import browse, queue
from catalog.database import Catalog, open_catalog
from catalog.errors import ExitCode, NotFoundError, UsageError
from catalog.home import Home
from catalog.language import tr
from catalog.prompts import custom, is_current
from catalog.safe_text import shown
from catalog.search.query.asking import search
from catalog.terminal import emit_json, narrate, say, video_line

_ALL_HITS = 1_000_000


def recaption(options: argparse.Namespace, home: Home) -> int:
    """The `recaption` command. A person's text stays; the model's new one waits beside it."""
    if options.prompt:
        custom(options.prompt)
    if options.frames is not None and not 1 <= options.frames <= 64:
        raise UsageError(f"--frames takes 1 to 64, not {options.frames}")
    catalog = open_catalog(home)
    ids, unknown = _chosen(catalog, options, home)
    if not options.dry_run:
        with catalog.write() as session:
            for video_id in ids:
                queue.put(
                    session,
                    video_id,
                    model=options.model or "",
                    prompt=options.prompt or "",
                    frames=options.frames,
                )
    if options.json:
        emit_json({"videos": ids, "queued": not options.dry_run})
    else:
        with catalog.read() as connection:
            for view in browse.videos(connection, ids):
                say(video_line(view))
    for complaint in unknown:
        narrate(f"haeseol: {shown(complaint)}")
    if ids:
        return ExitCode.PARTIAL if unknown else ExitCode.DONE
    if not unknown:
        narrate(tr("No video answers to that."))
    return ExitCode.FAILED


def _chosen(
    catalog: Catalog, options: argparse.Namespace, home: Home
) -> tuple[list[int], list[str]]:
    """The ids that are asked for, and what there is to say of names that nothing answers to."""
    chosen_by = [options.failed, options.stale, options.where is not None, bool(options.videos)]
    if sum(chosen_by) != 1:
        raise UsageError(
            "say which: videos by id or path, or one of --failed, --stale, --where QUERY"
        )
    found: list[int] = []
    unknown: list[str] = []
    with catalog.read() as connection:
        for reference in options.videos:
            try:
                found.append(browse.find_video(connection, reference))
            except NotFoundError as error:
                unknown.append(str(error))
        if options.failed:
            found += browse.video_ids(connection, "failed")
            found += browse.video_ids(connection, "dead")
        elif options.stale:
            found += _stale(connection, options.model or _configured_model(home))
        elif options.where is not None:
            # Only what surely fits: nobody wants the GPU to work for a guess at a misspelt word.
            answer = search(connection, options.where, limit=_ALL_HITS, guess=False)
            found += [match.video_id for match in answer.matches]
    return list(dict.fromkeys(found)), unknown


def _configured_model(home: Home) -> str:
    from catalog.settings import load_settings

    return load_settings(home).model


def _stale(connection: browse.Connection, model: str) -> list[int]:
    """Videos whose newest text of a model is by another model, or by another version of the prompt."""
    folder = Path(model).expanduser()
    model = folder.name if folder.is_dir() else model  # as captions record it
    stale = []
    for view in browse.videos(connection, browse.video_ids(connection)):
        texts = [one for one in browse.revisions(connection, view.id) if one.origin == "model"]
        if not texts:
            continue
        newest = texts[0]
        other_model = model != "auto" and newest.model != model
        other_prompt = not is_current(newest.prompt)
        if other_model or other_prompt:
            stale.append(view.id)
    return stale
