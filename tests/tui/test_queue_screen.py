"""The queue: retry, cancel, pause."""

from catalog import browse
from catalog.database import Catalog
from tests.tui.driving import Driver, Open, app_of, messages, screen_text, wait_for
from tui.screens.queue import QueueScreen
from tui.widgets.job_list import JobList


def states(catalog: Catalog) -> dict[str, str]:
    with catalog.read() as connection:
        return {job.path.rsplit("/", 1)[-1]: job.state for job in browse.jobs(connection)}


async def open_queue(pilot: Driver) -> JobList:
    await pilot.press("2")
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, QueueScreen))
    jobs = pilot.app.screen.query_one(JobList)
    await wait_for(pilot, lambda: len(jobs.ids) == 3)
    return jobs


async def go_to(pilot: Driver, jobs: JobList, state: str) -> None:
    jobs.move_to([job.state for job in jobs.jobs].index(state))
    await pilot.pause()


async def test_it_shows_progress_and_errors(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        jobs = await open_queue(pilot)
        assert "42%" in screen_text(pilot)
        await go_to(pilot, jobs, "dead")
        await wait_for(pilot, lambda: "moov atom not found" in screen_text(pilot))
        assert "Copy it again in full." in screen_text(pilot)


async def test_retry_and_cancel(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        jobs = await open_queue(pilot)
        await go_to(pilot, jobs, "dead")
        await pilot.press("R")
        await wait_for(pilot, lambda: states(samples)["운동장.mp4"] == "queued")
        await wait_for(pilot, lambda: [job.state for job in jobs.jobs].count("queued") == 2)
        await pilot.press("g", "space", "space", "x")
        await wait_for(pilot, lambda: len(states(samples)) == 1)
        await wait_for(pilot, lambda: len(jobs.ids) == 1)
        assert not jobs.marks
        assert "Cancelled: 2" in messages(pilot)
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, QueueScreen)


async def test_pause_and_go_on(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        await open_queue(pilot)
        await pilot.press("p")
        await wait_for(pilot, lambda: "paused" in screen_text(pilot).splitlines()[0])
        await pilot.press("ㅔ")
        await wait_for(pilot, lambda: "paused" not in screen_text(pilot).splitlines()[0])
        status = app_of(pilot).status
        assert status is not None
        assert not status.paused


async def test_an_empty_queue_says_so(catalog: Catalog, open_app: Open) -> None:
    async with open_app(catalog) as pilot:
        await pilot.press("2")
        await wait_for(pilot, lambda: "The queue is empty" in screen_text(pilot))
