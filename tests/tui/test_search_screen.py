"""Search in the terminal UI: grouped hits, a cursor that stays, what was guessed, and help."""

from collections.abc import Sequence

import pytest

from catalog.database import Catalog
from catalog.search.index.indexing import index_pending
from catalog.views import HitView, PlaceView
from tests.tui.driving import Driver, Open, screen_text, wait_for
from tui.keymap import SEARCH_SYNTAX
from tui.no_hits import advice
from tui.reader import Found
from tui.screens.catalog import CatalogScreen
from tui.screens.dialogs import Help
from tui.widgets.hit_list import HitList, Remark
from tui.widgets.text_pane import TextPane


def hit(video: int, text: str, scene: int | None = None, *, how: str = "exact") -> HitView:
    place = None if scene is None else PlaceView(scene, scene, 4.0 * scene, 4.0 * scene + 4)
    spans = ((0, 3),) if text.startswith("강아지") else ()
    field = "note" if scene else "caption"
    return HitView(
        video, f"/a/영상{video}.mp4", f"영상{video}", field, place, text, spans, 1.0, how
    )


FIRST = [
    hit(1, "강아지 하나", 1),
    hit(2, "강아지 둘", 2),
    hit(1, "강아지 셋", 3),
    hit(3, "강아지 넷", 4),
]
BETTER = [
    hit(3, "강아지 넷", 4),
    hit(4, "강아지 다섯", 5),
    hit(2, "강아지 둘", 2),
    hit(1, "강아지 셋", 3),
]


def list_of(pilot: Driver) -> HitList:
    return pilot.app.screen.query_one(HitList)


async def type_words(pilot: Driver, words: str) -> HitList:
    await pilot.press("slash", *("space" if one == " " else one for one in words))
    await wait_for(pilot, lambda: pilot.app.screen.has_class("searching"))
    await pilot.pause(0.3)
    return list_of(pilot)


def plain(rows: HitList, width: int = 80) -> list[str]:
    return [
        "".join(text for text, _ in rows.row_pieces(row, width)) for row in range(len(rows.ids))
    ]


async def test_a_video_is_named_once(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        rows = list_of(pilot)
        rows.set_hits(FIRST)
        assert [one.text[4:] for one in rows.hits] == ["하나", "셋", "둘", "넷"]
        assert rows.videos == [1, 2, 3]
        names = [rows.row_pieces(row, 80)[0] for row in range(4)]
        assert [part for _, part in names] == ["", "row--dim", "", ""]
        assert ("강아지", "row--match") in rows.row_pieces(0, 80)


async def test_names_that_match_are_marked_and_not_repeated(
    samples: Catalog, open_app: Open
) -> None:
    index_pending(samples)
    async with open_app(samples) as pilot:
        rows = await type_words(pilot, "강아지")
        assert {one.field for one in rows.hits} == {"caption", "note"}
        firsts = [
            row for row in range(len(rows.ids)) if rows.row_pieces(row, 80)[0][1] != "row--dim"
        ]
        assert all(("강아지", "row--match") in rows.row_pieces(row, 80)[:2] for row in firsts)
        rows = await type_words(pilot, " 산책")
        await wait_for(pilot, lambda: "강아지 산책" in plain(rows)[0])


@pytest.mark.parametrize("width", [40, 44, 60, 80, 120])
async def test_rows_fill_their_width(samples: Catalog, open_app: Open, width: int) -> None:
    from rich.cells import cell_len

    long = "시장 골목을 지나 " * 8
    async with open_app(samples) as pilot:
        rows = list_of(pilot)
        rows.set_hits([hit(1, "강아지 " + long, 1), hit(2, long, how="typo"), hit(2, "강아지", 2)])
        assert {cell_len(line) for line in plain(rows, width)} == {width}
        told = plain(rows, width)[1]
        assert ("typo" in told) if width >= 60 else (" ~" in told)


async def test_the_better_answer_moves_no_cursor_that_was_moved(
    samples: Catalog, open_app: Open
) -> None:
    async with open_app(samples) as pilot:
        rows = list_of(pilot)
        rows.set_hits(FIRST)
        rows.set_hits(BETTER, same_query=True)
        assert (rows.cursor, rows.hit) == (0, BETTER[0])  # nobody had moved: the best one
        rows.set_hits(FIRST)
        rows.move_to(2)
        rows.set_hits(BETTER, same_query=True)
        assert rows.hit == FIRST[1]
        rows.set_hits(FIRST, same_query=True)
        assert rows.hit == FIRST[1]
        rows.set_hits(BETTER)  # another query
        assert rows.cursor == 0


async def test_a_hit_that_is_gone_leaves_the_cursor_in_its_place(
    samples: Catalog, open_app: Open
) -> None:
    async with open_app(samples) as pilot:
        rows = list_of(pilot)
        rows.set_hits(FIRST)
        rows.move_to(1)
        rows.set_hits(BETTER[:2], same_query=True)
        assert rows.cursor == 1
        rows.set_hits([], same_query=True)
        assert (rows.cursor, rows.hit) == (0, None)
        rows.set_hits(FIRST, same_query=True)
        assert rows.hit == FIRST[0]


async def test_the_line_under_the_cursor_stays_on_the_screen(
    samples: Catalog, open_app: Open
) -> None:
    many = [hit(number, f"강아지 {number}", number) for number in range(1, 101)]
    async with open_app(samples, (120, 24)) as pilot:
        rows = await type_words(pilot, "강아지")
        rows.set_hits(many)
        await pilot.pause()
        rows.move_to(50)
        rows.scroll_to(y=40, animate=False, force=True)
        await pilot.pause()
        rows.set_hits([*many[20:], *many[:20]], same_query=True)
        await pilot.pause()
        assert rows.hit == many[50]
        assert rows.cursor - round(rows.scroll_y) == 10


async def test_the_list_is_never_empty_between_two_queries(
    samples: Catalog, open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    index_pending(samples)
    seen: list[int] = []
    show = HitList.set_hits

    def watched(self: HitList, hits: Sequence[HitView], *, same_query: bool = False) -> None:
        seen.append(len(hits))
        show(self, hits, same_query=same_query)

    monkeypatch.setattr(HitList, "set_hits", watched)
    async with open_app(samples) as pilot:
        await type_words(pilot, "강아지 상자")
        await pilot.press("backspace", "backspace", "backspace")
        await pilot.pause(0.3)
    assert seen
    assert 0 not in seen


async def test_what_was_guessed_stands_above_the_hits(samples: Catalog, open_app: Open) -> None:
    index_pending(samples)
    async with open_app(samples, (80, 24)) as pilot:
        await type_words(pilot, "rkddkwl")
        remark = pilot.app.screen.query_one(Remark)
        await wait_for(pilot, lambda: bool(remark.display))
        assert "Shown for: 강아지" in screen_text(pilot)
        await pilot.press("escape", "escape")
        assert not remark.display


def test_nothing_found_offers_what_this_query_can_do_without() -> None:
    def told(query: str) -> str:
        return "\n".join(advice(Found(query, (), 3)))

    assert "without the filters: 꿀벌" in told("꿀벌 status:failed")
    assert "without the quotation marks: 흰 강아지" in told('"흰 강아지"')
    assert "by initials: ㄲㅂ" in told("꿀벌")
    assert "fewer letters: 강아" in told("강아쥐")
    assert "fewer words: 강아지" in told("흰 강아지")
    assert "without a caption yet: 3" in told("a")
    assert all("F1" in told(query) for query in ("", "-", '"', "OR", "tag:x", "\x1b[31m"))
    assert "\x1b" not in told("\x1b[31m")


async def test_the_help_tells_of_the_syntax(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        await type_words(pilot, "강")
        await pilot.press("f1")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Help))
        await pilot.pause(0.1)
        text = pilot.app.screen.query_one(TextPane).plain
        assert text.startswith("Search box")
        assert all(action.keys in text for action in SEARCH_SYNTAX)
        await pilot.press("escape", "escape", "escape")
        await pilot.press("f1")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Help))
        await pilot.pause(0.1)
        assert pilot.app.screen.query_one(TextPane).plain.startswith("List")


@pytest.mark.usefixtures("korean")
@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_search_at_every_size(
    samples: Catalog, open_app: Open, size: tuple[int, int]
) -> None:
    index_pending(samples)
    async with open_app(samples, size) as pilot:
        await type_words(pilot, "ㄱㅇㅈ")
        lines = pilot.app.screen._compositor.render_strips()
        assert {line.cell_length for line in lines} == {size[0]}
        assert isinstance(pilot.app.screen, CatalogScreen)
        assert "결과" in screen_text(pilot).splitlines()[0]
