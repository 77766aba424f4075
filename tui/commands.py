"""The `haeseol` command without arguments: the terminal UI."""

import argparse
import sys

from catalog.errors import ExitCode
from catalog.home import Home
from catalog.language import tr


def open_terminal_ui(options: argparse.Namespace, home: Home) -> int:
    """The command without arguments."""
    return open_tui(home)


def open_tui(home: Home) -> int:
    """Shows the catalog of a home until the person leaves. Returns the exit code.

    Raises what `open_catalog` raises.
    """
    # Textual draws on standard error, so it must be the terminal as well.
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        sentence = tr(
            "The catalog opens in a terminal only. For other programs there is `{command}`.",
            command=home.command("list --json"),
        )
        print(sentence, file=sys.stderr)
        return ExitCode.USAGE

    from catalog.database import open_catalog

    catalog = open_catalog(home)
    try:
        # Textual takes 0.2 s to import.
        from tui.app import HaeseolApp

        return HaeseolApp(catalog).run() or ExitCode.DONE
    finally:
        catalog.close()
