"""The inputs of any other checkpoint, through its own processor: Qwen-VL and its like.

Models with a grid for every picture, as the Qwen-VL line has, keep what they saw like the LLaVA families
do, though for a video as a whole: their vision towers put frames together. Others compute it again.
"""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from transformers.video_utils import VideoMetadata

from daemon.captioner.base import Pictures, Question
from daemon.captioner.conversation import Conversation
from daemon.captioner.features import FeatureCache, key_of
from daemon.captioner.inputs import Fitted, with_frames

_GRIDDED = ("qwen2_5_vl", "qwen3_vl")
_LONG_SIDE = 640
"""Pixels for a model that takes pictures as they are: 640x360 is about 150 tokens a frame."""
_FRAMES_AT_MOST = 64
_TICKS = 1000
"""A second, as the processors count time: they know frames a second, and places of frames."""


class ProcessedInputs:
    """See `daemon.captioner.inputs.Inputs`."""

    def __init__(self, processor: Any, model: Any, conversation: Conversation) -> None:
        self._processor = processor
        self._model = model
        self._conversation = conversation
        self._cache = FeatureCache()
        self._gridded = model.config.model_type in _GRIDDED
        video_processor: Any = getattr(processor, "video_processor", None)
        self._video_processor = video_processor
        self.takes_video = self._video_processor is not None
        if self.takes_video and getattr(self._video_processor, "cap_pixels_per_frame", 0) is None:
            self._video_processor.cap_pixels_per_frame = True  # as Qwen's own reference does
        self.long_side = _LONG_SIDE
        self.mixes_sizes = self._gridded

    def frames_at_most(self) -> int:
        """No bound is known: these models count their tokens by the picture's size."""
        return _FRAMES_AT_MOST

    def fit(self, question: Question) -> Fitted:
        """Tells of frames that are shown as pictures, since the model knows no video."""
        if question.pictures is None or self.takes_video:
            return Fitted(question)
        total = len(question.pictures)
        return with_frames(
            Fitted(question), total, f"stills_only: {total} of {total} frames as pictures"
        )

    def prepare(self, questions: Sequence[Question]) -> dict[str, Any]:
        """Arguments of `generate`, as the checkpoint's processor makes them."""
        stills = [self._stills_of(question) for question in questions]
        filmed = [it for it in questions if it.pictures is not None and self.takes_video]
        clips = [self._clip(it.pictures) for it in filmed if it.pictures is not None]
        texts = [
            self._conversation.text(question, len(pictures), video=bool(clips))
            for question, pictures in zip(questions, stills, strict=True)
        ]
        options: dict[str, Any] = {"images": stills} if stills[0] else {}
        if clips:
            options |= {
                "videos": clips,
                "video_metadata": [
                    _metadata(len(clip), it.times) for clip, it in zip(clips, filmed, strict=True)
                ],
                "do_sample_frames": False,
            }
        batch = self._processor(
            text=texts,
            padding=True,
            return_tensors="pt",
            add_special_tokens=self._conversation.adds_special_tokens(texts[0]),
            **options,
        )
        inputs = {
            name: self._moved(value) for name, value in batch.items() if torch.is_tensor(value)
        }
        return self._remembered(inputs, [it for some in stills for it in some], clips)

    def _stills_of(self, question: Question) -> list[Pictures]:
        if question.pictures is None or self.takes_video:
            return list(question.stills)
        return [*question.stills, *question.pictures]

    def _clip(self, frames: Pictures) -> Pictures:
        """Frames of shape (n, height, width, 3), at least as many as one token spans in time."""
        span = int(getattr(self._video_processor, "temporal_patch_size", None) or 1)
        missing = max(0, span - len(frames))
        return np.concatenate([frames, np.repeat(frames[-1:], missing, axis=0)])

    def _moved(self, value: torch.Tensor) -> torch.Tensor:
        device = self._model.device
        return (
            value.to(device, self._model.dtype) if value.is_floating_point() else value.to(device)
        )

    def _remembered(
        self, inputs: dict[str, Any], stills: list[Pictures], clips: list[Pictures]
    ) -> dict[str, Any]:
        """Replaces pixels by features, where the model can take them."""
        if not self._gridded:
            return inputs
        encoded = {}
        for kind, pixels, pictures, look in (
            ("image", "pixel_values", stills, self._model.get_image_features),
            ("video", "pixel_values_videos", clips, self._model.get_video_features),
        ):
            if pictures:
                grid = inputs[f"{kind}_grid_thw"]
                parts = inputs.pop(pixels).split(grid.prod(-1).tolist())
                keys = [key_of(picture, kind) for picture in pictures]
                layers = self._cache.get(keys, _looking(look, parts, grid), self._model.device)
                encoded[kind] = SimpleNamespace(
                    pooler_output=[layer[0] for layer in layers],
                    deepstack_features=[
                        list(deep) for deep in zip(*(it[1:] for it in layers), strict=True)
                    ],
                )
        return {**inputs, "mm_encoder_outputs": encoded} if encoded else inputs


def _looking(look: Any, parts: Sequence[torch.Tensor], grid: torch.Tensor) -> Any:
    """Makes features of shape (1 + deep layers, tokens, width) of the pictures at some places."""

    def make(places: list[int]) -> list[torch.Tensor]:
        pixels = torch.cat([parts[place] for place in places])
        seen = look(pixels, grid[places], return_dict=True)
        deep = getattr(seen, "deepstack_features", None) or []
        layers = [seen.pooler_output, *deep]
        return [torch.stack([layer[place] for layer in layers]) for place in range(len(places))]

    return make


def _metadata(frames: int, times: Sequence[float]) -> VideoMetadata:
    """When the frames were shown, as processors write or encode it; unknown times are a second apart."""
    moments = list(times) or [float(place) for place in range(frames)]
    # A frame that was repeated to fill a token's span in time comes a tick later.
    moments += [moments[-1] + 1 / _TICKS * (more + 1) for more in range(frames - len(moments))]
    ticks = [round(moment * _TICKS) for moment in moments]
    spacing = (ticks[-1] - ticks[0]) / (frames - 1) if frames > 1 else _TICKS
    return VideoMetadata(total_num_frames=round(spacing * frames), fps=_TICKS, frames_indices=ticks)
