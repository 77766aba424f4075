"""What opening the terminal UI loads: it must start fast, and knows nothing of the daemon."""

import subprocess
import sys

HEAVY = ("torch", "av", "transformers", "watchdog", "apscheduler", "sqlalchemy", "PIL", "daemon")


def loaded_by(module: str) -> set[str]:
    code = f"import sys, {module}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in run.stdout.split()}


def test_the_app_loads_nothing_heavy() -> None:
    assert not loaded_by("tui.app") & set(HEAVY)


def test_the_command_does_not_load_textual() -> None:
    assert not loaded_by("tui.commands") & {"textual", *HEAVY}
