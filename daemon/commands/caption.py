"""The `caption` command: one video to stdout, nothing stored."""

import argparse
import os
import tempfile

from catalog import browse
from catalog.database import open_catalog
from catalog.errors import ExitCode, UsageError
from catalog.home import Home, find_home, given_path
from catalog.ingest import take_file
from catalog.language import tr
from catalog.prompts import custom
from catalog.safe_text import shown
from catalog.settings import load_settings
from catalog.terminal import clock_time, emit_json, narrate, say
from catalog.views import VideoView
from daemon.captioner.checkpoints import find_checkpoint
from daemon.commands.run import progress_shown, set_up_logging
from daemon.service import Service


def caption(options: argparse.Namespace, home: Home) -> int:
    """The `caption` command. Works in a catalog of its own that is gone afterwards."""
    file = given_path(options.file)
    if not file.is_file():
        raise UsageError(f"{file} does not exist, or is no file; check the name")
    if options.prompt:
        custom(options.prompt)
    settings = load_settings(
        home, model=options.model, frames=options.frames, quantization=options.quantization
    )
    # In the person's home; the catalog has a home of its own.
    checkpoint = None if settings.asks_engines() else find_checkpoint(settings, home)
    set_up_logging(quiet=True)
    with tempfile.TemporaryDirectory(prefix="haeseol-caption-") as folder:
        catalog = open_catalog(find_home(folder))
        video_id, _ = take_file(catalog, os.fsencode(file), prompt=options.prompt or "")
        with progress_shown(quiet=False) as on_progress:
            service = Service(catalog, settings, on_progress, checkpoint=checkpoint)
            outcome = service.run_until_idle()
        with catalog.read() as connection:
            view = browse.video(connection, video_id)
        catalog.close()
    for error in (*outcome.failed.values(), *filter(None, [outcome.fault])):
        raise error
    if service.stop.is_set():
        return ExitCode.INTERRUPTED
    _say(view, as_json=options.json)
    return ExitCode.DONE


def _say(view: VideoView, *, as_json: bool) -> None:
    if as_json:
        document = view.json()
        del document["id"]
        emit_json(document)
        return
    say(shown(view.caption.text) if view.caption else "")
    for scene in view.scenes:
        if scene.note:
            say(f"{clock_time(scene.start)} - {clock_time(scene.end)}  {shown(scene.note.text)}")
    if view.status == "needs_review":
        narrate(tr("Some of these texts need a person's eye; `--json` says why."))
