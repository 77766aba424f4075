#!/usr/bin/env python3
"""Sets up `.venv` beside this file and runs one task in it. Needs Python 3.11 to 3.13 with pip, nothing else.

python3 setup_env.py demo     set up, then caption sample clips with the bundled model
python3 setup_env.py test     set up, then lint, type checks and the whole test suite
python3 setup_env.py lock     write requirements.lock anew from pyproject.toml
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"


def run(*command: str | Path) -> None:
    """Runs a command in the project's folder; its failure is ours."""
    print("+", *command, file=sys.stderr, flush=True)
    code = subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode
    if code:
        sys.exit(code)


def set_up() -> None:
    """Makes the environment out of the lock file, unless it stands already."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        sys.exit(f"haeseol needs Python 3.11, 3.12 or 3.13; this is {sys.version.split()[0]}")
    wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    stamp = VENV / "haeseol-lock.sha256"
    if not (stamp.exists() and stamp.read_text() == wanted):
        # Without pip inside: distributions that ship pip apart from venv can make no other.
        run(sys.executable, "-m", "venv", "--clear", "--without-pip", VENV)
        run(sys.executable, "-m", "pip", "--python", PYTHON, "install", "--quiet", "uv")
        run(VENV / "bin" / "uv", "pip", "install", "--quiet", "--python", PYTHON,
            "--require-hashes", "--compile-bytecode", "-r", LOCK)  # fmt: skip
        stamp.write_text(wanted)
    run(VENV / "bin" / "uv", "pip", "install", "--quiet", "--python", PYTHON,
        "--no-deps", "--editable", ROOT)  # fmt: skip


def test(arguments: Sequence[str]) -> None:
    """Everything that must be clean before a change lands."""
    binaries = VENV / "bin"
    run(binaries / "ruff", "check", ".")
    run(binaries / "ruff", "format", "--check", ".")
    run(binaries / "lint-imports")
    run(binaries / "mypy")
    run(PYTHON, "-m", "pytest", *arguments)


def lock() -> None:
    """Resolves for every supported Python, with hashes and without naming where packages come from."""
    run(VENV / "bin" / "uv", "pip", "compile", "pyproject.toml", "--group", "dev", "--universal",
        "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links",
        "--no-annotate", "--no-header", "--upgrade", "-o", LOCK)  # fmt: skip


def main() -> None:
    """Reads the task's name."""
    task = sys.argv[1] if len(sys.argv) > 1 else ""
    if task not in ("demo", "test", "lock"):
        sys.exit(__doc__)
    set_up()
    if task == "demo":
        os.execv(VENV / "bin" / "haeseol", ["haeseol", "demo", *sys.argv[2:]])
    elif task == "test":
        test(sys.argv[2:])
    else:
        lock()


if __name__ == "__main__":
    main()
