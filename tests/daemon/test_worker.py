"""The worker and the way of one video: checkpoints, failures, leases. Real clips, a scripted model."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from catalog import browse, library, queue
from catalog.captions import edit
from catalog.database import Catalog
from catalog.errors import CodedError, ErrorCode
from catalog.ingest import take_file
from catalog.prompts import NOTE, NOTE_AFTER, PHOTO
from catalog.settings import load_settings
from daemon.captioner.base import Answer, Question
from daemon.texts import MERGED_AT_ONCE
from daemon.worker import Worker
from tests.clips import plain, textured, write_video
from tests.daemon.scripted import ScriptedCaptioner

COLOURS = ((200, 30, 30), (30, 200, 30), (30, 30, 200), (220, 220, 40))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Four one-second scenes."""
    path = tmp_path / "네 장면.mp4"
    write_video(path, [plain(colour) for colour in COLOURS for _ in range(25)])
    return path


@pytest.fixture
def video_id(catalog: Catalog, clip: Path) -> int:
    return take_file(catalog, str(clip).encode())[0]


def worker_with(catalog: Catalog, captioner: ScriptedCaptioner) -> Worker:
    return Worker(catalog, load_settings(catalog.home), lambda model: captioner, threading.Event())


def view(catalog: Catalog, video_id: int) -> browse.VideoView:
    with catalog.read() as connection:
        return browse.video(connection, video_id)


def notes(catalog: Catalog, video_id: int) -> list[str]:
    return [scene.note.text for scene in view(catalog, video_id).scenes if scene.note]


def test_every_scene_gets_a_note_and_the_whole_a_caption(catalog: Catalog, video_id: int) -> None:
    captioner = ScriptedCaptioner()
    worker = worker_with(catalog, captioner)
    assert worker.run_next()
    assert not worker.run_next()
    seen = view(catalog, video_id)
    assert notes(catalog, video_id) == [f"문장 {n}이 있다." for n in (1, 2, 3, 4)]
    assert seen.caption is not None
    assert seen.caption.text == "문장 5이 있다."
    assert (seen.status, seen.width, seen.height, seen.codec) == ("captioned", 128, 96, "h264")
    assert seen.duration == pytest.approx(4.0, abs=0.05)
    assert [scene.start for scene in seen.scenes] == pytest.approx([0, 1, 2, 3], abs=0.05)
    assert seen.scenes[0].note is not None
    assert seen.scenes[0].note.frames == pytest.approx((0.12, 0.36, 0.6, 0.84), abs=0.05)


def test_the_whole_is_asked_for_with_the_notes_in_order(catalog: Catalog, video_id: int) -> None:
    captioner = ScriptedCaptioner()
    worker_with(catalog, captioner).run_next()
    merge = captioner.questions[-1]
    assert merge.pictures is None
    assert "1. 문장 1이 있다.\n2. 문장 2이 있다.\n3. 문장 3" in merge.prompt
    pictures = captioner.questions[1].pictures
    assert pictures is not None
    assert pictures.shape[0] == 4
    assert pictures[:, :, :, 1].mean() > 150  # the second scene is green


def test_thumbnails_are_stored(catalog: Catalog, video_id: int) -> None:
    worker_with(catalog, ScriptedCaptioner()).run_next()
    with catalog.read() as connection:
        blob = browse.thumbnail(connection, view(catalog, video_id).scenes[2].id)
    assert blob is not None
    width, height = blob[:2]
    assert len(blob) == 2 + width * height * 3
    assert blob[2:5][2] > 150  # the third scene is blue


def test_a_long_video_is_merged_in_rounds(catalog: Catalog, tmp_path: Path) -> None:
    pictures = [picture for seed in range(20) for picture in [textured(seed * 7)] * 15]
    path = write_video(tmp_path / "많은 장면.mp4", pictures)
    video_id, _ = take_file(catalog, str(path).encode())
    captioner = ScriptedCaptioner()
    worker_with(catalog, captioner).run_next()
    scenes = len(notes(catalog, video_id))
    assert scenes > 16
    merges = [question for question in captioner.questions if question.pictures is None]
    assert len(merges) == -(-scenes // MERGED_AT_ONCE) + 1  # groups of notes, then their texts
    assert all(question.prompt.count("\n") <= MERGED_AT_ONCE + 1 for question in merges)


def test_an_interrupted_job_goes_on_at_the_first_scene_without_a_note(
    catalog: Catalog, video_id: int
) -> None:
    class ProcessDeath(BaseException):
        """Stands for a kill: nothing in the program may handle it."""

    def die_at_third(number: int, question: Question) -> str:
        if number == 3:
            raise ProcessDeath
        return f"앞 {number}"

    with pytest.raises(ProcessDeath):
        worker_with(catalog, ScriptedCaptioner(die_at_third)).run_next()
    assert notes(catalog, video_id) == ["앞 1", "앞 2"]
    with catalog.write() as session:
        assert queue.recover(session, everything=True) == 1
    after = ScriptedCaptioner(lambda number, question: f"뒤 {number}")
    assert worker_with(catalog, after).run_next()
    assert notes(catalog, video_id) == ["앞 1", "앞 2", "뒤 1", "뒤 2"]
    assert len(after.questions) == 3
    with catalog.read() as connection:
        texts = browse.revisions(connection, video_id)
        per_scene = [
            len(browse.revisions(connection, video_id, scene.id))
            for scene in view(catalog, video_id).scenes
        ]
    assert len(texts) == 1
    assert per_scene == [1, 1, 1, 1]


def test_a_stop_gives_the_job_back_with_its_try(catalog: Catalog, video_id: int) -> None:
    captioner = ScriptedCaptioner()
    worker = worker_with(catalog, captioner)

    def stop_at_second(number: int, question: Question) -> str:
        if number == 2:
            worker.stop.set()
        return f"문장 {number}"

    captioner._on_question = stop_at_second
    worker.run_next()
    (job,) = jobs(catalog)
    assert (job.state, job.attempts) == ("queued", 0)
    assert notes(catalog, video_id) == ["문장 1"]


def test_a_stop_during_the_search_for_scenes_stores_none(catalog: Catalog, video_id: int) -> None:
    worker = worker_with(catalog, ScriptedCaptioner())
    worker.stop.set()
    worker.run_next()
    assert view(catalog, video_id).scenes == ()
    assert jobs(catalog)[0].state == "queued"


def jobs(catalog: Catalog) -> list[browse.JobView]:
    with catalog.read() as connection:
        return browse.jobs(connection)


def test_a_cancelled_job_writes_nothing_more(catalog: Catalog, video_id: int) -> None:
    def cancel(number: int, question: Question) -> str:
        with catalog.write() as session:
            queue.cancel(session, [1])
        return "늦은 글"

    worker = worker_with(catalog, ScriptedCaptioner(cancel))
    worker.run_next()
    assert notes(catalog, video_id) == []
    assert worker.outcome.failed == {}


def test_a_file_that_changes_meanwhile_is_not_captioned(
    catalog: Catalog, clip: Path, video_id: int
) -> None:
    def touch(number: int, question: Question) -> str:
        with clip.open("ab") as file:
            file.write(b"more")
        return "글"

    worker = worker_with(catalog, ScriptedCaptioner(touch))
    worker.run_next()
    assert view(catalog, video_id).caption is None
    assert worker.outcome.failed[clip].code == "changed_while_reading"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CodedError(ErrorCode.GPU_OUT_OF_MEMORY, "no room"), "gpu_out_of_memory"),
        (MemoryError(), "out_of_memory"),
        (OSError(5, "Input/output error"), "unreadable"),
        (ValueError("a bug"), "decoder_crashed"),
    ],
)
def test_every_failure_is_a_row_with_a_code_and_a_next_step(
    catalog: Catalog, clip: Path, video_id: int, error: Exception, code: str
) -> None:
    def fail(number: int, question: Question) -> str:
        raise error

    assert worker_with(catalog, ScriptedCaptioner(fail)).run_next()
    failed = view(catalog, video_id)
    assert failed.status == "failed"
    document = failed.json()["error"]
    assert (document["code"], document["attempts"]) == (code, 1)


def test_a_file_that_is_not_there_waits_offline_and_costs_no_try(
    catalog: Catalog, clip: Path, video_id: int
) -> None:
    content = clip.read_bytes()
    clip.unlink()
    worker = worker_with(catalog, ScriptedCaptioner())
    assert worker.run_next()
    assert not worker.run_next()
    assert worker.outcome.failed[clip].code == "vanished"
    assert view(catalog, video_id).status == "offline"
    assert [(job.state, job.attempts) for job in jobs(catalog)] == [("queued", 0)]
    clip.write_bytes(content)
    take_file(catalog, str(clip).encode())
    worker.run_next()
    assert view(catalog, video_id).status == "captioned"


def test_another_copy_is_used_where_one_is_missing(
    catalog: Catalog, clip: Path, video_id: int
) -> None:
    copy = clip.with_name("사본.mp4")
    copy.write_bytes(clip.read_bytes())
    take_file(catalog, str(copy).encode())
    with catalog.write() as session:
        gone = library.online_path(session, video_id)
    assert gone is not None
    Path(gone.decode()).unlink()
    worker = worker_with(catalog, ScriptedCaptioner())
    assert worker.run_next()
    assert worker.run_next()
    assert view(catalog, video_id).status == "captioned"


@pytest.mark.parametrize("code", [ErrorCode.MODEL_UNAVAILABLE, ErrorCode.GPU_OUT_OF_MEMORY])
def test_a_model_that_does_not_load_costs_no_job_a_try(
    catalog: Catalog, video_id: int, code: ErrorCode
) -> None:
    def cannot_load(model: str) -> ScriptedCaptioner:
        raise CodedError(code, "the model does not load")

    worker = Worker(catalog, load_settings(catalog.home), cannot_load, threading.Event())
    assert worker.run_next()
    assert not worker.run_next()  # it rests
    assert worker.outcome.fault is not None
    assert [(job.state, job.attempts) for job in jobs(catalog)] == [("queued", 0)]


def test_a_full_disk_costs_no_job_a_try_and_work_goes_on_by_itself(
    catalog: Catalog, video_id: int
) -> None:
    def fill_up(number: int, question: Question) -> str:
        if number == 1:
            raise OSError(28, "No space left on device")
        return f"문장 {number}"

    worker = worker_with(catalog, ScriptedCaptioner(fill_up))
    worker.run_next()
    assert worker.outcome.fault is not None
    assert worker.outcome.fault.code == "disk_full"
    worker.rests_until = 0
    worker.run_next()
    assert worker.outcome.fault is None
    assert view(catalog, video_id).status == "captioned"


def test_a_recaption_beside_a_persons_text_waits(catalog: Catalog, video_id: int) -> None:
    worker = worker_with(catalog, ScriptedCaptioner())
    worker.run_next()
    with catalog.write() as session:
        edit(session, video_id, "사람의 글")
        queue.put(session, video_id)
    worker.run_next()
    seen = view(catalog, video_id)
    assert seen.caption is not None
    assert seen.caption.text == "사람의 글"
    with catalog.read() as connection:
        assert [r.proposed for r in browse.revisions(connection, video_id)] == [True, False, False]


def test_the_folders_prompt_is_used_and_the_jobs_own_goes_before_it(
    catalog: Catalog, clip: Path, video_id: int
) -> None:
    with catalog.write() as session:
        library.add_folder(session, clip.parent).prompt = "{folder}의 {filename}: {count}장"
    captioner = ScriptedCaptioner()
    worker = worker_with(catalog, captioner)
    worker.run_next()
    assert captioner.questions[0].prompt == f"{clip.parent.name}의 네 장면: 4장"
    with catalog.write() as session:
        queue.put(session, video_id, prompt="{duration}초", frames=2)
    worker.run_next()
    asked = captioner.questions[5]
    assert asked.prompt == "1.0초"
    assert asked.pictures is not None
    assert len(asked.pictures) == 2


def test_a_photo_gets_a_caption_and_no_scenes(catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "바다.jpg"
    Image.new("RGB", (300, 200), (10, 60, 200)).save(path)
    video_id, _ = take_file(catalog, str(path).encode())
    captioner = ScriptedCaptioner()
    worker_with(catalog, captioner).run_next()
    seen = view(catalog, video_id)
    assert seen.caption is not None
    assert (seen.status, seen.scenes, seen.codec) == ("captioned", (), "jpeg")
    (question,) = captioner.questions
    assert question.pictures is None
    assert [still.shape for still in question.stills] == [(200, 300, 3)]
    assert seen.caption.prompt == PHOTO.key


def test_each_note_can_follow_the_one_before(catalog: Catalog, video_id: int) -> None:
    captioner = ScriptedCaptioner()
    settings = load_settings(catalog.home, previous_note=True)
    Worker(catalog, settings, lambda model: captioner, threading.Event()).run_next()
    prompts = [question.prompt for question in captioner.questions]
    assert prompts[1].splitlines()[1] == "바로 앞 장면의 설명: 문장 1이 있다."
    assert prompts[3].splitlines()[1] == "바로 앞 장면의 설명: 문장 3이 있다."
    with catalog.read() as connection:
        scenes = browse.video(connection, video_id).scenes
    keys = [scene.note.prompt for scene in scenes if scene.note]
    assert keys == [NOTE.key, NOTE_AFTER.key, NOTE_AFTER.key, NOTE_AFTER.key]


def test_a_title_and_tags_are_offered(catalog: Catalog, video_id: int) -> None:
    def tell(number: int, question: Question) -> str:
        if "제목" in question.prompt:
            return "색이 바뀌는 화면"
        return "화면, 색, 변화" if "낱말만" in question.prompt else "화면의 색이 바뀐다."

    captioner = ScriptedCaptioner(tell)
    settings = load_settings(catalog.home, titles_and_tags=True)
    Worker(catalog, settings, lambda model: captioner, threading.Event()).run_next()
    seen = view(catalog, video_id)
    assert seen.title == "색이 바뀌는 화면"
    assert set(seen.tags) == {"화면", "색", "변화"}


def test_what_was_tried_is_recorded(catalog: Catalog, video_id: int) -> None:
    """English at first, Korean when asked again: the caption keeps both tries."""
    captioner = ScriptedCaptioner(
        lambda number, question: "화면이 푸르다." if "다시" in question.prompt else "It is blue."
    )
    worker_with(catalog, captioner).run_next()
    with catalog.read() as connection:
        (caption,) = browse.revisions(connection, video_id)
    assert (caption.text, caption.review) == ("화면이 푸르다.", ())
    assert [one["step"] for one in caption.provenance["tries"]] == ["first", "retry"]


def test_retries_can_be_turned_off(catalog: Catalog, video_id: int) -> None:
    captioner = ScriptedCaptioner(lambda number, question: "It is blue.")
    settings = load_settings(catalog.home, korean_retries=False)
    Worker(catalog, settings, lambda model: captioner, threading.Event()).run_next()
    assert len(captioner.questions) == 5
    assert view(catalog, video_id).status == "needs_review"


def test_frames_that_were_not_shown_are_not_recorded(catalog: Catalog, video_id: int) -> None:
    class Short(ScriptedCaptioner):
        """Has no memory for more than two frames."""

        def answer(self, questions: Sequence[Question], **options: Any) -> list[Answer]:
            return [
                replace(one, shown=(0, 2), remarks=("gpu_out_of_memory: 2 of 4 frames",))
                for one in super().answer(questions, **options)
            ]

    worker_with(catalog, Short()).run_next()
    note = view(catalog, video_id).scenes[0].note
    assert note is not None
    assert note.frames == pytest.approx((0.12, 0.6), abs=0.05)
    assert note.provenance["remarks"] == ["gpu_out_of_memory: 2 of 4 frames"]


def test_text_that_is_not_korean_is_flagged(catalog: Catalog, video_id: int) -> None:
    captioner = ScriptedCaptioner(lambda number, question: "a red circle moves")
    worker_with(catalog, captioner).run_next()
    seen = view(catalog, video_id)
    assert seen.status == "needs_review"
    assert seen.caption is not None
    assert seen.caption.review == ("not_korean",)
