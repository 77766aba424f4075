"""The `demo` command: the whole way on clips drawn here, with the bundled model."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from catalog import browse, library
from catalog.database import open_catalog
from catalog.errors import ExitCode, HaeseolError
from catalog.hits import find
from catalog.home import Home, find_home
from catalog.language import tr
from catalog.safe_text import shown
from catalog.settings import load_settings
from catalog.terminal import clock_time, emit_json, marked, narrate, say
from catalog.views import HitView, VideoView
from daemon.captioner.demo.render import write_clip
from daemon.captioner.demo.world import random_clip
from daemon.commands.run import progress_shown, set_up_logging, summarise
from daemon.service import Service

_CLIPS: tuple[tuple[str, tuple[int, ...], tuple[int, int]], ...] = (
    ("한 도형", (1,), (640, 360)),
    ("세로 영상", (1,), (360, 640)),
    ("두 도형", (2,), (640, 480)),
    ("두 장면", (1, 1), (854, 480)),
    ("작은 영상", (1,), (320, 240)),
)
"""File name, objects in each scene, size in pixels."""

_SEED = 20261121


def demo(options: argparse.Namespace, home: Home) -> int:
    """The `demo` command. It never touches a catalog in use: that gets a folder beside it."""
    if not home.explicit or not _is_free(home):
        home = find_home(home.cache_dir / "demo")
    settings = load_settings(home, model="demo", settle_seconds=0.0)
    catalog = open_catalog(home)
    folder = home.data_dir / "demo-clips"
    narrate(tr("Drawing {count} sample clips in {folder}", count=len(_CLIPS), folder=folder))
    _draw_clips(folder)
    narrate(
        tr("Captioning with the bundled demo model. It knows coloured moving shapes, nothing else.")
    )
    with catalog.write() as session:
        library.add_folder(session, folder)
    set_up_logging(quiet=True)
    with progress_shown(quiet=False) as on_progress:
        service = Service(catalog, settings, on_progress)
        outcome = service.run_until_idle()
    if outcome.failed or outcome.fault:
        summarise(outcome)
        return ExitCode.FAILED
    with catalog.read() as connection:
        views = list(browse.videos(connection, sorted(browse.video_ids(connection))))
        query = _query(views)
        hits = find(connection, query, limit=5).hits
    catalog.close()
    if options.json:
        emit_json(
            {"videos": [v.json() for v in views], "query": query, "hits": [h.json() for h in hits]}
        )
    else:
        _say(views, query, hits)
        narrate(tr("Look around: {command}", command=home.command("").strip()))
    return ExitCode.DONE if hits else ExitCode.FAILED


def _is_free(home: Home) -> bool:
    """Whether a home holds nothing yet, or nothing but an earlier demo."""
    if not home.catalog_file.exists():
        return True
    folder = os.fsencode(home.data_dir / "demo-clips") + b"/"
    with open_catalog(home).read() as connection:
        paths = [row[0] for row in connection.execute("SELECT path || x'2f' FROM folder")]
        paths += [row[0] for row in connection.execute("SELECT path FROM location")]
    return all(bytes(path).startswith(folder) for path in paths)


def _draw_clips(folder: Path) -> None:
    """The same clips every time: a second demo finds them captioned."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(_SEED)
    for name, counts, size in _CLIPS:
        clip = replace(random_clip(rng, counts=counts, size=size, held_out=True), fps=25.0)
        file = folder / f"{name}.mp4"
        if not file.exists():
            unfinished = folder / f".{name}.mp4"
            write_clip(unfinished, clip)
            unfinished.replace(file)


def _query(views: list[VideoView]) -> str:
    """A word that a person would search: the first object that a caption names, its particle attached."""
    for view in views:
        words = view.caption.text.split() if view.caption else []
        if len(words) > 3:
            return words[3]
    raise HaeseolError(
        "the demo model said nothing; reinstall haeseol, its checkpoint may be damaged"
    )


def _say(views: list[VideoView], query: str, hits: Sequence[HitView]) -> None:
    for view in views:
        say("")
        say(f"{shown(view.title)}  ({clock_time(view.duration or 0)}, {view.width}x{view.height})")
        say(f"  {shown(view.caption.text) if view.caption else ''}")
        for scene in view.scenes if len(view.scenes) > 1 else ():
            note = shown(scene.note.text) if scene.note else ""
            say(f"    {clock_time(scene.start)} - {clock_time(scene.end)}  {note}")
    say("")
    say(tr("Search: {query}", query=query))
    for hit in hits:
        say(f"  {shown(hit.title)}: {marked(hit.text, hit.highlights)}")
