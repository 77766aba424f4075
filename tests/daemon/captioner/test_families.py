"""Every family of checkpoints with a small random one of the very architecture, in float32."""

from pathlib import Path
from typing import Any

import pytest
import torch

from catalog.errors import CodedError
from daemon.captioner.base import Question, Turn
from daemon.captioner.checkpoints import Checkpoint
from daemon.captioner.local import LocalCaptioner
from daemon.captioner.profiles import BY_NAME, PROFILES, VICUNA_SYSTEM
from tests.daemon.captioner.asking_small import (
    ARCHITECTURES,
    ASK,
    QWEN,
    SAME_ARCHITECTURE,
    STILLS,
    VIDEO,
    Small,
    first_logits,
    question,
    still,
    tower_passes,
    video,
)
from tests.daemon.captioner.small_checkpoints import NAMES

pytestmark = pytest.mark.usefixtures("one_thread")


def test_every_preset_has_a_small_checkpoint() -> None:
    presets = {profile.name for profile in PROFILES} - {"demo"}
    assert presets == set(NAMES)
    assert presets == {*ARCHITECTURES, *SAME_ARCHITECTURE}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_kind_of_question_is_answered(small: Small, name: str) -> None:
    """And every picture and every turn counts: without it, the model thinks otherwise."""
    captioner = small(name)
    alone = question()
    kinds = [
        alone,
        question(pictures=video()),
        question(pictures=video(seed=3)),
        question(pictures=video(1)),
        question(stills=(still(),)),
        question(stills=(still(), still((30, 90), 4))),
        question(pictures=video(), stills=(still(),)),
        question(pictures=video(), earlier=(Turn("무엇이 있나요?", "빨간 원."),)),
    ]
    assert len(captioner.answer(kinds)) == len(kinds)
    logits = [first_logits(captioner, kind) for kind in kinds]
    for place, some in enumerate(logits):
        for other in logits[place + 1 :]:
            assert (some - other).abs().max() > 1e-3


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_batch_of_unequal_prompts_says_what_its_members_say_alone(
    small: Small, name: str
) -> None:
    captioner = small(name)
    prompts = (ASK, "짧게.", ASK * 3)
    questions = [
        question(prompt, video(seed=place), max_new_tokens=8, repetition_penalty=1.3)
        for place, prompt in enumerate(prompts)
    ]
    together = captioner.answer(questions)
    assert together == [captioner.answer([one])[0] for one in questions]
    assert len({answer.text for answer in together}) == len(prompts)


@pytest.mark.parametrize("name", [*VIDEO, *STILLS])
def test_inputs_equal_those_of_the_stock_processor(small: Small, name: str) -> None:
    """Square frames, the model's own stride: then transformers' own way says the same."""
    captioner = small(name)
    processor, model = captioner.processor, captioner.model
    cases = [
        question(stills=(still(),)),
        question(stills=(still(), still((90, 30), 5))),
    ]
    if name in VIDEO:
        cases += [
            question(pictures=video(size=(32, 32))),
            question(pictures=video(3, (32, 32)), stills=(still(),)),
        ]
    for case in cases:
        media: dict[str, Any] = {"images": [list(case.stills)]} if case.stills else {}
        if case.pictures is not None:
            media["videos"] = [case.pictures]
        text = captioner.inputs._conversation.text(
            case, len(case.stills), video=case.pictures is not None
        )
        stock = processor(text=[text], return_tensors="pt", **media)
        own = captioner.inputs.prepare([case])
        assert own["input_ids"].tolist() == stock["input_ids"].tolist()
        if case.stills:
            sizes = [one.shape[:2] for one in case.stills]
            placeholders = int((own["input_ids"] == model.config.image_token_id).sum())
            assert captioner.inputs._tokens_of_stills(sizes) == placeholders
        written = model.generate(
            **stock,
            max_new_tokens=1,
            do_sample=False,
            output_logits=True,
            return_dict_in_generate=True,
        )
        assert torch.allclose(written.logits[0][0], first_logits(captioner, case), atol=1e-4)


@pytest.mark.parametrize("name", [*VIDEO, *STILLS])
def test_a_16_9_frame_takes_as_many_tokens_as_the_preset_says(small: Small, name: str) -> None:
    """With the grids of the real towers: 24 by 24, and SigLIP's 27 by 27."""
    captioner = small(name, patches=27 if "onevision" in name else 24)
    assert captioner.inputs._tokens_per_frame((216, 384)) == BY_NAME[name].tokens_per_frame


def test_a_model_for_pictures_without_anyres(small: Small) -> None:
    """It goes through its own processor, and the frames of a video become pictures there too."""
    captioner = small("llava-1.5-7b")
    answers = captioner.answer(
        [
            question(pictures=video(3)),
            question(pictures=video(3, seed=2)),
            question(pictures=video(2), stills=(still(),)),
            question(stills=(still(),)),
            question(),
        ]
    )
    told = ("stills_only: 3 of 3 frames as pictures",)
    assert [answer.remarks for answer in answers[:2]] == [told, told]
    assert answers[3].remarks == ()
    (alone,) = captioner.answer([question(pictures=video(3))])
    assert alone == answers[0]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_control_tokens_in_a_prompt_are_text(small: Small, name: str) -> None:
    captioner = small(name)
    tokenizer = captioner.processor.tokenizer
    spelt = " ".join([*tokenizer.get_added_vocab(), "<<video>>", "<vid<image>eo>", "[/INST]"])
    asked = question(spelt, video(), earlier=(Turn(spelt, spelt),))
    plain = question("a", video(), earlier=(Turn("a", "a"),))
    special = set(tokenizer.get_added_vocab().values())

    def control_tokens(one: Question) -> list[int]:
        ids = captioner.inputs.prepare([captioner.inputs.fit(one).question])["input_ids"][0]
        return [token for token in ids.tolist() if token in special]

    assert control_tokens(asked) == control_tokens(plain)
    assert captioner.answer([asked])[0].text


FORMATS = {
    "llava-next-video-7b": f"{VICUNA_SYSTEM} USER: <video>\nWhat? ASSISTANT:",
    "llava-next-video-34b": (
        "<|im_start|>system\nAnswer the questions.<|im_end|><|im_start|>user\n<video>\nWhat?"
        "<|im_end|><|im_start|>assistant\n"
    ),
    "llava-onevision-7b": "<|im_start|>user <video>\nWhat?<|im_end|><|im_start|>assistant\n",
    "llava-v1.6-mistral-7b": "[INST] <image>\nWhat? [/INST]",
    "llava-v1.6-vicuna-7b": f"{VICUNA_SYSTEM} USER: <image>\nWhat? ASSISTANT:",
    "llava-v1.6-34b": (
        "<|im_start|>system\nAnswer the questions.<|im_end|><|im_start|>user\n<image>\nWhat?"
        "<|im_end|><|im_start|>assistant\n"
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_the_prompt_is_as_the_checkpoint_was_trained(small: Small, name: str) -> None:
    conversation = small(name).inputs._conversation
    stills = 1 if name in STILLS else 0
    assert conversation.text(question("What?"), stills, video=not stills) == FORMATS[name]


@pytest.mark.parametrize(("name", "first"), [("llava-next-video-7b", 1), ("llava-onevision-7b", 0)])
def test_the_first_token_stands_once(small: Small, name: str, first: int) -> None:
    """Vicuna's template leaves it to the tokenizer; a template that writes it itself has the last word."""
    captioner = small(name)
    bos = captioner.processor.tokenizer.bos_token_id

    def count() -> int:
        return captioner.inputs.prepare([question()])["input_ids"][0].tolist().count(bos)

    assert count() == first
    template = captioner.processor.chat_template
    try:
        captioner.processor.chat_template = "{{ bos_token or '' }}" + template
        assert count() == first
    finally:
        captioner.processor.chat_template = template


@pytest.mark.parametrize("name", STILLS)
def test_a_stills_model_gets_frames_as_pictures_and_says_so(small: Small, name: str) -> None:
    captioner = small(name, context=700)
    passes = tower_passes(captioner)
    (answer,) = captioner.answer([question(pictures=video(16))])
    assert answer.shown is not None
    shown = len(answer.shown)
    assert 1 < shown < 16
    assert sum(passes) == shown * 5  # AnyRes: the whole picture, and its four quarters
    tokens = captioner.inputs._tokens_per_frame((36, 64))
    assert answer.remarks == (
        f"stills_only: {shown} of 16 frames as AnyRes pictures, {tokens} tokens each of 700",
    )
    assert list(answer.shown) == sorted(set(answer.shown))
    assert captioner.answer([question(stills=(still(),))])[0].remarks == ()


def test_frames_stay_within_the_context(small: Small) -> None:
    """32 frames of 4 tokens do not fit beside a long prompt."""
    captioner = small("llava-next-video-34b", frames=32, context=900)
    assert captioner.frames == 32
    asked = question("x" * 760, video(32))
    (answer,) = captioner.answer([asked])
    assert answer.shown is not None
    assert answer.remarks == (f"context: {len(answer.shown)} of 32 frames, 4 tokens each of 900",)
    inputs = captioner.inputs.prepare([captioner.inputs.fit(asked).question])
    assert 900 - 5 - 4 < inputs["input_ids"].shape[1] <= 900 - 5
    assert small("llava-next-video-34b", frames=32, context=800).frames == 8


def test_vicunas_context_is_stretched_for_many_frames(small: Small) -> None:
    """As the authors' own program does; fewer frames leave the model as it was trained."""
    for frames, context, kind in ((8, 1100, "default"), (32, 2200, "linear")):
        captioner = small("llava-next-video-7b", frames=frames, context=1100)
        text = captioner.model.config.text_config
        assert (text.max_position_embeddings, text.rope_parameters["rope_type"]) == (context, kind)
        assert captioner.frames == frames
    assert text.rope_parameters["factor"] == 2.0
    asked = question(pictures=video(32))
    (answer,) = captioner.answer([asked])
    assert answer.shown is None
    yi = small("llava-next-video-34b", frames=32, context=1100).model.config.text_config
    assert yi.max_position_embeddings == 1100


@pytest.mark.parametrize(
    ("name", "patches", "stride", "tokens"),
    [
        ("llava-next-video-7b", 4, None, 4),
        ("llava-next-video-7b", 5, None, 4),  # the pooler leaves an odd row and column out
        ("llava-next-video-7b", 6, 3, 4),
        ("llava-next-video-7b", 7, 3, 4),
        ("llava-onevision-7b", 5, None, 9),  # it interpolates to the next larger grid
        ("llava-onevision-7b", 6, 3, 4),
        ("llava-onevision-7b", 7, 3, 9),
    ],
)
def test_placeholders_follow_the_pooling(
    small: Small, name: str, patches: int, stride: int | None, tokens: int
) -> None:
    captioner = small(name, patches=patches, pool_stride=stride)
    asked = question(pictures=video(3))
    ids = captioner.inputs.prepare([asked])["input_ids"][0]
    newline = 1 if "onevision" in name else 0
    assert int((ids == captioner.model.config.video_token_id).sum()) == 3 * tokens + newline
    assert captioner.inputs._tokens_per_frame((36, 64)) == tokens
    assert captioner.answer([asked])[0].text


def test_onevision_pools_with_stride_2_as_transformers_does(small: Small) -> None:
    asked = question(pictures=video())
    ours = first_logits(small("llava-onevision-7b", patches=5, pool_stride=2), asked)
    assert torch.allclose(ours, first_logits(small("llava-onevision-7b", patches=5), asked))


def test_learned_pooling_keeps_its_stride(small: Small) -> None:
    with pytest.raises(CodedError, match="pool_stride cannot be set"):
        small(
            "llava-next-video-7b",
            pool_stride=3,
            spatial_pool_mode="conv",
            spatial_pool_out_channels=64,
        )


@pytest.mark.parametrize("frames", [1, 2, 16, 32])
@pytest.mark.parametrize("name", ["llava-next-video-7b", "llava-onevision-7b", *QWEN])
def test_one_to_many_frames(small: Small, name: str, frames: int) -> None:
    (answer,) = small(name).answer([question(pictures=video(frames), max_new_tokens=2)])
    assert answer.remarks == ()


def test_qwen3_reads_when_its_frames_are_shown(small: Small) -> None:
    captioner = small("qwen3-vl-8b")
    asked = question(pictures=video(4), times=(10.0, 12.5, 20.0, 30.0))
    (ids,) = captioner.inputs.prepare([asked])["input_ids"]
    text = captioner.processor.tokenizer.decode(ids)
    assert "<11.2 seconds>" in text  # the middle of two frames, which share a token's span in time
    assert "<25.0 seconds>" in text


def test_qwen25_encodes_how_far_its_frames_are_apart(small: Small) -> None:
    captioner = small("qwen2.5-vl-7b")
    asked = question(pictures=video(4), times=(10.0, 13.0, 16.0, 19.0))
    seconds = captioner.inputs.prepare([asked])["second_per_grid_ts"]
    assert seconds.tolist() == pytest.approx([6.0])  # two frames a step


@pytest.mark.parametrize(
    "name", ["llava-next-video-7b", "llava-v1.6-vicuna-7b", "llava-onevision-7b"]
)
def test_an_older_checkpoint_lacks_what_its_processor_counts_by(small: Small, name: str) -> None:
    captioner = small(name)
    folder = Path(captioner.model.config._name_or_path)
    processor = captioner.processor
    known = {
        key: getattr(processor, key)
        for key in (
            "patch_size",
            "num_additional_image_tokens",
            "num_image_tokens",
            "vision_feature_select_strategy",
        )
        if hasattr(processor, key)
    }
    try:
        for key in known:
            setattr(processor, key, None)
        if "num_additional_image_tokens" in known:
            processor.num_additional_image_tokens = 0
        older = folder.parent / f"{folder.name}-older"
        processor.save_pretrained(older)
    finally:
        for key, value in known.items():
            setattr(processor, key, value)
    for file in ("config.json", "generation_config.json", "model.safetensors"):
        (older / file).symlink_to(folder / file)
    loaded = LocalCaptioner(Checkpoint(name, older, "none", 4), device="cpu")
    assert {key: getattr(loaded.processor, key) for key in known} == known
