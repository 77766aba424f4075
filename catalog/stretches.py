"""The checkpoints of the search for scenes: what was found in the parts of a video searched so far.

They are kept for the videos whose scenes are being searched, and go once the scenes are recorded.
"""

from sqlalchemy import delete
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from catalog.schema import Stretch
from catalog.sqlite import sqlite3


def keep(session: Session, video_id: int, index: int, recipe: str, found: bytes) -> None:
    """Stores what was found in a part of a video. `recipe` names the way it was searched."""
    row = insert(Stretch).values(video_id=video_id, idx=index, recipe=recipe, found=found)
    session.execute(
        row.on_conflict_do_update(
            index_elements=[Stretch.video_id, Stretch.idx],
            set_={"recipe": row.excluded.recipe, "found": row.excluded.found},
        )
    )


def kept(connection: sqlite3.Connection, video_id: int, recipe: str) -> dict[int, bytes]:
    """What was found so far in that way, by the index of the part."""
    rows = connection.execute(
        "SELECT idx, found FROM stretch WHERE video_id = ? AND recipe = ?", (video_id, recipe)
    )
    return dict(rows.fetchall())


def forget(session: Session, video_id: int) -> None:
    """Drops what was found in a video."""
    session.execute(delete(Stretch).where(Stretch.video_id == video_id))
