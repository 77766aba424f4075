"""`haeseol search` for people: by video, with the name once, and why a hit is not exact."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from catalog import captions, library
from catalog.captions import Draft
from catalog.cli import main
from catalog.commands.hit_lines import say_videos
from catalog.database import Catalog
from catalog.hit_views import HitView, PlaceView
from catalog.schema import Origin
from catalog.search.grouping import WHY, by_video
from catalog.search.index.indexing import index_pending
from catalog.search.query.concepts import How
from catalog.terminal import marked

LONG = "사람들이 지나가고 상인이 웃는 시장 골목에서 한참 뒤에 강아지가 종이 상자를 물고 달린다."


@pytest.fixture
def home(catalog: Catalog) -> str:
    """Two videos of dogs, one with two scenes, and one of a cat."""
    with catalog.write() as session:
        for number, (name, caption, notes) in enumerate(
            (
                ("강아지 산책.mp4", "공원에서 강아지가 걷는다.", ("강아지가 상자를 문다.", "꽃이 핀다.")),
                ("시장.mp4", LONG, ()),
                ("고양이.mp4", "고양이가 잔다.", ()),
            )
        ):  # fmt: skip
            seen = library.FileSeen(f"/videos/{name}".encode(), 100, number, "1")
            video_id, _ = library.place_file(session, seen, name)
            spans = [
                library.SceneSpan(65.0 * i, 65.0 * i + 9, 65.0 * i) for i, _ in enumerate(notes)
            ]
            library.record_scenes(session, video_id, spans)
            session.flush()
            for scene, note in zip(library.scenes_of(session, video_id), notes, strict=True):
                draft = Draft(note, Origin.MODEL, model="demo")
                captions.add_revision(session, video_id, draft, scene_id=scene.id)
            captions.add_revision(session, video_id, Draft(caption, Origin.MODEL, model="demo"))
    index_pending(catalog)
    return str(catalog.home.data_dir)


def lines(
    home: str, capsys: pytest.CaptureFixture[str], *words: str, lang: str = "en"
) -> list[str]:
    main(["--home", home, "--lang", lang, "search", *words])
    return capsys.readouterr().out.splitlines()


def test_hits_stand_below_their_video(home: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = lines(home, capsys, "강아지")
    assert sorted(line for line in found if not line.startswith("        ")) == [
        "     1  /videos/[강아지] 산책.mp4",
        "     2  /videos/시장.mp4",
    ]
    walk = found[found.index("     1  /videos/[강아지] 산책.mp4") + 1 :][:2]
    assert sorted(walk) == [
        "        0:00     [강아지]가 상자를 문다.",
        "        caption  공원에서 [강아지]가 걷는다.",
    ]


def test_a_long_text_is_cut_around_the_match(
    home: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "75")
    (line,) = (
        line for line in lines(home, capsys, "상자", "골목") if "상인이" in line or "..." in line
    )
    assert "[상자]" in line
    assert "..." in line


def test_a_name_alone_needs_no_line_below(home: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(home, capsys, "산책") == ["     1  /videos/강아지 [산책].mp4"]


def test_what_is_not_exact_says_so(home: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = lines(home, capsys, "ㄱㅇㅈ", lang="ko")
    assert all(line.endswith("(초성)") for line in found if line.startswith("        "))
    assert not any("(" in line for line in lines(home, capsys, "강아지", lang="ko"))


@pytest.mark.parametrize("how", WHY)
def test_each_reason_is_told(how: str, capsys: pytest.CaptureFixture[str]) -> None:
    say_videos([hit("caption", "강아지가 걷는다.")._replace(how=how)])
    assert capsys.readouterr().out.endswith(f"  ({WHY[how]})\n")


def test_what_was_meant_is_said(home: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--home", home, "--lang", "en", "search", "rkddkwl"]) == 0
    assert "Shown for: 강아지" in capsys.readouterr().err


def test_more_is_offered_where_the_limit_cuts(
    home: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--home", home, "--lang", "en", "search", "강아지", "--limit", "1"])
    assert "More: --limit 5" in capsys.readouterr().err
    main(["--home", home, "--lang", "en", "search", "강아지", "--limit", "1", "--json"])
    assert capsys.readouterr().err == ""


def test_every_reason_has_a_word() -> None:
    assert {how.value for how in How} - {"exact"} <= WHY.keys()


def hit(
    field: str, text: str, *highlights: tuple[int, int], path: str = "/a/강아지.mp4"
) -> HitView:
    scene = PlaceView(1, 0, 0.0, 1.0) if field == "note" else None
    return HitView(1, path, "강아지", field, scene, text, highlights, 1.0)


def test_names_are_marked_in_the_path() -> None:
    (video,) = by_video([hit("note", "강아지", (0, 3)), hit("title", "강아지", (0, 2))])
    assert (video.path_marks, video.title_marks) == (((3, 5),), ((0, 2),))
    assert [one.field for one in video.texts] == ["note"]


def test_the_path_of_another_copy_is_a_text_of_its_own() -> None:
    both = "/a/강아지.mp4\n/b/여행/강아지.mp4"
    (video,) = by_video([hit("path", both, (14, 16))])
    assert video.path_marks == ()
    assert [one.field for one in video.texts] == ["path"]
    (video,) = by_video([hit("path", both, (1, 2), (3, 6))])
    assert (video.path_marks, video.title_marks, video.texts) == (((1, 2), (3, 6)), ((0, 3),), ())


def test_a_title_of_its_own_is_a_text() -> None:
    (video,) = by_video([hit("title", "멍멍이", (0, 3))])
    assert [one.field for one in video.texts] == ["title"]


def test_marks_are_safe_to_print() -> None:
    assert marked("\x1b[31m강아지", [(5, 8)]) == "\u241b[31m[강아지]"


def test_the_version_is_read_only_when_asked_for(tmp_path: Path) -> None:
    code = (
        "import sys; from catalog.cli import main;"
        f"main(['--home', {str(tmp_path)!r}, 'search', '강아지', '--json']);"
        "print(*(name for name in ('importlib.metadata', 'email', 'tomllib', 'catalog.browse',"
        " 'catalog.search.grouping', 'kiwipiepy', 'torch', 'textual') if name in sys.modules))"
    )
    main(["--home", str(tmp_path), "list"])  # makes the catalog
    printed = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONUTF8": "1"},
    ).stdout
    assert printed.split() == ["[]"]
