"""From a folder with a checkpoint to a processor and a model that are ready, or one sentence why not."""

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from transformers import CONFIG_MAPPING, AutoConfig, AutoModelForImageTextToText, AutoProcessor

from catalog.errors import CodedError, ErrorCode
from daemon.captioner.attention import attention_for
from daemon.captioner.checkpoints import Checkpoint, check_files
from daemon.captioner.context import stretch
from daemon.captioner.quantization import (
    check_quantized,
    kept_whole,
    language_layers,
    quantization_config,
    weights_bytes,
)
from daemon.captioner.shortage import is_shortage

_GIB = 1024**3
_CAUSES = (
    OSError,
    ValueError,
    KeyError,
    ImportError,
    RuntimeError,
    MemoryError,
    SafetensorError,
)
"""What loading a checkpoint that is broken, foreign or too large has been seen to raise."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checkpoint in memory."""

    processor: Any
    model: Any
    device: torch.device


def load(checkpoint: Checkpoint, wanted_device: str) -> Loaded:
    """Loads a checkpoint.

    Raises `CodedError` (model_unavailable, out_of_memory, gpu_out_of_memory).
    """
    device = device_for(wanted_device)
    check_files(checkpoint.folder)
    _refuse_foreign_code(checkpoint.folder)
    attention = attention_for(checkpoint.attention, device)
    transformers.utils.logging.disable_progress_bar()
    try:
        return _loaded(checkpoint, device, attention)
    except _CAUSES as error:
        if is_shortage(error):
            raise _no_room(checkpoint, device) from error
        raise CodedError(
            ErrorCode.MODEL_UNAVAILABLE,
            f"the model in {checkpoint.folder} does not load: {_first_line(error)}. "
            "Download it again, or choose another",
        ) from error


def _loaded(checkpoint: Checkpoint, device: torch.device, attention: str) -> Loaded:
    safely = {"local_files_only": True, "trust_remote_code": False}
    dtype = dtype_for(device)
    config = AutoConfig.from_pretrained(checkpoint.folder, **safely)
    stretch(config, checkpoint.frames, checkpoint.pool_stride)
    skeleton = _skeleton(config, dtype)
    needed = weights_bytes(skeleton, checkpoint.quantization, dtype)
    _refuse_what_cannot_fit(checkpoint, device, needed)
    processor = AutoProcessor.from_pretrained(checkpoint.folder, **safely)
    model, report = AutoModelForImageTextToText.from_pretrained(
        checkpoint.folder,
        config=config,
        use_safetensors=True,
        dtype=dtype,
        quantization_config=quantization_config(
            checkpoint.quantization, dtype, kept_whole(skeleton)
        ),
        device_map={"": device},
        attn_implementation=attention,
        output_loading_info=True,
        **safely,
    )
    _refuse_invented_weights(checkpoint, report)
    check_quantized(model, checkpoint.quantization, language_layers(skeleton))
    tell_processor(processor, model.config)
    return Loaded(processor, model.eval(), device)


def device_for(wanted: str) -> torch.device:
    """The device by its setting. Raises `CodedError` (model_unavailable)."""
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise CodedError(
            ErrorCode.MODEL_UNAVAILABLE,
            "device = cuda, but torch sees no GPU; check the driver with nvidia-smi, or set "
            "device = auto",
        )
    return torch.device(wanted)


def dtype_for(device: torch.device) -> torch.dtype:
    """The number format that is not quantized: half precision on a GPU, float32 on a CPU."""
    if device.type == "cuda":
        # A T4 emulates bfloat16, slowly, and says that it is supported unless asked like this.
        real = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if real else torch.float16
    # On a CPU: float32 is exact, so that a batch says what its members say alone.
    return torch.float32


def free_bytes(device: torch.device) -> int | None:
    """Memory that a model could take on a device now, or None where it cannot be told."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    told = (line.split() for line in lines)
    return next((int(words[1]) * 1024 for words in told if words[0] == "MemAvailable:"), None)


def tell_processor(processor: Any, config: Any) -> None:
    """Gives a processor what it counts placeholders by; older checkpoints of llava-hf lack it."""
    vision = getattr(config, "vision_config", None)
    class_token = str(getattr(vision, "model_type", "")).startswith("clip")
    facts = {
        "patch_size": getattr(vision, "patch_size", None),
        "vision_feature_select_strategy": getattr(config, "vision_feature_select_strategy", None),
        "num_image_tokens": _grid_size(vision),
    }
    for name, value in facts.items():
        if hasattr(processor, name) and getattr(processor, name) is None:
            setattr(processor, name, value)
    if class_token and getattr(processor, "num_additional_image_tokens", None) == 0:
        processor.num_additional_image_tokens = 1


def _grid_size(vision: Any) -> int | None:
    image, patch = getattr(vision, "image_size", None), getattr(vision, "patch_size", None)
    return (image // patch) ** 2 if isinstance(image, int) and isinstance(patch, int) else None


def _skeleton(config: Any, dtype: torch.dtype) -> Any:
    """The model without its weights, which takes no memory."""
    with torch.device("meta"):
        return AutoModelForImageTextToText.from_config(copy.deepcopy(config), dtype=dtype)


def _refuse_foreign_code(folder: Path) -> None:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except ValueError:
        return  # loading says what is wrong with it
    if "auto_map" in config and config.get("model_type") not in CONFIG_MAPPING:
        raise CodedError(
            ErrorCode.MODEL_UNAVAILABLE,
            f"the model in {folder} brings Python code of its own (trust_remote_code), which haeseol "
            "never runs; choose a checkpoint that transformers knows by itself",
        )


def _no_room(checkpoint: Checkpoint, device: torch.device) -> CodedError:
    on_gpu = device.type == "cuda"
    return CodedError(
        ErrorCode.GPU_OUT_OF_MEMORY if on_gpu else ErrorCode.OUT_OF_MEMORY,
        f"{'the GPU' if on_gpu else 'this machine'} has no room for the model {checkpoint.name} as "
        f"{checkpoint.quantization}; free it, or set quantization = nf4 or a smaller model",
    )


def _refuse_what_cannot_fit(checkpoint: Checkpoint, device: torch.device, needed: int) -> None:
    free = free_bytes(device)
    if free is None or needed <= free:
        return
    on_gpu = device.type == "cuda"
    remedy = "" if checkpoint.quantization == "nf4" or not on_gpu else "set quantization = nf4, or "
    raise CodedError(
        ErrorCode.GPU_OUT_OF_MEMORY if on_gpu else ErrorCode.OUT_OF_MEMORY,
        f"the model {checkpoint.name} as {checkpoint.quantization} takes {needed / _GIB:.1f} GiB, "
        f"and {free / _GIB:.1f} GiB {'of the GPU ' if on_gpu else ''}are free; "
        f"{remedy}choose a smaller model of `haeseol models`",
    )


def _refuse_invented_weights(checkpoint: Checkpoint, report: Any) -> None:
    """transformers fills in what a file lacks with random numbers, and only warns."""
    missing = sorted(report["missing_keys"])
    if missing:
        raise CodedError(
            ErrorCode.MODEL_UNAVAILABLE,
            f"the weights in {checkpoint.folder} lack {len(missing)} parts (for one, {missing[0]}); "
            "download the model again",
        )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
