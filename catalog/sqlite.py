"""The SQLite that haeseol runs on.

SQLite before 3.51.3 can corrupt a WAL that two processes write (https://sqlite.org/wal.html#walresetbug),
which is what a daemon and a terminal UI do. `pysqlite3` bundles a version that is mended.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        from pysqlite3 import dbapi2 as sqlite3
    except ImportError:  # no wheel for this platform: the system's own, which `doctor` judges
        import sqlite3

__all__ = ["sqlite3"]
