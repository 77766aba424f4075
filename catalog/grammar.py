"""The grammar of the command line: every command, its options, and the function that it calls.

Shell completion and the tables of the README follow it. A function is named by text, so that nothing
is imported before its command is called.
"""

import argparse
import os
import sys
from typing import NoReturn

from catalog.language import tr


class _Parser(argparse.ArgumentParser):
    """One that does not guess shortened options: a later version may add one that is ambiguous."""

    def __init__(self, **options: object) -> None:
        options |= {"allow_abbrev": False, "add_help": False, "formatter_class": _Formatter}
        super().__init__(**options)  # type: ignore[arg-type]
        self._positionals.title, self._optionals.title = tr("arguments"), tr("options")
        self.add_argument("-h", "--help", action="help", help=tr("show this help and end"))


class _Formatter(argparse.HelpFormatter):
    """One that asks the terminal for its width itself: by shutil it would load three compressors."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


def _columns() -> int:
    try:
        return int(os.environ.get("COLUMNS") or os.get_terminal_size(sys.stdout.fileno()).columns)
    except (OSError, ValueError):
        return 80


class _Version(argparse.Action):
    """Prints the version and ends."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> NoReturn:
        # Imported here since it takes longer than a search: it reads mails, of all things.
        from importlib.metadata import version

        print(f"haeseol {version('haeseol')}")
        parser.exit()


def build_parser(command: str | None = None) -> "_Parser":
    """The whole grammar. Shell completion and the documentation are made from it.

    With `command` "search", the grammar of that command alone: it is called while somebody waits.
    """
    parser = _Parser(
        prog="haeseol",
        description=tr(
            "Captions your videos in Korean, on your own GPU. Without a command it opens the terminal UI."
        ),
    )
    parser.add_argument("--home", metavar="DIR", help=tr("keep everything under this one folder"))
    parser.add_argument("--lang", choices=("ko", "en"), help=tr("language of messages"))
    parser.add_argument("--version", action=_Version, nargs=0, help=tr("show the version and end"))
    parser.set_defaults(function="tui.commands:open_terminal_ui", json=False)
    commands = parser.add_subparsers(metavar=tr("COMMAND"), dest="command")
    everything = (
        _add_working,
        _add_models,
        _add_looking,
        _add_search,
        _add_index,
        _add_library,
        _add_texts,
        _add_queue,
        _add_transfer,
    )
    for add in (_add_search,) if command == "search" else everything:
        add(commands)
    return parser


_Commands = argparse._SubParsersAction  # the type has no public name


def _new(commands: "_Commands[_Parser]", name: str, function: str, text: str) -> _Parser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(function=function)
    return parser


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help=tr("print one JSON document"))


def _model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", metavar="M", help=tr("a preset of `models`, a hub id or a folder")
    )
    parser.add_argument(
        "--prompt", metavar="T", help=tr("what to ask the model, in place of the built-in prompt")
    )
    parser.add_argument("--frames", type=int, metavar="N", help=tr("frames a scene, 1 to 64"))


def _add_working(commands: "_Commands[_Parser]") -> None:
    demo = _new(
        commands,
        "demo",
        "daemon.commands.demo:demo",
        tr("make sample clips, caption them with the bundled demo model, and search"),
    )
    _json(demo)
    run = _new(
        commands,
        "run",
        "daemon.commands.run:run",
        tr("watch folders and caption, in the foreground"),
    )
    run.add_argument(
        "folders", nargs="*", metavar="FOLDER", help=tr("a folder to watch from now on")
    )
    run.add_argument(
        "--once",
        "--until-idle",
        action="store_true",
        help=tr("catch up, work until nothing is due, and end"),
    )
    run.add_argument("--model", metavar="M", help=tr("a preset of `models`, a hub id or a folder"))
    run.add_argument(
        "--quantization",
        choices=("auto", "nf4", "int8", "none"),
        help=tr("how weights are held in memory"),
    )
    run.add_argument(
        "--settle-seconds",
        type=float,
        metavar="S",
        help=tr("how long a file must rest before it is taken"),
    )
    run.add_argument("--quiet", action="store_true", help=tr("say only what went wrong"))


def _add_models(commands: "_Commands[_Parser]") -> None:
    caption = _new(
        commands,
        "caption",
        "daemon.commands.caption:caption",
        tr("caption one file and store nothing"),
    )
    caption.add_argument("file", metavar="FILE")
    _model_options(caption)
    caption.add_argument(
        "--quantization",
        choices=("auto", "nf4", "int8", "none"),
        help=tr("how weights are held in memory"),
    )
    _json(caption)
    models = _new(
        commands,
        "models",
        "daemon.commands.models:models",
        tr("list the models by name, and which one this machine would pick"),
    )
    models.add_argument("action", nargs="?", choices=("list", "download"), default="list")
    models.add_argument(
        "name", nargs="?", metavar="MODEL", help=tr("a preset or a hub id to download")
    )
    _json(models)


def _add_looking(commands: "_Commands[_Parser]") -> None:
    listing = _new(commands, "list", "catalog.commands.look:list_videos", tr("list the videos"))
    listing.add_argument(
        "--status",
        choices=("queued", "running", "captioned", "needs_review", "failed", "dead", "offline"),
        help=tr("only those of one status"),
    )
    _json(listing)
    show = _new(
        commands,
        "show",
        "catalog.commands.look:show",
        tr("show a video with its caption and scenes"),
    )
    show.add_argument("video", metavar="VIDEO", help=tr("an id or a path"))
    _json(show)
    history = _new(
        commands, "history", "catalog.commands.look:history", tr("show every revision of a text")
    )
    history.add_argument("video", metavar="VIDEO", help=tr("an id or a path"))
    history.add_argument("--scene", type=int, metavar="N", help=tr("of this scene, counted from 0"))
    _json(history)
    status = _new(
        commands, "status", "catalog.commands.look:status", tr("show daemon, queue and sizes")
    )
    _json(status)


def _add_search(commands: "_Commands[_Parser]") -> None:
    search = _new(
        commands,
        "search",
        "catalog.commands.search:search",
        tr("search captions, notes, titles, tags and paths"),
    )
    search.add_argument(
        "query", nargs="+", metavar="QUERY", help=tr('words, "phrases" and -exclusions')
    )
    search.add_argument(
        "--limit", type=int, default=20, metavar="N", help=tr("at most so many hits")
    )
    search.add_argument("--folder", metavar="F", help=tr("only below this folder"))
    search.add_argument(
        "--after", metavar="D", help=tr("only recorded or added since this date, as 2026-11-20")
    )
    _json(search)


def _add_index(commands: "_Commands[_Parser]") -> None:
    index = _new(
        commands,
        "index",
        "catalog.commands.index:index",
        tr("bring the search index up to date, make it anew, or check it"),
    )
    index.add_argument(
        "action",
        nargs="?",
        choices=("status", "update", "rebuild", "verify", "meaning"),
        default="status",
        help=tr("meaning: read texts for search by meaning, where that is switched on"),
    )
    index.add_argument(
        "--thorough", action="store_true", help=tr("verify: read every text anew and compare all")
    )
    index.add_argument(
        "--follow",
        type=float,
        metavar="S",
        help=tr("update: go on with new texts until none has come for so many seconds"),
    )
    _json(index)


def _add_library(commands: "_Commands[_Parser]") -> None:
    add = _new(commands, "add", "catalog.commands.change:add", tr("queue files or folders"))
    add.add_argument("paths", nargs="+", metavar="PATH")
    add.add_argument("--watch", action="store_true", help=tr("keep the folders watched"))
    add.add_argument(
        "--prompt", metavar="T", help=tr("what to ask the model, in place of the built-in prompt")
    )
    add.add_argument(
        "--priority", type=int, default=0, metavar="N", help=tr("higher ones go first")
    )
    _json(add)
    folders = _new(
        commands,
        "folders",
        "catalog.commands.folders:folders",
        tr("list, add, remove or set watched folders"),
    )
    folders.add_argument(
        "action", nargs="?", choices=("list", "add", "remove", "set"), default="list"
    )
    folders.add_argument("paths", nargs="*", metavar="FOLDER")
    folders.add_argument(
        "--prompt", metavar="T", help=tr("the folder's own prompt; empty for the built-in one")
    )
    folders.add_argument(
        "--glossary", metavar="T", help=tr("words and their proper spelling in this folder")
    )
    folders.add_argument(
        "--polling",
        choices=("on", "off"),
        help=tr("look again and again instead of waiting for events"),
    )
    folders.add_argument("--recursive", choices=("on", "off"), help=tr("take in the folders below"))
    _json(folders)


def _add_texts(commands: "_Commands[_Parser]") -> None:
    recaption = _new(
        commands,
        "recaption",
        "catalog.commands.recaption:recaption",
        tr("caption videos anew; a person's text stays, the new one waits beside it"),
    )
    recaption.add_argument("videos", nargs="*", metavar="VIDEO", help=tr("an id or a path"))
    which = recaption.add_mutually_exclusive_group()
    which.add_argument(
        "--failed", action="store_true", help=tr("those that failed or were given up")
    )
    which.add_argument(
        "--stale",
        action="store_true",
        help=tr("those captioned by another model or an older prompt"),
    )
    which.add_argument("--where", metavar="QUERY", help=tr("those that a search finds"))
    _model_options(recaption)
    recaption.add_argument("--dry-run", action="store_true", help=tr("only say which"))
    _json(recaption)
    edit = _new(
        commands,
        "edit",
        "catalog.commands.change:edit",
        tr("put your own text in place of the model's"),
    )
    edit.add_argument("video", metavar="VIDEO", help=tr("an id or a path"))
    edit.add_argument("--scene", type=int, metavar="N", help=tr("of this scene, counted from 0"))
    edit.add_argument("--text", metavar="T", help=tr("the text; without it your editor opens"))
    proposal = edit.add_mutually_exclusive_group()
    proposal.add_argument(
        "--accept", action="store_true", help=tr("take the model's text that waits beside yours")
    )
    proposal.add_argument(
        "--drop", action="store_true", help=tr("put the model's text that waits beside yours aside")
    )
    undo = _new(commands, "undo", "catalog.commands.change:undo", tr("go back to the text before"))
    undo.add_argument("video", metavar="VIDEO", help=tr("an id or a path"))
    undo.add_argument("--scene", type=int, metavar="N", help=tr("of this scene, counted from 0"))


def _add_queue(commands: "_Commands[_Parser]") -> None:
    jobs = _new(
        commands,
        "queue",
        "catalog.commands.queue:queue",
        tr("list, retry, cancel, pause or resume jobs"),
    )
    jobs.add_argument(
        "action", nargs="?", choices=("list", "retry", "cancel", "pause", "resume"), default="list"
    )
    jobs.add_argument(
        "jobs",
        nargs="*",
        type=_job_id,
        metavar="JOB",
        help=tr("job ids of `queue list`; all that apply without one"),
    )
    _json(jobs)


def _job_id(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise argparse.ArgumentTypeError(tr("a job id is a number of `queue list`"))
    return int(text)


def _add_transfer(commands: "_Commands[_Parser]") -> None:
    export = _new(
        commands,
        "export",
        "catalog.commands.transfer:export",
        tr("write the catalog for other programs"),
    )
    export.add_argument("--format", choices=("jsonl",), default="jsonl")
    export.add_argument(
        "--to", metavar="DIR", help=tr("the folder to write into; stdout without it")
    )
    take = _new(
        commands,
        "import",
        "catalog.commands.transfer:import_file",
        tr("take in a file of JSON Lines; `-` is stdin"),
    )
    take.add_argument("file", metavar="FILE.jsonl")
    completion = _new(
        commands,
        "completion",
        "catalog.commands.transfer:completion",
        tr("print a completion script for your shell"),
    )
    completion.add_argument("shell", choices=("bash", "zsh"))
