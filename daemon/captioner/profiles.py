"""The models that haeseol knows by name, and which one this machine would pick.

Sizes come from the architectures, built on torch's meta device; tokens, languages and licences from the
model cards; frames by GPU from the project's seed documents. Memory is weights plus room for one batch.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

DEMO_CHECKPOINT = Path(__file__).parent / "demo" / "checkpoint"

Quantization = Literal["nf4", "int8", "none"]
QUANTIZED_BYTES: dict[Quantization, float] = {"nf4": 0.516, "int8": 1.0, "none": 2.0}
"""Bytes a weight of the language model's layers; NF4 with its doubly quantized scales is 4.13 bits."""
_WHOLE_BYTES = 2.0
_BATCH_GIB = 2.0
_GIB = 1024**3

VICUNA_SYSTEM = (
    "A chat between a curious human and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the human's questions."
)
YI_SYSTEM = "Answer the questions."


@dataclass(frozen=True, slots=True)
class Profile:
    """A model by name."""

    name: str
    checkpoint: str
    """A hub id, or a folder."""
    weights: float
    """Billions of parameters."""
    kept: float
    """Billions of those that quantization leaves whole: vision tower, projector, embeddings."""
    tokens_per_frame: int
    """Of a 16:9 frame."""
    default_frames: int
    languages: str
    """What the model card declares."""
    licence: str
    system: str = ""
    """What the checkpoint was trained to read before the first question."""
    pictures_only: bool = False
    """It knows no video: it is for photos, and takes a few frames of a video as photos."""

    def weights_gib(self, quantization: Quantization) -> float:
        """How much memory its weights alone take, in GiB."""
        layers = (self.weights - self.kept) * QUANTIZED_BYTES[quantization]
        return (layers + self.kept * _WHOLE_BYTES) * 1e9 / _GIB

    def memory_gib(self, quantization: Quantization) -> float:
        """About how much memory it takes at work, in GiB."""
        return round(self.weights_gib(quantization) + _BATCH_GIB, 1)


def _video(name: str, checkpoint: str, weights: float, kept: float, rest: str) -> Profile:
    licence, system = rest.split("; ")
    return Profile(
        name, f"llava-hf/{checkpoint}", weights, kept, 144, 8, "en", licence, _SYSTEMS[system]
    )


def _onevision(size: str, training: str, weights: float, kept: float, licence: str) -> Profile:
    name = f"llava-onevision-{size}" + ("" if training == "ov" else f"-{training}")
    checkpoint = f"llava-hf/llava-onevision-qwen2-{size}-{training}-hf"
    return Profile(name, checkpoint, weights, kept, 196, 8, "en, zh", licence)


def _pictures(name: str, weights: float, kept: float, frames: int, rest: str) -> Profile:
    licence, system = rest.split("; ")
    checkpoint = f"llava-hf/{name}-hf"
    return Profile(
        name, checkpoint, weights, kept, 1948, frames, "en", licence, _SYSTEMS[system], True
    )


_SYSTEMS = {"vicuna": VICUNA_SYSTEM, "yi": YI_SYSTEM, "mistral": ""}

PROFILES: tuple[Profile, ...] = (
    Profile("demo", str(DEMO_CHECKPOINT), 0.003, 0.001, 9, 8, "ko", "MIT"),
    _video("llava-next-video-7b", "LLaVA-NeXT-Video-7B-hf", 7.06, 0.587, "Llama 2; vicuna"),
    _video("llava-next-video-7b-dpo", "LLaVA-NeXT-Video-7B-DPO-hf", 7.06, 0.587, "Llama 2; vicuna"),
    _video("llava-next-video-34b", "LLaVA-NeXT-Video-34B-hf", 34.8, 1.282, "Apache-2.0; yi"),
    _onevision("0.5b", "ov", 0.894, 0.536, "Apache-2.0"),
    _onevision("0.5b", "si", 0.894, 0.536, "Apache-2.0"),
    _onevision("7b", "ov", 8.03, 1.506, "Apache-2.0"),
    _onevision("7b", "si", 8.03, 1.506, "Apache-2.0"),
    _onevision("72b", "ov", 73.2, 2.968, "Apache-2.0 (Qwen2-72B: Tongyi Qianwen)"),
    _onevision("72b", "si", 73.2, 2.968, "Apache-2.0 (Qwen2-72B: Tongyi Qianwen)"),
    _pictures("llava-v1.6-mistral-7b", 7.57, 0.587, 8, "Apache-2.0; mistral"),
    _pictures("llava-v1.6-vicuna-7b", 7.06, 0.587, 1, "Llama 2; vicuna"),
    _pictures("llava-v1.6-vicuna-13b", 13.35, 0.664, 1, "Llama 2; vicuna"),
    _pictures("llava-v1.6-34b", 34.8, 1.282, 1, "Apache-2.0; yi"),
    Profile(
        "qwen2.5-vl-7b",
        "Qwen/Qwen2.5-VL-7B-Instruct",
        8.29,
        1.767,
        150,
        8,
        "en; ko by its language model Qwen2.5",
        "Apache-2.0",
    ),
    Profile(
        "qwen3-vl-8b",
        "Qwen/Qwen3-VL-8B-Instruct",
        8.77,
        1.821,
        110,
        8,
        "not declared; 100+ by its language model Qwen3",
        "Apache-2.0",
    ),
)
BY_NAME = {profile.name: profile for profile in PROFILES}


def profile_of(model: str) -> Profile | None:
    """The preset of that name or of that hub id."""
    return BY_NAME.get(model) or next((it for it in PROFILES if it.checkpoint == model), None)


@dataclass(frozen=True, slots=True)
class Choice:
    """What this machine would pick, and why."""

    profile: Profile
    quantization: Quantization
    frames: int
    reason: str


def free_gpu_gib() -> float | None:
    """Free memory of the roomiest GPU in GiB, or None without one. Asks the driver, not torch."""
    try:
        told = subprocess.run(
            ["nvidia-smi", "--query-gpu=memory.free", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout
        return max((int(line) / 1024 for line in told.split()), default=None)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def pick(free_gib: float | None) -> Choice:
    """The model for `auto`: by free GPU memory in GiB, and OneVision 0.5B on a CPU."""
    small = BY_NAME["llava-onevision-0.5b"]
    if free_gib is None:
        return Choice(small, "none", 4, "no GPU was found; the smallest model runs on a CPU")
    seven = BY_NAME["llava-next-video-7b"]
    reason = f"{free_gib:.0f} GiB are free on the GPU"
    if free_gib < seven.memory_gib("nf4"):
        return Choice(small, "none", 4, reason)
    quantization = automatic_quantization(seven, free_gib)
    return Choice(seven, quantization, frames_for(free_gib, seven, quantization), reason)


def automatic_quantization(profile: Profile | None, free_gib: float | None) -> Quantization:
    """4 bits where the model would not fit as it is with room to spare, which is up to an L4 (24 GB)."""
    if free_gib is None:
        return "none"
    whole = profile is not None and free_gib >= profile.memory_gib("none") * 2
    return "none" if whole else "nf4"


def frames_for(free_gib: float, profile: Profile, quantization: Quantization) -> int:
    """Frames by the memory in GiB that the weights leave free.

    With the 7B model that is 4 on a T4 (16 GB), 8 on an L4 (24 GB), 16 on an A100 (40 GB) and 32 on an
    H100 (80 GB).
    """
    spare = free_gib - profile.weights_gib(quantization)
    for gib, frames in ((55.0, 32), (22.0, 16), (15.0, 8), (_BATCH_GIB, 4)):
        if spare >= gib:
            return frames
    return 2


def coarser_pooling(free_gib: float | None, profile: Profile, quantization: Quantization) -> bool:
    """Whether frames should be pooled 3 by 3 instead of 2 by 2, to less than half of their tokens."""
    return (
        free_gib is not None
        and not profile.pictures_only
        and free_gib - profile.weights_gib(quantization) < _BATCH_GIB
    )
