"""What the search for scenes has found in a part of a video is kept until it is through."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Adds the table."""
    op.execute(
        """
        CREATE TABLE stretch (
            video_id INTEGER NOT NULL,
            idx INTEGER NOT NULL,
            recipe TEXT NOT NULL,
            found BLOB NOT NULL,
            CONSTRAINT stretch_pk PRIMARY KEY (video_id, idx),
            FOREIGN KEY (video_id) REFERENCES video (id) ON DELETE CASCADE
        ) STRICT
        """
    )
