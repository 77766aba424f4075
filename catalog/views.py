"""What readers get out of the catalog: frozen values, and their documented JSON shapes.

JSON is UTF-8 and NFC, with positions and durations in seconds.
"""

from dataclasses import dataclass, field

from catalog.clock import iso
from catalog.hit_views import HitsView, HitView, Json, PlaceView

__all__ = [
    "CaptionView",
    "FolderView",
    "HitView",
    "HitsView",
    "JobView",
    "Json",
    "PlaceView",
    "SceneView",
    "StatusView",
    "VideoView",
]


@dataclass(frozen=True, slots=True)
class CaptionView:
    """One revision of a text."""

    id: int
    text: str
    origin: str
    model: str
    quantization: str
    prompt: str
    frames: tuple[float, ...]
    created_at: int
    review: tuple[str, ...]
    proposed: bool
    previous_id: int | None
    provenance: Json = field(default_factory=dict)

    def json(self) -> Json:
        """The `caption` shape."""
        return {
            "text": self.text,
            "origin": self.origin,
            "model": self.model,
            "quantization": self.quantization,
            "prompt": self.prompt,
            "frames": list(self.frames),
            "created_at": iso(self.created_at),
            "review": list(self.review),
        }


@dataclass(frozen=True, slots=True)
class SceneView:
    """A scene with its current note. Times are seconds."""

    id: int
    index: int
    start: float
    end: float
    keyframe: float
    note: CaptionView | None

    def json(self) -> Json:
        """The shape within a video."""
        return {
            "index": self.index,
            "start": self.start,
            "end": self.end,
            "note": None if self.note is None else self.note.json(),
        }


@dataclass(frozen=True, slots=True)
class JobView:
    """A job in the queue. Instants are seconds since 1970."""

    id: int
    video_id: int
    path: str
    state: str
    priority: int
    attempts: int
    run_after: int
    progress: float
    scenes_done: int
    scenes_total: int | None
    model: str
    prompt: str
    frames: int | None
    error_code: str | None
    error_message: str | None
    created_at: int
    started_at: int | None
    finished_at: int | None

    def json(self) -> Json:
        """The shape of `queue list --json`."""
        return {
            "id": self.id,
            "video": {"id": self.video_id, "path": self.path},
            "state": self.state,
            "priority": self.priority,
            "attempts": self.attempts,
            "run_after": iso(self.run_after),
            "progress": self.progress,
            "scenes_done": self.scenes_done,
            "scenes_total": self.scenes_total,
            "model": self.model,
            "prompt": self.prompt,
            "frames": self.frames,
            "error": _error_json(self.error_code, self.error_message, self.attempts),
        }


@dataclass(frozen=True, slots=True)
class VideoView:
    """A video with everything that is known of it. `size` is bytes, `duration` seconds."""

    id: int
    path: str
    paths: tuple[str, ...]
    raw_paths: tuple[bytes, ...]
    content_id: str
    size: int
    duration: float | None
    width: int | None
    height: int | None
    fps: float | None
    codec: str | None
    rotation: int | None
    recorded_at: str | None
    added_at: int
    status: str
    title: str
    caption: CaptionView | None
    scenes: tuple[SceneView, ...]
    tags: tuple[str, ...]
    job: JobView | None
    """The newest job."""

    def json(self) -> Json:
        """The `video` shape."""
        job = self.job
        failed = job is not None and job.state in ("failed", "dead")
        return {
            "id": self.id,
            "path": self.path,
            "paths": list(self.paths),
            "content_id": self.content_id,
            "size": self.size,
            "duration": self.duration,
            "width": self.width,
            "height": self.height,
            "fps": self.fps,
            "codec": self.codec,
            "recorded_at": self.recorded_at,
            "status": self.status,
            "error": (
                _error_json(job.error_code, job.error_message, job.attempts)
                if job is not None and failed
                else None
            ),
            "title": self.title,
            "caption": None if self.caption is None else self.caption.json(),
            "scenes": [scene.json() for scene in self.scenes],
            "tags": list(self.tags),
        }


def _error_json(code: str | None, message: str | None, attempts: int) -> Json | None:
    return None if code is None else {"code": code, "message": message, "attempts": attempts}


@dataclass(frozen=True, slots=True)
class FolderView:
    """A watched folder."""

    id: int
    path: str
    recursive: bool
    polling: bool
    prompt: str | None
    glossary: str | None
    present: bool
    files: int

    def json(self) -> Json:
        """The shape within `status` and of `folders list`."""
        return {
            "path": self.path,
            "recursive": self.recursive,
            "polling": self.polling,
            "prompt": self.prompt,
            "glossary": self.glossary,
            "present": self.present,
            "files": self.files,
        }


@dataclass(frozen=True, slots=True)
class StatusView:
    """The state of the whole: daemon, queue, sizes."""

    daemon_running: bool
    daemon_pid: int | None
    daemon_model: str | None
    held: str | None
    """Why the daemon leaves the GPU alone now, in its own words; None while it works."""
    paused: bool
    queue: dict[str, int]
    backlog_seconds: float | None
    """How long what is queued may take, by the pace of late."""
    running: tuple[JobView, ...]
    videos: int
    scenes: int
    folders: tuple[FolderView, ...]
    catalog_path: str
    catalog_bytes: int

    def json(self) -> Json:
        """The `status` shape."""
        return {
            "daemon": {
                "running": self.daemon_running,
                "pid": self.daemon_pid,
                "model": self.daemon_model,
                "held": self.held,
            },
            "queue": {
                **self.queue,
                "paused": self.paused,
                "backlog_seconds": self.backlog_seconds,
            },
            "jobs": [job.json() for job in self.running],
            "videos": self.videos,
            "scenes": self.scenes,
            "folders": [folder.json() for folder in self.folders],
            "catalog": {"path": self.catalog_path, "bytes": self.catalog_bytes},
        }
