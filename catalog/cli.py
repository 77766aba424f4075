"""The command `haeseol`: reads the command line, calls a function, and puts errors into words.

Functions are named by text and imported when they are called, so a command costs no more than it uses.
It is also what lets one command reach all three packages while `catalog` imports neither of the others.
"""

import argparse
import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from catalog.errors import (
    CodedError,
    ErrorCode,
    ExitCode,
    HaeseolError,
    LockedError,
    NotFoundError,
    UsageError,
)
from catalog.grammar import build_parser
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
        code = int(_function(options.function)(options, find_home(options.home)))
        # Now rather than at exit, where a reader that has left could not be answered to.
        sys.stdout.flush()
        return code
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
    parser = build_parser(_early_command(arguments))
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


def _early_command(arguments: Sequence[str]) -> str | None:
    """The command, where nothing but `--home` and `--lang` stands before it."""
    rest = iter(arguments)
    for argument in rest:
        if argument in ("--home", "--lang"):
            next(rest, None)
        elif not argument.startswith(("--home=", "--lang=")):
            return argument
    return None


def _early_value(arguments: Sequence[str], option: str) -> str | None:
    """The value of an option before the parser runs: help texts depend on the language."""
    for index, argument in enumerate(arguments):
        if argument == option:
            return arguments[index + 1] if index + 1 < len(arguments) else None
        if argument.startswith(option + "="):
            return argument.partition("=")[2]
    return None


def _function(name: str) -> Command:
    """Imports a command. Modules are no garbage, and looking for some takes a tenth of a search."""
    module, _, function = name.partition(":")
    collecting = gc.isenabled()
    gc.disable()
    try:
        command: Command = getattr(import_module(module), function)
    finally:
        if collecting:
            gc.enable()
    return command


if __name__ == "__main__":
    sys.exit(main())
