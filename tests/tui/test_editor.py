"""Editing, undoing, and two people at once."""

from catalog import browse, captions
from catalog.database import Catalog
from tests.tui.driving import Driver, Open, messages, screen_text, wait_for
from tui.screens.editor import Editor
from tui.widgets.text_boxes import PageBox

NEWEST = 8


def caption(catalog: Catalog) -> str:
    with catalog.read() as connection:
        text = browse.video(connection, NEWEST).caption
    return "" if text is None else text.text


async def edit(pilot: Driver, addition: str) -> None:
    await pilot.press("e")
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, Editor))
    await pilot.press(*addition)


async def test_edit_save_undo(samples: Catalog, open_app: Open) -> None:
    before = caption(samples)
    async with open_app(samples) as pilot:
        await edit(pilot, "시험")
        assert "(not saved)" in screen_text(pilot)
        await pilot.press("ctrl+s")
        await wait_for(pilot, lambda: not isinstance(pilot.app.screen, Editor))
        assert caption(samples) == before + "시험"
        await pilot.press("u")
        await wait_for(pilot, lambda: caption(samples) == before)
        await pilot.press("u")
        await wait_for(pilot, lambda: "There is nothing to undo here." in messages(pilot))
        assert caption(samples) == before


async def test_edit_a_scene_note(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        await pilot.press("enter")
        await pilot.pause(0.2)
        await pilot.press("j")
        await edit(pilot, "새 글")
        assert "Edit the note" in screen_text(pilot)
        await pilot.press("ctrl+s")
        await wait_for(pilot, lambda: "edited" in screen_text(pilot))
    with samples.read() as connection:
        note = browse.video(connection, NEWEST).scenes[0].note
    assert note is not None
    assert note.text == "시장 입구, 사람들이 지나간다.새 글"
    assert note.origin == "human"


async def test_a_conflict_loses_neither_text(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        await edit(pilot, "나")
        with samples.write() as session:
            captions.edit(session, NEWEST, "다른 사람의 글")
        await pilot.press("ctrl+s")
        await wait_for(pilot, lambda: "The text has changed" in screen_text(pilot))
        assert "다른 사람의 글" in screen_text(pilot)
        assert "바라본다.나" in screen_text(pilot)
        assert caption(samples) == "다른 사람의 글"
        await pilot.press("escape")
        assert pilot.app.screen.query_one(PageBox).text.endswith("나")
        await pilot.press("ctrl+s")
        await wait_for(pilot, lambda: "The text has changed" in screen_text(pilot))
        await pilot.press("s")
        await wait_for(pilot, lambda: not isinstance(pilot.app.screen, Editor))
    assert caption(samples).endswith("나")
    with samples.read() as connection:
        texts = [revision.text for revision in browse.revisions(connection, NEWEST)]
    assert texts[1] == "다른 사람의 글"


async def test_leaving_asks_when_something_would_be_lost(samples: Catalog, open_app: Open) -> None:
    before = caption(samples)
    async with open_app(samples) as pilot:
        await edit(pilot, "")
        await pilot.press("escape")
        await wait_for(pilot, lambda: not isinstance(pilot.app.screen, Editor))
        await edit(pilot, "q")
        await pilot.press("ctrl+c", "ctrl+q")
        await wait_for(pilot, lambda: "Not saved yet" in screen_text(pilot))
        await pilot.press("escape")
        assert pilot.app.screen.query_one(PageBox).text == before + "q"
        await pilot.press("escape")
        await wait_for(pilot, lambda: "Not saved yet" in screen_text(pilot))
        await pilot.press("d")
        await wait_for(pilot, lambda: not isinstance(pilot.app.screen, Editor))
    assert caption(samples) == before


async def test_an_empty_text_is_not_saved(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        await edit(pilot, "")
        pilot.app.screen.query_one(PageBox).text = "  "
        await pilot.press("ctrl+s")
        await wait_for(pilot, lambda: "The text is empty." in messages(pilot))
        assert isinstance(pilot.app.screen, Editor)
