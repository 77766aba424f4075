"""Finds out whether the end of a file is missing, from the sizes that the file itself declares.

Sources: ISO/IEC 14496-12 (boxes of MP4 and QuickTime), RFC 9559 and RFC 8794 (Matroska in EBML).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from daemon.decoder.source import Source

_BOXES = frozenset(
    {b"ftyp", b"moov", b"mdat", b"moof", b"free", b"skip", b"wide", b"pnot", b"uuid", b"sidx"}
)
_MAX_BOXES = 100_000
_EBML = 0x1A45DFA3
_SEGMENT = 0x18538067


def is_cut_short(source: Source) -> bool:
    """Says whether an MP4, QuickTime or Matroska file is shorter than it declares."""
    try:
        with source.reader() as file:
            head = file.read(8)
            file.seek(0)
            if head[:4] == _EBML.to_bytes(4, "big"):
                return _segment_cut(file, source.size)
            return head[4:8] in _BOXES and _boxes_cut(file, source.size)
    except OSError:
        return False


def _boxes_cut(file: BinaryIO, size: int) -> bool:
    offset, index_found = 0, False
    for _ in range(_MAX_BOXES):
        file.seek(offset)
        header = file.read(16)
        kind = header[4:8]
        # Some recorders leave padding behind the last box: what has no known name ends the walk.
        if len(header) < 8 or kind not in _BOXES:
            break
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length == 0:
            length = size - offset
        if length < 8:
            break
        if offset + length > size:
            return True
        index_found = index_found or kind == b"moov"
        offset += length
    return not index_found


def _segment_cut(file: BinaryIO, size: int) -> bool:
    header = _element(file)
    if header is None or header[0] != _EBML or header[1] is None:
        return False
    file.seek(header[1], os.SEEK_CUR)
    segment = _element(file)
    if segment is None:
        return file.tell() >= size
    name, length = segment
    return name == _SEGMENT and length is not None and file.tell() + length > size


def _element(file: BinaryIO) -> tuple[int, int | None] | None:
    """Reads the name and the length of one EBML element; a length of None means "to the end"."""
    name = _number(file, keep_marker=True)
    length = _number(file, keep_marker=False)
    if name is None or length is None:
        return None
    value, width = length
    unknown = value == (1 << 7 * width) - 1
    return name[0], None if unknown else value


def _number(file: BinaryIO, *, keep_marker: bool) -> tuple[int, int] | None:
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    width = 9 - first[0].bit_length()
    rest = file.read(width - 1)
    if len(rest) < width - 1:
        return None
    value = int.from_bytes(first + rest, "big")
    return (value if keep_marker else value & (1 << 7 * width) - 1), width
