"""Reads a part of a video as stamps of its frames, wherever in the file it lies."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING

import av.error
from av.video.reformatter import VideoReformatter

from daemon.decoder.container import TICK, opened, packets_of, stamp_of
from daemon.decoder.stamps import Stamp, stamp_from, stamp_size
from daemon.decoder.undated import frames_of, is_raw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from daemon.decoder.facts import Probe
    from daemon.decoder.source import Source


_FIRST_STEP = 2.0
"""Seconds to go back further where a seek landed too late; doubled each time."""

_BEFORE_START = 10.0
"""Seconds before the first frame at which a seek surely lands at the beginning."""


class Showing:
    """An open video, its times in seconds from the first frame shown."""

    def __init__(self, container: InputContainer, stream: VideoStream, probe: Probe) -> None:
        self.stream = stream
        self._container = container
        self._base = stream.time_base or TICK
        self._first = round(Fraction(probe.start_time) / self._base)
        self._reformatter = VideoReformatter()
        self._size: tuple[int, int] | None = None
        self._moved = False
        # Blocks may stay visible: a stamp averages them away, and filtering costs much.
        stream.codec_context.options = {"skip_loop_filter": "all"}

    def time_of(self, item: Packet[VideoStream] | VideoFrame) -> float:
        """Returns when a packet or frame is shown."""
        return float((stamp_of(item) - self._first) * self._base)

    def stamp_of(self, frame: VideoFrame) -> Stamp:
        """Scales a frame down, to the size of the first one even where the picture's size changes."""
        self._size = self._size or stamp_size(frame.width, frame.height)
        return stamp_from(frame, self._reformatter, self._size)

    def packets(self, start: float) -> Iterator[Packet[VideoStream]]:
        """Reads packets from a key frame at or before `start` on, if the index knows one."""
        if start > 0:
            self._seek(self._first + round(start / self._base))
        self._moved = True
        yield from packets_of(self._container, self.stream)

    def stamps(
        self, start: float, end: float, *, referred_only: bool = False
    ) -> Iterator[tuple[float, Stamp]]:
        """Gives the time and the stamp of each frame shown within [start, end), rising in time.

        A frame that is dated before the one shown before it is damaged and left out.
        `referred_only` passes over those that no other frame needs.
        """
        self.stream.codec_context.skip_frame = "NONREF" if referred_only else "DEFAULT"
        last = -math.inf
        for frame in self._frames_from(start):
            time = self.time_of(frame)
            if time >= end:
                break
            if time >= start and time > last:
                last = time
                yield time, self.stamp_of(frame)

    def _frames_from(self, start: float) -> Iterator[VideoFrame]:
        """Decodes from a key frame at or before `start` on."""
        target, step = self._first + round(start / self._base), round(_FIRST_STEP / self._base)
        seek_to = target
        while start > 0:
            if seek_to <= self._first or not self._seek(seek_to):
                break
            frames = self._decoded()
            head = next(frames, None)
            if head is not None and stamp_of(head) <= target:
                yield from chain((head,), frames)
                return
            seek_to, step = seek_to - step, step * 2
        self._rewind()
        yield from self._decoded()

    def _rewind(self) -> None:
        # At the start a seek is not always exact, and not needed while nothing has been read.
        if self._moved:
            self._seek(self._first - round(_BEFORE_START / self._base))
        self._moved = True

    def _seek(self, tick: int) -> bool:
        self._moved = True
        if is_raw(self._container):
            return False  # there is no index: it is read once, from its beginning
        try:
            self._container.seek(tick, stream=self.stream)
        except av.error.FFmpegError:
            return False
        return True

    def _decoded(self) -> Iterator[VideoFrame]:
        for frame in frames_of(self._container, self.stream):
            if not frame.is_corrupt:
                yield frame


def stamps_between(
    source: Source, probe: Probe, start: float, end: float
) -> Iterator[tuple[float, Stamp]]:
    """Gives the time and the stamp of each frame shown within [start, end), in seconds."""
    with opened(source) as (container, stream):
        yield from Showing(container, stream, probe).stamps(start, end)
