"""From the setting `model` to a folder with weights. Never the demo model in place of another."""

from dataclasses import dataclass
from pathlib import Path

from catalog.errors import CodedError, ErrorCode
from catalog.home import Home
from catalog.settings import Settings
from daemon.captioner.profiles import BY_NAME, Profile, Quantization, fits_whole, free_gpu_gib, pick

_WANTED_FILES = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt"]
"""Weights as safetensors only; a pickle can run code when it is loaded."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model that lies on this machine, and how to load it."""

    name: str
    folder: Path
    quantization: Quantization
    frames: int


def find_checkpoint(settings: Settings, home: Home, model: str | None = None) -> Checkpoint:
    """Resolves `model`, or the setting: `auto`, a preset, a local folder or a hub id.

    Raises `CodedError` (model_unavailable), which says how to get the weights.
    """
    wanted = model or settings.model
    free = None if settings.device == "cpu" else free_gpu_gib()
    choice = pick(free)
    if wanted == "auto":
        wanted = choice.profile.name
    profile = BY_NAME.get(wanted)
    folder = _folder_of(profile.checkpoint if profile else wanted, wanted, home)
    automatic = _automatic_quantization(profile, free)
    return Checkpoint(
        name=profile.name if profile else _readable_name(wanted),
        folder=folder,
        quantization=automatic if settings.quantization == "auto" else settings.quantization,
        frames=settings.frames or _default_frames(profile, choice.frames),
    )


def _readable_name(wanted: str) -> str:
    return Path(wanted).name if Path(wanted).expanduser().is_dir() else wanted


def _default_frames(profile: Profile | None, frames_of_machine: int) -> int:
    if profile is not None and profile.name == "demo":
        return profile.default_frames
    return frames_of_machine


def _automatic_quantization(profile: Profile | None, free_gib: float | None) -> Quantization:
    if free_gib is None or (profile is not None and fits_whole(profile, free_gib)):
        return "none"
    return "nf4"


def _folder_of(checkpoint: str, wanted: str, home: Home) -> Path:
    folder = Path(checkpoint).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise CodedError(
                ErrorCode.MODEL_UNAVAILABLE,
                f"{folder} holds no model: there is no config.json. Give the folder of a checkpoint",
            )
        return folder
    if checkpoint.count("/") != 1 or checkpoint.startswith(("/", ".", "~")):
        raise CodedError(
            ErrorCode.MODEL_UNAVAILABLE,
            f"there is no model {wanted!r}: it is no preset, no folder and no hub id. "
            f"`{home.command('models')}` lists the presets",
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

    profile = BY_NAME.get(model)
    hub_id = profile.checkpoint if profile else model
    if profile is not None and Path(profile.checkpoint).is_dir():
        return Path(profile.checkpoint)
    try:
        return Path(
            snapshot_download(hub_id, cache_dir=home.models_dir, allow_patterns=_WANTED_FILES)
        )
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise CodedError(
            ErrorCode.MODEL_UNAVAILABLE,
            f"cannot download {hub_id}: {error}. Check the name and the connection, then try again",
        ) from error
