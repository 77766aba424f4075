"""The layers, as they are at run time: what an import brings along."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "bitsandbytes", "av", "watchdog", "apscheduler"}


def imported_by(statement: str) -> set[str]:
    """The top-level modules that a statement loads, in a Python of its own."""
    code = f"{statement}; import sys; print(' '.join(sys.modules))"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    return {name.partition(".")[0] for name in output.split()}


@pytest.mark.parametrize(
    ("statement", "forbidden"),
    [
        ("import tui.app", HEAVY | {"daemon"}),
        ("import tui.commands", HEAVY | {"daemon", "textual"}),
        ("import catalog, catalog.library, catalog.queue", HEAVY | {"daemon", "tui", "textual"}),
        (
            "import catalog.commands.look",
            HEAVY | {"daemon", "tui", "textual", "sqlalchemy", "pydantic"},
        ),
        ("import catalog.cli", HEAVY | {"daemon", "tui", "textual", "sqlalchemy", "sqlite3"}),
        # A search is a process of 60 ms: dataclasses alone brings inspect along, a sixth of that.
        (
            "import catalog.cli, catalog.commands.search",
            HEAVY
            | {"daemon", "tui", "textual", "sqlalchemy", "pydantic", "kiwipiepy", "numpy"}
            | {"dataclasses", "inspect"},
        ),
        ("import daemon.service", {"torch", "bitsandbytes", "openai", "tui", "textual"}),
        ("import daemon.media", {"torch", "transformers", "tui", "av"}),
        ("import daemon.decoder.zygote", {"torch", "tui", "sqlalchemy", "pydantic"}),
    ],
)
def test_an_import_brings_no_more_than_its_layer(statement: str, forbidden: set[str]) -> None:
    assert imported_by(statement) & forbidden == set()
