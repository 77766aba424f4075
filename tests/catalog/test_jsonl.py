"""JSON Lines: a round trip keeps the catalog, a foreign file is taken in, a bad line costs nothing."""

import json
import os
from pathlib import Path

import pytest

from catalog import browse, ingest, library, queue
from catalog.captions import Draft, accept, add_revision, edit, undo
from catalog.database import Catalog, open_catalog
from catalog.errors import CodedError, ErrorCode
from catalog.hits import find
from catalog.home import find_home
from catalog.schema import Job, JobState, Origin
from catalog.sidecars.jsonl import BadLineError, export_lines, import_lines
from catalog.views import Json


@pytest.fixture
def full(catalog: Catalog, tmp_path: Path) -> Catalog:
    """A catalog with every kind of row: revisions, proposals, tags, scenes, a failure, odd names."""
    folder = tmp_path / "videos"
    folder.mkdir()
    names = ("정상.mp4", "\u1112\u1161\u11ab.mp4", "깨진.mp4", os.fsdecode(b"\xff.mp4"), "대기.mp4")
    for index, name in enumerate(names):
        (folder / name).write_bytes(bytes([index]) * (100 + index))
        ingest.take_file(catalog, os.fsencode(folder / name))
    with catalog.write() as session:
        facts = library.VideoFacts(4.0, 640, 360, 29.97, "h264", 90, "2024-10-12T09:00:00+09:00")
        library.record_facts(session, 1, facts)
        spans = [library.SceneSpan(0, 1.5, 0.7, b"\x01\x01abc")]
        spans.append(library.SceneSpan(1.5, 4, 3, None, (2.75, 1.5, 3.9996)))
        library.record_scenes(session, 1, spans)
        library.set_tags(session, 1, ["돌잔치", "실내"])
        scenes = [scene.id for scene in library.scenes_of(session, 1)]
    for text in ("처음", "다음"):
        with catalog.write() as session:
            draft = Draft(text, Origin.MODEL, "demo", "nf4", "caption-ko-1", (0.5,), {"torch": "2"})
            add_revision(session, 1, draft)
            add_revision(session, 1, draft, scene_id=scenes[0])
    with catalog.write() as session:
        edit(session, 1, "사람 1")
        edit(session, 1, "사람 2")
        undo(session, 1)
        add_revision(session, 1, Draft("제안", Origin.MODEL, "demo", review=["unfinished"]))
    with catalog.write() as session:
        for _ in range(3):
            job = queue.claim(session)
            assert job is not None
            if job.video_id == 3:
                queue.fail(session, job, CodedError(ErrorCode.TRUNCATED, "half is missing"))
            else:
                queue.finish(session, job)
        edit(session, 2, "둘째")
    return catalog


def listed(catalog: Catalog) -> list[Json]:
    with catalog.read() as connection:
        views = list(browse.videos(connection, sorted(browse.video_ids(connection))))
    return [view.json() | {"id": None} for view in views]


def other_catalog(tmp_path: Path) -> Catalog:
    return open_catalog(find_home(tmp_path / "other"))


def test_an_import_of_an_export_gives_the_same_catalog(full: Catalog, tmp_path: Path) -> None:
    lines = list(export_lines(full))
    other = other_catalog(tmp_path)
    assert import_lines(other, lines, "test").added == 5
    assert listed(other) == listed(full)
    assert list(export_lines(other)) == lines
    with full.read() as one, other.read() as two:
        ours, theirs = browse.video(one, 1), browse.video(two, 1)
        assert theirs.raw_paths == ours.raw_paths
        assert [r.text for r in browse.revisions(two, 1)] == [
            r.text for r in browse.revisions(one, 1)
        ]
        assert browse.thumbnail(two, theirs.scenes[0].id) == b"\x01\x01abc"
        moments = two.execute("SELECT moments FROM scene WHERE video_id = 1 AND idx = 1")
        assert json.loads(moments.fetchone()[0]) == [2.75, 1.5, 4.0]
        assert [h.text for h in find(two, "사람").hits] == [h.text for h in find(one, "사람").hits]
    with other.write() as session:
        before = undo(session, 1)
        assert before is not None
        assert before.text == "다음"
    other.close()


def test_a_second_import_changes_nothing(full: Catalog) -> None:
    before = listed(full)
    result = import_lines(full, list(export_lines(full)), "test")
    assert (result.added, result.known) == (0, 5)
    assert listed(full) == before


def test_a_foreign_line_is_a_persons_text_of_an_offline_video(catalog: Catalog) -> None:
    line = {
        "path": "/archive/돌잔치.mp4",
        "duration": None,
        "caption": "아이가 붓을 집는다.",
        "scenes": [{"start": 0.0, "end": 4.2, "note": "상 앞에 앉는다."}],
        "tags": ["돌잔치"],
    }
    import_lines(catalog, [json.dumps(line, ensure_ascii=False), ""], "test")
    (video,) = listed(catalog)
    assert (video["status"], video["caption"]["origin"]) == ("offline", "human")
    assert video["scenes"][0]["note"]["text"] == "상 앞에 앉는다."
    with catalog.read() as connection:
        assert {hit.field for hit in find(connection, "돌잔치").hits} == {"title", "path", "tag"}


def test_a_video_that_arrives_after_its_import_keeps_the_text_and_needs_no_job(
    catalog: Catalog, tmp_path: Path
) -> None:
    clip = tmp_path / "a.mp4"
    import_lines(catalog, [json.dumps({"path": str(clip), "caption": "가져온 글"})], "test")
    clip.write_bytes(b"a" * 100)
    video_id, _ = ingest.take_file(catalog, os.fsencode(clip))
    with catalog.read() as connection:
        view = browse.video(connection, video_id)
    assert view.caption is not None
    assert (view.caption.text, view.status) == ("가져온 글", "captioned")


def test_a_proposal_accepted_late_goes_back_to_a_younger_text(
    catalog: Catalog, tmp_path: Path
) -> None:
    clip = tmp_path / "a.mp4"
    clip.write_bytes(b"a" * 100)
    ingest.take_file(catalog, os.fsencode(clip))
    with catalog.write() as session:
        edit(session, 1, "사람 1")
        proposal = add_revision(session, 1, Draft("제안", Origin.MODEL, "demo")).id
        edit(session, 1, "사람 2")
        accept(session, proposal)
    other = other_catalog(tmp_path)
    import_lines(other, list(export_lines(catalog)), "test")
    assert listed(other) == listed(catalog)
    with other.write() as session:
        before = undo(session, 1)
        assert before is not None
        assert before.text == "사람 2"
    other.close()


def test_what_is_open_in_the_queue_comes_back(full: Catalog, tmp_path: Path) -> None:
    with full.write() as session:
        queue.put(session, 1, prompt="{duration}초", model="demo", frames=4, priority=7)
        session.query(Job).filter_by(video_id=3).one().state = JobState.DEAD
        library.set_online(session, [library.online_path(session, 3) or b""], online=False)
    other = other_catalog(tmp_path)
    import_lines(other, list(export_lines(full)), "test")
    with full.read() as one, other.read() as two:
        facts = [
            [
                (j.video_id, j.state, j.prompt, j.model, j.frames, j.priority, j.error_code)
                for j in jobs
            ]
            for jobs in (browse.jobs(one), browse.jobs(two))
        ]
    assert sorted(facts[0]) == sorted(facts[1])
    other.close()


def test_an_overwritten_content_keeps_its_texts_and_takes_no_place(
    catalog: Catalog, tmp_path: Path
) -> None:
    clip = tmp_path / "a.mp4"
    for content in (b"a", b"b", b"c"):
        clip.write_bytes(content * 100)
        video_id, _ = ingest.take_file(catalog, os.fsencode(clip))
        with catalog.write() as session:
            edit(session, video_id, f"글 {content!r}")
    other = other_catalog(tmp_path)
    assert import_lines(other, list(export_lines(catalog)), "test").added == 3
    assert listed(other) == listed(catalog)
    other.close()


def test_a_file_that_changed_since_the_export_is_seen_as_another(
    catalog: Catalog, tmp_path: Path
) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    clip = folder / "a.mp4"
    clip.write_bytes(b"a" * 100)
    ingest.take_file(catalog, os.fsencode(clip))
    with catalog.write() as session:
        edit(session, 1, "옛 내용의 글")
    lines = list(export_lines(catalog))
    clip.write_bytes(b"b" * 100)
    other = other_catalog(tmp_path)
    import_lines(other, lines, "test")
    (changed,) = ingest.reconcile(other, os.fsencode(folder)).changed
    video_id, placement = ingest.take_file(other, changed)
    assert placement is library.Placement.REPLACED
    with other.read() as connection:
        assert browse.video(connection, video_id).caption is None
    other.close()


def test_an_export_of_before_there_were_moments_is_taken_in(full: Catalog, tmp_path: Path) -> None:
    records = [json.loads(line) for line in export_lines(full)]
    for record in records:
        for scene in record["scenes"]:
            del scene["moments"]
    other = other_catalog(tmp_path)
    import_lines(other, [json.dumps(record) for record in records], "test")
    assert listed(other) == listed(full)
    other.close()


@pytest.mark.parametrize(
    "line",
    [
        '{"path": "/a.mp4", "duration": "abc"}', '{"path": "/a.mp4", "duration": Infinity}',
        '{"path": "/a.mp4", "size": 99999999999999999999}', '{"path": ""}',
        '{"path": "/a.mp4", "width": 12.5}',
        "not json", "[]", '"text"', "{}", '{"path": 3}', '{"path": "/a.mp4", "caption": 3}',
        '{"path": "/a.mp4", "scenes": [{"start": 2, "end": 1, "note": "뒤집힘"}]}',
        '{"path": "/a.mp4", "scenes": [{"note": "시각 없음"}]}', '{"path": "/a.mp4", "scenes": 7}',
        '{"path": "/a.mp4", "scenes": [{"start": 0, "end": 1, "moments": "12"}]}',
        '{"path": "/a.mp4", "caption": "글", "origin": "robot"}',
    ],
)  # fmt: skip
def test_a_bad_line_is_named_and_nothing_is_taken(catalog: Catalog, line: str) -> None:
    good = json.dumps({"path": "/good.mp4", "caption": "좋은 글"})
    with pytest.raises(BadLineError, match=r"file\.jsonl, line 2: .*Nothing was imported"):
        import_lines(catalog, [good, line], "file.jsonl")
    assert listed(catalog) == []
