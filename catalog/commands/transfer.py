"""The `export`, `import` and `completion` commands."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from catalog.database import open_catalog
from catalog.errors import ExitCode, UsageError
from catalog.home import Home
from catalog.language import tr
from catalog.terminal import narrate, say

EXPORT_NAME = "haeseol.jsonl"


def export(options: argparse.Namespace, home: Home) -> int:
    """The `export` command: JSON Lines to stdout, or into a file of a folder."""
    from catalog.sidecars.jsonl import export_lines

    lines = export_lines(open_catalog(home))
    if options.to is None:
        for line in lines:
            say(line)
        return ExitCode.DONE
    folder = Path(options.to).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A reader never sees half a file: it is written aside, then put in place.
        with tempfile.NamedTemporaryFile(
            "w", dir=folder, prefix=".haeseol-", encoding="utf-8", delete=False
        ) as file:
            file.writelines(line + "\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(folder / EXPORT_NAME)
    except OSError as error:
        raise UsageError(f"cannot write into {folder}: {error.strerror}") from error
    narrate(tr("Written: {path}", path=folder / EXPORT_NAME))
    return ExitCode.DONE


def import_file(options: argparse.Namespace, home: Home) -> int:
    """The `import` command: all lines of a file, or none."""
    from catalog.sidecars.jsonl import import_lines

    catalog = open_catalog(home)
    try:
        if options.file == "-":
            result = import_lines(catalog, sys.stdin, "stdin")
        else:
            with Path(options.file).expanduser().open(encoding="utf-8") as file:
                result = import_lines(catalog, file, options.file)
    except OSError as error:
        raise UsageError(f"cannot read {options.file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{options.file} is not UTF-8; convert it first") from error
    if result.added:
        from catalog.commands.index import bring_up_to_date

        bring_up_to_date(catalog)
    narrate(
        tr(
            "Imported: {added}. Known already, left as they were: {known}.",
            added=result.added,
            known=result.known,
        )
    )
    return ExitCode.DONE


def completion(options: argparse.Namespace, home: Home) -> int:
    """The `completion` command: a static script, so that Tab starts no Python."""
    import shtab

    from catalog.grammar import build_parser

    say(shtab.complete(build_parser(), shell=options.shell))
    return ExitCode.DONE
