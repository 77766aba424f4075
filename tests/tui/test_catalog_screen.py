"""The list, the preview, marks, and search."""

import pytest

from catalog.database import Catalog, open_catalog
from catalog.home import Home
from tests.tui.driving import Driver, Open, app_of, messages, screen_text, wait_for
from tests.tui.factory import SAMPLES
from tui.screens.video import VideoScreen
from tui.widgets.bars import HintBar, TitleBar
from tui.widgets.hit_list import HitList
from tui.widgets.preview import Preview
from tui.widgets.scene_list import SceneList
from tui.widgets.text_boxes import SearchBox
from tui.widgets.text_pane import TextPane
from tui.widgets.thumbnail import Thumbnail
from tui.widgets.video_list import VideoList


def videos(pilot: Driver) -> VideoList:
    return pilot.app.screen_stack[1].query_one(VideoList)


def preview(pilot: Driver) -> str:
    return pilot.app.screen.query_one(Preview).query_one(TextPane).plain


async def search(pilot: Driver, words: str) -> HitList:
    await pilot.press("slash", *words.replace(" ", "␣"))
    hits = pilot.app.screen.query_one(HitList)
    await wait_for(pilot, lambda: pilot.app.screen.has_class("searching"))
    await pilot.pause(0.15)
    return hits


async def test_an_empty_catalog_says_what_to_do(home: Home, open_app: Open) -> None:
    catalog = open_catalog(home)
    async with open_app(catalog) as pilot:
        text = screen_text(pilot)
        assert "There are no videos yet." in text
        assert "haeseol --home" in text
        assert "add ~/Videos --watch" in text
        await pilot.press("j", "space", "enter", "e", "u", "r", "escape", "end", "a")
        assert pilot.app.is_running
    catalog.close()


@pytest.mark.usefixtures("korean")
async def test_the_list_in_korean(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        text = screen_text(pilot)
        for part in (
            "해설 > 목록",
            "시장_강아지",
            "강아지 산책",
            "중단",
            "! 파일 일부가 없음",
            "42 %",
        ):
            assert part in text
        assert "Trip to Busan [2026]" in text  # no markup
        assert "끝" in text.splitlines()[-1]


async def test_moves(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        rows = videos(pilot)
        for keys, cursor in (
            ("jjk", 1), ("G", len(SAMPLES) - 1), ("g", 0), (("down", "down", "up"), 1),
            (("end",), len(SAMPLES) - 1), (("pageup",), 0), (("ctrl+d",), len(SAMPLES) - 1),
            (("home",), 0),
        ):  # fmt: skip
            await pilot.press(*keys)
            assert rows.cursor == cursor, keys
        assert "1/8" in pilot.app.screen.query_one(TitleBar).plain


async def test_hangul_mode_keys(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        await pilot.press("ㅓ", "ㅓ", "ㅓ", "ㅏ")
        assert videos(pilot).cursor == 2
        assert "Hangul mode: ㅓ = j" in messages(pilot)
        await pilot.press("허")
        assert videos(pilot).cursor == 1
        await pilot.press("ㅂ")
        assert pilot.app.return_code == 0


async def test_control_keys_in_hangul_mode(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        await pilot.press("ctrl+ㅊ", "ctrl+ㅊ")
        assert pilot.app.return_code == 0


async def test_the_preview_follows(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        await wait_for(pilot, lambda: "상인이 웃으며" in preview(pilot))
        assert pilot.app.screen.query_one(Thumbnail).picture is not None
        assert "▀" in screen_text(pilot)
        await pilot.press("j", "j")
        await wait_for(pilot, lambda: "edited by a person" in preview(pilot))
        assert "0:04  강아지가 상자를 문다." in preview(pilot)
        await pilot.press("j", "j", "j")
        await wait_for(pilot, lambda: "Copy it again in full." in preview(pilot))
        assert pilot.app.screen.query_one(Thumbnail).picture is None


async def test_scenes_and_neighbours(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, VideoScreen))
        scenes = pilot.app.screen.query_one(SceneList)
        await wait_for(pilot, lambda: len(scenes.ids) == 4)
        await pilot.press("j", "j")
        await wait_for(pilot, lambda: "0:04 - 0:08" in preview(pilot))
        await pilot.press("right_square_bracket")
        await wait_for(pilot, lambda: "Busan" in pilot.app.screen.query_one(TitleBar).plain)
        await pilot.press("escape")
        assert pilot.app.screen is pilot.app.screen_stack[1]


async def test_search_as_one_types(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        hits = await search(pilot, "상자")
        assert {hit.text for hit in hits.hits} >= {
            "강아지가 상자를 문다.",
            "강아지가 상자 위에 앉는다.",
        }
        pieces = [piece for row in range(len(hits.ids)) for piece in hits.row_pieces(row, 80)]
        assert ("상자", "row--match") in pieces
        await pilot.press("down", "enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, VideoScreen))
        scenes = pilot.app.screen.query_one(SceneList)
        await wait_for(pilot, lambda: scenes.cursor > 0)
        await pilot.press("escape", "escape")
        assert not pilot.app.screen.has_class("searching")
        assert pilot.app.screen.query_one(SearchBox).value == ""


async def test_nothing_found_says_why(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        hits = await search(pilot, "강아쥐")
        await wait_for(pilot, lambda: hits.empty_text != () and not hits.ids)
        text = screen_text(pilot)
        assert "Nothing fits '강아쥐'." in text
        assert "videos without a caption yet: 3" in text


async def test_escape_goes_back_step_by_step(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        await pilot.press("space", "space")
        await search(pilot, "상자")
        await pilot.press("escape")
        assert pilot.app.screen.has_class("searching")
        await pilot.press("escape")
        assert not pilot.app.screen.has_class("searching")
        assert len(videos(pilot).marks) == 2
        await pilot.press("escape")
        assert not videos(pilot).marks
        await pilot.press(*["escape"] * 6)
        assert pilot.app.is_running


async def test_caption_again_queues_what_is_marked(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        await pilot.press("space", "space", "r")
        await pilot.pause()
        assert "Caption again (videos: 2)" in screen_text(pilot)
        await pilot.press(*"llava", "tab", "tab", *"99", "f9")
        await pilot.pause()
        assert "from 1 to 64" in screen_text(pilot)
        await pilot.press("backspace", "backspace", *"16", "f9")
        await wait_for(pilot, lambda: "Queued: 2" in messages(pilot))
        await wait_for(pilot, lambda: not videos(pilot).marks)
    with samples.read() as connection:
        rows = connection.execute(
            "SELECT video_id, frames FROM job WHERE model = 'llava'"
        ).fetchall()
    assert [tuple(row) for row in rows] == [(7, 16), (8, 16)]


async def test_help_lists_the_keys(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        assert "e, F8" in screen_text(pilot)
        await pilot.press("escape")
        assert app_of(pilot).screen is app_of(pilot).screen_stack[1]


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 60)])
async def test_every_size_has_whole_syllables(
    samples: Catalog, open_app: Open, size: tuple[int, int]
) -> None:
    async with open_app(samples, size) as pilot:
        await pilot.pause(0.15)
        lines = pilot.app.screen._compositor.render_strips()
        assert {line.cell_length for line in lines} == {size[0]}
        assert "? help  q quit" in screen_text(pilot).splitlines()[-1]
        assert pilot.app.screen.query_one(Preview).display == (size[0] >= 80)


async def test_the_mouse(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        await pilot.click(VideoList, offset=(10, 2))
        assert videos(pilot).cursor == 2
        hint = screen_text(pilot).splitlines()[-1].index("Space")
        await pilot.click(HintBar, offset=(hint + 1, 0))
        await pilot.pause()
        assert len(videos(pilot).marks) == 1
        await pilot.click(VideoList, offset=(10, 0), times=2)
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, VideoScreen))
