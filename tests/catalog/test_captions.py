"""Revisions: people before machines, and nothing is ever lost."""

import pytest

from catalog import browse, captions
from catalog.captions import ConflictError, Draft
from catalog.database import Catalog
from catalog.errors import NotFoundError, UsageError
from catalog.library import FileSeen, SceneSpan, place_file, record_scenes, scenes_of
from catalog.schema import Origin


@pytest.fixture
def video_id(catalog: Catalog) -> int:
    with catalog.write() as session:
        new_id, _ = place_file(session, FileSeen(b"/videos/clip.mp4", 100, 1, "8"), "64-aa")
        record_scenes(session, new_id, [SceneSpan(0, 2, 1), SceneSpan(2, 4, 3)])
    return new_id


def model_writes(catalog: Catalog, video_id: int, text: str, scene_id: int | None = None) -> int:
    with catalog.write() as session:
        draft = Draft(text, Origin.MODEL, model="demo")
        return captions.add_revision(session, video_id, draft, scene_id=scene_id).id


def person_writes(catalog: Catalog, video_id: int, text: str) -> int:
    with catalog.write() as session:
        return captions.edit(session, video_id, text).id


def current(catalog: Catalog, video_id: int) -> str | None:
    with catalog.read() as connection:
        caption = browse.video(connection, video_id).caption
    return None if caption is None else caption.text


def test_a_newer_text_of_the_model_takes_the_place_of_an_older(
    catalog: Catalog, video_id: int
) -> None:
    model_writes(catalog, video_id, "처음")
    model_writes(catalog, video_id, "다음")
    assert current(catalog, video_id) == "다음"


def test_a_persons_text_is_never_replaced_by_the_machine(catalog: Catalog, video_id: int) -> None:
    model_writes(catalog, video_id, "기계")
    person_writes(catalog, video_id, "사람")
    proposal = model_writes(catalog, video_id, "다시 기계")
    assert current(catalog, video_id) == "사람"
    with catalog.read() as connection:
        waiting = [one for one in browse.revisions(connection, video_id) if one.proposed]
    assert [one.text for one in waiting] == ["다시 기계"]
    with catalog.write() as session:
        captions.accept(session, proposal)
    assert current(catalog, video_id) == "다시 기계"
    with catalog.write() as session:
        captions.undo(session, video_id)
    assert current(catalog, video_id) == "사람"


def test_undo_goes_back_one_by_one_and_deletes_nothing(catalog: Catalog, video_id: int) -> None:
    for text in ("하나", "둘"):
        person_writes(catalog, video_id, text)
    with catalog.write() as session:
        assert captions.undo(session, video_id) is not None
    assert current(catalog, video_id) == "하나"
    with catalog.write() as session:
        assert captions.undo(session, video_id) is None
    assert current(catalog, video_id) is None
    with pytest.raises(NotFoundError), catalog.write() as session:
        captions.undo(session, video_id)
    with catalog.write() as session:
        assert len(captions.history(session, video_id)) == 2


def test_an_edit_begun_from_an_older_text_is_refused(catalog: Catalog, video_id: int) -> None:
    began_from = model_writes(catalog, video_id, "처음")
    model_writes(catalog, video_id, "그동안 바뀐 글")
    with pytest.raises(ConflictError), catalog.write() as session:
        captions.edit(session, video_id, "늦은 글", expected_id=began_from)
    assert current(catalog, video_id) == "그동안 바뀐 글"


def test_an_empty_edit_is_refused(catalog: Catalog, video_id: int) -> None:
    with pytest.raises(UsageError), catalog.write() as session:
        captions.edit(session, video_id, "  \n")


def test_scene_notes_have_revisions_of_their_own(catalog: Catalog, video_id: int) -> None:
    with catalog.write() as session:
        first, second = (scene.id for scene in scenes_of(session, video_id))
    model_writes(catalog, video_id, "첫 장면", first)
    model_writes(catalog, video_id, "둘째 장면", second)
    with catalog.write() as session:
        captions.edit(session, video_id, "고친 첫 장면", scene_id=first)
    with catalog.read() as connection:
        notes = [
            scene.note.text for scene in browse.video(connection, video_id).scenes if scene.note
        ]
    assert notes == ["고친 첫 장면", "둘째 장면"]


def test_a_reason_for_review_shows_until_a_person_has_written(
    catalog: Catalog, video_id: int
) -> None:
    with catalog.write() as session:
        draft = Draft("english", Origin.MODEL, model="demo", review=["not_korean"])
        captions.add_revision(session, video_id, draft)
    assert status_of(catalog, video_id) == "queued"  # its first job still waits
    with catalog.write() as session:
        from catalog import queue

        job = queue.claim(session)
        assert job is not None
        queue.finish(session, job)
    assert status_of(catalog, video_id) == "needs_review"
    person_writes(catalog, video_id, "사람이 쓴 글")
    assert status_of(catalog, video_id) == "captioned"


def status_of(catalog: Catalog, video_id: int) -> str:
    with catalog.read() as connection:
        return browse.video(connection, video_id).status


def test_decomposed_hangul_is_stored_composed(catalog: Catalog, video_id: int) -> None:
    person_writes(catalog, video_id, "\u1112\u1161\u11ab\u1100\u1173\u11af")
    assert current(catalog, video_id) == "한글"


def test_undoing_a_first_text_brings_up_the_models_that_waited(
    catalog: Catalog, video_id: int
) -> None:
    person_writes(catalog, video_id, "사람이 먼저")
    model_writes(catalog, video_id, "나중에 온 기계 글")
    assert current(catalog, video_id) == "사람이 먼저"
    with catalog.write() as session:
        captions.undo(session, video_id)
    assert current(catalog, video_id) == "나중에 온 기계 글"
    with catalog.write() as session:
        captions.undo(session, video_id)
    assert current(catalog, video_id) == "사람이 먼저"
