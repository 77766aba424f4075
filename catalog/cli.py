"""The command `haeseol`: its grammar, and which function each command calls.

Functions are named by text and imported when they are called, so a command costs no more than it uses.
It is also what lets one command reach all three packages while `catalog` imports neither of the others.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version

from catalog.errors import (
    CodedError,
    ErrorCode,
    ExitCode,
    HaeseolError,
    LockedError,
    NotFoundError,
    UsageError,
)
from catalog.home import Home, find_home
from catalog.language import choose_language, tr

Command = Callable[[argparse.Namespace, Home], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line and returns its exit code. Every error of a person is one sentence."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        choose_language(
            _early_value(arguments, "--lang"),
            find_home(_early_value(arguments, "--home")).config_file,
        )
        options = _parsed(arguments)
        if options.json:
            # JSON is UTF-8 whatever the locale says.
            sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        return int(_function(options.function)(options, find_home(options.home)))
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough; stdout must not be flushed into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except Exception as error:
        return _complain(error)


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Reads the command line. In a search, `-word` is an exclusion, not an option."""
    parser = build_parser()
    options, unknown = parser.parse_known_args(arguments)
    if options.command == "search" and not any(one.startswith("--") for one in unknown):
        options.query += unknown
    elif unknown:
        parser.error(tr("unknown: {arguments}", arguments=" ".join(unknown)))
    return options


_CODES: tuple[tuple[type[HaeseolError], ExitCode], ...] = (
    (NotFoundError, ExitCode.FAILED),
    (UsageError, ExitCode.USAGE),
    (LockedError, ExitCode.USAGE),
)


def _complain(error: Exception) -> ExitCode:
    """Says what went wrong in one sentence. Raises what is nobody's mistake but ours."""
    from catalog.safe_text import shown

    if not isinstance(error, HaeseolError):
        if type(error).__module__.partition(".")[0] not in ("sqlalchemy", "sqlite3", "pysqlite3"):
            raise error
        cause = getattr(error, "orig", None) or error
        error = HaeseolError(
            f"the catalog cannot be used now: {cause}. Check the disk, its free space and the "
            "permissions, then try again"
        )
    sys.stderr.write(f"haeseol: {shown(str(error))}\n")
    if isinstance(error, CodedError) and error.code is ErrorCode.MODEL_UNAVAILABLE:
        return ExitCode.USAGE
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.FAILED)


def _early_value(arguments: Sequence[str], option: str) -> str | None:
    """The value of an option before the parser runs: help texts depend on the language."""
    for index, argument in enumerate(arguments):
        if argument == option:
            return arguments[index + 1] if index + 1 < len(arguments) else None
        if argument.startswith(option + "="):
            return argument.partition("=")[2]
    return None


def _function(name: str) -> Command:
    module, _, function = name.partition(":")
    command: Command = getattr(import_module(module), function)
    return command


class _Parser(argparse.ArgumentParser):
    """One that does not guess shortened options: a later version may add one that is ambiguous."""

    def __init__(self, **options: object) -> None:
        super().__init__(allow_abbrev=False, add_help=False, **options)  # type: ignore[arg-type]
        self._positionals.title, self._optionals.title = tr("arguments"), tr("options")
        self.add_argument("-h", "--help", action="help", help=tr("show this help and end"))


def build_parser() -> "_Parser":
    """The whole grammar. Shell completion and the documentation are made from it."""
    parser = _Parser(
        prog="haeseol",
        description=tr(
            "Captions your videos in Korean, on your own GPU. Without a command it opens the terminal UI."
        ),
    )
    parser.add_argument("--home", metavar="DIR", help=tr("keep everything under this one folder"))
    parser.add_argument("--lang", choices=("ko", "en"), help=tr("language of messages"))
    parser.add_argument(
        "--version",
        action="version",
        version=f"haeseol {version('haeseol')}",
        help=tr("show the version and end"),
    )
    parser.set_defaults(function="tui.commands:open_terminal_ui", json=False)
    commands = parser.add_subparsers(metavar=tr("COMMAND"), dest="command")
    for add in (_add_working, _add_looking, _add_changing, _add_transfer):
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
    search = _new(
        commands,
        "search",
        "catalog.commands.look:search",
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


def _add_changing(commands: "_Commands[_Parser]") -> None:
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
    edit.add_argument(
        "--accept", action="store_true", help=tr("take the model's text that waits beside yours")
    )
    undo = _new(commands, "undo", "catalog.commands.change:undo", tr("go back to the text before"))
    undo.add_argument("video", metavar="VIDEO", help=tr("an id or a path"))
    undo.add_argument("--scene", type=int, metavar="N", help=tr("of this scene, counted from 0"))
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


if __name__ == "__main__":
    sys.exit(main())
