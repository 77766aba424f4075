"""The shape of the demo model: sizes, configuration, and how it is built from nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import LlavaNextVideoConfig, LlavaNextVideoForConditionalGeneration

IMAGE = 96
"""Side in pixels of the square that every frame is squeezed to."""
PATCH = 16
GRID = IMAGE // PATCH
"""Patches a side; even, because the processor hard-codes a pooling stride of 2."""
TOKENS = (GRID // 2) ** 2
"""Visual tokens a frame."""
VISION_WIDTH = 128
TEXT_WIDTH = 192
TEXT_LAYERS = 4

# CLIP's own constants, which the stock processors use.
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


def configuration(vocabulary: int, ids: dict[str, int]) -> LlavaNextVideoConfig:
    """Return the configuration; `ids` names the pad, eos, image and video tokens."""
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaNextVideoConfig

    vision = CLIPVisionConfig(
        hidden_size=VISION_WIDTH, intermediate_size=512, num_hidden_layers=4, num_attention_heads=4,
        image_size=IMAGE, patch_size=PATCH, hidden_act="gelu", projection_dim=VISION_WIDTH,
    )  # fmt: skip
    text = LlamaConfig(
        vocab_size=vocabulary, hidden_size=TEXT_WIDTH, intermediate_size=512, num_hidden_layers=TEXT_LAYERS,
        num_attention_heads=6, num_key_value_heads=6, max_position_embeddings=2048, rms_norm_eps=1e-5,
        tie_word_embeddings=True, bos_token_id=None, eos_token_id=ids["eos"], pad_token_id=ids["pad"],
    )  # fmt: skip
    return LlavaNextVideoConfig(
        vision_config=vision, text_config=text,
        image_token_index=ids["image"], video_token_index=ids["video"],
        vision_feature_layer=-1, vision_feature_select_strategy="default", tie_word_embeddings=True,
        image_grid_pinpoints=[[IMAGE, 2 * IMAGE], [2 * IMAGE, IMAGE], [2 * IMAGE, 2 * IMAGE]],
        image_seq_length=GRID * GRID, video_seq_length=TOKENS * 8,
        pad_token_id=ids["pad"], eos_token_id=ids["eos"], bos_token_id=None,
    )  # fmt: skip


def untrained(config: LlavaNextVideoConfig, seed: int) -> LlavaNextVideoForConditionalGeneration:
    """Build the model with random weights drawn from the seed."""
    import torch
    from transformers import LlavaNextVideoForConditionalGeneration

    torch.manual_seed(seed)
    # Eager attention trains fastest at these sizes: the CPU's fused backward is slow.
    config._attn_implementation = "eager"
    return LlavaNextVideoForConditionalGeneration(config)
