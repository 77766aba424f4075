"""What the screens change in the catalog. Each function runs in one transaction, on a writing thread.

They import SQLAlchemy only when they run: most visits write nothing, and it takes 0.3 s to import.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.widgets.scene_list import Subject

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Request:
    """How to caption again. Empty values leave the choice to the daemon."""

    model: str = ""
    prompt: str = ""
    frames: int | None = None


def save_text(session: "Session", subject: Subject, text: str, expected_id: int | None) -> None:
    """Stores a person's text. Raises `ConflictError` if another one is current by now."""
    from catalog import captions

    captions.edit(
        session, subject.video_id, text, scene_id=subject.scene_id, expected_id=expected_id
    )


def undo_text(session: "Session", subject: Subject) -> str:
    """Goes back to the text before. Returns it; empty if there was none. Raises `NotFoundError`."""
    from catalog import captions

    previous = captions.undo(session, subject.video_id, scene_id=subject.scene_id)
    return "" if previous is None else previous.text


def caption_again(session: "Session", video_ids: Sequence[int], request: Request) -> int:
    """Queues videos. Returns how many."""
    from catalog import queue

    for video_id in video_ids:
        queue.put(
            session, video_id, model=request.model, prompt=request.prompt, frames=request.frames
        )
    return len(video_ids)


def retry_jobs(session: "Session", job_ids: Sequence[int]) -> int:
    """Makes failed jobs due now. Returns how many."""
    from catalog import queue

    return queue.retry(session, job_ids)


def cancel_jobs(session: "Session", job_ids: Sequence[int]) -> int:
    """Takes jobs out of the queue. Returns how many."""
    from catalog import queue

    return queue.cancel(session, job_ids)


def toggle_pause(session: "Session") -> bool:
    """Pauses the queue, or lets it go on. Returns whether it is paused now."""
    from catalog import queue

    paused = not queue.is_paused(session)
    queue.set_paused(session, paused)
    return paused
