"""Opening, migrating and backing up."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.schema import CreateIndex

import catalog.database as database
from catalog import library
from catalog.database import Catalog, connect_readonly, make_engine, open_catalog
from catalog.errors import HaeseolError, UsageError
from catalog.home import Home, find_home
from catalog.schema import Base, Job
from catalog.sqlite import sqlite3


def test_the_newest_migration_is_the_one_that_opening_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == database.HEAD


def test_the_migrations_make_what_the_mapped_classes_say(catalog: Catalog) -> None:
    engine = make_engine(catalog.path)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_name": lambda name, kind, parent: not (name or "").startswith("search_")
            },
        )
        differences = [
            one
            for one in compare_metadata(context, Base.metadata)
            # An index with DESC cannot be read back as such; it is compared by its SQL below.
            if not any(
                name in str(one) for name in ("alembic_version", "search_index", "job_ready")
            )
        ]
    ready = next(index for index in Job.__table__.indexes if index.name == "job_ready")
    statement = str(CreateIndex(ready).compile(engine))
    engine.dispose()
    assert differences == []
    with catalog.read() as connection:
        made = connection.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'job_ready'"
        ).fetchone()
    assert made[0] == statement


def test_the_bundled_sqlite_is_free_of_the_wal_reset_bug() -> None:
    assert tuple(map(int, sqlite3.sqlite_version.split("."))) >= (3, 51, 3)


def test_a_failed_transaction_leaves_nothing(catalog: Catalog) -> None:
    def fail_midway() -> None:
        with catalog.write() as session:
            session.execute(text("INSERT INTO state VALUES ('a', '1', 0)"))
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        fail_midway()
    with catalog.read() as connection:
        assert connection.execute("SELECT count(*) FROM state").fetchone()[0] == 0


def test_readers_cannot_write(catalog: Catalog) -> None:
    with catalog.read() as connection, pytest.raises(sqlite3.OperationalError):
        connection.execute("DELETE FROM video")


def test_a_migration_is_preceded_by_a_backup(home: Home) -> None:
    open_catalog(home).close()
    raw = sqlite3.connect(str(home.catalog_file))
    raw.execute("INSERT INTO state VALUES ('kept', '1', 0)")
    raw.execute("UPDATE alembic_version SET version_num = '0000'")
    raw.commit()
    raw.close()
    with pytest.raises(Exception, match="0000"):  # no such revision: a catalog of a later version
        open_catalog(home)
    (copy,) = home.backups_dir.glob("*.db")
    kept = connect_readonly(copy)
    assert kept.execute("SELECT count(*) FROM state").fetchone()[0] == 1
    kept.close()


def test_a_first_catalog_gains_moments_and_loses_nothing(home: Home) -> None:
    home.data_dir.mkdir(parents=True)
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    engine = make_engine(home.catalog_file)
    config.attributes["engine"] = engine
    command.upgrade(config, "0001")
    with engine.connect() as connection, connection.begin():
        connection.execute(
            text(
                "INSERT INTO video (id, content_id, size, title, status, added_at)"
                " VALUES (1, 'a', 1, '제목', 'captioned', 0)"
            )
        )
        connection.execute(
            text(
                'INSERT INTO scene (id, video_id, idx, start, "end", keyframe)'
                " VALUES (1, 1, 0, 0.0, 2.0, 1.0)"
            )
        )
    engine.dispose()
    catalog = open_catalog(home)
    with catalog.write() as session:
        (scene,) = library.scenes_of(session, 1)
        assert (scene.end, scene.moments) == (2.0, [])
        scene.moments = [0.5]
    catalog.close()
    (copy,) = home.backups_dir.glob("catalog-before-*-from-0001.db")
    kept = connect_readonly(copy)
    assert kept.execute("SELECT count(*) FROM scene").fetchone()[0] == 1
    kept.close()


def test_a_file_that_is_no_catalog_is_refused_in_words(home: Home) -> None:
    home.data_dir.mkdir(parents=True)
    home.catalog_file.write_bytes(b"this is no database at all" * 50)
    with pytest.raises(HaeseolError, match=r"catalog\.db.*backups"):
        open_catalog(home)


def test_a_home_that_cannot_be_made_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot make the folder"):
        open_catalog(find_home(tmp_path / "file" / "home"))


def test_the_catalog_is_private(home: Home) -> None:
    open_catalog(home).close()
    assert home.catalog_file.stat().st_mode & 0o777 == 0o600
    assert home.data_dir.stat().st_mode & 0o777 == 0o700
