"""Reading the catalog: plain SQL on a read-only connection, frozen views out of it.

No SQLAlchemy here: a command that only looks must start fast.
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence

from catalog.errors import NotFoundError
from catalog.home import given_path
from catalog.paths import path_key
from catalog.sqlite import sqlite3
from catalog.views import (
    CaptionView,
    JobView,
    SceneView,
    VideoView,
)

Connection = sqlite3.Connection
Row = sqlite3.Row
_BATCH = 400
_LONGEST_ID = 19
OPEN_STATES = ("queued", "running", "failed", "dead")
OPEN_JOBS = "job.state IN ('queued', 'running', 'failed', 'dead')"
"""Spelt as in the index `job_open`, so that SQLite sees that the index serves."""


def count_videos(connection: Connection) -> int:
    """How many videos the catalog holds."""
    return int(connection.execute("SELECT count(*) FROM video").fetchone()[0])


def video_ids(connection: Connection, status: str | None = None) -> list[int]:
    """Every video, the newest first; or those of one status."""
    where, values = ("WHERE status = ?", (status,)) if status else ("", ())
    rows = connection.execute(f"SELECT id FROM video {where} ORDER BY id DESC", values)
    return [row[0] for row in rows]


def find_video(connection: Connection, reference: str) -> int:
    """The id behind what a person typed: an id, else a path. Raises `NotFoundError`."""
    if reference.isdecimal() and len(reference) < _LONGEST_ID:
        row = connection.execute("SELECT id FROM video WHERE id = ?", (int(reference),)).fetchone()
        if row is not None:
            return int(row[0])
    raw = os.fsencode(given_path(reference))
    key = path_key(raw)
    row = connection.execute(
        "SELECT video_id FROM location WHERE path = ? OR path_key = ? ORDER BY path = ? DESC",
        (raw, key, raw),
    ).fetchone()
    if row is None:
        raise NotFoundError(
            f"the catalog holds no video {reference!r}; give an id or a path of `haeseol list`"
        )
    return int(row[0])


def video(connection: Connection, video_id: int) -> VideoView:
    """One video. Raises `NotFoundError`."""
    found = next(videos(connection, [video_id]), None)
    if found is None:
        raise NotFoundError(f"there is no video {video_id} in the catalog; see `haeseol list`")
    return found


def videos(connection: Connection, ids: Sequence[int]) -> Iterator[VideoView]:
    """The videos of those ids, in that order; ids that are gone are left out."""
    for start in range(0, len(ids), _BATCH):
        yield from _batch(connection, ids[start : start + _BATCH])


def _batch(connection: Connection, ids: Sequence[int]) -> Iterator[VideoView]:
    rows = {row["id"]: row for row in _of(connection, "SELECT * FROM video WHERE id IN", ids)}
    paths = _grouped(
        connection, "video_id, path FROM location", ids, "online DESC, last_seen DESC, id"
    )
    scenes = _grouped(
        connection, 'id, video_id, idx, start, "end", keyframe, caption_id FROM scene', ids, "idx"
    )
    tags = _grouped(connection, "video_id, name FROM tag", ids, "name")
    jobs = {job.video_id: job for job in _jobs(connection, "job.video_id IN", ids)}
    wanted = [row["caption_id"] for row in rows.values()]
    wanted += [row["caption_id"] for group in scenes.values() for row in group]
    homeless = [video_id for video_id in ids if not paths[video_id]]
    last_paths: dict[int, str] = dict(
        tuple(row)
        for row in _of(
            connection,
            "SELECT video_id, text FROM document WHERE field = 'path' AND video_id IN",
            homeless,
        )
    )
    texts = _captions(connection, [caption_id for caption_id in wanted if caption_id is not None])
    for video_id in ids:
        if video_id in rows:
            yield _video_view(
                rows[video_id],
                [row["path"] for row in paths[video_id]],
                [_scene_view(row, texts) for row in scenes[video_id]],
                [row["name"] for row in tags[video_id]],
                texts,
                jobs.get(video_id),
                last_paths.get(video_id, ""),
            )


def _of(connection: Connection, query: str, ids: Sequence[int], tail: str = "") -> Iterator[Row]:
    """Runs a query that ends in `IN` for any number of ids."""
    for start in range(0, len(ids), _BATCH):
        part = ids[start : start + _BATCH]
        yield from connection.execute(f"{query} ({','.join('?' * len(part))}) {tail}", part)


def _grouped(
    connection: Connection, columns: str, ids: Sequence[int], order: str
) -> dict[int, list[Row]]:
    groups: dict[int, list[Row]] = defaultdict(list)
    for row in _of(connection, f"SELECT {columns} WHERE video_id IN", ids, f"ORDER BY {order}"):
        groups[row["video_id"]].append(row)
    return groups


def _captions(connection: Connection, ids: Sequence[int]) -> dict[int, CaptionView]:
    return {
        row["id"]: caption_view(row)
        for row in _of(connection, "SELECT * FROM caption WHERE id IN", ids)
    }


def caption_view(row: Row) -> CaptionView:
    """A revision out of its row."""
    return CaptionView(
        id=row["id"],
        text=row["text"],
        origin=row["origin"],
        model=row["model"],
        quantization=row["quantization"],
        prompt=row["prompt"],
        frames=tuple(json.loads(row["frames"])),
        created_at=row["created_at"],
        review=tuple(json.loads(row["review"])),
        proposed=bool(row["proposed"]),
        previous_id=row["previous_id"],
        provenance=json.loads(row["provenance"]),
    )


def _scene_view(row: Row, texts: dict[int, CaptionView]) -> SceneView:
    return SceneView(
        id=row["id"],
        index=row["idx"],
        start=row["start"],
        end=row["end"],
        keyframe=row["keyframe"],
        note=texts.get(row["caption_id"]),
    )


def _video_view(
    row: Row,
    paths: Sequence[bytes],
    scenes: Sequence[SceneView],
    tags: Sequence[str],
    texts: dict[int, CaptionView],
    job: JobView | None,
    last_path: str,
) -> VideoView:
    shown = tuple(path_key(path) for path in paths)
    return VideoView(
        id=row["id"],
        path=shown[0] if shown else last_path.partition("\n")[0],
        paths=shown,
        raw_paths=tuple(paths),
        content_id=row["content_id"],
        size=row["size"],
        duration=row["duration"],
        width=row["width"],
        height=row["height"],
        fps=row["fps"],
        codec=row["codec"],
        rotation=row["rotation"],
        recorded_at=row["recorded_at"],
        added_at=row["added_at"],
        status=row["status"],
        title=row["title"],
        caption=texts.get(row["caption_id"]),
        scenes=tuple(scenes),
        tags=tuple(tags),
        job=job,
    )


def revisions(
    connection: Connection, video_id: int, scene_id: int | None = None
) -> list[CaptionView]:
    """Every revision of a video's text, or of a scene's, the newest first."""
    rows = connection.execute(
        "SELECT * FROM caption WHERE video_id = ? AND scene_id IS ? ORDER BY id DESC",
        (video_id, scene_id),
    )
    return [caption_view(row) for row in rows]


def note_before(connection: Connection, video_id: int, index: int) -> str:
    """The current note on the scene before the one at a place; empty if there is none."""
    row = connection.execute(
        "SELECT caption.text FROM scene JOIN caption ON caption.id = scene.caption_id"
        " WHERE scene.video_id = ? AND scene.idx = ?",
        (video_id, index - 1),
    ).fetchone()
    return "" if row is None else str(row["text"])


def thumbnail(connection: Connection, scene_id: int) -> bytes | None:
    """The thumbnail of a scene: a byte of width, one of height, then RGB rows."""
    row = connection.execute("SELECT thumbnail FROM scene WHERE id = ?", (scene_id,)).fetchone()
    return None if row is None else row[0]


# Jobs ---------------------------------------------------------------------------------------------


def jobs(connection: Connection, states: Sequence[str] = OPEN_STATES) -> list[JobView]:
    """The jobs in those states, out of the open ones, in the order in which they run."""
    marks = ",".join("?" * len(states))
    order = "ORDER BY job.state <> 'running', job.priority DESC, job.run_after, job.id"
    return [
        _job_view(row)
        for row in connection.execute(
            f"{_JOB_QUERY} WHERE {OPEN_JOBS} AND job.state IN ({marks}) {order}", states
        )
    ]


_JOB_QUERY = """
    SELECT job.*, (SELECT path FROM location WHERE location.video_id = job.video_id
                   ORDER BY online DESC, last_seen DESC, id LIMIT 1) AS path
    FROM job
"""


def _jobs(connection: Connection, condition: str, ids: Sequence[int]) -> Iterator[JobView]:
    for row in _of(connection, f"{_JOB_QUERY} WHERE {condition}", ids, "ORDER BY job.id"):
        yield _job_view(row)


def _job_view(row: Row) -> JobView:
    return JobView(
        id=row["id"],
        video_id=row["video_id"],
        path=path_key(row["path"] or b""),
        state=row["state"],
        priority=row["priority"],
        attempts=row["attempts"],
        run_after=row["run_after"],
        progress=row["progress"],
        scenes_done=row["scenes_done"],
        scenes_total=row["scenes_total"],
        model=row["model"],
        prompt=row["prompt"],
        frames=row["frames"],
        error_code=row["error_code"],
        error_message=row["error_message"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
    )
