"""The job queue: put, claim under a lease, heartbeat, finish, fail, retry.

Every function works inside the caller's transaction, so a job ends together with what it made.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, exists, func, select, text, update
from sqlalchemy.orm import Session

from catalog.clock import now
from catalog.errors import CodedError, LeaseLostError
from catalog.schema import Job, JobState, State
from catalog.status import refresh_status

CAPTION_KIND = "caption"
BACKOFF_SECONDS = (60, 300, 1800, 7200)
"""Waits after the first, second … failure; the failure after the last one is final."""
LEASE_SECONDS = 120
"""How long a claim holds without a heartbeat."""

PATIENCE_SECONDS = 900
"""How long a job for another model lets those for the loaded one go first."""

LIVE = (JobState.QUEUED, JobState.RUNNING, JobState.FAILED)
PAUSE_KEY = "paused"


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job in a worker's hands."""

    id: int
    video_id: int
    kind: str
    model: str
    prompt: str
    frames: int | None
    attempts: int
    lease: str


def put(
    session: Session,
    video_id: int,
    *,
    kind: str = CAPTION_KIND,
    model: str = "",
    prompt: str = "",
    frames: int | None = None,
    priority: int = 0,
) -> int:
    """Queues a job, or finds the live one that asks for the same. Returns its id.

    One that waits after a failure, or was given up, becomes due now and takes the higher priority.
    """
    job = session.scalars(
        select(Job)
        .where(
            Job.video_id == video_id,
            Job.kind == kind,
            Job.prompt == prompt,
            Job.model == model,
            Job.state.in_((*LIVE, JobState.DEAD)),
        )
        .order_by(Job.state == JobState.DEAD, Job.id.desc())
    ).first()
    if job is None:
        job = Job(
            kind=kind,
            video_id=video_id,
            model=model,
            prompt=prompt,
            frames=frames,
            priority=priority,
            state=JobState.QUEUED,
            run_after=now(),
            created_at=now(),
        )
        session.add(job)
    elif job.state != JobState.RUNNING:
        if job.state == JobState.DEAD:
            job.attempts = 0
        job.state, job.run_after = JobState.QUEUED, now()
        job.priority = max(priority, job.priority)
        job.frames = job.frames if frames is None else frames
    session.flush()
    refresh_status(session, video_id)
    return job.id


def has_job(session: Session, video_id: int) -> bool:
    """Whether a caption job was ever queued for a video."""
    return bool(
        session.scalar(select(exists().where(Job.video_id == video_id, Job.kind == CAPTION_KIND)))
    )


_CLAIM = text(
    """
    UPDATE job SET state = 'running', attempts = attempts + 1, lease = :lease,
        lease_until = :until, heartbeat_at = :now, started_at = :now, progress = 0
    WHERE id = (
        SELECT id FROM job
        WHERE state IN ('queued', 'failed') AND run_after <= :now
            AND EXISTS (SELECT 1 FROM location
                        WHERE location.video_id = job.video_id AND location.online = 1)
            AND NOT EXISTS (SELECT 1 FROM job other
                            WHERE other.video_id = job.video_id AND other.state = 'running')
        ORDER BY priority DESC, model = :loaded OR run_after < :long_ago DESC, run_after, id LIMIT 1)
        AND (:in_use = 0 OR model = :loaded)
    RETURNING id, video_id, kind, model, prompt, frames, attempts, lease
    """
)


def claim(
    session: Session, *, loaded: str | None = None, in_use: bool = False
) -> ClaimedJob | None:
    """Takes the next due job of a video that is within reach, or None. A paused queue gives none.

    Of equal priority, jobs for the model that is `loaded` go first, for as long as others can wait.
    While that model is `in_use`, a job for another one is left where it is, and so are those behind
    it: they wait for the change. Two jobs of one video never run beside each other.
    """
    if is_paused(session):
        return None
    instant = now()
    row: RowMapping | None = (
        session.execute(
            _CLAIM,
            {
                "lease": secrets.token_hex(8),
                "until": instant + LEASE_SECONDS,
                "now": instant,
                "long_ago": instant - PATIENCE_SECONDS,
                "loaded": loaded or "",
                "in_use": in_use,
            },
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        return None
    refresh_status(session, row["video_id"])
    return ClaimedJob(**row)


def heartbeat(
    session: Session,
    job: ClaimedJob,
    *,
    progress: float,
    scenes_done: int,
    scenes_total: int | None,
) -> None:
    """Extends the lease and shows progress (0 to 1). Raises `LeaseLostError`."""
    instant = now()
    _guarded(
        session,
        job,
        heartbeat_at=instant,
        lease_until=instant + LEASE_SECONDS,
        progress=progress,
        scenes_done=scenes_done,
        scenes_total=scenes_total,
    )


def finish(session: Session, job: ClaimedJob) -> None:
    """Ends a job well. Raises `LeaseLostError`, whereupon the caller's transaction must roll back."""
    _guarded(
        session,
        job,
        state=JobState.DONE,
        lease=None,
        lease_until=None,
        progress=1.0,
        error_code=None,
        error_message=None,
        finished_at=now(),
    )
    # What was given up before has been made good by this one.
    session.execute(
        update(Job)
        .where(Job.video_id == job.video_id, Job.kind == job.kind, Job.state == JobState.DEAD)
        .values(state=JobState.CANCELLED)
    )
    refresh_status(session, job.video_id)


def fail(session: Session, job: ClaimedJob, error: CodedError) -> JobState:
    """Ends a try badly: the job waits for the next one, or is dead. Raises `LeaseLostError`."""
    dead = job.attempts > len(BACKOFF_SECONDS)
    state = JobState.DEAD if dead else JobState.FAILED
    wait = 0 if dead else BACKOFF_SECONDS[job.attempts - 1]
    _guarded(
        session,
        job,
        state=state,
        lease=None,
        lease_until=None,
        run_after=now() + wait,
        error_code=error.code,
        error_message=str(error),
        finished_at=now(),
    )
    refresh_status(session, job.video_id)
    return state


def release(session: Session, job: ClaimedJob) -> None:
    """Gives a job back unharmed, as on a clean stop: the try does not count."""
    _guarded(
        session,
        job,
        state=JobState.QUEUED,
        lease=None,
        lease_until=None,
        run_after=now(),
        attempts=job.attempts - 1,
    )
    refresh_status(session, job.video_id)


def _guarded(session: Session, job: ClaimedJob, **values: object) -> None:
    result = session.execute(
        update(Job).where(Job.id == job.id, Job.lease == job.lease).values(**values)
    )
    if result.rowcount != 1:  # type: ignore[attr-defined]
        raise LeaseLostError(f"job {job.id} was taken over by another worker")


def recover(session: Session, *, everything: bool = False, alive: Collection[int] = ()) -> int:
    """Returns jobs of dead workers to the queue, with their checkpoints and counted tries.

    `everything` is for the holder of the daemon's lock, who knows that no other worker lives; else
    only expired leases are taken, and not those of the jobs `alive`: after a suspend their leases are
    old, but their worker is there. A job that ended its process five times is dead.
    """
    lost = select(Job).where(Job.state == JobState.RUNNING)
    if not everything:
        lost = lost.where(Job.lease_until < now(), Job.id.not_in(alive))
    jobs = session.scalars(lost).all()
    for job in jobs:
        job.lease, job.lease_until = None, None
        job.state, job.run_after = JobState.QUEUED, now()
        if job.attempts > len(BACKOFF_SECONDS):
            job.state = JobState.DEAD
            job.error_code = "decoder_crashed"
            job.error_message = "the program ended during this job on every try"
        session.flush()
        refresh_status(session, job.video_id)
    return len(jobs)


def retry(session: Session, job_ids: Sequence[int] | None = None) -> int:
    """Makes failed and dead jobs due now, with their tries counted from zero. Returns how many."""
    query = select(Job).where(Job.state.in_((JobState.FAILED, JobState.DEAD)))
    if job_ids is not None:
        query = query.where(Job.id.in_(job_ids))
    count = 0
    for job in session.scalars(query).all():
        if job.state == JobState.DEAD and _live_twin(session, job):
            continue
        job.state, job.run_after, job.attempts = JobState.QUEUED, now(), 0
        session.flush()
        refresh_status(session, job.video_id)
        count += 1
    return count


def _live_twin(session: Session, job: Job) -> bool:
    twin = (Job.video_id == job.video_id, Job.kind == job.kind, Job.prompt == job.prompt)
    return bool(
        session.scalar(select(exists().where(*twin, Job.model == job.model, Job.state.in_(LIVE))))
    )


def cancel(
    session: Session, job_ids: Sequence[int] | None = None, *, video_id: int | None = None
) -> int:
    """Takes out the named jobs, those of one video, or all that wait. Returns how many.

    A named one that runs loses its lease, so its worker drops it.
    """
    states = (JobState.QUEUED, JobState.FAILED, JobState.DEAD, JobState.RUNNING)
    named = job_ids is not None or video_id is not None
    query = select(Job).where(Job.state.in_(states if named else states[:2]))
    if job_ids is not None:
        query = query.where(Job.id.in_(job_ids))
    if video_id is not None:
        query = query.where(Job.video_id == video_id)
    jobs = session.scalars(query).all()
    for job in jobs:
        job.state, job.lease, job.lease_until = JobState.CANCELLED, None, None
        job.finished_at = now()
        session.flush()
        refresh_status(session, job.video_id)
    return len(jobs)


def set_paused(session: Session, paused: bool) -> None:
    """Stops or resumes the claiming of jobs. A running one goes on to its end."""
    session.merge(State(key=PAUSE_KEY, value=paused, updated_at=now()))


def is_paused(session: Session) -> bool:
    """Whether a person has paused the queue."""
    return bool(session.scalar(select(State.value).where(State.key == PAUSE_KEY)))


def next_due(session: Session) -> int | None:
    """When the earliest waiting job of a video within reach is due, in seconds since 1970."""
    return session.scalar(
        select(func.min(Job.run_after)).where(
            Job.state.in_((JobState.QUEUED, JobState.FAILED)),
            text(
                "EXISTS (SELECT 1 FROM location WHERE location.video_id = job.video_id"
                " AND location.online = 1)"
            ),
        )
    )
