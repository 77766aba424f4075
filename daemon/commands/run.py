"""The `run` command: the daemon in the foreground, or once until nothing is due."""

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog import library
from catalog.database import open_catalog
from catalog.errors import CodedError, ExitCode, LockedError, UsageError
from catalog.home import Home, given_folder
from catalog.language import tr
from catalog.queue import is_paused
from catalog.safe_text import shown
from catalog.settings import load_settings
from catalog.terminal import narrate
from daemon.captioner.checkpoints import find_checkpoint
from daemon.manners import QuietHours
from daemon.pipeline import Progress
from daemon.service import Service
from daemon.worker import Outcome

ProgressCallback = Callable[[Path, Progress], None]


def run(options: argparse.Namespace, home: Home) -> int:
    """The `run` command."""
    try:
        settings = load_settings(
            home,
            model=options.model,
            quantization=options.quantization,
            settle_seconds=options.settle_seconds,
        )
        folders = [given_folder(name) for name in options.folders]
        # Asked for before anything is queued: without a model nothing could ever be done.
        if not settings.asks_engines():
            find_checkpoint(settings, home)
        QuietHours(settings.quiet_from, settings.quiet_until)
    except (UsageError, CodedError) as error:
        narrate(f"haeseol: {shown(str(error))}")
        return ExitCode.USAGE if options.once else ExitCode.BAD_CONFIG
    catalog = open_catalog(home)
    with catalog.write() as session:
        for folder in folders:
            library.add_folder(session, folder)
    set_up_logging(quiet=options.quiet)
    try:
        with progress_shown(quiet=options.quiet) as on_progress:
            service = Service(catalog, settings, on_progress)
            if not options.once:
                _say_what_is_watched(service, home)
                service.run()
                return ExitCode.INTERRUPTED if service.interrupted else ExitCode.DONE
            with catalog.write() as session:
                if is_paused(session):
                    narrate(tr("The queue is paused."))
            outcome = service.run_until_idle(_waiting_narrator())
    except LockedError as error:
        narrate(f"haeseol: {shown(str(error))}")
        return ExitCode.USAGE
    finally:
        catalog.close()
    summarise(outcome)
    if outcome.fault is not None:
        return ExitCode.FAILED
    return ExitCode.INTERRUPTED if service.stop.is_set() else ExitCode.DONE


def _say_what_is_watched(service: Service, home: Home) -> None:
    folders = service.watcher.folders()
    if folders:
        shown_folders = ", ".join(shown(os.fsdecode(path)) for path in sorted(folders))
        narrate(tr("Watching {folders}. Ctrl+C ends it.", folders=shown_folders))
    else:
        narrate(
            tr(
                "No folder is watched. Add one: {command}",
                command=home.command("folders add ~/Videos"),
            )
        )


def _waiting_narrator() -> Callable[[int], None]:
    told = 0

    def narrate_waiting(files: int) -> None:
        nonlocal told
        if files != told:
            narrate(tr("waiting for {count} files to come to rest", count=files))
            told = files

    return narrate_waiting


def summarise(outcome: Outcome) -> None:
    """Says what was done, and which files failed and why."""
    narrate(tr("{done} captioned, {failed} failed.", done=outcome.done, failed=len(outcome.failed)))
    for path, error in outcome.failed.items():
        narrate(f"  {shown(str(path))}: {error.code}: {shown(str(error))}")
    if outcome.fault is not None:
        narrate(tr("No video could be captioned: {reason}", reason=shown(str(outcome.fault))))


def set_up_logging(*, quiet: bool) -> None:
    """One line an event on stderr; under systemd with the journal's priority in front."""
    under_systemd = "JOURNAL_STREAM" in os.environ
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Lines("%(message)s", journal=True) if under_systemd else _Lines("%(asctime)s %(message)s")
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING if quiet else logging.INFO)
    for noisy in ("alembic", "apscheduler", "watchdog", "httpx", "huggingface_hub", "transformers"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # watchdog 7.1 says so when it puts a watch on a new folder twice, which is harmless.
    warnings.filterwarnings("ignore", "Callback with id .* already exists", RuntimeWarning)
    # It warns at import that an optional kernel is missing.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


class _Lines(logging.Formatter):
    """A time and the message; or the syslog priority that journald reads (sd-daemon(3))."""

    _PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3}  # noqa: RUF012

    def __init__(self, form: str, *, journal: bool = False) -> None:
        super().__init__(form, "%H:%M:%S")
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        lines = super().format(record).split("\n")
        safe = "\n".join(shown(line) for line in lines)
        return f"<{self._PRIORITIES.get(record.levelno, 2)}>{safe}" if self._journal else safe


@contextmanager
def progress_shown(*, quiet: bool) -> Iterator[ProgressCallback]:
    """A bar for each video on a terminal, and nothing elsewhere: the log lines tell the story there."""
    if quiet or not sys.stderr.isatty():
        yield lambda path, progress: None
        return
    from rich.console import Console
    from rich.highlighter import NullHighlighter
    from rich.logging import RichHandler
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    lines = RichHandler(
        console=console,
        show_path=False,
        show_level=False,
        omit_repeated_times=False,
        log_time_format="%H:%M:%S",
        highlighter=NullHighlighter(),
    )
    lines.setFormatter(_Lines("%(message)s"))
    logging.getLogger().handlers[:] = [lines]
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        tasks: dict[Path, TaskID] = {}

        def show(path: Path, progress: Progress) -> None:
            if progress.ended:
                if path in tasks:
                    bars.remove_task(tasks.pop(path))
                return
            task = tasks.get(path)
            if task is None:
                task = tasks[path] = bars.add_task(shown(path.name))
            done, total = progress.scenes_done, progress.scenes_total
            if total is None:  # per cent of the video looked through for scenes
                done, total = round(100 * progress.looked_through), 99
            # One more step than there are scenes: the caption of the whole.
            bars.update(task, completed=done, total=total + 1)

        yield show
