"""Measures what quantizing the vision tower and the projector costs, and what it saves.

Four ways with the demo checkpoint: accuracy on held-out clips, and the error of features and logits
against float32. Beside it the memory of the real 7B architecture, built without weights.

    python -m tests.benchmarks.quantized_parts [--clips 40] [--quantization nf4,int8]
"""

import argparse
import sys
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import AutoModelForImageTextToText, LlavaNextVideoConfig

from daemon.captioner import loading
from daemon.captioner.checkpoints import Checkpoint
from daemon.captioner.demo.vocabulary import read
from daemon.captioner.local import LocalCaptioner
from daemon.captioner.profiles import DEMO_CHECKPOINT, QUANTIZED_BYTES, Quantization
from tests.benchmarks.letterbox import draw, question

PARTS = {
    "language only": ("model.language_model",),
    "+ projector": ("model.language_model", "model.multi_modal_projector"),
    "+ vision tower": ("model.language_model", "model.vision_tower"),
    "everything": ("model.language_model", "model.multi_modal_projector", "model.vision_tower"),
}
GIB = 1024**3


def loaded(quantization: Quantization, parts: tuple[str, ...]) -> LocalCaptioner:
    """The demo checkpoint with these parts quantized, whatever haeseol itself would leave whole."""
    rooms = {"model.language_model", "model.multi_modal_projector", "model.vision_tower"}
    kept, checked = loading.kept_whole, loading.check_quantized
    loading.kept_whole = lambda skeleton: ["lm_head", *sorted(rooms - set(parts))]
    loading.check_quantized = lambda *facts: None
    try:
        return LocalCaptioner(
            Checkpoint("demo", DEMO_CHECKPOINT, quantization, 8), device="cpu", batch_size=8
        )
    finally:
        loading.kept_whole, loading.check_quantized = kept, checked


def features_and_logits(captioner: LocalCaptioner, asked: list[Any]) -> tuple[Any, Any]:
    """Video features and logits of the first word, of all clips in one batch."""
    with torch.inference_mode():
        inputs = captioner.inputs.prepare(asked)
        features = torch.cat(inputs["mm_encoder_outputs"]["video"].pooler_output).float()
        told = captioner.model(**inputs, logits_to_keep=1)
    return features, told.logits[:, -1].float()


def relative_error(value: torch.Tensor, reference: torch.Tensor) -> float:
    """The length of the difference by the length of the reference."""
    return float((value - reference).norm() / reference.norm())


def share_right(captioner: LocalCaptioner, clips: list[Any], asked: list[Any]) -> float:
    """The share of clips that are told wholly right."""
    told = [read(answer.text).triples for answer in captioner.answer(asked)]
    return float(
        np.mean(
            [it == frozenset(clip.scenes[0].triples) for it, clip in zip(told, clips, strict=True)]
        )
    )


def real_gib(quantization: Quantization, parts: tuple[str, ...]) -> float:
    """Memory in GiB of LLaVA-NeXT-Video 7B's weights with these parts quantized."""
    config = LlavaNextVideoConfig(
        vision_config={
            "model_type": "clip_vision_model",
            "hidden_size": 1024,
            "intermediate_size": 4096,
            "num_hidden_layers": 24,
            "num_attention_heads": 16,
            "image_size": 336,
            "patch_size": 14,
        },
        text_config={"model_type": "llama", "vocab_size": 32064},
        tie_word_embeddings=False,
    )
    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(config)
    small = {
        name
        for name, part in model.named_modules()
        if isinstance(part, nn.Linear) and name.startswith(parts)
    }
    total = 0.0
    for name, weight in model.named_parameters():
        quantized = name.rpartition(".")[0] in small and name.endswith("weight")
        total += weight.numel() * (QUANTIZED_BYTES[quantization] if quantized else 2.0)
    return total / GIB


def main() -> int:
    """Load every way, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--quantization", default="nf4,int8")
    parser.add_argument("--seed", type=int, default=72)
    options = parser.parse_args()
    clips = draw((192, 192), options.clips, options.seed)
    asked = [question(clip) for clip in clips]
    whole = LocalCaptioner(
        Checkpoint("demo", DEMO_CHECKPOINT, "none", 8), device="cpu", batch_size=8
    )
    features, logits = features_and_logits(whole, asked)
    print(f"{'':24}{'all right':>12}{'features':>11}{'logits':>9}{'7B GiB':>9}{'of fp16':>9}")
    base = real_gib("none", ())
    right = 100 * share_right(whole, clips, asked)
    print(
        f"{'float32 (7B: fp16)':24}{right:>10.1f} %{0:>9.1f} %{0:>7.1f} %{base:>9.2f}{100:>7.0f} %"
    )
    for quantization in options.quantization.split(","):
        for name, parts in PARTS.items():
            captioner = loaded(quantization, parts)
            seen, thought = features_and_logits(captioner, asked)
            right = 100 * share_right(captioner, clips, asked)
            size = real_gib(quantization, parts)
            print(
                f"{quantization + ' ' + name:24}{right:>10.1f} %"
                f"{100 * relative_error(seen, features):>9.1f} %"
                f"{100 * relative_error(thought, logits):>7.1f} %"
                f"{size:>9.2f}{100 * size / base:>7.0f} %",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
