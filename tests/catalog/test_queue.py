"""The job queue: leases, retries, recovery."""

import pytest
from sqlalchemy import select

from catalog import queue
from catalog.database import Catalog
from catalog.errors import CodedError, ErrorCode, LeaseLostError
from catalog.library import FileSeen, place_file
from catalog.schema import Job, JobState, Video


@pytest.fixture
def instant(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A clock that stands still until a test moves it."""
    time = [1_000_000]
    monkeypatch.setattr(queue, "now", lambda: time[0])
    return time


@pytest.fixture
def video_id(catalog: Catalog, instant: list[int]) -> int:
    """A video whose first job is queued by its arrival."""
    return add_video(catalog, b"/videos/a.mp4")


def add_video(catalog: Catalog, path: bytes) -> int:
    with catalog.write() as session:
        return place_file(session, FileSeen(path, 100, 1, "8"), path.hex())[0]


def claim(catalog: Catalog) -> queue.ClaimedJob:
    with catalog.write() as session:
        job = queue.claim(session)
    assert job is not None
    return job


def state_of(catalog: Catalog, job_id: int) -> Job:
    with catalog.write() as session:
        return session.get_one(Job, job_id)


def fail_once(catalog: Catalog) -> JobState:
    job = claim(catalog)
    with catalog.write() as session:
        return queue.fail(session, job, CodedError(ErrorCode.TRUNCATED, "half of it is missing"))


def test_the_same_request_finds_the_live_job(catalog: Catalog, video_id: int) -> None:
    with catalog.write() as session:
        first = queue.put(session, video_id)
        assert queue.put(session, video_id) == first
        assert queue.put(session, video_id, prompt="다르게") != first


def test_a_job_is_claimed_by_one_worker_only(catalog: Catalog, video_id: int) -> None:
    claim(catalog)
    with catalog.write() as session:
        assert queue.claim(session) is None


def test_higher_priority_goes_first_then_the_older(catalog: Catalog, video_id: int) -> None:
    second, urgent = add_video(catalog, b"/videos/b.mp4"), add_video(catalog, b"/videos/c.mp4")
    with catalog.write() as session:
        queue.put(session, urgent, priority=5)
    assert [claim(catalog).video_id for _ in range(3)] == [urgent, video_id, second]


def test_failures_wait_longer_each_time_and_end_dead(
    catalog: Catalog, video_id: int, instant: list[int]
) -> None:
    for wait in queue.BACKOFF_SECONDS:
        assert fail_once(catalog) is JobState.FAILED
        instant[0] += wait - 1
        with catalog.write() as session:
            assert queue.claim(session) is None
        instant[0] += 1
    assert fail_once(catalog) is JobState.DEAD
    with catalog.write() as session:
        job = session.scalars(select(Job)).one()
        assert (job.error_code, job.attempts) == ("truncated", 5)
        assert session.get_one(Video, video_id).status == "dead"
        assert queue.retry(session) == 1
    assert claim(catalog).attempts == 1


def test_a_lost_lease_cannot_write(catalog: Catalog, video_id: int, instant: list[int]) -> None:
    job = claim(catalog)
    instant[0] += queue.LEASE_SECONDS + 1
    with catalog.write() as session:
        assert queue.recover(session) == 1
    other = claim(catalog)
    assert (other.id, other.attempts) == (job.id, 2)
    for late in (
        lambda session: queue.finish(session, job),
        lambda session: queue.heartbeat(session, job, progress=1, scenes_done=1, scenes_total=1),
        lambda session: queue.release(session, job),
    ):
        with pytest.raises(LeaseLostError), catalog.write() as session:
            late(session)
    assert state_of(catalog, job.id).lease == other.lease


def test_a_heartbeat_keeps_the_lease(catalog: Catalog, video_id: int, instant: list[int]) -> None:
    job = claim(catalog)
    instant[0] += queue.LEASE_SECONDS - 1
    with catalog.write() as session:
        queue.heartbeat(session, job, progress=0.5, scenes_done=1, scenes_total=2)
    instant[0] += queue.LEASE_SECONDS - 1
    with catalog.write() as session:
        assert queue.recover(session) == 0
    assert state_of(catalog, job.id).progress == 0.5


def test_a_clean_stop_refunds_the_try(catalog: Catalog, video_id: int) -> None:
    job = claim(catalog)
    with catalog.write() as session:
        queue.release(session, job)
    assert state_of(catalog, job.id).attempts == 0
    assert claim(catalog).attempts == 1


def test_a_job_that_keeps_ending_its_process_is_dead(catalog: Catalog, video_id: int) -> None:
    for _ in range(5):
        job = claim(catalog)
        with catalog.write() as session:
            queue.recover(session, everything=True)
    dead = state_of(catalog, job.id)
    assert (dead.state, dead.error_code) == ("dead", "decoder_crashed")


def test_a_paused_queue_gives_nothing(catalog: Catalog, video_id: int) -> None:
    with catalog.write() as session:
        queue.set_paused(session, True)
        assert queue.claim(session) is None
        queue.set_paused(session, False)
        assert queue.claim(session) is not None


def test_cancelling_a_running_job_takes_its_lease(catalog: Catalog, video_id: int) -> None:
    job = claim(catalog)
    with catalog.write() as session:
        assert queue.cancel(session, [job.id]) == 1
    with pytest.raises(LeaseLostError), catalog.write() as session:
        queue.finish(session, job)


def test_a_result_and_its_job_end_together(catalog: Catalog, video_id: int) -> None:
    from catalog.captions import Draft, add_revision
    from catalog.schema import Caption, Origin

    job = claim(catalog)
    with catalog.write() as session:
        queue.cancel(session, [job.id])

    def write_late() -> None:
        with catalog.write() as session:
            add_revision(session, video_id, Draft("늦은 글", Origin.MODEL), job_id=job.id)
            queue.finish(session, job)

    with pytest.raises(LeaseLostError):
        write_late()
    with catalog.write() as session:
        assert session.scalars(select(Caption)).all() == []


def test_offline_videos_are_not_claimed(catalog: Catalog, video_id: int) -> None:
    from catalog.library import set_online

    with catalog.write() as session:
        set_online(session, [b"/videos/a.mp4"], online=False)
        assert queue.claim(session) is None
        set_online(session, [b"/videos/a.mp4"], online=True)
        assert queue.claim(session) is not None


def test_a_suspend_does_not_take_the_living_workers_job(
    catalog: Catalog, video_id: int, instant: list[int]
) -> None:
    job = claim(catalog)
    instant[0] += 100_000
    with catalog.write() as session:
        assert queue.recover(session, alive={job.id}) == 0
        queue.finish(session, job)


def test_asking_again_for_what_was_given_up_revives_it(
    catalog: Catalog, video_id: int, instant: list[int]
) -> None:
    for wait in (*queue.BACKOFF_SECONDS, 0):
        fail_once(catalog)
        instant[0] += wait
    with catalog.write() as session:
        assert session.scalars(select(Job.state)).all() == ["dead"]
        queue.put(session, video_id, frames=32)
    assert claim(catalog).frames == 32
    with catalog.write() as session:
        assert session.query(Job).count() == 1


def test_a_later_success_makes_good_what_was_given_up(
    catalog: Catalog, video_id: int, instant: list[int]
) -> None:
    for wait in (*queue.BACKOFF_SECONDS, 0):
        fail_once(catalog)
        instant[0] += wait
    with catalog.write() as session:
        queue.put(session, video_id, model="another")
    job = claim(catalog)
    with catalog.write() as session:
        queue.finish(session, job)
        assert queue.retry(session) == 0


def test_a_raised_priority_keeps_the_frames_asked_for(catalog: Catalog, video_id: int) -> None:
    with catalog.write() as session:
        queue.put(session, video_id, frames=32)
        queue.put(session, video_id, priority=5)
    assert claim(catalog).frames == 32


def test_a_cancelled_video_is_given_up_not_queued(catalog: Catalog, video_id: int) -> None:
    with catalog.write() as session:
        queue.cancel(session)
        assert session.get_one(Video, video_id).status == "dead"
        queue.put(session, video_id)
        assert session.get_one(Video, video_id).status == "queued"
