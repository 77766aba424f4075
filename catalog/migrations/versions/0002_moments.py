"""Scenes remember which of their moments are worth showing; the pace of late is found quickly."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds the column; scenes that were found before have no moments and are shown at even times."""
    op.execute("ALTER TABLE scene ADD COLUMN moments TEXT DEFAULT '[]' NOT NULL")
    op.execute("CREATE INDEX job_done ON job (finished_at) WHERE state = 'done'")
