"""A photo among the videos: it has no length and no scenes, and every screen copes."""

from catalog import captions, library
from catalog.captions import Draft
from catalog.database import Catalog
from catalog.schema import Origin
from tests.tui.driving import Open, screen_text, wait_for
from tui.screens.video import VideoScreen


async def test_a_photo_is_listed_opened_and_edited_like_a_video(
    samples: Catalog, open_app: Open
) -> None:
    with samples.write() as session:
        seen = library.FileSeen(b"/album/sunset.jpg", 1000, 1, "1")
        video_id, _ = library.place_file(session, seen, "photo-1")
        facts = library.VideoFacts(0.0, 4000, 3000, 0.0, "jpeg", 90, "2024-10-12T09:00:00")
        library.record_facts(session, video_id, facts)
        draft = Draft("바다 위로 해가 진다.", Origin.MODEL, "demo")
        captions.add_revision(session, video_id, draft)
    async with open_app(samples) as pilot:
        await wait_for(pilot, lambda: "4000x3000 | jpeg" in screen_text(pilot))
        assert "sunset" in screen_text(pilot)
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, VideoScreen))
        await wait_for(pilot, lambda: "바다 위로 해가 진다." in screen_text(pilot))
        assert "scenes 0" in screen_text(pilot)
        await pilot.press("j", "k", "end", "e")
        await wait_for(pilot, lambda: not isinstance(pilot.app.screen, VideoScreen))
        await pilot.press("escape")
        assert pilot.app.is_running
