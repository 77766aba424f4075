"""The ladder: what is asked again, how, and which text is kept. A scripted model, and the real one."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from catalog.errors import CodedError, ErrorCode, InterruptedByUserError
from catalog.prompts import CAPTION, MERGE, NOTE, SEED, Facts, Template, custom
from daemon.captioner import ladder
from daemon.captioner.base import Answer, Identity, Question
from daemon.captioner.demo.render import frame_at
from daemon.captioner.demo.world import random_clip
from daemon.captioner.ladder import Checked, Request
from daemon.captioner.local import LocalCaptioner
from daemon.media import uniform_times

GOOD = "강아지가 풀밭을 뛰어다닌다."
ENGLISH = "A dog runs across the grass."
FOREIGN = "강아지가 公園에서 뛴다."
LOOP = "개가 뛰고 개가 뛰고 개가 뛰고 개가 뛰고"
OPENER = "이 영상은 강아지가 뛰는 모습을 보여 줍니다."
MIXED = "강아지가 뜁니다. 고양이가 잔다."

Says = str | Answer
Script = Callable[[Question], Says]


class Model:
    """Answers by a function, and remembers each call with its questions."""

    def __init__(self, script: Script) -> None:
        self.identity = Identity("scripted", "none", {})
        self.frames, self.long_side, self.batch_size = 4, 64, 4
        self.calls: list[list[Question]] = []
        self._script = script

    def answer(
        self, questions: Sequence[Question], *, should_stop: Callable[[], bool] = lambda: False
    ) -> list[Answer]:
        """See `daemon.captioner.base.Captioner.answer`."""
        if should_stop():
            raise InterruptedByUserError
        self.calls.append(list(questions))
        told = [self._script(question) for question in questions]
        return [one if isinstance(one, Answer) else Answer(one, finished=True) for one in told]


def saying(*, first: Says, retry: Says = "", english: Says = "", korean: Says = "") -> Script:
    """A model that says one thing at each step."""

    def script(question: Question) -> Says:
        if question.earlier:
            return korean
        if "앞서 쓴 답은" in question.prompt:
            return retry
        return english if "English" in question.prompt else first

    return script


def picture_request(template: Template = NOTE, **facts: str) -> Request:
    pictures = np.zeros((2, 8, 8, 3), dtype=np.uint8)
    return ladder.about_pictures(template, Facts(4.0, (1.0, 3.0), **facts), pictures)


def asked(model: Model, *requests: Request, retries: bool = True) -> list[Checked]:
    return ladder.ask(model, requests or [picture_request()], retries=retries)


def steps(checked: Checked) -> list[str]:
    return [one.step for one in checked.tries]


def test_a_good_answer_costs_one_question() -> None:
    model = Model(saying(first=GOOD))
    (checked,) = asked(model)
    assert [len(call) for call in model.calls] == [1]
    assert (checked.text, checked.review, checked.finished) == (GOOD, (), True)
    assert checked.provenance == {}
    assert steps(checked) == ["first"]


def test_a_polish_matter_is_flagged_and_asked_no_more() -> None:
    model = Model(saying(first=MIXED))
    (checked,) = asked(model)
    assert len(model.calls) == 1
    assert checked.review == ("mixed_speech_level",)


def test_a_bad_answer_is_asked_again_and_told_why() -> None:
    model = Model(saying(first=FOREIGN, retry=GOOD))
    (checked,) = asked(model)
    assert checked.text == GOOD
    assert checked.review == ()
    first, retry = (call[0] for call in model.calls)
    assert retry.prompt.startswith(first.prompt)
    assert "한자나 일본 글자" in retry.prompt
    assert retry.pictures is first.pictures
    assert retry.repetition_penalty == 1.0
    assert checked.provenance["tries"] == [
        {"step": "first", "reasons": ["foreign_script"], "text": FOREIGN},
        {"step": "retry", "reasons": [], "text": GOOD, "prompt": "retry-ko-1"},
    ]


def test_a_loop_is_asked_again_with_a_penalty() -> None:
    model = Model(saying(first=LOOP, retry=GOOD))
    asked(model)
    assert model.calls[1][0].repetition_penalty == ladder.PENALTY_FOR_LOOPS
    assert "되풀이하지 말고" in model.calls[1][0].prompt


def test_the_way_by_english_uses_the_same_pictures_and_the_models_own_words() -> None:
    model = Model(saying(first=FOREIGN, retry=LOOP, english=ENGLISH, korean=GOOD))
    (checked,) = asked(model, picture_request(glossary="복실이"))
    assert steps(checked) == ["first", "retry", "translate"]
    assert checked.text == GOOD
    english, korean = model.calls[2][0], model.calls[3][0]
    assert english.prompt.startswith("These are 2 frames of a 4.0 second video")
    assert "복실이" not in english.prompt
    assert english.pictures is korean.pictures is model.calls[0][0].pictures
    assert [(turn.prompt, turn.answer) for turn in korean.earlier] == [(english.prompt, ENGLISH)]
    assert "translation" in korean.prompt
    assert "복실이" in korean.prompt
    last = checked.provenance["tries"][-1]
    assert (last["english"], last["prompt"]) == (ENGLISH, "translate-ko-1")


def test_an_opener_is_asked_again_but_not_translated() -> None:
    model = Model(saying(first=OPENER, retry=OPENER))
    (checked,) = asked(model)
    assert len(model.calls) == 2
    assert checked.review == ("meta_opener",)
    assert steps(checked) == ["first", "retry"]


@pytest.mark.parametrize(
    ("first", "retry", "korean", "kept"),
    [
        (FOREIGN, OPENER, "", OPENER),  # the retry is lighter, and light enough
        (OPENER, FOREIGN, "", OPENER),  # the retry made it worse
        (FOREIGN, LOOP, MIXED, MIXED),  # the translation is the lightest
        (FOREIGN, LOOP, LOOP, FOREIGN),  # all alike: the one that took no detour
        (f"{LOOP} 公園", FOREIGN, LOOP, FOREIGN),  # fewer reasons
    ],
)
def test_the_best_of_all_tries_is_kept(first: str, retry: str, korean: str, kept: str) -> None:
    model = Model(saying(first=first, retry=retry, english=ENGLISH, korean=korean))
    (checked,) = asked(model)
    assert checked.text == kept
    assert checked.review


@pytest.mark.parametrize("english", ["", "a dog a dog a dog a dog", "I'm sorry, I cannot see it."])
def test_useless_english_is_not_translated(english: str) -> None:
    model = Model(saying(first=FOREIGN, retry=LOOP, english=english, korean=GOOD))
    (checked,) = asked(model)
    assert len(model.calls) == 3
    assert checked.text == FOREIGN
    assert checked.review == ("foreign_script",)


def test_a_batch_climbs_together() -> None:
    def script(question: Question) -> str:
        if question.earlier:
            return GOOD
        if "A번" in question.prompt:
            return GOOD
        if "앞서 쓴 답은" in question.prompt:
            return GOOD if "B번" in question.prompt else LOOP
        return ENGLISH if "English" in question.prompt else FOREIGN

    model = Model(script)
    requests = [picture_request(custom(f"{name}번을 묘사해 주세요.")) for name in "CABD"]
    checked = asked(model, *requests)
    assert [len(call) for call in model.calls] == [4, 3, 2, 2]
    assert [len(one.tries) for one in checked] == [3, 1, 2, 3]
    assert {one.text for one in checked} == {GOOD}
    assert model.calls[2][1].prompt.startswith("D번을 묘사해 주세요.\nAnswer in English")


def test_retries_can_be_turned_off() -> None:
    model = Model(saying(first=FOREIGN, retry=GOOD))
    (checked,) = asked(model, retries=False)
    assert len(model.calls) == 1
    assert checked.review == ("foreign_script",)


def test_notes_are_merged_by_the_same_way_without_pictures() -> None:
    model = Model(saying(first=ENGLISH, retry=ENGLISH, english=ENGLISH, korean=GOOD))
    request = ladder.about_notes([GOOD, "고양이가 잔다."], glossary="복실이")
    (checked,) = asked(model, request)
    assert request.template == MERGE.key
    assert checked.text == GOOD
    assert all(question.pictures is None for call in model.calls for question in call)
    assert f"1. {GOOD}\n2. 고양이가 잔다." in model.calls[2][0].prompt


def test_a_merge_that_falls_into_english_is_not_taken() -> None:
    model = Model(saying(first=ENGLISH, retry=GOOD))
    (checked,) = asked(model, ladder.about_notes([GOOD, GOOD]))
    assert checked.text == GOOD


def test_a_cut_answer_is_asked_again_for_a_shorter_one() -> None:
    model = Model(saying(first=Answer(GOOD, finished=False), retry=GOOD))
    (checked,) = asked(model)
    assert "짧게 쓰고" in model.calls[1][0].prompt
    assert (checked.finished, checked.review) == (True, ())


def test_a_translation_of_cut_english_is_unfinished() -> None:
    cut = Answer(ENGLISH, finished=False)
    model = Model(saying(first=FOREIGN, retry=LOOP, english=cut, korean=GOOD))
    (checked,) = asked(model)
    assert (checked.text, checked.review) == (GOOD, ("unfinished",))


def test_what_was_done_otherwise_goes_with_the_text() -> None:
    first = Answer(FOREIGN, finished=True, shown=(0, 1), remarks=("fewer frames",))
    english = Answer(ENGLISH, finished=True, shown=(0,), remarks=("one frame",))
    korean = Answer(GOOD, finished=True, remarks=("one frame", "slow"))
    (kept,) = asked(Model(saying(first=first, retry=LOOP, english=english, korean=korean)))
    assert (kept.shown, kept.remarks) == ((0,), ("one frame", "slow"))
    assert kept.provenance["remarks"] == ["one frame", "slow"]
    (kept,) = asked(Model(saying(first=first)), retries=False)
    assert (kept.shown, kept.remarks) == ((0, 1), ("fewer frames",))


def test_recorded_texts_are_bounded() -> None:
    model = Model(saying(first="가나 " * 5000, retry=GOOD))
    (checked,) = asked(model)
    assert len(checked.provenance["tries"][0]["text"]) == ladder.LONGEST_RECORDED + 1


@pytest.mark.parametrize("step", [0, 1, 2, 3])
def test_a_stop_passes_through_every_step(step: int) -> None:
    model = Model(saying(first=FOREIGN, retry=LOOP, english=ENGLISH, korean=GOOD))
    with pytest.raises(InterruptedByUserError):
        ladder.ask(model, [picture_request()], should_stop=lambda: len(model.calls) >= step)
    assert len(model.calls) == step


def test_an_error_of_the_model_passes_through() -> None:
    def script(question: Question) -> str:
        if "앞서 쓴 답은" in question.prompt:
            raise CodedError(ErrorCode.MODEL_UNAVAILABLE, "the process is gone")
        return LOOP

    with pytest.raises(CodedError):
        asked(Model(script))


def test_a_retry_that_does_not_fit_leaves_the_first_text_flagged() -> None:
    def script(question: Question) -> str:
        if question.prompt != picture_request().question.prompt:
            raise CodedError(ErrorCode.GPU_OUT_OF_MEMORY, "the longer prompt does not fit")
        return FOREIGN

    (checked,) = asked(Model(script))
    assert checked.text == FOREIGN
    assert checked.review


def test_answers_that_were_asked_for_ahead_climb_too() -> None:
    model = Model(saying(first="", retry=GOOD))
    request = picture_request()
    told = [Answer(LOOP, finished=True)]
    (checked,) = ladder.check(model, [request], told)
    assert checked.text == GOOD
    assert [len(call) for call in model.calls] == [1]


def test_a_question_keeps_its_stills_and_its_limit() -> None:
    still = np.zeros((4, 4, 3), dtype=np.uint8)
    request = ladder.about_pictures(
        SEED, Facts(1.0, (0.5,)), None, stills=(still,), max_new_tokens=64
    )
    model = Model(saying(first=FOREIGN, retry=FOREIGN, english=ENGLISH, korean=GOOD))
    asked(model, request)
    questions = [call[0] for call in model.calls]
    assert all(question.stills[0] is still for question in questions)
    assert {question.max_new_tokens for question in questions} == {64}


def test_the_demo_model_passes_the_gate_at_once(demo_captioner: LocalCaptioner) -> None:
    rng = np.random.default_rng(11)
    requests = []
    for template in (NOTE, CAPTION):
        for clip in (random_clip(rng, size=(320, 240)) for _ in range(2)):
            times = uniform_times(0.0, clip.duration, 8)
            pictures = np.stack([frame_at(clip, time, (96, 128)) for time in times])
            requests.append(ladder.about_pictures(template, Facts(clip.duration, times), pictures))
    checked = ladder.ask(demo_captioner, requests)
    assert {one.review for one in checked} == {()}
    assert {len(one.tries) for one in checked} == {1}
    (whole,) = ladder.ask(demo_captioner, [ladder.about_notes([one.text for one in checked[:2]])])
    assert (whole.review, len(whole.tries)) == ((), 1)
