"""Whether search goes by meaning too: a cheap look at one setting, since searches start often."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.home import Home

if TYPE_CHECKING:
    from catalog.search.meaning.asking import Meaning

_KEY = "meaning_model"


def meaning_model(home: Home) -> Path | None:
    """The folder of the model for search by meaning; None where that is off.

    The settings are read only if the file or the environment mentions the key, since reading them
    takes 0.2 s. Raises `UsageError` if they are wrong.
    """
    if not _mentioned(home):
        return None
    from catalog.settings import load_settings

    return load_settings(home).meaning_model


def open_meaning(home: Home) -> "Meaning | None":
    """Search by meaning, for the caller to close; None where it is off. Raises `UsageError`."""
    folder = meaning_model(home)
    if folder is None:
        return None
    from catalog.search.meaning.asking import Meaning

    return Meaning(home, folder)


@contextmanager
def by_meaning(home: Home) -> Iterator["Meaning | None"]:
    """Search by meaning for a while; None where it is off. Raises `UsageError`."""
    meaning = open_meaning(home)
    try:
        yield meaning
    finally:
        if meaning is not None:
            meaning.close()


def _mentioned(home: Home) -> bool:
    if any(name.lower() == f"haeseol_{_KEY}" for name in os.environ):
        return True
    try:
        return _KEY.encode() in home.config_file.read_bytes()
    except OSError:  # mostly since there is none
        return False
