"""From the setting `model` to a folder with weights. Never the demo model in place of another."""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from catalog.errors import CodedError, ErrorCode
from catalog.home import Home
from catalog.settings import Settings
from daemon.captioner.profiles import (
    BY_NAME,
    Choice,
    Profile,
    Quantization,
    automatic_quantization,
    coarser_pooling,
    frames_for,
    free_gpu_gib,
    pick,
    profile_of,
)

_WANTED_FILES = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt"]
"""Weights as safetensors only; a pickle can run code when it is loaded."""
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")

Attention = Literal["auto", "sdpa", "flash_attention_2", "eager"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model that lies on this machine, and how to load it."""

    name: str
    folder: Path
    quantization: Quantization
    frames: int
    attention: Attention = "auto"
    pool_stride: int | None = None
    """Side of the squares of a frame's grid that become one token; None: as the model was trained."""
    system: str = ""
    """What the model was trained to read before the first question."""


def find_checkpoint(settings: Settings, home: Home, model: str | None = None) -> Checkpoint:
    """Resolves `model`, or the setting: `auto`, a preset, a local folder or a hub id.

    Raises `CodedError` (model_unavailable), which says how to get the weights.
    """
    wanted = model or settings.model
    free = None if settings.device == "cpu" else free_gpu_gib()
    choice = pick(free)
    if wanted == "auto":
        wanted = choice.profile.name
    profile = profile_of(wanted)
    folder = _folder_of(profile.checkpoint if profile else wanted, wanted, home)
    check_files(folder)
    quantization: Quantization = (
        automatic_quantization(profile, free)
        if settings.quantization == "auto"
        else settings.quantization
    )
    coarser = profile is not None and coarser_pooling(free, profile, quantization)
    return Checkpoint(
        name=profile.name if profile else _readable_name(wanted),
        folder=folder,
        quantization=quantization,
        frames=settings.frames or _frames(profile, choice, free, quantization),
        attention=settings.attention,
        pool_stride=settings.pool_stride or (3 if coarser else None),
        system=profile.system if profile else "",
    )


def _readable_name(wanted: str) -> str:
    return Path(wanted).name if Path(wanted).expanduser().is_dir() else wanted


def _frames(
    profile: Profile | None, choice: Choice, free_gib: float | None, quantization: Quantization
) -> int:
    if profile is None:
        return choice.frames
    if profile.name == "demo":
        return profile.default_frames
    if profile.pictures_only:
        return min(profile.default_frames, choice.frames)
    return choice.frames if free_gib is None else frames_for(free_gib, profile, quantization)


def _folder_of(checkpoint: str, wanted: str, home: Home) -> Path:
    folder = Path(checkpoint).expanduser()
    if folder.is_dir():
        return folder
    if checkpoint.count("/") != 1 or checkpoint.startswith(("/", ".", "~")):
        near = difflib.get_close_matches(wanted.lower(), BY_NAME, 1)
        hint = f"did you mean {near[0]}?" if near else ""
        hint = hint or f"`{home.command('models')}` lists the presets"
        raise CodedError(
            ErrorCode.MODEL_UNAVAILABLE,
            f"there is no model {wanted!r}: it is no preset, no folder and no hub id; {hint}",
        )
    found = _downloaded(checkpoint, home)
    if found is None:
        raise CodedError(
            ErrorCode.MODEL_UNAVAILABLE,
            f"the model {wanted} is not on this machine. Download it with "
            f"`{home.command(f'models download {wanted}')}`, or try the bundled demo model, which "
            "knows coloured shapes only: set HAESEOL_MODEL=demo",
        )
    return found


def check_files(folder: Path) -> None:
    """Looks at a folder before anything of it is loaded.

    Raises `CodedError` (model_unavailable) if it holds no model, or only pickled weights.
    """
    if not (folder / "config.json").is_file():
        raise CodedError(
            ErrorCode.MODEL_UNAVAILABLE,
            f"{folder} holds no model: there is no config.json. Give the folder of a checkpoint",
        )
    if any(folder.glob("*.safetensors")):
        return
    pickled = next((file for kind in _PICKLES for file in folder.glob(kind)), None)
    raise CodedError(
        ErrorCode.MODEL_UNAVAILABLE,
        f"{pickled} is a pickle, which can run code when it is loaded; take a checkpoint with "
        "safetensors weights"
        if pickled
        else f"{folder} holds no weights: there is no *.safetensors. Download the model again",
    )


def _downloaded(hub_id: str, home: Home) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    for cache in (home.models_dir, None):  # None: the cache that other programs share
        try:
            return Path(snapshot_download(hub_id, cache_dir=cache, local_files_only=True))
        except (LocalEntryNotFoundError, OSError, ValueError):
            continue
    return None


def is_downloaded(profile: Profile, home: Home) -> bool:
    """Whether a preset's weights lie on this machine."""
    if Path(profile.checkpoint).is_dir():
        return True
    return _downloaded(profile.checkpoint, home) is not None


def download(model: str, home: Home) -> Path:
    """Fetches a preset or a hub id from the hub. The one place in haeseol that opens a connection.

    Raises `CodedError` (model_unavailable).
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    profile = profile_of(model)
    hub_id = profile.checkpoint if profile else model
    if profile is not None and Path(profile.checkpoint).is_dir():
        return Path(profile.checkpoint)
    if hub_id.count("/") != 1:
        _folder_of(hub_id, model, home)
    try:
        return Path(
            snapshot_download(hub_id, cache_dir=home.models_dir, allow_patterns=_WANTED_FILES)
        )
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise CodedError(
            ErrorCode.MODEL_UNAVAILABLE,
            f"cannot download {hub_id}: {str(error).splitlines()[0].rstrip('.')}. Check the name and "
            "the connection, then try again",
        ) from error
