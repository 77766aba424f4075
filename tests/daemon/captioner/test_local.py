"""The local captioner with the bundled checkpoint: batches, quantization, prompts, stops."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from catalog.errors import CodedError
from catalog.prompts import NOTE, render, render_merge
from catalog.settings import load_settings
from daemon.captioner.base import InterruptedByUserError, Question
from daemon.captioner.checkpoints import Checkpoint, find_checkpoint
from daemon.captioner.demo.render import frame_at
from daemon.captioner.demo.world import Clip, random_clip
from daemon.captioner.local import LocalCaptioner
from daemon.captioner.pictures import letterboxed
from daemon.captioner.profiles import BY_NAME, DEMO_CHECKPOINT, Quantization, frames_for, pick
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


def test_the_sides_of_a_wide_picture_stay() -> None:
    wide = np.zeros((2, 90, 160, 3), dtype=np.uint8)
    wide[:, :, :8] = 255  # the far left, which a centre crop would lose
    square = letterboxed(wide, (1, 2, 3))
    assert square.shape == (2, 160, 160, 3)
    assert (square[:, 35:125, :8] == 255).all()
    assert square[0, 0, 0].tolist() == [1, 2, 3]


def test_a_stock_checkpoint_that_crops_gets_letterboxed_frames(tmp_path: Path) -> None:
    folder = tmp_path / "cropping"
    shutil.copytree(DEMO_CHECKPOINT, folder)
    config = json.loads((folder / "processor_config.json").read_text())
    config["video_processor"] |= {
        "size": {"shortest_edge": 96},
        "crop_size": {"height": 96, "width": 96},
        "do_center_crop": True,
    }
    (folder / "processor_config.json").write_text(json.dumps(config))
    captioner = LocalCaptioner(Checkpoint("cropping", folder, "none", 8), device="cpu")
    wide = np.zeros((8, 54, 96, 3), dtype=np.uint8)
    wide[:, :, :6] = (255, 0, 0)
    inputs = captioner._inputs([Question("무엇이 보이나요?", wide)])
    pixels = inputs["pixel_values_videos"]
    assert pixels.shape[-2:] == (96, 96)
    red, green = pixels[0, 0, 0], pixels[0, 0, 1]
    assert (red[30:60, :5] > green[30:60, :5] + 1).all()


def test_choosing_a_checkpoint(catalog: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    home = catalog.home
    assert find_checkpoint(load_settings(home, model="demo"), home).name == "demo"
    folder = str(DEMO_CHECKPOINT)
    assert find_checkpoint(load_settings(home, model=folder), home).name == "checkpoint"
    quantized = find_checkpoint(load_settings(home, model="demo", quantization="nf4"), home)
    assert quantized.quantization == "nf4"
    for model in (
        "auto",
        "llava-next-video-7b",
        "llava-hf/LLaVA-NeXT-Video-7B-hf",
        str(home.data_dir),
    ):
        with pytest.raises(CodedError) as raised:
            find_checkpoint(load_settings(home, model=model), home)
        assert raised.value.code == "model_unavailable"


def test_auto_never_is_the_demo_model() -> None:
    for free in (None, 2.0, 6.0, 14.0, 22.0, 40.0, 80.0, 140.0):
        choice = pick(free)
        assert choice.profile is not BY_NAME["demo"]
        if free is not None:
            assert choice.profile.memory_gib(choice.quantization) <= max(free, 4)


@pytest.mark.parametrize(
    ("gib", "quantization"), [(15, "nf4"), (22.5, "nf4"), (39.5, "none"), (79, "none")]
)
def test_four_bits_are_picked_on_t4_and_l4(gib: float, quantization: str) -> None:
    assert pick(gib).quantization == quantization


@pytest.mark.parametrize(("gib", "frames"), [(15, 4), (22.5, 8), (39.5, 16), (79, 32)])
def test_frames_follow_the_memory_of_t4_l4_a100_h100(gib: float, frames: int) -> None:
    assert frames_for(gib) == frames


def test_a_folder_that_holds_no_weights_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(CodedError, match="does not load") as raised:
        LocalCaptioner(Checkpoint("broken", tmp_path, "none", 8), device="cpu")
    assert raised.value.code == "model_unavailable"


def test_a_missing_gpu_is_said_plainly() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(CodedError, match="sees no GPU"):
        LocalCaptioner(Checkpoint("demo", DEMO_CHECKPOINT, "none", 8), device="cuda")
