"""The command line as other programs rely on it: JSON shapes, exit codes, sentences for mistakes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from catalog import library, queue
from catalog.captions import Draft, add_revision
from catalog.cli import main
from catalog.database import Catalog
from catalog.grammar import build_parser
from catalog.ingest import take_file
from catalog.schema import Origin


@pytest.fixture
def captioned(catalog: Catalog, tmp_path: Path) -> Path:
    """A catalog with one captioned clip of two scenes. Returns the clip."""
    clip = tmp_path / "videos/시장.mp4"
    clip.parent.mkdir()
    clip.write_bytes(b"a" * 1000)
    video_id, _ = take_file(catalog, os.fsencode(clip))
    with catalog.write() as session:
        job = queue.claim(session)
        assert job is not None
        library.record_facts(
            session, video_id, library.VideoFacts(4.2, 640, 360, 25.0, "h264", 0, None)
        )
        library.record_scenes(
            session, video_id, [library.SceneSpan(0, 2, 1), library.SceneSpan(2, 4.2, 3)]
        )
        session.flush()
        draft = Draft(
            "강아지가 상자를 문다.", Origin.MODEL, "demo", "none", "note-ko-1", (0.5, 1.5)
        )
        for scene in library.scenes_of(session, video_id):
            add_revision(session, video_id, draft, scene_id=scene.id)
        add_revision(session, video_id, Draft("시장의 강아지.", Origin.MODEL, "demo"))
        queue.finish(session, job)
    return clip


class Shell:
    """Runs commands against a home and keeps what they printed."""

    def __init__(self, catalog: Catalog, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = str(catalog.home.data_dir)
        self.capsys = capsys
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        try:
            code = main(["--home", self.home, "--lang", "en", *arguments])
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        self.out, self.err = self.capsys.readouterr()
        return code

    def json(self, *arguments: str) -> Any:
        self(*arguments, "--json")
        return json.loads(self.out)


@pytest.fixture
def shell(catalog: Catalog, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(catalog, capsys)


def test_video_shape(shell: Shell, captioned: Path) -> None:
    (video,) = shell.json("list")
    assert video == shell.json("show", str(captioned)) == shell.json("show", "1")
    assert video | {"content_id": "", "caption": None, "scenes": []} == {
        "id": 1, "path": str(captioned), "paths": [str(captioned)], "content_id": "", "size": 1000,
        "duration": 4.2, "width": 640, "height": 360, "fps": 25.0, "codec": "h264",
        "recorded_at": None, "status": "captioned", "error": None, "title": "시장", "caption": None,
        "scenes": [], "tags": [],
    }  # fmt: skip
    first = video["scenes"][0]
    assert (first["index"], first["start"], first["end"]) == (0, 0.0, 2.0)
    assert first["note"]["created_at"].endswith("Z")
    assert first["note"] | {"created_at": ""} == {
        "text": "강아지가 상자를 문다.", "origin": "model", "model": "demo", "quantization": "none",
        "prompt": "note-ko-1", "frames": [0.5, 1.5], "created_at": "", "review": [],
    }  # fmt: skip


def test_search_shape_and_exit_codes(shell: Shell, captioned: Path) -> None:
    assert shell("search", "강아지가") == 0
    hit = next(hit for hit in shell.json("search", "상자를") if hit["scene"]["index"] == 1)
    assert hit["video"] == {"id": 1, "path": str(captioned), "title": "시장"}
    assert (hit["field"], hit["scene"]) == ("note", {"index": 1, "start": 2.0, "end": 4.2})
    ((start, end),) = hit["highlights"]
    assert hit["text"][start:end] == "상자를"
    assert shell("search", "--json", "없는말") == 1
    assert json.loads(shell.out) == []
    assert shell("search", "--limit", "1", "--json", "강아지") == 0
    assert len(json.loads(shell.out)) == 1
    assert shell("search", "강아지", "--folder", str(captioned.parent)) == 0
    assert shell("search", "강아지", "--folder", "/elsewhere") == 1
    assert shell("search", "강아지", "--after", "2001-01-01") == 0
    assert shell("search", "강아지", "--after", "2101-01-01") == 1
    assert shell("search", "강아지", "--after", "yesterday") == 2
    assert shell("search", "--", "-강아지") == 1


def test_exclusions_need_no_dashes_before_them(shell: Shell, captioned: Path) -> None:
    assert shell("search", "강아지", "-시장", "--json") == 0
    assert all("시장" not in hit["text"] for hit in json.loads(shell.out))
    assert shell("search", "강아지", "--nonsense") == 2


def test_status_shape(shell: Shell, captioned: Path) -> None:
    status = shell.json("status")
    assert status["daemon"] == {"running": False, "pid": None, "model": None, "held": None}
    counts = {"queued": 0, "running": 0, "failed": 0, "dead": 0}
    assert counts.items() <= status["queue"].items()
    assert (status["videos"], status["scenes"], status["folders"]) == (1, 2, [])
    assert Path(status["catalog"]["path"]).stat().st_size == status["catalog"]["bytes"]


def test_json_is_the_same_in_every_language(shell: Shell, captioned: Path) -> None:
    for command in (["list"], ["status"], ["search", "강아지"], ["history", "1"]):
        outputs = []
        for language in ("ko", "en"):
            main(["--home", shell.home, "--lang", language, *command, "--json"])
            outputs.append(shell.capsys.readouterr().out)
        assert outputs[0] == outputs[1]


def test_edit_history_undo(shell: Shell, catalog: Catalog, captioned: Path) -> None:
    assert shell("edit", "1", "--text", "사람의 글") == 0
    assert shell("edit", "1", "--scene", "1", "--text", "고친 장면") == 0
    video = shell.json("show", "1")
    assert (video["caption"]["text"], video["caption"]["origin"]) == ("사람의 글", "human")
    assert video["scenes"][1]["note"]["text"] == "고친 장면"
    revisions = shell.json("history", "1")
    assert [(r["text"], r["current"]) for r in revisions] == [
        ("사람의 글", True),
        ("시장의 강아지.", False),
    ]
    assert shell("edit", "1", "--accept") == 1
    with catalog.write() as session:
        add_revision(session, 1, Draft("기다리는 글", Origin.MODEL, "demo"))
    assert shell("edit", "1", "--accept") == 0
    assert shell.json("show", "1")["caption"]["text"] == "기다리는 글"
    assert shell("undo", "1") == 0
    assert shell("undo", "1") == 0
    assert shell.json("show", "1")["caption"]["text"] == "시장의 강아지."
    assert shell("undo", "1") == 1
    assert "nothing to undo" in shell.err


def test_a_proposal_can_be_put_aside(shell: Shell, catalog: Catalog, captioned: Path) -> None:
    shell("edit", "1", "--text", "사람의 글")
    with catalog.write() as session:
        add_revision(session, 1, Draft("모델의 새 글.", Origin.MODEL, "demo"))
    assert shell("edit", "1", "--drop") == 0
    assert shell.out == "모델의 새 글.\n"
    assert shell("edit", "1", "--drop") == 1
    assert shell("edit", "1", "--accept", "--drop") == 2
    shell("show", "1", "--json")
    assert json.loads(shell.out)["caption"]["text"] == "사람의 글"
    shell("history", "1", "--json")
    texts = {one["text"]: one["proposed"] for one in json.loads(shell.out)}
    assert texts == {"모델의 새 글.": False, "사람의 글": False, "시장의 강아지.": False}


def test_what_was_tried_before_a_text_was_kept_is_shown(
    shell: Shell, catalog: Catalog, captioned: Path
) -> None:
    tries = [
        {"step": "first", "reasons": ["not_korean"], "text": "A dog bites a box."},
        {"step": "retry", "reasons": ["meta_opener"], "text": "이 영상은 개이다."},
    ]
    with catalog.write() as session:
        draft = Draft(
            "이 영상은 개이다.",
            Origin.MODEL,
            "demo",
            provenance={"tries": tries, "remarks": ["gpu_out_of_memory: 4 of 8 frames"]},
            review=("meta_opener",),
        )
        add_revision(session, 1, draft)
    shell("history", "1")
    assert "1. first: A dog bites a box. (it is not in Korean, or not throughout)" in shell.out
    assert "gpu_out_of_memory: 4 of 8 frames" in shell.out
    shell("show", "1")
    assert "! it talks about the video, not about what is in it" in shell.out
    shell("history", "1", "--json")
    assert json.loads(shell.out)[0]["provenance"]["tries"] == tries


def test_edit_in_an_editor(
    shell: Shell, captioned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor.py"
    editor.write_text("import sys; open(sys.argv[1], 'a').write('덧붙인 말')")
    monkeypatch.setenv("EDITOR", f"{sys.executable} {editor}")
    monkeypatch.delenv("VISUAL", raising=False)
    assert shell("edit", "1") == 0
    assert shell.json("show", "1")["caption"]["text"] == "시장의 강아지.\n덧붙인 말"
    monkeypatch.setenv("EDITOR", "/no/such/editor")
    assert shell("edit", "1") == 2
    assert "set EDITOR" in shell.err


def test_recaption(shell: Shell, captioned: Path) -> None:
    assert shell("recaption", "1", "--dry-run") == 0
    assert shell.json("queue", "list") == []
    assert shell("recaption", "1", "--frames", "4", "--prompt", "{duration}초 영상") == 0
    (job,) = shell.json("queue")
    assert (job["state"], job["prompt"]) == ("queued", "{duration}초 영상")
    assert shell.json("show", "1")["status"] == "queued"
    assert shell("recaption", "--where", "강아지", "--dry-run") == 0
    assert shell("recaption", "--where", "없는말") == 1
    assert shell("recaption", "--failed") == 1
    assert shell("recaption", "--stale", "--model", "another", "--dry-run") == 0
    assert shell("recaption", "--stale", "--model", "demo", "--dry-run") == 0  # a prompt of its own
    assert shell("recaption", "1", "999") == 4
    assert "'999'" in shell.err
    assert shell("recaption", "999") == 1
    for wrong in ([], ["1", "--failed"], ["1", "--frames", "99"], ["1", "--prompt", "{nope}"]):
        assert shell("recaption", *wrong) == 2


def test_queue(shell: Shell, captioned: Path) -> None:
    shell("recaption", "1")
    assert shell.json("queue", "pause") == {"paused": True}
    assert shell.json("status")["queue"]["paused"] is True
    assert shell("queue", "resume") == 0
    assert shell("queue", "cancel") == 0
    assert shell.json("queue") == []
    assert shell("queue", "cancel") == 1
    assert shell("queue", "retry") == 1


def test_folders(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "가족 영상"
    folder.mkdir()
    assert shell("folders", "add", str(folder), "--prompt", "아이를 중심으로 묘사해 주세요.") == 0
    (view,) = shell.json("folders")
    assert (view["path"], view["prompt"]) == (str(folder), "아이를 중심으로 묘사해 주세요.")
    assert shell("folders", "set", str(folder), "--polling", "on", "--recursive", "off") == 0
    (view,) = shell.json("folders", "list")
    assert (view["polling"], view["recursive"]) == (True, False)
    assert shell("folders", "remove", str(folder)) == 0
    assert shell.json("folders") == []
    assert shell("folders", "remove", str(folder)) == 1
    assert shell("folders", "add", str(tmp_path / "none")) == 2
    assert shell("folders", "add") == 2


def test_add(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("a.mp4", "b.mkv", "notes.txt"):
        (folder / name).write_bytes(name.encode())
    assert shell("add", str(folder), "--watch", "--priority", "3", "--prompt", "{times}") == 0
    assert [(job["priority"], job["prompt"]) for job in shell.json("queue")] == [(3, "{times}")] * 2
    assert [view["path"] for view in shell.json("folders")] == [str(folder)]
    assert shell("add", str(folder / "a.mp4"), "/none.mp4") == 4
    assert shell("add", "/none.mp4") == 1
    assert "does not exist" in shell.err


def test_export_and_import(shell: Shell, captioned: Path, tmp_path: Path) -> None:
    assert shell("export", "--format", "jsonl", "--to", str(tmp_path / "out")) == 0
    exported = tmp_path / "out/haeseol.jsonl"
    assert shell("export") == 0
    assert exported.read_text(encoding="utf-8") == shell.out
    before = shell.json("list")
    shell.home = str(tmp_path / "other")
    assert shell("import", str(exported)) == 0
    assert shell.json("list") == before
    assert shell("import", "/none.jsonl") == 2
    (tmp_path / "bad.jsonl").write_text("{}")
    assert shell("import", str(tmp_path / "bad.jsonl")) == 1
    assert "line 1" in shell.err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nonsense"], 2, "invalid choice"),
        (["show", "7"], 1, "holds no video '7'"),
        (["show", "/none.mp4"], 1, "give an id or a path"),
        (["show", "9" * 40], 1, "holds no video"),
        (["show", "²"], 1, "holds no video"),
        (["show", "~no-such-user/a.mp4"], 2, "no such user"),
        (["queue", "retry", "9" * 40], 2, "a job id is a number"),
        (["recaption", "1", "--prompt", "{duration.foo}"], 2, "unknown variable"),
        (["run", "/none", "--once"], 2, "is no folder"),
        (["run", "--once"], 2, "models download llava-onevision-0.5b"),
        (["run"], 78, "HAESEOL_MODEL=demo"),
        (["run", "--once", "--model", "gibberish"], 2, "no model 'gibberish'"),
        (["caption", "/none.mp4"], 2, "does not exist"),
        (["models", "download"], 2, "needs a preset"),
        (["run", "--once", "--settle-seconds", "-1"], 2, "--settle-seconds"),
    ],
)
def test_a_mistake_is_one_sentence(
    shell: Shell, arguments: list[str], code: int, sentence: str
) -> None:
    assert shell(*arguments) == code
    assert sentence in shell.err
    assert "Traceback" not in shell.err


def test_a_misspelt_setting_stops_the_daemon_for_good(shell: Shell, catalog: Catalog) -> None:
    catalog.home.config_file.write_text("modle = 'demo'")
    assert shell("run") == 78
    assert "did you mean 'model'" in shell.err


def test_models(shell: Shell) -> None:
    document = shell.json("models")
    names = {row["name"]: row for row in document["models"]}
    assert names["demo"]["downloaded"]
    assert not names["llava-next-video-7b"]["downloaded"]
    assert document["auto"]["name"] in names
    assert document["auto"]["name"] != "demo"
    assert shell("models") == 0


def test_names_of_another_encoding_are_json_all_the_same(shell: Shell, tmp_path: Path) -> None:
    clip = os.fsencode(tmp_path) + "/가.mp4".encode("cp949")
    Path(os.fsdecode(clip)).write_bytes(b"a")
    added = shell.json("add", os.fsdecode(clip))
    assert added[0]["video"]["path"] == shell.json("list")[0]["path"]


def test_a_catalog_of_a_newer_version_is_left_alone(shell: Shell, catalog: Catalog) -> None:
    with catalog.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert shell("list") == 1
    assert "update haeseol" in shell.err


def test_a_catalog_that_cannot_be_written_is_said_in_words(
    shell: Shell, catalog: Catalog, captioned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from catalog.sqlite import sqlite3

    monkeypatch.setattr("catalog.database.BUSY_SECONDS", 0.1)
    blocker = sqlite3.connect(str(catalog.path), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    assert shell("edit", "1", "--text", "글") == 1
    assert "database is locked" in shell.err
    assert "Traceback" not in shell.err
    blocker.close()


def test_a_text_from_the_editor_survives_a_conflict(
    shell: Shell, catalog: Catalog, captioned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor.py"
    editor.write_text(
        "import sys, subprocess; open(sys.argv[1], 'w').write('오래 쓴 글')\n"
        f"subprocess.run([sys.executable, '-m', 'catalog.cli', '--home', {shell.home!r},"
        " 'edit', '1', '--text', '그동안 쓴 글'], check=True)"
    )
    monkeypatch.setenv("EDITOR", f"{sys.executable} {editor}")
    monkeypatch.delenv("VISUAL", raising=False)
    assert shell("edit", "1") == 1
    kept = Path(shell.err.rsplit("kept in ", 1)[1].strip())
    assert kept.read_text(encoding="utf-8").strip() == "오래 쓴 글"
    assert shell.json("show", "1")["caption"]["text"] == "그동안 쓴 글"


def test_hostile_names_reach_the_terminal_harmless(shell: Shell, tmp_path: Path) -> None:
    evil = tmp_path / "evil\x1b]0;title\x07\u202e.mp4"
    evil.write_bytes(b"a")
    shell("add", str(evil))
    shell("edit", "1", "--text", "글 \x1b[31m빨강")
    for command in (["list"], ["show", "1"], ["search", "빨강"], ["queue"], ["history", "1"]):
        shell(*command)
        assert not set(shell.out) & {"\x1b", "\x07", "\u202e"}


def test_completion_scripts(shell: Shell) -> None:
    for name in ("bash", "zsh"):
        assert shell("completion", name) == 0
        assert "recaption" in shell.out


def test_a_reader_that_leaves_early_is_no_error(shell: Shell, captioned: Path) -> None:
    command = f"{sys.executable} -m catalog.cli --home {shell.home} list --json | head -c 10"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_every_command_is_in_both_readmes() -> None:
    parser = build_parser()
    (commands,) = (a for a in parser._actions if a.dest == "command")
    assert commands.choices is not None
    for readme in ("README.md", "README.ko.md"):
        text = (Path(__file__).parent.parent / readme).read_text(encoding="utf-8")
        missing = [name for name in commands.choices if f"haeseol {name}" not in text]
        assert missing == [], readme
