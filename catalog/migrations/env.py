"""Runs migrations on the engine that `catalog.database` hands over."""

from alembic import context

from catalog.schema import Base

engine = context.config.attributes["engine"]

with engine.connect() as connection:
    # A batch operation copies and drops a table, and foreign keys would cascade the drop into its
    # children. The pragma has no effect inside a transaction, so it stands before the first one.
    raw = connection.connection.dbapi_connection
    raw.execute("PRAGMA foreign_keys = off")
    context.configure(connection=connection, target_metadata=Base.metadata, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
    broken = raw.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise RuntimeError(f"the migration left dangling references: {broken[:5]}")
