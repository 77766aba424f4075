"""The `queue` command: look at jobs, retry, cancel, pause."""

import argparse

from catalog import browse
from catalog import queue as jobs
from catalog.clock import iso
from catalog.commands.look import job_progress
from catalog.database import open_catalog
from catalog.errors import ADVICE, ErrorCode, ExitCode
from catalog.home import Home
from catalog.language import tr
from catalog.safe_text import shown
from catalog.terminal import emit_json, emit_json_list, narrate, say, status_word
from catalog.views import JobView


def queue(options: argparse.Namespace, home: Home) -> int:
    """The `queue` command."""
    catalog = open_catalog(home)
    if options.action in ("pause", "resume"):
        paused = options.action == "pause"
        with catalog.write() as session:
            jobs.set_paused(session, paused)
        if options.json:
            emit_json({"paused": paused})
        narrate(tr("The queue is paused.") if paused else tr("The queue goes on."))
        return ExitCode.DONE
    if options.action in ("retry", "cancel"):
        act = jobs.retry if options.action == "retry" else jobs.cancel
        with catalog.write() as session:
            count = act(session, options.jobs or None)
        if options.json:
            emit_json({"changed": count})
        narrate(tr("{count} jobs changed.", count=count))
        return ExitCode.DONE if count else ExitCode.FAILED
    with catalog.read() as connection:
        views = browse.jobs(connection)
    if options.json:
        emit_json_list(view.json() for view in views)
        return ExitCode.DONE
    for view in views:
        say(_line(view))
        if view.error_code is not None:
            say(f"        {view.error_code}: {shown(view.error_message or '')}")
            say(f"        {tr(ADVICE[ErrorCode(view.error_code)])}")
    if not views:
        narrate(tr("Nothing waits."))
    return ExitCode.DONE


def _line(view: JobView) -> str:
    if view.state == "running":
        return f"{view.id:>6}  {job_progress(view)}"
    when = f"  {tr('again at {when}', when=iso(view.run_after))}" if view.state == "failed" else ""
    return f"{view.id:>6}  {status_word(view.state)}{when}  {shown(view.path)}"
