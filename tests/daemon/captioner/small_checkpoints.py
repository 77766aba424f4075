"""Small random checkpoints of the real architectures, laid out as on the hub.

Tokenizer, special tokens, chat template and prompt format are those of the real checkpoint; hidden
sizes, layers and the vocabulary are small, and the weights are random, so an answer has no sense but
depends on every picture and every word.
"""

from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    AutoModelForImageTextToText,
    CLIPImageProcessor,
    CLIPVisionConfig,
    LlamaConfig,
    LlamaTokenizer,
    LlavaConfig,
    LlavaNextConfig,
    LlavaNextImageProcessor,
    LlavaNextProcessor,
    LlavaNextVideoConfig,
    LlavaNextVideoProcessor,
    LlavaNextVideoVideoProcessor,
    LlavaOnevisionConfig,
    LlavaOnevisionImageProcessor,
    LlavaOnevisionProcessor,
    LlavaOnevisionVideoProcessor,
    LlavaProcessor,
    MistralConfig,
    Qwen2_5_VLConfig,
    Qwen2_5_VLProcessor,
    Qwen2Config,
    Qwen2Tokenizer,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
    Qwen3VLConfig,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
    SiglipVisionConfig,
)

from tests.daemon.captioner.chat_templates import MISTRAL, ONEVISION, QWEN, QWEN3, VICUNA, YI

SMALL_TEXT = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.3,  # large, so that the words a model says change with what it sees
}


def build(
    folder: Path, name: str, *, patches: int = 4, context: int = 4096, **changes: Any
) -> Path:
    """Writes the checkpoint of that name, with so many patches along a picture's side."""
    torch.manual_seed(7)
    processor, config = _BUILDERS[name](name, patches * 8, context, changes)
    model = AutoModelForImageTextToText.from_config(config).eval()
    model.generation_config.eos_token_id = processor.tokenizer.eos_token_id
    model.generation_config.pad_token_id = processor.tokenizer.pad_token_id
    transformers.utils.logging.disable_progress_bar()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    _name_towers_as_on_the_hub(folder / "model.safetensors")
    return folder


def _name_towers_as_on_the_hub(file: Path) -> None:
    """transformers 5 saves towers without the room `vision_model`, which the hub's files still have."""
    weights = {
        name.replace("vision_tower.", "vision_tower.vision_model."): weight
        for name, weight in load_file(file).items()
    }
    save_file(weights, file, {"format": "pt"})


def llama_tokenizer(special: dict[str, str], *more: str, first: str = "<s>") -> LlamaTokenizer:
    """Letters, and bytes for all else, as SentencePiece does it."""
    words = ["<unk>", first, "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁"]
    words += [chr(code) for code in range(33, 127)]
    tokenizer = LlamaTokenizer(
        vocab={word: place for place, word in enumerate(words)},
        merges=[],
        unk_token="<unk>",
        bos_token=first,
        eos_token="<|im_end|>" if more else "</s>",
        pad_token="<pad>",
        add_bos_token=True,
        extra_special_tokens=special,
    )
    tokenizer.add_tokens(list(more), special_tokens=True)
    return tokenizer


def qwen_tokenizer(special: dict[str, str]) -> Qwen2Tokenizer:
    """Bytes, and no merges."""
    tokenizer = Qwen2Tokenizer(
        vocab={letter: place for place, letter in enumerate(sorted(ByteLevel.alphabet()))},
        merges=[],
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=special,
    )
    tokenizer.add_tokens(["<|im_start|>", "<|im_end|>"], special_tokens=True)
    return tokenizer


def _clip(side: int) -> CLIPVisionConfig:
    return CLIPVisionConfig(
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        image_size=side,
        patch_size=8,
        initializer_range=0.3,
    )


def _pinpoints(side: int) -> list[list[int]]:
    return [
        [side, side * 2],
        [side * 2, side],
        [side * 2, side * 2],
        [side * 3, side],
        [side, side * 3],
    ]


def _tokens(tokenizer: Any) -> dict[str, int]:
    return {
        "vocab_size": len(tokenizer),
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def _tower_of_next(side: int) -> dict[str, Any]:
    return {
        "size": {"shortest_edge": side},
        "crop_size": {"height": side, "width": side},
    }


def _next_video(name: str, side: int, context: int, changes: dict[str, Any]) -> tuple[Any, Any]:
    special = {"image_token": "<image>", "video_token": "<video>"}
    chatml = ("<|im_start|>", "<|im_end|>") if "34b" in name else ()
    first = "<|startoftext|>" if chatml else "<s>"
    tokenizer = llama_tokenizer(special, *chatml, first=first)
    processor = LlavaNextVideoProcessor(
        video_processor=LlavaNextVideoVideoProcessor(**_tower_of_next(side)),
        image_processor=LlavaNextImageProcessor(
            image_grid_pinpoints=_pinpoints(side), **_tower_of_next(side)
        ),
        tokenizer=tokenizer,
        chat_template=YI if chatml else VICUNA,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    )
    rotary = {"rope_type": "default", "rope_theta": 5_000_000.0 if chatml else 10_000.0}
    config = LlavaNextVideoConfig(
        vision_config=_clip(side),
        text_config=LlamaConfig(
            rope_parameters=rotary,
            **SMALL_TEXT,
            **_tokens(tokenizer),
            max_position_embeddings=context,
        ),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=_pinpoints(side),
        tie_word_embeddings=False,
        **changes,
    )
    return processor, config


def _next(name: str, side: int, context: int, changes: dict[str, Any]) -> tuple[Any, Any]:
    special = {"image_token": "<image>"}
    chatml = ("<|im_start|>", "<|im_end|>") if "34b" in name else ()
    tokenizer = llama_tokenizer(special, *chatml, first="<|startoftext|>" if chatml else "<s>")
    template = YI if chatml else MISTRAL if "mistral" in name else VICUNA
    processor = LlavaNextProcessor(
        image_processor=LlavaNextImageProcessor(
            image_grid_pinpoints=_pinpoints(side), **_tower_of_next(side)
        ),
        tokenizer=tokenizer,
        chat_template=template,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    )
    text = MistralConfig if "mistral" in name else LlamaConfig
    config = LlavaNextConfig(
        vision_config=_clip(side),
        text_config=text(**SMALL_TEXT, **_tokens(tokenizer), max_position_embeddings=context),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_grid_pinpoints=_pinpoints(side),
        tie_word_embeddings=False,
        **changes,
    )
    return processor, config


def _onevision(name: str, side: int, context: int, changes: dict[str, Any]) -> tuple[Any, Any]:
    tokenizer = qwen_tokenizer({"image_token": "<image>", "video_token": "<video>"})
    square = {"height": side, "width": side}
    processor = LlavaOnevisionProcessor(
        image_processor=LlavaOnevisionImageProcessor(
            size=square, image_grid_pinpoints=_pinpoints(side)
        ),
        tokenizer=tokenizer,
        video_processor=LlavaOnevisionVideoProcessor(size=square),
        num_image_tokens=(side // 8) ** 2,
        vision_feature_select_strategy="full",
        chat_template=ONEVISION,
    )
    tied = "0.5b" in name
    vision = SiglipVisionConfig(
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=side,
        patch_size=8,
        vision_use_head=False,
    )
    config = LlavaOnevisionConfig(
        vision_config=vision,
        text_config=Qwen2Config(
            **SMALL_TEXT,
            **_tokens(tokenizer),
            max_position_embeddings=context,
            tie_word_embeddings=tied,
        ),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=_pinpoints(side),
        tie_word_embeddings=tied,
        vision_feature_layer=-1,
        **changes,
    )
    return processor, config


_QWEN_TOKENS = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "vision_start_token": "<|vision_start|>",
    "vision_end_token": "<|vision_end|>",
}


def _qwen_ids(tokenizer: Any) -> dict[str, int]:
    return {
        f"{name}_id": tokenizer.convert_tokens_to_ids(word) for name, word in _QWEN_TOKENS.items()
    }


def _qwen2_5_vl(name: str, side: int, context: int, changes: dict[str, Any]) -> tuple[Any, Any]:
    tokenizer = qwen_tokenizer(_QWEN_TOKENS)
    pixels = {"size": {"shortest_edge": 28 * 28, "longest_edge": 28 * 28 * 64}}
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(**pixels),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(**pixels),
        chat_template=QWEN,
    )
    config = Qwen2_5_VLConfig(
        text_config={
            **SMALL_TEXT,
            **_tokens(tokenizer),
            "max_position_embeddings": context,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [2, 3, 3],
            },
        },
        vision_config={
            "depth": 2,
            "hidden_size": 64,
            "intermediate_size": 64,
            "num_heads": 4,
            "out_hidden_size": 64,
            "fullatt_block_indexes": [1],
            "initializer_range": 0.3,
        },
        tie_word_embeddings=False,
        **_qwen_ids(tokenizer),
        **changes,
    )
    return processor, config


def _qwen3_vl(name: str, side: int, context: int, changes: dict[str, Any]) -> tuple[Any, Any]:
    tokenizer = qwen_tokenizer(_QWEN_TOKENS)
    pixels = {"size": {"shortest_edge": 32 * 32, "longest_edge": 32 * 32 * 64}}
    processor = Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(patch_size=16, **pixels),
        tokenizer=tokenizer,
        video_processor=Qwen3VLVideoProcessor(**pixels),
        chat_template=QWEN3,
    )
    config = Qwen3VLConfig(
        text_config={
            **SMALL_TEXT,
            **_tokens(tokenizer),
            "head_dim": 16,
            "max_position_embeddings": context,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [2, 3, 3],
            },
        },
        vision_config={
            "depth": 3,
            "hidden_size": 64,
            "intermediate_size": 64,
            "num_heads": 4,
            "out_hidden_size": 64,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0, 1],
            "initializer_range": 0.3,
        },
        tie_word_embeddings=False,
        **_qwen_ids(tokenizer),
        **changes,
    )
    return processor, config


def _llava(name: str, side: int, context: int, changes: dict[str, Any]) -> tuple[Any, Any]:
    """LLaVA 1.5, which is no preset: a model for pictures that goes through its own processor."""
    tokenizer = llama_tokenizer({"image_token": "<image>"})
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessor(**_tower_of_next(side)),
        tokenizer=tokenizer,
        chat_template=VICUNA,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    )
    config = LlavaConfig(
        vision_config=_clip(side),
        text_config=LlamaConfig(
            **SMALL_TEXT, **_tokens(tokenizer), max_position_embeddings=context
        ),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        tie_word_embeddings=False,
        **changes,
    )
    return processor, config


_BUILDERS = {
    "llava-next-video-7b": _next_video,
    "llava-next-video-7b-dpo": _next_video,
    "llava-next-video-34b": _next_video,
    "llava-onevision-0.5b": _onevision,
    "llava-onevision-0.5b-si": _onevision,
    "llava-onevision-7b": _onevision,
    "llava-onevision-7b-si": _onevision,
    "llava-onevision-72b": _onevision,
    "llava-onevision-72b-si": _onevision,
    "llava-v1.6-mistral-7b": _next,
    "llava-v1.6-vicuna-7b": _next,
    "llava-v1.6-vicuna-13b": _next,
    "llava-v1.6-34b": _next,
    "qwen2.5-vl-7b": _qwen2_5_vl,
    "qwen3-vl-8b": _qwen3_vl,
}
NAMES = tuple(_BUILDERS)
_BUILDERS["llava-1.5-7b"] = _llava
