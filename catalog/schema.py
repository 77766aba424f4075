"""The tables, as SQLAlchemy mapped classes. None of them leaves `catalog`.

Instants are whole seconds since 1970 in UTC; positions within a video are seconds as REAL.
Tables are STRICT, so only TEXT, INTEGER, REAL and BLOB appear.
"""

import json
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    REAL,
    CheckConstraint,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class JobState(StrEnum):
    """The states of a job. `catalog.queue` is the only one that moves a job between them."""

    QUEUED = "queued"  # waits for a worker
    RUNNING = "running"  # a worker holds its lease
    DONE = "done"  # its captions are stored
    FAILED = "failed"  # waits until `run_after` for the next try
    DEAD = "dead"  # no tries left; a person must retry it
    CANCELLED = "cancelled"  # a person took it out


class VideoStatus(StrEnum):
    """What a person sees of a video. Derived by `catalog.status.refresh_status`."""

    QUEUED = "queued"
    RUNNING = "running"
    CAPTIONED = "captioned"
    NEEDS_REVIEW = "needs_review"
    FAILED = "failed"
    DEAD = "dead"
    OFFLINE = "offline"


class Origin(StrEnum):
    """Who wrote a caption."""

    MODEL = "model"
    HUMAN = "human"


class JsonText(TypeDecorator[Any]):
    """A JSON value in a TEXT column, since STRICT tables know no JSON type."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Writes compact UTF-8 JSON."""
        return None if value is None else json.dumps(value, ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Reads it back."""
        return None if value is None else json.loads(value)


class Base(DeclarativeBase):
    """All tables of the catalog."""

    type_annotation_map = {str: Text, int: Integer, float: REAL, bytes: LargeBinary}  # noqa: RUF012


def _one_of(column: str, states: type[StrEnum]) -> CheckConstraint:
    names = ", ".join(f"'{state}'" for state in states)
    return CheckConstraint(f"{column} IN ({names})", name=f"{column}_known")


class Folder(Base):
    """A watched folder."""

    __tablename__ = "folder"
    __table_args__ = ({"sqlite_strict": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[bytes] = mapped_column(unique=True)
    recursive: Mapped[int] = mapped_column(server_default="1")
    polling: Mapped[int] = mapped_column(server_default="0")
    prompt: Mapped[str | None]
    glossary: Mapped[str | None]
    added_at: Mapped[int]
    present: Mapped[int] = mapped_column(server_default="1")
    files_seen: Mapped[int] = mapped_column(server_default="0")


class Video(Base):
    """One content, wherever its copies lie."""

    __tablename__ = "video"
    __table_args__ = (
        _one_of("status", VideoStatus),
        Index("video_by_status", "status", "id"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    content_id: Mapped[str] = mapped_column(unique=True)
    full_hash: Mapped[str | None]
    size: Mapped[int]
    duration: Mapped[float | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    fps: Mapped[float | None]
    codec: Mapped[str | None]
    rotation: Mapped[int | None]
    recorded_at: Mapped[str | None]
    title: Mapped[str]
    status: Mapped[str]
    added_at: Mapped[int]
    caption_id: Mapped[int | None] = mapped_column(
        ForeignKey("caption.id", name="video_current_caption", use_alter=True)
    )


class Location(Base):
    """A path where a content lies: raw bytes, beside an NFC-normalised key that people read and type."""

    __tablename__ = "location"
    __table_args__ = (
        Index("location_by_video", "video_id"),
        Index("location_by_key", "path_key"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    video_id: Mapped[int] = mapped_column(ForeignKey("video.id", ondelete="CASCADE"))
    path: Mapped[bytes] = mapped_column(unique=True)
    path_key: Mapped[str]
    volume: Mapped[str]
    size: Mapped[int]
    mtime_ns: Mapped[int]
    online: Mapped[int] = mapped_column(server_default="1")
    first_seen: Mapped[int]
    last_seen: Mapped[int]


class Scene(Base):
    """A part of a video between two shot boundaries: `[start, end)` in seconds."""

    __tablename__ = "scene"
    __table_args__ = (
        UniqueConstraint("video_id", "idx"),
        CheckConstraint('"end" > start', name="scene_has_length"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    video_id: Mapped[int] = mapped_column(ForeignKey("video.id", ondelete="CASCADE"))
    idx: Mapped[int]
    start: Mapped[float]
    end: Mapped[float]
    keyframe: Mapped[float]
    thumbnail: Mapped[bytes | None]
    """RGB rows behind a header of two bytes: width and height in pixels."""
    moments: Mapped[list[float]] = mapped_column(JsonText, server_default="[]")
    """Seconds from the start of the video, rounded to thousandths, the most important first."""
    caption_id: Mapped[int | None] = mapped_column(
        ForeignKey("caption.id", name="scene_current_caption", use_alter=True)
    )


class Stretch(Base):
    """What the search for scenes found in one part of a video, while it goes on."""

    __tablename__ = "stretch"
    __table_args__ = ({"sqlite_strict": True},)

    video_id: Mapped[int] = mapped_column(
        ForeignKey("video.id", ondelete="CASCADE"), primary_key=True
    )
    idx: Mapped[int] = mapped_column(primary_key=True)
    recipe: Mapped[str]
    """Names the way it was searched; what another way found is of no use."""
    found: Mapped[bytes]


class Caption(Base):
    """One revision of the text of a video (`scene_id` null) or of a scene. Rows are only ever added."""

    __tablename__ = "caption"
    __table_args__ = (
        _one_of("origin", Origin),
        Index("caption_by_subject", "video_id", "scene_id", "id"),
        Index("caption_by_job", "job_id"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    video_id: Mapped[int] = mapped_column(ForeignKey("video.id", ondelete="CASCADE"))
    scene_id: Mapped[int | None] = mapped_column(ForeignKey("scene.id", ondelete="CASCADE"))
    text: Mapped[str]
    origin: Mapped[str]
    model: Mapped[str] = mapped_column(server_default="")
    quantization: Mapped[str] = mapped_column(server_default="none")
    prompt: Mapped[str] = mapped_column(server_default="")
    frames: Mapped[list[float]] = mapped_column(JsonText, server_default="[]")
    provenance: Mapped[dict[str, Any]] = mapped_column(JsonText, server_default="{}")
    """Seeds and library versions."""
    review: Mapped[list[str]] = mapped_column(JsonText, server_default="[]")
    """Why a person should look at it; empty when there is no reason."""
    created_at: Mapped[int]
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"))
    previous_id: Mapped[int | None] = mapped_column(ForeignKey("caption.id"))
    """The revision that was current when this one became so: where undo goes."""
    proposed: Mapped[int] = mapped_column(server_default="0")
    """1 while a model's text waits beside a human revision."""


class Tag(Base):
    """A keyword of a video."""

    __tablename__ = "tag"
    __table_args__ = ({"sqlite_strict": True},)

    video_id: Mapped[int] = mapped_column(
        ForeignKey("video.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(primary_key=True)


class Job(Base):
    """A piece of work on one video, with the lease of the worker that does it."""

    __tablename__ = "job"
    __table_args__ = (
        _one_of("state", JobState),
        CheckConstraint("(state = 'running') = (lease IS NOT NULL)", name="lease_while_running"),
        # One live job for each content, kind, prompt and model: a second request finds the first.
        Index(
            "job_live",
            "video_id",
            "kind",
            "prompt",
            "model",
            unique=True,
            sqlite_where=text("state IN ('queued', 'running', 'failed')"),
        ),
        Index(
            "job_ready",
            text("priority DESC"),
            "run_after",
            "id",
            sqlite_where=text("state IN ('queued', 'failed')"),
        ),
        Index("job_by_video", "video_id", "id"),
        # What a person may want to know of: everything but the finished, which only grow in number.
        Index(
            "job_open",
            "state",
            sqlite_where=text("state IN ('queued', 'running', 'failed', 'dead')"),
        ),
        # How fast work went lately.
        Index("job_done", "finished_at", sqlite_where=text("state = 'done'")),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    video_id: Mapped[int] = mapped_column(ForeignKey("video.id", ondelete="CASCADE"))
    model: Mapped[str] = mapped_column(server_default="")
    """The model asked for; empty for the daemon's own setting."""
    prompt: Mapped[str] = mapped_column(server_default="")
    """A prompt that a person wrote; empty for the folder's or the built-in one."""
    frames: Mapped[int | None]
    priority: Mapped[int] = mapped_column(server_default="0")
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default="0")
    run_after: Mapped[int]
    lease: Mapped[str | None]
    lease_until: Mapped[int | None]
    heartbeat_at: Mapped[int | None]
    progress: Mapped[float] = mapped_column(server_default="0.0")
    scenes_done: Mapped[int] = mapped_column(server_default="0")
    """The checkpoint: so many scene notes of this job are stored."""
    scenes_total: Mapped[int | None]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    created_at: Mapped[int]
    started_at: Mapped[int | None]
    finished_at: Mapped[int | None]


class State(Base):
    """Small facts that processes tell each other: the running daemon, a pause."""

    __tablename__ = "state"
    __table_args__ = ({"sqlite_strict": True},)

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JsonText)
    updated_at: Mapped[int]


class Document(Base):
    """One searchable text. Its row id is the row id in the full-text index."""

    __tablename__ = "document"
    __table_args__ = (
        Index("document_by_video", "video_id"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    video_id: Mapped[int] = mapped_column(ForeignKey("video.id", ondelete="CASCADE"))
    scene_id: Mapped[int | None] = mapped_column(ForeignKey("scene.id", ondelete="CASCADE"))
    field: Mapped[str]
    text: Mapped[str]
