"""The models that haeseol knows by name, and which one this machine would pick.

Sizes, tokens and frames by GPU are those of the LLaVA-NeXT-Video and LLaVA-OneVision model cards and of
the project's seed documents; memory is weights at that precision plus 2 GB for activations.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

DEMO_CHECKPOINT = Path(__file__).parent / "demo" / "checkpoint"

Quantization = Literal["nf4", "int8", "none"]
_BYTES_PER_WEIGHT: dict[Quantization, float] = {"nf4": 0.55, "int8": 1.0, "none": 2.0}
_ACTIVATION_GIB = 2.0


@dataclass(frozen=True, slots=True)
class Profile:
    """A model by name."""

    name: str
    checkpoint: str
    """A hub id, or a folder."""
    weights: float
    """Billions of parameters."""
    tokens_per_frame: int
    default_frames: int
    languages: str
    """What the model card declares."""
    licence: str

    def memory_gib(self, quantization: Quantization) -> float:
        """About how much memory it takes, in GiB."""
        return round(self.weights * 0.93 * _BYTES_PER_WEIGHT[quantization] + _ACTIVATION_GIB, 1)


def _hub(
    name: str, checkpoint: str, weights: float, tokens: int, frames: int, rest: str
) -> Profile:
    languages, licence = rest.split("; ")
    return Profile(name, f"llava-hf/{checkpoint}", weights, tokens, frames, languages, licence)


PROFILES: tuple[Profile, ...] = (
    Profile("demo", str(DEMO_CHECKPOINT), 0.003, 9, 8, "ko", "MIT"),
    _hub("llava-next-video-7b", "LLaVA-NeXT-Video-7B-hf", 7.06, 144, 8, "en; Llama 2"),
    _hub("llava-next-video-7b-dpo", "LLaVA-NeXT-Video-7B-DPO-hf", 7.06, 144, 8, "en; Llama 2"),
    _hub("llava-next-video-34b", "LLaVA-NeXT-Video-34B-hf", 34.8, 144, 8, "en; Apache-2.0"),
    _hub(
        "llava-onevision-0.5b",
        "llava-onevision-qwen2-0.5b-ov-hf",
        0.89,
        196,
        8,
        "en, zh; Apache-2.0",
    ),
    _hub(
        "llava-onevision-7b", "llava-onevision-qwen2-7b-ov-hf", 8.03, 196, 8, "en, zh; Apache-2.0"
    ),
    _hub(
        "llava-onevision-72b", "llava-onevision-qwen2-72b-ov-hf", 73.2, 196, 8, "en, zh; Apache-2.0"
    ),
)
BY_NAME = {profile.name: profile for profile in PROFILES}


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
    if free_gib is None:
        profile = BY_NAME["llava-onevision-0.5b"]
        return Choice(profile, "none", 4, "no GPU was found; the smallest model runs on a CPU")
    seven = BY_NAME["llava-next-video-7b"]
    small = BY_NAME["llava-onevision-0.5b"]
    reason = f"{free_gib:.0f} GiB are free on the GPU"
    if free_gib < seven.memory_gib("nf4"):
        return Choice(small, "none", 4, reason)
    quantization: Quantization = "none" if fits_whole(seven, free_gib) else "nf4"
    return Choice(seven, quantization, frames_for(free_gib), reason)


def fits_whole(profile: Profile, free_gib: float) -> bool:
    """Whether a model runs unquantized with room to spare. 4 bits are advised up to an L4 (24 GB)."""
    return free_gib >= profile.memory_gib("none") * 2


def frames_for(free_gib: float) -> int:
    """Frames by GPU memory: T4 16 GB 4, L4 24 GB 8, A100 40 GB 16, H100 80 GB 32."""
    for gib, frames in ((72.0, 32), (36.0, 16), (20.0, 8)):
        if free_gib >= gib:
            return frames
    return 4
