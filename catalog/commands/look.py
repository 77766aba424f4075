"""The `list`, `show`, `history` and `status` commands: they only read."""

import argparse

from catalog import browse, overview
from catalog.clock import iso, now
from catalog.database import open_catalog
from catalog.errors import ExitCode, NotFoundError
from catalog.home import Home
from catalog.language import tr
from catalog.review import in_words
from catalog.safe_text import shown
from catalog.terminal import (
    clock_time,
    emit_json,
    emit_json_list,
    error_lines,
    narrate,
    say,
    status_word,
    video_line,
)
from catalog.views import CaptionView, JobView, VideoView


def list_videos(options: argparse.Namespace, home: Home) -> int:
    """The `list` command."""
    with open_catalog(home).read() as connection:
        ids = browse.video_ids(connection, options.status)
        views = browse.videos(connection, ids)
        if options.json:
            emit_json_list(view.json() for view in views)
            return ExitCode.DONE
        for view in views:
            say(video_line(view))
            if view.caption is not None:
                say(f"        {shown(view.caption.text)}")
            for line in error_lines(view):
                say(f"        {line}")
    if not ids and options.status:
        narrate(tr("No video answers to that."))
    elif not ids:
        narrate(
            tr(
                "The catalog is empty. Add a folder: {command}",
                command=home.command("add --watch ~/Videos"),
            )
        )
    return ExitCode.DONE


def show(options: argparse.Namespace, home: Home) -> int:
    """The `show` command."""
    with open_catalog(home).read() as connection:
        view = browse.video(connection, browse.find_video(connection, options.video))
    if options.json:
        emit_json(view.json())
    else:
        _say_video(view)
    return ExitCode.DONE


def _say_video(view: VideoView) -> None:
    say(video_line(view))
    for path in view.paths[1:]:
        say(tr("also at {path}", path=shown(path)))
    if view.width and view.fps:
        say(f"{view.width}x{view.height}  {view.fps:.2f} fps  {view.codec}")
    for line in error_lines(view):
        say(line)
    say("")
    say(shown(view.caption.text) if view.caption else tr("(no caption yet)"))
    if view.caption:
        say(f"  {_source(view.caption)}")
        _say_review(view.caption, "  ")
    for scene in view.scenes:
        text = shown(scene.note.text) if scene.note else tr("(no note yet)")
        say(f"  {clock_time(scene.start)} - {clock_time(scene.end)}  {text}")
        if scene.note:
            _say_review(scene.note, "      ")


def _say_review(caption: CaptionView, indent: str) -> None:
    """Why a person should look at a text."""
    for reason in caption.review:
        say(f"{indent}! {in_words(reason)}")


def _source(caption: CaptionView) -> str:
    if caption.origin == "human":
        return tr("written by a person, {when}", when=iso(caption.created_at))
    parts = [caption.model, caption.quantization, shown(caption.prompt), iso(caption.created_at)]
    return ", ".join(part for part in parts if part)


def history(options: argparse.Namespace, home: Home) -> int:
    """The `history` command: every revision of a text, the newest first."""
    with open_catalog(home).read() as connection:
        view = browse.video(connection, browse.find_video(connection, options.video))
        scene_id, current = None, view.caption
        if options.scene is not None:
            scene = next((one for one in view.scenes if one.index == options.scene), None)
            if scene is None:
                raise NotFoundError(f"video {view.id} has no scene {options.scene}")
            scene_id, current = scene.id, scene.note
        revisions = browse.revisions(connection, view.id, scene_id)
    current_id = None if current is None else current.id
    if options.json:
        emit_json_list(
            {
                **one.json(),
                "id": one.id,
                "current": one.id == current_id,
                "proposed": one.proposed,
                "provenance": one.provenance,
            }
            for one in revisions
        )
    for one in revisions if not options.json else ():
        mark = "*" if one.id == current_id else "?" if one.proposed else " "
        say(f"{mark} {shown(one.text)}")
        say(f"    {_source(one)}")
        _say_review(one, "    ")
        _say_making(one)
    return ExitCode.DONE


def _say_making(caption: CaptionView) -> None:
    """What was tried before a text was kept, and what was done otherwise than asked."""
    for remark in caption.provenance.get("remarks", ()):
        say(f"    {shown(str(remark))}")
    for number, one in enumerate(caption.provenance.get("tries", ()), 1):
        reasons = ", ".join(in_words(str(reason)) for reason in one["reasons"]) or tr("good")
        say(f"    {number}. {shown(str(one['step']))}: {shown(str(one['text']))} ({reasons})")


def status(options: argparse.Namespace, home: Home) -> int:
    """The `status` command."""
    with open_catalog(home).read() as connection:
        view = overview.status(connection, home)
    if options.json:
        emit_json(view.json())
        return ExitCode.DONE
    if view.daemon_running:
        say(
            tr(
                "daemon: running, process {pid}, model {model}",
                pid=view.daemon_pid,
                model=shown(view.daemon_model or "-"),
            )
        )
    else:
        say(tr("daemon: stopped. Start it: {command}", command=home.command("run")))
    if view.held:
        say(tr("resting: {reason}", reason=shown(view.held)))
    counts = ", ".join(f"{status_word(state)} {count}" for state, count in view.queue.items())
    say(tr("queue: {counts}", counts=counts) + (f" ({tr('paused')})" if view.paused else ""))
    if view.backlog_seconds:
        say(tr("about {time} of work, by the pace of late", time=clock_time(view.backlog_seconds)))
    for job in view.running:
        say("  " + job_progress(job))
    say(tr("videos: {videos}, scenes: {scenes}", videos=view.videos, scenes=view.scenes))
    for folder in view.folders:
        state = tr("{count} files", count=folder.files) if folder.present else tr("missing")
        say(f"  {shown(folder.path)}  {state}")
    say(tr("catalog: {path}, {size:.1f} MB", path=view.catalog_path, size=view.catalog_bytes / 1e6))
    return ExitCode.DONE


def job_progress(job: JobView) -> str:
    """A running job in one line: a bar, per cent, scenes done, path."""
    filled = round(job.progress * 20)
    scenes = "" if job.scenes_total is None else f" {job.scenes_done}/{job.scenes_total}"
    elapsed = "" if job.started_at is None else f" {clock_time(now() - job.started_at)}"
    bar = "#" * filled + "-" * (20 - filled)
    return f"[{bar}] {job.progress:4.0%}{scenes}{elapsed}  {shown(job.path)}"
