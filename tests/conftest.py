"""Fixtures that every package's tests share: a fresh home, and the one loaded demo model."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from catalog.database import Catalog, open_catalog
from catalog.home import Home, find_home
from catalog.language import choose_language
from catalog.search.index import indexing
from catalog.search.index.analysis import Analyser

if TYPE_CHECKING:
    from daemon.captioner.local import LocalCaptioner


def pytest_report_header() -> str:
    """Names the SQLite in use, since its version matters."""
    from catalog.sqlite import sqlite3

    return f"SQLite {sqlite3.sqlite_version}"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests leaks in, and messages are English."""
    for variable in list(os.environ):
        if variable.startswith("HAESEOL_"):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    choose_language("en")


@cache
def shared_analyser() -> Analyser:
    """The analyser, loaded once for all tests: it takes a second."""
    return Analyser()


@pytest.fixture(autouse=True)
def one_analyser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a test brings an index up to date in its own process, the shared analyser reads."""
    monkeypatch.setattr(indexing, "Analyser", shared_analyser)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home folder."""
    return find_home(tmp_path / "home")


@pytest.fixture
def catalog(home: Home) -> Iterator[Catalog]:
    """An empty catalog."""
    opened = open_catalog(home)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def demo_captioner() -> "LocalCaptioner":
    """The bundled model, loaded once for all tests."""
    from daemon.captioner.checkpoints import Checkpoint
    from daemon.captioner.local import LocalCaptioner
    from daemon.captioner.profiles import DEMO_CHECKPOINT

    return LocalCaptioner(Checkpoint("demo", DEMO_CHECKPOINT, "none", 8), device="cpu")
