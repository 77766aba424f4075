"""The identity of a content: its size and a hash of head, middle and tail."""

import hashlib
import os
from pathlib import Path

SAMPLE_BYTES = 64 * 1024
"""Bytes read at each of the three places."""

_HASH_BYTES = 16
_CHUNK_BYTES = 1 << 20


def fingerprint(path: Path) -> str:
    """The content id of a file: `SIZE-HASH`, both in hexadecimal.

    Reads at most 192 KiB, so a network share is not read through. Two contents of one size that differ
    elsewhere collide; `full_hash` tells them apart. The idea is that of the OpenSubtitles hash, with a
    place in the middle more, since recordings of one camera share their heads and tails.
    Raises `OSError` if the file cannot be read.
    """
    digest = hashlib.blake2b(digest_size=_HASH_BYTES)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        for offset in _sample_offsets(size):
            file.seek(offset)
            digest.update(file.read(SAMPLE_BYTES))
    return f"{size:x}-{digest.hexdigest()}"


def _sample_offsets(size: int) -> tuple[int, ...]:
    if size <= SAMPLE_BYTES * 3:
        return tuple(range(0, size, SAMPLE_BYTES))
    return (0, (size - SAMPLE_BYTES) // 2, size - SAMPLE_BYTES)


def full_hash(path: Path) -> str:
    """A hash of every byte, in hexadecimal. Raises `OSError` if the file cannot be read."""
    digest = hashlib.blake2b(digest_size=_HASH_BYTES)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
