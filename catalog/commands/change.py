"""The `add`, `edit` and `undo` commands."""

import argparse
import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.orm import Session

from catalog import browse, captions, ingest, library
from catalog import queue as jobs
from catalog.database import Catalog, open_catalog
from catalog.errors import CodedError, ExitCode, NotFoundError, UsageError
from catalog.home import Home, given_path
from catalog.language import tr
from catalog.paths import path_key
from catalog.prompts import custom
from catalog.safe_text import shown
from catalog.schema import Scene, Video
from catalog.terminal import emit_json_list, narrate, say
from catalog.views import Json


def add(options: argparse.Namespace, home: Home) -> int:
    """The `add` command: files and folders into the queue, at once and without waiting for rest."""
    if options.prompt:
        custom(options.prompt)
    catalog = open_catalog(home)
    taken: list[Json] = []
    failures = 0
    for file in _files(catalog, options):
        try:
            if isinstance(file, UsageError):
                raise file
            video_id, placement = ingest.take_file(
                catalog, os.fsencode(file), prompt=options.prompt or "", priority=options.priority
            )
            _ask_again(catalog, video_id, placement, options)
        except (CodedError, UsageError) as error:
            narrate(f"haeseol: {shown(str(error))}")
            failures += 1
            continue
        path = path_key(os.fsencode(file))
        taken.append({"video": {"id": video_id, "path": path}, "placement": placement.value})
        if not options.json:
            say(f"{video_id:>6}  {tr(placement.value)}  {shown(path)}")
    if options.json:
        emit_json_list(taken)
    if failures:
        return ExitCode.PARTIAL if taken else ExitCode.FAILED
    return ExitCode.DONE


def _files(catalog: Catalog, options: argparse.Namespace) -> Iterator[Path | UsageError]:
    """Every file that the arguments name; a name that leads nowhere gives its error instead."""
    for name in options.paths:
        path = given_path(name)
        if path.is_dir():
            if options.watch:
                with catalog.write() as session:
                    library.add_folder(session, path)
            for raw in ingest.walk(os.fsencode(path), photos=_wants_photos(catalog.home)):
                yield Path(os.fsdecode(raw))
        elif path.is_file():
            yield path
        else:
            yield UsageError(f"{path} does not exist, or is no file; check the name")


def _wants_photos(home: Home) -> bool:
    from catalog.settings import load_settings  # a fifth of a second, and only folders need it

    return load_settings(home).photos


def _ask_again(
    catalog: Catalog, video_id: int, placement: library.Placement, options: argparse.Namespace
) -> None:
    """A known video is captioned again only where the person asks for something of their own."""
    if placement is library.Placement.NEW or not (options.prompt or options.priority):
        return
    with catalog.write() as session:
        if options.prompt or session.get_one(Video, video_id).caption_id is None:
            jobs.put(session, video_id, prompt=options.prompt or "", priority=options.priority)


def edit(options: argparse.Namespace, home: Home) -> int:
    """The `edit` command: a person's text, from `--text` or from their editor."""
    catalog = open_catalog(home)
    with catalog.read() as connection:
        video_id = browse.find_video(connection, options.video)
        view = browse.video(connection, video_id)
    with catalog.write() as session:
        scene = _scene(session, video_id, options.scene)
        scene_id = None if scene is None else scene.id
    if options.accept or options.drop:
        return _decide(catalog, video_id, scene_id, accept=options.accept)
    current = view.caption
    if scene is not None:
        current = next(one.note for one in view.scenes if one.id == scene.id)
    text = options.text
    if text is None:
        text = _from_editor("" if current is None else current.text)
        if current is not None and text.strip() == current.text:
            narrate(tr("Nothing was changed."))
            return ExitCode.DONE
    expected = None if current is None or options.text is not None else current.id
    try:
        with catalog.write() as session:
            captions.edit(session, video_id, text, scene_id=scene_id, expected_id=expected)
    except captions.ConflictError as error:
        kept = home.data_dir / f"unsaved-{video_id}.txt"
        kept.write_text(text + "\n", encoding="utf-8")
        raise captions.ConflictError(f"{error}. Your text is kept in {kept}") from error
    narrate(tr("Saved. `undo` brings back the text before."))
    return ExitCode.DONE


def _decide(catalog: Catalog, video_id: int, scene_id: int | None, *, accept: bool) -> int:
    """Takes the model's text that waits beside a person's, or puts it aside."""
    with catalog.write() as session:
        revisions = captions.history(session, video_id, scene_id=scene_id)
        waiting = [one for one in revisions if one.proposed]
        if not waiting:
            raise NotFoundError(f"no text of the model waits for video {video_id}")
        text = waiting[0].text
        if accept:
            captions.accept(session, waiting[0].id)
        else:
            captions.drop(session, waiting[0].id)
            narrate(tr("Put aside; `history` still has it:"))
    say(shown(text))
    return ExitCode.DONE


def _scene(session: Session, video_id: int, index: int | None) -> Scene | None:
    return None if index is None else captions.find_scene(session, video_id, index)


def _from_editor(text: str) -> str:
    """Lets the person edit a text in `$VISUAL` or `$EDITOR`. Raises `UsageError`."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="haeseol-") as folder:
        file = Path(folder) / "caption.txt"
        file.write_text(text + "\n", encoding="utf-8")
        try:
            subprocess.run([*shlex.split(editor), str(file)], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise UsageError(
                f"the editor {editor!r} did not end well ({error}); set EDITOR, or use --text"
            ) from error
        return file.read_text(encoding="utf-8").strip()


def undo(options: argparse.Namespace, home: Home) -> int:
    """The `undo` command."""
    catalog = open_catalog(home)
    with catalog.read() as connection:
        video_id = browse.find_video(connection, options.video)
    with catalog.write() as session:
        scene = _scene(session, video_id, options.scene)
        before = captions.undo(session, video_id, scene_id=None if scene is None else scene.id)
        text = None if before is None else before.text
    say(shown(text) if text is not None else tr("(no caption yet)"))
    return ExitCode.DONE
