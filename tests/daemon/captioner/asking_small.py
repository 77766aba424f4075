"""What tests of small checkpoints ask, and which checkpoints stand for which presets."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from daemon.captioner.base import Pictures, Question
from daemon.captioner.features import FeatureCache
from daemon.captioner.local import LocalCaptioner

Small = Callable[..., LocalCaptioner]

VIDEO = (
    "llava-next-video-7b",
    "llava-next-video-34b",
    "llava-onevision-0.5b",
    "llava-onevision-7b",
)
STILLS = ("llava-v1.6-mistral-7b", "llava-v1.6-vicuna-7b", "llava-v1.6-34b")
QWEN = ("qwen2.5-vl-7b", "qwen3-vl-8b")
ARCHITECTURES = (*VIDEO, *STILLS, *QWEN)
SAME_ARCHITECTURE = {
    "llava-next-video-7b-dpo": "llava-next-video-7b",
    "llava-onevision-0.5b-si": "llava-onevision-0.5b",
    "llava-onevision-7b-si": "llava-onevision-7b",
    "llava-onevision-72b": "llava-onevision-7b",
    "llava-onevision-72b-si": "llava-onevision-7b",
    "llava-v1.6-vicuna-13b": "llava-v1.6-vicuna-7b",
}
"""Checkpoints that differ in their weights or in the numbers of their config alone."""

ASK = "이 영상을 한국어로 묘사해 주세요."


def video(frames: int = 4, size: tuple[int, int] = (36, 64), seed: int = 1) -> Pictures:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (frames, *size, 3), dtype=np.uint8)


def still(size: tuple[int, int] = (40, 50), seed: int = 2) -> Pictures:
    return video(1, size, seed)[0]


def question(prompt: str = ASK, pictures: Pictures | None = None, **more: Any) -> Question:
    return Question(prompt, pictures, **{"max_new_tokens": 5, **more})


def tower_passes(captioner: LocalCaptioner) -> list[int]:
    """Collects how many pictures, or patches of pictures, every pass of the vision tower sees."""
    seen: list[int] = []
    tower = getattr(captioner.model.model, "vision_tower", None) or captioner.model.model.visual
    tower.register_forward_pre_hook(lambda module, arguments: seen.append(len(arguments[0])))
    return seen


def forget(captioner: LocalCaptioner) -> None:
    """Empties the memory of features."""
    captioner.inputs._cache = FeatureCache()


def first_logits(captioner: LocalCaptioner, asked: Question) -> torch.Tensor:
    """What the model thinks of the first word, which tells more than the word."""
    with torch.inference_mode():
        inputs = captioner.inputs.prepare([captioner.inputs.fit(asked).question])
        told = captioner.model.generate(
            **inputs,
            max_new_tokens=1,
            do_sample=False,
            repetition_penalty=1.0,
            output_logits=True,
            return_dict_in_generate=True,
        )
    return torch.as_tensor(told.logits[0][0])
