"""The demo model's own byte-level BPE tokenizer and its chat template."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from catalog.prompts import render_merge
from daemon.captioner.demo.prompts import merged, video_prompt
from daemon.captioner.demo.vocabulary import BACKGROUNDS, NOTHING, TRAINED, sentence

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, END, IMAGE_TOKEN, VIDEO_TOKEN = "<pad>", "</s>", "<image>", "<video>"

# A decimal is cut into digits and a tail such as ".3,": two or three tokens for any frame time.
_WORDS = r" ?\d|\.\d,?| ?[^\s\d.,:]+| ?[.,:]+|\s+"

CHAT_TEMPLATE = """\
{%- for message in messages -%}
{%- if message['role'] == 'assistant' -%}
{{- 'ASSISTANT:' -}}
{%- generation -%}
{{- ' ' -}}
{%- if message['content'] is string -%}{{- message['content'] -}}
{%- else -%}
{%- for part in message['content'] if part['type'] == 'text' -%}{{- part['text'] -}}{%- endfor -%}
{%- endif -%}
{{- '</s>' -}}
{%- endgeneration -%}
{%- else -%}
{{- message['role'].upper() + ': ' -}}
{%- if message['content'] is string -%}{{- message['content'] -}}
{%- else -%}
{%- for part in message['content'] if part['type'] == 'image' -%}{{- '<image>\\n' -}}{%- endfor -%}
{%- for part in message['content'] if part['type'] == 'video' -%}{{- '<video>\\n' -}}{%- endfor -%}
{%- for part in message['content'] if part['type'] == 'text' -%}{{- part['text'] -}}{%- endfor -%}
{%- endif -%}
{{- ' ' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- 'ASSISTANT:' -}}{%- endif -%}
"""


def corpus(seed: int = 7, size: int = 3000) -> list[str]:
    """Return sentences, prompts and merges in the proportions that make good merges."""
    rng = np.random.default_rng(seed)
    texts: list[str] = [NOTHING] * (size // 20)
    for index in range(size):
        count = 1 + index % 2
        triples = [TRAINED[int(it)] for it in rng.integers(len(TRAINED), size=count)]
        said = sentence(BACKGROUNDS[int(rng.integers(4))], triples)
        texts.append(f"USER: {video_prompt(rng, 8, 0.4)} ASSISTANT: {said}")
        if index % 10 == 0:
            notes = [said] * 3
            texts.append(f"USER: {render_merge(notes)} ASSISTANT: {merged(notes)}")
    return texts


def train_tokenizer() -> PreTrainedTokenizerFast:
    """Train the tokenizer; any Unicode text can be encoded, down to single bytes."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.normalizer = normalizers.NFC()
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=896,
        special_tokens=[PAD, END, IMAGE_TOKEN, VIDEO_TOKEN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(corpus(), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token=PAD, eos_token=END, padding_side="left",
        extra_special_tokens={"image_token": IMAGE_TOKEN, "video_token": VIDEO_TOKEN},
        model_max_length=2048, clean_up_tokenization_spaces=False,
    )  # fmt: skip
