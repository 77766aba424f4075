"""A static embedding model: every token has a vector, and a text is the mean of its tokens' vectors.

It reads the files of the package model2vec (https://github.com/MinishLab/model2vec, `StaticModel`):
`tokenizer.json`, `config.json`, and `model.safetensors` with `embeddings` and, where the vocabulary is
quantized, `weights` and `mapping`. The package itself reads the whole matrix into memory, and at a
folder that is missing it asks the Hugging Face hub.

Only the embedding process imports this module: numpy and a large tokenizer take seconds to load.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from tokenizers import Tokenizer

from catalog.errors import HaeseolError

Vectors = NDArray[np.float32]

_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I8": "i1", "I64": "<i8", "I32": "<i4"}
_MOST_TOKENS = 512
"""Tokens of a text that count, where the model does not say; model2vec's own default."""
_MOST_CHARACTERS = 20_000
_LARGEST = 127
"""The largest element of a code: int8 without -128, so that it is symmetric."""
_UNKNOWN_OF_UNIGRAM = re.compile(rb'(?<!\\)"unk_id"\s*:\s*(\d+)')


class StaticModel:
    """A loaded model.

    `dimension` is that of its codes: the vectors' own, filled up with zeros to a multiple of 8.
    """

    def __init__(self, folder: Path) -> None:
        """Loads a folder. Raises `HaeseolError` if a file is damaged, or the files do not fit together."""
        try:
            tensors = _mapped(folder / "model.safetensors")
            self._tokenizer = _tokenizer(folder)
            self._unknown = _unknown_token(self._tokenizer, folder / "tokenizer.json")
        except (
            Exception
        ) as error:  # safetensors and tokenizers have no narrower errors of their own
            raise _damaged(folder, f"{type(error).__name__}: {error}") from error
        embeddings = tensors.get("embeddings", tensors.get("embedding.weight"))
        if embeddings is None or embeddings.ndim != 2 or 0 in embeddings.shape:
            raise _damaged(folder, "model.safetensors holds no matrix named `embeddings`")
        self._embeddings = embeddings
        self._weights = tensors.get("weights")
        self._mapping = tensors.get("mapping")
        self.dimension = -(-embeddings.shape[1] // 8) * 8
        self._check(folder)

    def _check(self, folder: Path) -> None:
        """Every token must have a vector, or a text with that token would end the process."""
        tokens = self._tokenizer.get_vocab_size(with_added_tokens=True)
        rows = len(self._embeddings)
        if self._mapping is not None:
            if len(self._mapping) and not 0 <= int(self._mapping.max()) < rows:
                raise _damaged(folder, "`mapping` points outside `embeddings`")
            rows = len(self._mapping)
        if self._weights is not None:
            rows = min(rows, len(self._weights))
        if rows < tokens:
            raise _damaged(folder, f"its tokenizer knows {tokens} tokens, its matrix only {rows}")

    def encode(self, texts: Sequence[str]) -> Vectors:
        """A vector for each text, of length 1; zero for a text without a known token."""
        encoded = self._tokenizer.encode_batch_fast(
            [_plain(text) for text in texts], add_special_tokens=False
        )
        ids = [[one for one in each.ids if one != self._unknown] for each in encoded]
        means = np.zeros((len(texts), self.dimension), dtype=np.float32)
        known = [place for place, of_text in enumerate(ids) if of_text]
        if known:
            lengths = np.array([len(ids[place]) for place in known])
            flat = np.concatenate([ids[place] for place in known])
            starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
            sums = np.add.reduceat(self._rows(flat), starts, axis=0)
            means[known, : sums.shape[1]] = sums / lengths[:, None]
        # A sum that leaves the range of its type, out of a damaged matrix, is no direction either.
        means[~np.isfinite(means).all(axis=1)] = 0
        lengths_of_means = np.linalg.norm(means, axis=1, keepdims=True)
        np.divide(means, lengths_of_means, out=means, where=lengths_of_means > 0)
        return means

    def _rows(self, ids: NDArray[np.int64]) -> Vectors:
        places = ids if self._mapping is None else self._mapping[ids]
        rows = self._embeddings[places].astype(np.float32)
        return rows if self._weights is None else rows * self._weights[ids][:, None]

    def codes(self, texts: Sequence[str]) -> list[bytes]:
        """The vectors as int8, each scaled to its own largest element: a cosine does not see the scale."""
        vectors = self.encode(texts)
        largest = np.abs(vectors).max(axis=1, keepdims=True)
        scaled = np.divide(
            vectors * _LARGEST, largest, where=largest > 0, out=np.zeros_like(vectors)
        )
        return [code.tobytes() for code in np.rint(scaled).astype(np.int8)]


def _mapped(file: Path) -> dict[str, NDArray[Any]]:
    """The tensors of a safetensors file, as views of the file: only what is used is read.

    The library copies what it gives, which is half a gigabyte for a large vocabulary. It checks the
    file here; where the tensors lie, the header says (https://github.com/huggingface/safetensors#format).
    """
    with safe_open(file, framework="np") as checked:
        names: Iterable[str] = list(checked.keys())
    with file.open("rb") as raw:
        length = int.from_bytes(raw.read(8), "little")
        header = json.loads(raw.read(length))
    return {
        name: np.memmap(
            file,
            dtype=_TYPES[header[name]["dtype"]],
            mode="r",
            offset=8 + length + header[name]["data_offsets"][0],
            shape=tuple(header[name]["shape"]),
        )
        for name in names
    }


def _tokenizer(folder: Path) -> Tokenizer:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(config.get("max_length") or _MOST_TOKENS)
    return tokenizer


def _unknown_token(tokenizer: Tokenizer, file: Path) -> int | None:
    """The token of what the tokenizer does not know. Its vector means nothing, so it is left out."""
    if hasattr(tokenizer.model, "unk_token"):
        token = tokenizer.model.unk_token
        return None if token is None else tokenizer.token_to_id(token)
    # Unigram has it in its file only.
    found = _UNKNOWN_OF_UNIGRAM.search(file.read_bytes())
    return int(found[1]) if found else None


def _plain(text: str) -> str:
    """Decomposed syllables put together, full-width letters narrowed, what is no Unicode replaced."""
    valid = text[:_MOST_CHARACTERS].encode("utf-8", "replace").decode()
    return unicodedata.normalize("NFKC", valid)


def _damaged(folder: Path, reason: str) -> HaeseolError:
    return HaeseolError(
        f"the model for meaning search in {folder} does not load ({reason}); download it again, or "
        "empty the setting `meaning_model`"
    )
