"""The wheel: everything that the program reads at run time is in it, and the model is small."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MEGABYTE = 1_000_000


def uv() -> str:
    """The uv of this environment, or one on the path."""
    own = Path(sys.executable).parent / "uv"
    found = str(own) if own.exists() else shutil.which("uv")
    if found is None:
        pytest.skip("needs uv")
    return found


def test_the_wheel_is_complete(tmp_path: Path) -> None:
    command = [uv(), "build", "--wheel", "--quiet", "--out-dir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    tracked = subprocess.run(
        ["git", "ls-files", "catalog", "daemon", "tui"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert set(tracked) <= set(sizes)
    weights = sizes["daemon/captioner/demo/checkpoint/model.safetensors"]
    assert weights <= 15 * MEGABYTE
    assert not any(name.startswith("tests/") for name in sizes)


def test_no_lock_names_a_registry() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert "--hash=sha256:" in lock
