"""What small checkpoints of every family keep, quantize and attend with."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from daemon.captioner.checkpoints import Checkpoint
from daemon.captioner.local import LocalCaptioner
from daemon.captioner.profiles import BY_NAME
from tests.daemon.captioner.asking_small import (
    ARCHITECTURES,
    QWEN,
    STILLS,
    Small,
    first_logits,
    forget,
    question,
    still,
    tower_passes,
    video,
)

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_frames_are_looked_at_once(small: Small, name: str) -> None:
    """A note and a caption on the same frames are one pass; the features are those of no memory."""
    captioner = small(name)
    forget(captioner)
    asked = question(pictures=video(seed=9), stills=(still(seed=9),))
    without = first_logits(captioner, asked)
    forget(captioner)
    passes = tower_passes(captioner)
    captioner.answer([asked])
    first = len(passes)
    again = replace(asked, prompt="다시 한번 자세히.")
    captioner.answer([again, asked])
    assert len(passes) == first
    assert torch.allclose(first_logits(captioner, asked), without, atol=1e-5)
    captioner.answer([replace(asked, pictures=video(seed=10))])
    assert len(passes) > first


def test_only_new_frames_are_looked_at(small: Small) -> None:
    captioner = small("llava-next-video-7b")
    frames = video(6, seed=11)
    captioner.answer([question(pictures=frames[:4])])
    passes = tower_passes(captioner)
    captioner.answer([question(pictures=frames)])
    assert passes == [2]
    still_frames = np.repeat(video(1, seed=12), 5, axis=0)
    captioner.answer([question(pictures=still_frames)])
    assert passes == [2, 1]


@pytest.mark.parametrize(
    ("quantization", "kind"), [("nf4", "Linear4bit"), ("int8", "Linear8bitLt")]
)
@pytest.mark.parametrize(
    "name", ["llava-next-video-34b", "llava-onevision-0.5b", *STILLS[:1], *QWEN]
)
def test_exactly_the_language_model_is_quantized(
    small: Small, name: str, quantization: Any, kind: str
) -> None:
    whole = small(name)
    folder = Path(whole.model.config._name_or_path)
    captioner = LocalCaptioner(Checkpoint(name, folder, quantization, 4), device="cpu")
    quantized = {
        path for path, part in captioner.model.named_modules() if type(part).__name__ == kind
    }
    assert len(quantized) == 2 * 7  # layers times projections
    assert all(path.startswith("model.language_model.layers.") for path in quantized)
    assert captioner.answer([question(pictures=video())])[0].text


@pytest.mark.parametrize("name", ["llava-next-video-7b", "qwen3-vl-8b"])
def test_attention_kernels_agree(small: Small, name: str) -> None:
    sdpa = small(name)
    folder = Path(sdpa.model.config._name_or_path)
    checkpoint = Checkpoint(name, folder, "none", 4, attention="eager", system=BY_NAME[name].system)
    eager = LocalCaptioner(checkpoint, device="cpu")
    assert sdpa.model.config._attn_implementation == "sdpa"
    assert eager.model.config._attn_implementation == "eager"
    asked = question(pictures=video())
    assert torch.allclose(first_logits(sdpa, asked), first_logits(eager, asked), atol=1e-3)
