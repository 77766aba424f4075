"""The `folders` command: which folders are watched, and how."""

import argparse

from catalog import library, overview
from catalog.database import open_catalog
from catalog.errors import ExitCode, UsageError
from catalog.home import Home, given_folder, given_path
from catalog.language import tr
from catalog.prompts import custom
from catalog.safe_text import shown
from catalog.schema import Folder
from catalog.terminal import emit_json_list, narrate, say


def folders(options: argparse.Namespace, home: Home) -> int:
    """The `folders` command."""
    catalog = open_catalog(home)
    find = given_folder if options.action == "add" else given_path
    paths = [find(name) for name in options.paths]
    if options.action != "list":
        if not paths:
            raise UsageError(f"`folders {options.action}` needs a folder")
        if options.prompt:
            custom(options.prompt)
        with catalog.write() as session:
            for path in paths:
                if options.action == "add":
                    _configure(library.add_folder(session, path), options)
                elif options.action == "set":
                    _configure(library.find_folder(session, path), options)
                else:
                    session.delete(library.find_folder(session, path))
    with catalog.read() as connection:
        views = overview.folders(connection)
    if options.json:
        emit_json_list(view.json() for view in views)
        return ExitCode.DONE
    for view in views:
        state = tr("{count} files", count=view.files) if view.present else tr("missing")
        say(f"{shown(view.path)}  {state}" + (f"  {shown(view.prompt)}" if view.prompt else ""))
    if not views:
        narrate(
            tr(
                "No folder is watched. Add one: {command}",
                command=home.command("folders add ~/Videos"),
            )
        )
    return ExitCode.DONE


def _configure(folder: Folder, options: argparse.Namespace) -> None:
    if options.prompt is not None:
        folder.prompt = options.prompt or None
    if options.glossary is not None:
        folder.glossary = options.glossary or None
    if options.polling is not None:
        folder.polling = int(options.polling == "on")
    if options.recursive is not None:
        folder.recursive = int(options.recursive == "on")
