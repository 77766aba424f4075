"""Tells packets whose pictures no other picture refers to: those need not be decoded.

Sources: AV1 Bitstream & Decoding Process Specification 5.3 to 5.9, ITU-T H.265 7.3 and 7.4.2.2,
ISO/IEC 14496-15 8.3.3.1. In VP8 and VP9 a picture may depend on the one before in ways that no header
shows, so nothing is passed over there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import av

from daemon.decoder.container import codec_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.packet import Packet
    from av.video.stream import VideoStream

_KNOWN_TO_DECODER = frozenset({"h264", "mpeg2video", "mpeg4"})
"""Codecs in which no picture refers to one that libav's `skip_frame = NONREF` drops."""

ONE_PICTURE_EACH = _KNOWN_TO_DECODER | {"hevc", "av1"}
"""Codecs in which each packet shows one picture, at a time of its own."""

_SEQUENCE, _FRAME_HEADER, _FRAME = 1, 3, 6
_PICTURE = (_FRAME_HEADER, 4, _FRAME, 7)
"""Kinds of AV1's units; those of a picture are its header, its tiles, both in one, a copy of its header."""
_INTER = 1
_CHOSEN_BY_FRAME = 2
_HEAD = 64
"""Bytes that hold all that is read of an AV1 unit, except in odd ones."""

_SPS = 33
_LAST_PICTURE = 31
"""Kinds of HEVC's units: the sequence's parameters; up to the last, pictures."""
_START_CODE = b"\0\0\1"


class References:
    """Knows the pictures of one stream; is asked about its packets in their order."""

    def __init__(self, stream: VideoStream) -> None:
        self._codec = codec_name(stream)
        self._extra = bytes(stream.codec_context.extradata or b"")
        self._sequence: _Sequence | None = None
        if self._codec == "av1":
            self._needed_units(memoryview(self._extra)[4:])
        self._layers = _layers(self._extra) if self._codec == "hevc" else 0

    def needed(self, packet: Packet[VideoStream], *, wanted: bool) -> Packet[VideoStream] | None:
        """Returns what the decoder must see of a packet whose own picture is wanted or not."""
        if self._codec != "av1":
            return packet
        # libav's AV1 decoder cannot be told to pass over pictures once it is open.
        data = memoryview(packet)
        kept = self._needed_units(data)
        if wanted or kept is None:
            return packet
        # Beside its own picture, a packet may hold others that are shown later.
        return _repacked(packet, kept) if kept else None

    def skippable(self, packet: Packet[VideoStream]) -> bool:
        """Says whether the decoder may pass over the picture if it finds that none refers to it."""
        if self._codec == "hevc":
            # What a picture of HEVC tells holds among its own layer: higher ones may refer to it.
            highest = self._layers - 1
            return highest == 0 or (highest > 0 and _layer(packet, self._extra) == highest)
        return self._codec in _KNOWN_TO_DECODER

    def _needed_units(self, data: memoryview) -> bytes | None:
        """Returns AV1 data without the pictures that leave no trace in the decoder.

        Empty if no picture is left, None if all are.
        """
        kept: list[memoryview] = []
        pictures = dropped = 0
        dropping = False
        try:
            for kind, unit, body in _units(data):
                if kind == _SEQUENCE:
                    self._sequence = _Sequence.read(_Bits(body))
                elif kind in (_FRAME_HEADER, _FRAME):
                    dropping = self._sequence is not None and not self._sequence.keeps(_Bits(body))
                    pictures, dropped = pictures + 1, dropped + dropping
                if not (dropping and kind in _PICTURE):
                    kept.append(unit)
        except (IndexError, ValueError):
            return None
        if not dropped:
            return None
        return b"".join(kept) if pictures > dropped else b""


class _Bits:
    """Reads numbers of any width from the head of some bytes."""

    def __init__(self, data: memoryview) -> None:
        head = data[:_HEAD]
        self._value, self._left = int.from_bytes(head, "big"), 8 * len(head)

    def take(self, width: int) -> int:
        self._left -= width
        if self._left < 0:
            raise ValueError("too short")
        return self._value >> self._left & (1 << width) - 1

    def skip_if(self, width: int) -> bool:
        """Reads a flag, and passes over what follows it if it is set."""
        given = bool(self.take(1))
        if given:
            self.take(width)
        return given


@dataclass(frozen=True, slots=True)
class _Sequence:
    """What AV1's sequence header says of how frame headers are written."""

    screen_tools: int
    whole_vectors: int
    order_bits: int

    @classmethod
    def read(cls, bits: _Bits) -> _Sequence | None:
        """Returns None for a stream with fields that no ordinary video has."""
        bits.take(4)
        reduced, timing = bits.take(1), bits.take(1)
        if reduced or (timing and not _pass_timing(bits)):
            return None
        delays = bits.take(1)
        for _ in range(bits.take(5) + 1):
            bits.take(12)
            if bits.take(5) > 7:
                bits.take(1)
            if delays:
                bits.skip_if(4)
        width, height = bits.take(4) + 1, bits.take(4) + 1
        bits.take(width + height)
        if bits.take(1):
            return None  # frames carry numbers, without gaps
        bits.take(7)
        ordered = bits.take(1)
        bits.take(2 * ordered)
        screen_tools = _CHOSEN_BY_FRAME if bits.take(1) else bits.take(1)
        chosen = not screen_tools or bits.take(1)
        whole_vectors = _CHOSEN_BY_FRAME if chosen else bits.take(1)
        return cls(screen_tools, whole_vectors, bits.take(3) + 1 if ordered else 0)

    def keeps(self, bits: _Bits) -> bool:
        """Says whether a later picture can refer to the one with this header."""
        shown_again, kind, shown = bits.take(1), bits.take(2), bits.take(1)
        if shown_again or kind != _INTER or not shown:
            return True
        resilient = bits.take(1)
        bits.take(1)
        tools = bits.take(1) if self.screen_tools == _CHOSEN_BY_FRAME else self.screen_tools
        bits.take(int(tools and self.whole_vectors == _CHOSEN_BY_FRAME))
        bits.take(1 + self.order_bits + (0 if resilient else 3))
        return bits.take(8) != 0


def _pass_timing(bits: _Bits) -> bool:
    """Passes over the timing; says whether frame headers stay free of it."""
    bits.take(64)
    if bits.take(1):
        zeros = 0
        while not bits.take(1):
            zeros += 1
        bits.take(zeros)
    return not bits.take(1)


def _repacked(packet: Packet[VideoStream], data: bytes) -> Packet[VideoStream]:
    part = cast("Packet[VideoStream]", av.Packet(data))
    part.stream, part.time_base = packet.stream, packet.time_base
    part.pts, part.dts, part.duration = packet.pts, packet.dts, packet.duration
    return part


def _units(data: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Gives the kind of each of AV1's units, the whole of it, and its content."""
    place = 0
    while place < len(data):
        begin, header = place, data[place]
        place += 2 if header & 4 else 1
        size = len(data) - place
        if header & 2:
            size = shift = 0
            while True:
                byte = data[place]
                place, size, shift = place + 1, size | (byte & 127) << shift, shift + 7
                if byte < 128:
                    break
        yield header >> 3 & 15, data[begin : place + size], data[place : place + size]
        place += size


def _layers(extra: bytes) -> int:
    """Returns how many temporal layers an HEVC stream has; 0 where nothing tells."""
    counts = (unit[2] >> 1 & 7 for unit in _parameter_sets(extra) if len(unit) > 2)
    return max(counts, default=-1) + 1


def _parameter_sets(extra: bytes) -> Iterator[bytes]:
    """Gives the units that hold the sequence's parameters, from either way of storing them."""
    if extra[:1] != b"\1":
        units = extra.split(_START_CODE)[1:]
        yield from (unit for unit in units if unit and unit[0] >> 1 & 63 == _SPS)
        return
    place = 23
    while place + 3 <= len(extra):
        kind, count = extra[place] & 63, int.from_bytes(extra[place + 1 : place + 3], "big")
        place += 3
        for _ in range(count):
            size = int.from_bytes(extra[place : place + 2], "big")
            if kind == _SPS:
                yield extra[place + 2 : place + 2 + size]
            place += 2 + size


def _layer(packet: Packet[VideoStream], extra: bytes) -> int:
    """Returns the temporal layer of an HEVC packet's picture, counted from 0; -1 where none tells."""
    data = bytes(packet)
    if extra[:1] == b"\1" and len(extra) > 21:
        heads = _prefixed(data, (extra[21] & 3) + 1)
    else:
        heads = iter(data.split(_START_CODE)[1:])
    for head in heads:
        if len(head) > 1 and head[0] >> 1 & 63 <= _LAST_PICTURE:
            return (head[1] & 7) - 1
    return -1


def _prefixed(data: bytes, width: int) -> Iterator[bytes]:
    """Gives the first two bytes of units that follow their sizes."""
    place = 0
    while place + width <= len(data):
        size = int.from_bytes(data[place : place + width], "big")
        yield data[place + width : place + width + 2]
        place += width + size
