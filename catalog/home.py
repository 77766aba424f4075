"""Where things lie: the only module that knows the folders of the XDG base directory specification."""

import os
import sys
from pathlib import Path
from typing import NamedTuple

from catalog.errors import UsageError

APP = "haeseol"


class Home(NamedTuple):
    """The folders of one installation. With `--home DIR` all of them lie under DIR."""

    config_dir: Path
    data_dir: Path
    cache_dir: Path
    explicit: bool
    """True when the person named the folder, so that messages repeat `--home`."""

    @property
    def config_file(self) -> Path:
        """The settings, in TOML."""
        return self.config_dir / "config.toml"

    @property
    def synonyms_file(self) -> Path:
        """The person's own synonyms, a text file."""
        return self.config_dir / "synonyms.txt"

    @property
    def catalog_file(self) -> Path:
        """The SQLite catalog."""
        return self.data_dir / "catalog.db"

    @property
    def backups_dir(self) -> Path:
        """Copies of the catalog, made before each migration."""
        return self.data_dir / "backups"

    @property
    def models_dir(self) -> Path:
        """Downloaded model weights, in the layout of the Hugging Face cache."""
        return self.data_dir / "models"

    @property
    def lock_file(self) -> Path:
        """Held by the one running daemon."""
        return self.data_dir / "daemon.lock"

    def command(self, arguments: str) -> str:
        """The command line that a message should show for this home."""
        option = f"--home {self.data_dir} " if self.explicit else ""
        return f"{_program()} {option}{arguments}"


def _program() -> str:
    """The name under which the person can call this program again."""
    import shutil  # here, as it brings five ways to compress along

    called = sys.argv[0]
    if os.path.basename(called) == APP and shutil.which(APP) is None:
        return os.path.abspath(called)  # out of an environment that is not on the path
    return APP


def find_home(directory: str | os.PathLike[str] | None = None) -> Home:
    """The folders in use: `--home`, else `HAESEOL_HOME`, else the XDG ones. Makes none of them."""
    chosen = directory or os.environ.get("HAESEOL_HOME")
    if chosen:
        root = _expanded(chosen).absolute()
        return Home(root, root, root / "cache", explicit=True)
    return Home(
        _xdg("XDG_CONFIG_HOME", ".config"),
        _xdg("XDG_DATA_HOME", ".local/share"),
        _xdg("XDG_CACHE_HOME", ".cache"),
        explicit=False,
    )


def _xdg(variable: str, default: str) -> Path:
    value = os.environ.get(variable, "")
    # The specification: a relative path in these variables is invalid and ignored.
    base = Path(value) if os.path.isabs(value) else Path.home() / default
    return base / APP


def given_path(name: str) -> Path:
    """A path as a person typed it, made absolute: `~` and `..` resolved, the last name kept.

    A video that is a symbolic link goes by the link's own name, as it does in a scan of its folder.
    """
    path = _expanded(name)
    if path.name in ("", "..") or path.is_dir():
        return path.resolve()
    return path.parent.resolve() / path.name


def given_folder(name: str) -> Path:
    """A folder as a person typed it. Raises `UsageError` if there is none."""
    path = given_path(name)
    if not path.is_dir():
        raise UsageError(f"{path} is no folder; check the name, or mount its disk first")
    return path


def _expanded(name: str | os.PathLike[str]) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError as error:  # `~nobody`
        raise UsageError(
            f"{os.fspath(name)}: there is no such user; write ./~… for a file"
        ) from error
