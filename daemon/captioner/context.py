"""How many tokens LLaVA-NeXT-Video reads at once, and how its authors stretch that for many frames.

32 frames are 4,608 tokens, and Vicuna was trained on 4,096. The authors' own program then spreads its
positions linearly (rotary embeddings of type `linear`), which needs no training: the blog's "linear
scaling". A model that is asked for fewer frames is left alone.
"""

import math
from typing import Any

_TEXT_TOKENS = 1000
"""What the authors leave for the prompt and the answer."""
_TRAINED_THETA = 10_000.0
"""The base of Vicuna's rotary embeddings; Yi's, in the 34B model, is larger and is not stretched."""


def stretch(config: Any, frames: int, stride: int | None) -> None:
    """Changes a LLaVA-NeXT-Video config so that this many frames fit, if they do not yet."""
    if config.model_type != "llava_next_video":
        return
    text = config.get_text_config()
    rotary = getattr(text, "rope_parameters", None) or {}
    if rotary.get("rope_type") != "default" or rotary.get("rope_theta") != _TRAINED_THETA:
        return
    grid = config.vision_config.image_size // config.vision_config.patch_size
    tokens = frames * (grid // (stride or config.spatial_pool_stride)) ** 2 + _TEXT_TOKENS
    factor = math.ceil(tokens / text.max_position_embeddings)
    if factor > 1:
        text.rope_parameters = {**rotary, "rope_type": "linear", "factor": float(factor)}
        text.max_position_embeddings *= factor
