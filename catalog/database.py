"""Opening the catalog: one writing engine, read-only connections, and migrations after a backup."""

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from catalog.errors import HaeseolError, UsageError
from catalog.home import Home
from catalog.sqlite import sqlite3

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

HEAD = "0004"
"""The newest migration. A test holds it against `catalog/migrations/versions`."""

BUSY_SECONDS = 30.0
"""How long a connection waits for another process's write to end."""


class Catalog:
    """One catalog file.

    Writers go through `write`, one transaction at a time. Readers open a connection of their own with
    `connect_readonly`; they never wait for a writer.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self.path = home.catalog_file
        self._engine: Engine | None = None
        self._engine_lock = threading.Lock()

    @contextmanager
    def write(self) -> "Iterator[Session]":
        """A `BEGIN IMMEDIATE` transaction: committed on the way out, rolled back on any exception."""
        from sqlalchemy.orm import Session

        with self._engine_lock:
            if self._engine is None:
                self._engine = make_engine(self.path)
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    def connect_readonly(self) -> "sqlite3.Connection":
        """A connection that cannot write. Rows answer to column names."""
        return connect_readonly(self.path)

    @contextmanager
    def read(self) -> "Iterator[sqlite3.Connection]":
        """A read-only connection for one short look."""
        connection = self.connect_readonly()
        try:
            yield connection
        finally:
            connection.close()

    def close(self) -> None:
        """Closes the writing connection; the last one out folds the WAL into the catalog."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


def open_catalog(home: Home) -> Catalog:
    """Opens the catalog of a home, and makes or migrates it first where that is due.

    Raises `UsageError` if the folder cannot be used, `HaeseolError` if the file is no catalog of ours.
    """
    try:
        home.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {home.data_dir}: {error.strerror}") from error
    try:
        version = current_version(home.catalog_file)
        if version is not None and version > HEAD:
            raise HaeseolError(
                f"the catalog {home.catalog_file} was written by a newer haeseol (version {version} of "
                f"its tables, this one knows {HEAD}); update haeseol"
            )
        if version != HEAD:
            _migrate(home)
    except sqlite3.Error as error:
        raise HaeseolError(
            f"cannot open the catalog {home.catalog_file}: {error}. If the disk is sound, restore the "
            f"newest file of {home.backups_dir}"
        ) from error
    return Catalog(home)


def current_version(path: Path) -> str | None:
    """The migration that a catalog file stands at, or None where there is none yet."""
    if not path.exists():
        return None
    connection = connect_readonly(path)
    try:
        if not connection.execute(
            "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        ).fetchone():
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    finally:
        connection.close()
    return None if row is None else str(row[0])


def connect_readonly(path: Path) -> "sqlite3.Connection":
    """A connection that cannot write, for use from any one thread at a time."""
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=ro",
        uri=True,
        timeout=BUSY_SECONDS,
        check_same_thread=False,
        isolation_level=None,
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA query_only = on")
    connection.execute(
        "PRAGMA cache_size = -65536"
    )  # KiB, as far as it is needed: a search at a million notes
    return connection


def make_engine(path: Path) -> "Engine":
    """The writing engine: a single connection whose transactions begin IMMEDIATE.

    A deferred transaction that starts to write after another process did fails at once with
    SQLITE_BUSY_SNAPSHOT, whatever the timeout; an immediate one waits its turn.
    """
    from sqlalchemy import create_engine, event

    engine = create_engine(
        "sqlite://",
        module=sqlite3,
        creator=lambda: _connect_writer(path),
        poolclass=_queue_pool(),
        pool_size=1,
        max_overflow=0,
        pool_timeout=BUSY_SECONDS * 2,
    )

    @event.listens_for(engine, "begin")
    def begin_immediate(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _queue_pool() -> type[Any]:
    from sqlalchemy.pool import QueuePool

    return QueuePool


def _connect_writer(path: Path) -> "sqlite3.Connection":
    connection = sqlite3.connect(
        str(path), timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None
    )
    for pragma in (
        "journal_mode = wal",
        "foreign_keys = on",
        "recursive_triggers = on",
        "synchronous = normal",
        "temp_store = memory",
        # In KiB. The lexicon of search is written all over; with the default of 2 MB its pages come and go.
        "cache_size = -32768",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _migrate(home: Home) -> None:
    """Brings the catalog to `HEAD`, one process at a time, with a backup of what was there."""
    from alembic import command
    from alembic.config import Config

    with (home.data_dir / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        version = current_version(home.catalog_file)
        if version == HEAD:
            return
        if version is not None:
            backup(home, f"before-{HEAD}-from-{version}")
        new_file = not home.catalog_file.exists()
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        engine = make_engine(home.catalog_file)
        try:
            config.attributes["engine"] = engine
            command.upgrade(config, "head")
        finally:
            engine.dispose()
        if new_file:
            home.catalog_file.chmod(0o600)


def backup(home: Home, label: str) -> Path:
    """Copies the catalog with `VACUUM INTO`, which sees one consistent state. Returns the copy's path."""
    home.backups_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = home.backups_dir / f"catalog-{label}.db"
    target.unlink(missing_ok=True)
    connection = sqlite3.connect(str(home.catalog_file), timeout=BUSY_SECONDS)
    try:
        connection.execute("VACUUM INTO ?", (str(target),))
    finally:
        connection.close()
    return target
