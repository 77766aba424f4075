"""The inputs of LLaVA-NeXT-Video, LLaVA-OneVision and LLaVA-NeXT.

Every picture's features are computed on their own, kept, and handed to `generate` as they are; the text
gets as many placeholders as there are features. Nothing is counted twice, so neither the pooling stride
nor what an older checkpoint's processor does not know can make the two disagree.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import nn
from transformers.modeling_outputs import BaseModelOutputWithPooling

from catalog.errors import CodedError, ErrorCode
from daemon.captioner.base import Pictures, Question
from daemon.captioner.conversation import Conversation
from daemon.captioner.features import FeatureCache, key_of
from daemon.captioner.inputs import Fitted, with_frames
from daemon.captioner.pictures import FIT, Fit, fitted

FAMILIES = ("llava_next_video", "llava_onevision", "llava_next")
_TEXT_TOKENS = 512
"""Room for a usual prompt; with an answer of 256 tokens it decides how many frames are asked for."""


class LlavaInputs:
    """See `daemon.captioner.inputs.Inputs`."""

    def __init__(self, processor: Any, model: Any, conversation: Conversation, stride: int | None):
        self._processor = processor
        self._model = model
        self._conversation = conversation
        self._family = model.config.model_type
        self._cache = FeatureCache()
        self._side = int(model.config.vision_config.image_size)
        self._context = int(model.config.get_text_config().max_position_embeddings)
        self.fit_to_square: Fit = FIT
        self.takes_video = getattr(processor, "video_processor", None) is not None
        if stride is not None and self.takes_video:
            _pool(model, stride)
        self.long_side = self._long_side()
        self.mixes_sizes = True

    def frames_at_most(self) -> int:
        """Frames of a 16:9 video that fit beside a prompt and an answer of usual length."""
        each = self._tokens_per_frame((9 * self.long_side // 16, self.long_side))
        return max(1, (self._context - _TEXT_TOKENS - 256) // each)

    def fit(self, question: Question) -> Fitted:
        """Leaves out frames that do not fit into the context, and says so."""
        if question.pictures is None:
            return Fitted(question)
        total = len(question.pictures)
        height, width = question.pictures.shape[1:3]
        each = self._tokens_per_frame((height, width))
        if self.takes_video and self._surely_fits(question, total * each):
            return Fitted(question)
        text = self._conversation.text(question, 0, video=False)
        taken = len(self._processor.tokenizer(text).input_ids) + question.max_new_tokens
        taken += self._tokens_of_stills([still.shape[:2] for still in question.stills])
        room = min(total, max(1, (self._context - taken) // each))
        of_context = f"{each} tokens each of {self._context}"
        if not self.takes_video:
            remark = f"stills_only: {room} of {total} frames as AnyRes pictures, {of_context}"
            return with_frames(Fitted(question), room, remark)
        if room < total:
            return with_frames(
                Fitted(question), room, f"context: {room} of {total} frames, {of_context}"
            )
        return Fitted(question)

    def _surely_fits(self, question: Question, visual_tokens: int) -> bool:
        """Whether there is room by far, so that nobody need count: no token is less than a byte."""
        turns = [question.prompt, *(f"{turn.prompt}{turn.answer}" for turn in question.earlier)]
        words = sum(len(text.encode()) for text in turns) + _TEXT_TOKENS
        taken = visual_tokens + words + question.max_new_tokens
        return not question.stills and taken <= self._context

    def prepare(self, questions: Sequence[Question]) -> dict[str, Any]:
        """Arguments of `generate`: ids of shape (questions, tokens), and the pictures' features."""
        texts: list[str] = []
        images: list[torch.Tensor] = []
        videos: list[torch.Tensor] = []
        for question in questions:
            stills, frames = self._shown(question)
            pictures = self._stills(stills)
            clips = [] if frames is None else [self._video(frames)]
            text = self._conversation.text(question, len(pictures), video=bool(clips))
            text = _expanded(text, self._processor.image_token, pictures)
            if self.takes_video:
                text = _expanded(text, self._processor.video_token, clips)
            texts.append(text)
            images += pictures
            videos += clips
        tokens = self._processor.tokenizer(
            texts,
            padding=True,
            return_tensors="pt",
            add_special_tokens=self._conversation.adds_special_tokens(texts[0]),
        ).to(self._model.device)
        return {
            "input_ids": tokens["input_ids"],
            "attention_mask": tokens["attention_mask"],
            **self._encoded(images, videos),
        }

    def _shown(self, question: Question) -> tuple[tuple[Pictures, ...], Pictures | None]:
        """Pictures and video as the model gets them: frames are pictures to one that knows no video."""
        if question.pictures is None or self.takes_video:
            return question.stills, question.pictures
        return (*question.stills, *question.pictures), None

    def _encoded(self, images: list[torch.Tensor], videos: list[torch.Tensor]) -> dict[str, Any]:
        encoded: dict[str, Any] = {}
        if images:
            encoded["image"] = BaseModelOutputWithPooling(pooler_output=images)
        if videos and self._family == "llava_onevision":  # wants one tensor, (1, tokens, width)
            encoded["video"] = BaseModelOutputWithPooling(pooler_output=torch.cat(videos)[None])
        elif videos:
            encoded["video"] = BaseModelOutputWithPooling(pooler_output=videos)
        return {"mm_encoder_outputs": encoded} if encoded else {}

    def _video(self, frames: Pictures) -> torch.Tensor:
        """Features of shape (tokens, width) of frames of shape (n, height, width, 3)."""
        keys = [key_of(frame, "frame", self.fit_to_square) for frame in frames]
        device = self._model.device
        parts = self._cache.get(keys, lambda places: self._looked_at(frames[places]), device)
        if self._family == "llava_onevision":
            parts.append(self._model.model.image_newline[None].to(parts[0]))
        return torch.cat(parts)

    def _looked_at(self, frames: Pictures) -> list[torch.Tensor]:
        """One pass of the vision tower over frames that were not seen before."""
        video_processor = self._processor.video_processor
        frames, options = fitted(frames, self.fit_to_square, video_processor, self._side)
        pixels = video_processor(
            videos=[frames], return_tensors="pt", do_sample_frames=False, **options
        )["pixel_values_videos"]
        single = pixels.transpose(0, 1).to(self._model.device, self._model.dtype)
        features = self._model.get_video_features(single, return_dict=True).pooler_output
        if self._family == "llava_onevision":
            features = features[:, :-1]  # the newline, which stands once behind a whole video
        return list(features)

    def _stills(self, stills: Sequence[Pictures]) -> list[torch.Tensor]:
        """Features of shape (tokens, width) of every picture."""
        # OneVision looks closely at a single picture, and at several as wholes.
        several = self._family == "llava_onevision" and len(stills) > 1
        keys = [key_of(still, "still", several) for still in stills]
        return self._cache.get(
            keys,
            lambda places: self._pictured([stills[place] for place in places], several),
            self._model.device,
        )

    def _pictured(self, stills: list[Pictures], several: bool) -> list[torch.Tensor]:
        if several:
            stills = [*stills, stills[0]]  # one missing picture is one of several all the same
        images = [stills] if self._family == "llava_onevision" else stills
        batch = self._processor.image_processor(images=images, return_tensors="pt")
        options = {"batch_num_images": batch["batch_num_images"]} if several else {}
        features = self._model.get_image_features(
            batch["pixel_values"].to(self._model.device, self._model.dtype),
            batch["image_sizes"].to(self._model.device),
            return_dict=True,
            **options,
        ).pooler_output
        return list(features[:-1] if several else features)

    def _tokens_per_frame(self, size: tuple[int, int]) -> int:
        """Tokens of a frame of that height and width in pixels."""
        if not self.takes_video:
            return self._tokens_of_stills([size])
        config = self._model.config
        grid = config.vision_config.image_size // config.vision_config.patch_size
        if self._family == "llava_onevision":
            return int(math.ceil(grid / getattr(config, "spatial_pool_stride", 2)) ** 2)
        return int((grid // config.spatial_pool_stride) ** 2)

    def _tokens_of_stills(self, sizes: Sequence[tuple[int, ...]]) -> int:
        """Tokens of a question's pictures of these heights and widths, before any is looked at."""
        if self._family == "llava_onevision" and len(sizes) > 1:
            return len(sizes) * (int(self._processor.num_image_tokens) + 1)
        counts = self._processor._get_num_multimodal_tokens(image_sizes=list(sizes))
        return sum(int(count) for count in counts["num_image_tokens"])

    def _long_side(self) -> int:
        if not self.takes_video:
            return int(max(max(sides) for sides in self._model.config.image_grid_pinpoints))
        # A squeezed picture has its short side stretched, so that side too should have the pixels.
        return self._side if self.fit_to_square == "letterbox" else self._side * 2


def _expanded(text: str, token: str, pictures: list[torch.Tensor]) -> str:
    """Puts one placeholder for every feature where the template has put one for every picture."""
    parts = text.split(token)
    if len(parts) != len(pictures) + 1:
        raise CodedError(
            ErrorCode.MODEL_UNAVAILABLE,
            f"the checkpoint's chat template has {len(parts) - 1} places {token} for "
            f"{len(pictures)}; take a checkpoint whose template knows them",
        )
    marks = [token * len(features) for features in pictures]
    return "".join(part + mark for part, mark in zip(parts, [*marks, ""], strict=True))


def _pool(model: Any, stride: int) -> None:
    """Makes the model pool a frame's grid in squares of that side."""
    if model.config.model_type == "llava_onevision":
        vision = model.config.vision_config
        grid = vision.image_size // vision.patch_size
        model.model.apply_pooling = partial(_interpolated, grid=grid, stride=stride)
    elif isinstance(model.model.vision_resampler.pool, nn.Conv2d):
        raise CodedError(
            ErrorCode.MODEL_UNAVAILABLE,
            "pool_stride cannot be set for this model, whose pooling was learned; leave it out",
        )
    else:
        pool = model.model.vision_resampler.pool
        model.model.vision_resampler.pool = type(pool)(kernel_size=stride, stride=stride)
    model.config.spatial_pool_stride = stride


def _interpolated(features: torch.Tensor, *, grid: int, stride: int) -> torch.Tensor:
    """OneVision's own pooling for any stride.

    Takes features of shape (frames, grid², width), and gives (frames, ceil(grid / stride)², width).
    """
    frames, _, width = features.shape
    side = math.ceil(grid / stride)
    square = features.view(frames, grid, grid, width).permute(0, 3, 1, 2)
    pooled = nn.functional.interpolate(square, size=[side, side], mode="bilinear")
    return pooled.permute(0, 2, 3, 1).reshape(frames, side * side, width)
