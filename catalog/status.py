"""The status of a video, derived from its locations, jobs and captions."""

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from catalog.schema import Caption, Job, JobState, Location, Origin, Scene, Video, VideoStatus

_BY_JOB = {
    JobState.RUNNING: VideoStatus.RUNNING,
    JobState.QUEUED: VideoStatus.QUEUED,
    JobState.FAILED: VideoStatus.FAILED,
    JobState.DEAD: VideoStatus.DEAD,
    JobState.CANCELLED: VideoStatus.DEAD,
}


def refresh_status(session: Session, video_id: int) -> VideoStatus:
    """Derives and stores the status of a video, in this order:

    1. offline while none of its copies is within reach;
    2. running or queued while a job is;
    3. captioned once it has a caption, or needs_review when a current text of a model has reasons;
    4. failed or dead after its last job, a cancelled one being dead; queued if there was none.
    """
    session.flush()
    video = session.get_one(Video, video_id)
    video.status = _derive(session, video)
    return VideoStatus(video.status)


def _derive(session: Session, video: Video) -> VideoStatus:
    online = exists().where(Location.video_id == video.id, Location.online == 1)
    if not session.scalar(select(online)):
        return VideoStatus.OFFLINE
    states = set(session.scalars(select(Job.state).where(Job.video_id == video.id)))
    for state in (JobState.RUNNING, JobState.QUEUED):
        if state in states:
            return _BY_JOB[state]
    if video.caption_id is not None:
        return VideoStatus.NEEDS_REVIEW if _doubtful(session, video) else VideoStatus.CAPTIONED
    last = session.scalars(
        select(Job.state).where(Job.video_id == video.id).order_by(Job.id.desc()).limit(1)
    ).one_or_none()
    return _BY_JOB.get(JobState(last), VideoStatus.QUEUED) if last else VideoStatus.QUEUED


def _doubtful(session: Session, video: Video) -> bool:
    current = [
        video.caption_id,
        *session.scalars(
            select(Scene.caption_id).where(
                Scene.video_id == video.id, Scene.caption_id.is_not(None)
            )
        ),
    ]
    doubtful = exists().where(
        Caption.id.in_(current), Caption.origin == Origin.MODEL, Caption.review != []
    )
    return bool(session.scalar(select(doubtful)))
