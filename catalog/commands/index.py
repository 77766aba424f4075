"""The `index` command: what search waits for, and bringing it up to date, making it anew, checking it."""

import argparse
import fcntl
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from catalog.database import Catalog, open_catalog
from catalog.errors import ExitCode, HaeseolError, UsageError
from catalog.home import Home
from catalog.language import tr
from catalog.meaning import meaning_model
from catalog.search.index import indexing, verifying
from catalog.search.index.analysis import Analyser, analyser_version
from catalog.terminal import emit_json, narrate, say

_LOOK_SECONDS = 0.5
_STEPS = 1000


def index(options: argparse.Namespace, home: Home) -> int:
    """The `index` command. `verify` that finds something wrong ends with exit code 1."""
    catalog = open_catalog(home)
    try:
        if options.action == "verify":
            return _verify(catalog, home, options)
        if options.action == "meaning":
            _bring_meaning_up_to_date(catalog)
        if options.action == "rebuild":
            indexing.ask_rebuild(catalog, check=True)
        if options.action in ("update", "rebuild"):
            bring_up_to_date(catalog)
            if options.follow is not None:
                _follow(catalog, options.follow)
                return ExitCode.DONE
        return _say_state(catalog, options)
    finally:
        catalog.close()


def bring_up_to_date(catalog: Catalog) -> None:
    """Reads what waits for the analyser, with a progress bar on a terminal."""
    with _progress(tr("reading texts for search")) as show:
        indexing.index_pending(catalog, on_progress=show)


def _bring_meaning_up_to_date(catalog: Catalog) -> None:
    """Reads new and changed texts for search by meaning. One process does; others wait, then look."""
    folder = meaning_model(catalog.home)
    if folder is None:
        raise UsageError(
            tr(
                "search by meaning is off; give the setting `meaning_model` the folder of a model in {file}",
                file=catalog.home.config_file,
            )
        )
    from catalog.search.meaning.upkeep import bring_up_to_date as bring

    with (
        _alone(catalog.home.data_dir / "meaning-upkeep.lock"),
        _progress(tr("reading texts for search by meaning")) as show,
    ):
        bring(catalog, folder, lambda counts: show(round(counts.progress * _STEPS), _STEPS))


@contextmanager
def _alone(lock_file: Path) -> Iterator[None]:
    with lock_file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            narrate(tr("Another haeseol reads texts for search by meaning; waiting for it."))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _follow(catalog: Catalog, seconds: float) -> None:
    """Goes on reading new texts as they come, until none has come for so many seconds.

    Ends with whoever started it, too: a daemon that is killed cannot end its children.
    """
    analyser = None
    parent = os.getppid()
    version, idle_since = -1, time.monotonic()
    with catalog.read() as connection:
        while time.monotonic() - idle_since < seconds and os.getppid() == parent:
            now = connection.execute("PRAGMA data_version").fetchone()[0]
            if analyser is not None and analyser.version != analyser_version():
                return  # it was updated meanwhile: another process reads on
            if now != version and indexing.waiting(connection):
                analyser = analyser or Analyser()
                indexing.index_pending(catalog, analyser=analyser)
                idle_since = time.monotonic()
            version = now
            time.sleep(_LOOK_SECONDS)


def _say_state(catalog: Catalog, options: argparse.Namespace) -> int:
    with catalog.read() as connection:
        state = verifying.state(connection)
    meaning = _meaning_state(catalog)
    if options.json:
        emit_json({**state.json(), "meaning": meaning, "peak_memory_bytes": _peak_bytes()})
        return ExitCode.DONE
    say(
        tr(
            "texts: {count}, waiting for the analyser: {waiting}",
            count=state.documents,
            waiting=state.waiting,
        )
    )
    say(tr("words in the lexicon: {count}", count=state.words))
    say(tr("analyser: {version}", version=state.analyser or "-"))
    if meaning is not None:
        say(meaning["trouble"] or tr("read for search by meaning: {read} of {texts}", **meaning))
    if options.action in ("update", "rebuild"):
        say(tr("memory at most: {size} MB", size=_peak_bytes() // 1_000_000))
    return ExitCode.DONE


def _meaning_state(catalog: Catalog) -> dict[str, Any] | None:
    """How far the meaning index is; None where search by meaning is off."""
    folder = meaning_model(catalog.home)
    if folder is None:
        return None
    from catalog.search.meaning.upkeep import state

    try:
        counts = state(catalog, folder)
    except HaeseolError as error:
        return {"texts": None, "read": None, "trouble": str(error)}
    return {"texts": counts.texts, "read": counts.read, "trouble": ""}


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _verify(catalog: Catalog, home: Home, options: argparse.Namespace) -> int:
    with _progress(tr("comparing with a fresh index")) as show:
        faults = verifying.faults(catalog, thorough=options.thorough, on_progress=show)
    if options.json:
        emit_json({"faults": faults})
    for fault in faults if not options.json else ():
        say(fault)
    if faults:
        narrate(tr("Make it anew: {command}", command=home.command("index rebuild")))
        return ExitCode.FAILED
    if not options.json:
        say(tr("The index is sound."))
    return ExitCode.DONE
