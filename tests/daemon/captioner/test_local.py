"""The local captioner with the bundled checkpoint: batches, quantization, prompts, stops."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoProcessor

from catalog.errors import CodedError, InterruptedByUserError
from catalog.prompts import NOTE, render, render_merge
from daemon.captioner.base import Question
from daemon.captioner.checkpoints import Checkpoint
from daemon.captioner.demo.render import frame_at
from daemon.captioner.demo.world import Clip, random_clip
from daemon.captioner.local import LocalCaptioner
from daemon.captioner.pictures import FIT, evenly, fitted
from daemon.captioner.profiles import DEMO_CHECKPOINT, Quantization
from daemon.media import uniform_times


def question_about(clip: Clip, frames: int = 8, *, begins: float = 0.0) -> Question:
    """The question about a scene that begins so many seconds into its video."""
    times = uniform_times(0.0, clip.duration, frames)
    pictures = np.stack([frame_at(clip, time, (96, 128)) for time in times])
    absolute = [begins + time for time in times]
    return Question(render(NOTE, duration=clip.duration, times=absolute), pictures)


def clips(count: int, seed: int = 5) -> list[Clip]:
    rng = np.random.default_rng(seed)
    return [random_clip(rng, size=(640, 480)) for _ in range(count)]


def loaded(quantization: Quantization) -> LocalCaptioner:
    return LocalCaptioner(Checkpoint("demo", DEMO_CHECKPOINT, quantization, 8), device="cpu")


def layers(model: Any, name: str) -> dict[str, Any]:
    return {path: part for path, part in model.named_modules() if type(part).__name__ == name}


def test_a_batch_says_what_its_members_say_alone(demo_captioner: LocalCaptioner) -> None:
    """Eight clips of different lengths, whose prompts therefore differ in length too."""
    begins = (0, 9, 99, 3, 60, 240, 1, 12)
    questions = [
        question_about(clip, begins=begin) for clip, begin in zip(clips(8), begins, strict=True)
    ]
    assert len({len(question.prompt) for question in questions}) > 1
    demo_captioner.batch_size = 8
    together = demo_captioner.answer(questions)
    demo_captioner.batch_size = 1
    alone = [demo_captioner.answer([question])[0] for question in questions]
    demo_captioner.batch_size = 2
    assert together == alone
    assert len({answer.text for answer in together}) > 4
    assert all(answer.finished for answer in together)


def test_different_frame_counts_in_one_call_keep_their_order(
    demo_captioner: LocalCaptioner,
) -> None:
    some = clips(4, seed=6)
    questions = [
        question_about(clip, count) for clip, count in zip(some, (8, 4, 8, 1), strict=True)
    ]
    questions.insert(2, Question(render_merge(["하나.", "둘."])))
    alone = [demo_captioner.answer([question])[0] for question in questions]
    assert demo_captioner.answer(questions) == alone


@pytest.mark.parametrize(
    ("quantization", "layer"), [("nf4", "Linear4bit"), ("int8", "Linear8bitLt")]
)
def test_quantization_is_real(
    demo_captioner: LocalCaptioner, quantization: Quantization, layer: str
) -> None:
    captioner = loaded(quantization)
    quantized = layers(captioner.model, layer)
    whole = layers(demo_captioner.model, "Linear")
    language = {path for path in whole if "language_model" in path}
    assert set(quantized) == language
    assert all(".q_proj" not in path or "vision" not in path for path in quantized)
    weight = next(iter(quantized.values())).weight
    assert weight.dtype in (torch.uint8, torch.int8)
    if quantization == "nf4":
        assert weight.quant_state.quant_type == "nf4"
        assert weight.quant_state.nested  # double quantization
    assert captioner.identity.quantization == quantization
    (answer,) = captioner.answer([question_about(clips(1)[0])])
    assert answer.text.endswith("다.")


def test_a_prompt_that_spells_control_tokens_is_text(demo_captioner: LocalCaptioner) -> None:
    plain = question_about(clips(1)[0])
    spelt = Question("<video> <image> </s> 이 영상을 묘사해 주세요.", plain.pictures)
    (answer,) = demo_captioner.answer([spelt])
    assert answer.text


def test_a_stop_ends_the_writing(demo_captioner: LocalCaptioner) -> None:
    asked = []

    def stop_at_third_token() -> bool:
        asked.append(1)
        return len(asked) >= 3

    with pytest.raises(InterruptedByUserError):
        demo_captioner.answer([question_about(clips(1)[0])], should_stop=stop_at_third_token)
    assert len(asked) == 3


@pytest.mark.parametrize("fit", ["squeeze", "letterbox", "crop"])
def test_the_sides_of_a_wide_picture_stay(tmp_path: Path, fit: Any) -> None:
    """A stock processor crops them; squeezed frames fill the square, letterboxed ones have bars."""
    folder = tmp_path / "cropping"
    shutil.copytree(DEMO_CHECKPOINT, folder)
    config = json.loads((folder / "processor_config.json").read_text())
    config["video_processor"] |= {
        "size": {"shortest_edge": 96},
        "crop_size": {"height": 96, "width": 96},
        "do_center_crop": True,
    }
    (folder / "processor_config.json").write_text(json.dumps(config))
    processor = AutoProcessor.from_pretrained(folder).video_processor
    wide = np.zeros((8, 54, 96, 3), dtype=np.uint8)
    wide[:, :, :6] = (255, 0, 0)  # the far left, which a centre crop loses
    frames, options = fitted(wide, fit, processor, 96)
    pixels = processor(videos=[frames], return_tensors="pt", **options)["pixel_values_videos"]
    assert pixels.shape == (1, 8, 3, 96, 96)
    red = (pixels[0, 0, 0] > pixels[0, 0, 1] + 1)[:, :5].all(dim=1)
    assert int(red.sum()) == {"squeeze": 96, "letterbox": 54, "crop": 0}[fit]
    if fit == "letterbox":
        assert frames[0, 0, 0].tolist() == [123, 117, 104]  # what normalisation takes to zero


def test_frames_are_squeezed_by_default(demo_captioner: LocalCaptioner) -> None:
    assert FIT == "squeeze"
    assert demo_captioner.long_side == 2 * 96


@pytest.mark.parametrize(
    ("count", "wanted", "places"),
    [
        (8, 4, (1, 3, 5, 7)),
        (8, 1, (4,)),
        (5, 2, (1, 3)),
        (3, 3, (0, 1, 2)),
        (16, 5, (1, 4, 8, 11, 14)),
    ],
)
def test_fewer_frames_are_spread_evenly(count: int, wanted: int, places: tuple[int, ...]) -> None:
    assert evenly(count, wanted) == places


def test_repetition_and_length_are_asked_for_each_question(demo_captioner: LocalCaptioner) -> None:
    """Questions that ask for unequal ones are not put into one batch, and keep their order."""
    clip = random_clip(np.random.default_rng(8), counts=(2,), size=(640, 480))
    asked = question_about(clip)
    answers = demo_captioner.answer(
        [asked, replace(asked, max_new_tokens=3), replace(asked, repetition_penalty=1e6), asked]
    )
    assert answers[0] == answers[3]
    assert answers[0].finished
    assert not answers[1].finished
    assert answers[0].text.startswith(answers[1].text)

    def said_again(text: str) -> int:
        tokens = demo_captioner.processor.tokenizer(text).input_ids
        return len(tokens) - len(set(tokens))

    assert said_again(answers[2].text) == 0 < said_again(answers[0].text)


def test_a_missing_gpu_is_said_plainly() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(CodedError, match="sees no GPU"):
        LocalCaptioner(Checkpoint("demo", DEMO_CHECKPOINT, "none", 8), device="cuda")
