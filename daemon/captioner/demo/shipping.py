"""Writes the checkpoint folder in the layout of llava-hf: stock classes load it unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.captioner.demo.architecture import IMAGE, PATCH
from daemon.captioner.demo.tokenizer import CHAT_TEMPLATE

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import (
        LlavaNextVideoForConditionalGeneration,
        LlavaNextVideoProcessor,
        PreTrainedTokenizerFast,
    )


def build_processor(tokenizer: PreTrainedTokenizerFast) -> LlavaNextVideoProcessor:
    """Return the stock processor; a video's whole picture is squeezed to the square, nothing is cropped."""
    from transformers import (
        LlavaNextImageProcessor,
        LlavaNextVideoProcessor,
        LlavaNextVideoVideoProcessor,
    )

    square = {"height": IMAGE, "width": IMAGE}
    return LlavaNextVideoProcessor(
        video_processor=LlavaNextVideoVideoProcessor(size=square, do_center_crop=False, do_resize=True),
        image_processor=LlavaNextImageProcessor(
            size={"shortest_edge": IMAGE}, crop_size=square,
            image_grid_pinpoints=[[IMAGE, 2 * IMAGE], [2 * IMAGE, IMAGE], [2 * IMAGE, 2 * IMAGE]],
        ),
        tokenizer=tokenizer, chat_template=CHAT_TEMPLATE, patch_size=PATCH,
        vision_feature_select_strategy="default", num_additional_image_tokens=1,
    )  # fmt: skip


def ship(
    folder: Path, model: LlavaNextVideoForConditionalGeneration, tokenizer: PreTrainedTokenizerFast
) -> None:
    """Write model, tokenizer, processor and a greedy generation configuration, readable by all."""
    from transformers import GenerationConfig

    folder.mkdir(parents=True, exist_ok=True)
    model.generation_config = GenerationConfig(
        do_sample=False, num_beams=1, max_new_tokens=256,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    model.float().save_pretrained(folder)
    build_processor(tokenizer).save_pretrained(folder)
    for path in folder.iterdir():
        if path.is_file():
            path.chmod(0o644)
