"""Opens video files without trusting them: local, of listed formats and codecs, of bounded size."""

from __future__ import annotations

from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import av.error
import av.logging
from av.stream import Disposition
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc

from catalog.errors import ErrorCode
from daemon.decoder.completeness import is_cut_short
from daemon.decoder.facts import MAX_PIXELS
from daemon.decoder.source import Source, failure, out_of_memory, truncated, unreadable
from daemon.decoder.tags import NOT_MOVING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,mxf,dv,gif,h264,hevc,"
    # Only so that a person hears "it is sound", rather than "it does not open".
    "mp3,wav,flac,aac"
)
"""The demuxers that may open a file. Playlists and scripts are left out: they open other files."""

CODECS = frozenset(
    {
        *("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mpeg2video", "mpeg1video"),
        *("h263", "flv1", "vp6f", "mjpeg", "prores", "dnxhd", "theora", "dvvideo"),
        *("wmv1", "wmv2", "wmv3", "vc1", "msmpeg4v1", "msmpeg4v2", "msmpeg4v3"),
        *("gif", "png", "ffv1", "rawvideo"),
    }
)
"""The codecs that may decode, by canonical name; each is widely used and widely fuzzed."""

_DECODERS = ",".join(sorted({*CODECS, "flv", "msmpeg4", "libdav1d", "libvpx", "libvpx-vp9"}))
"""The same as decoder names."""

_RGB, _BT709, _BT601, _BT2020 = 0, 1, 6, 9
_MATRICES = frozenset({_RGB, _BT709, 4, 5, _BT601, 7, _BT2020})
"""The matrices of ITU-T H.273, table 4, that the scaler knows; the rest is rare."""

_RANGES = frozenset({ColorRange.UNSPECIFIED, ColorRange.MPEG, ColorRange.JPEG})

TICK = Fraction(1, 90_000)
"""The unit of time where a stream names none."""

UNSEEKABLE = frozenset({"mpeg", "gif"})
"""Formats to read from the beginning only: MPEG program streams date few of their pictures, so that
times come out wrong after a seek, and a picture of a GIF is what it changes of the one before."""

MAX_STREAMS = 100

# A damaged file makes libav write a flood of lines to stderr.
av.logging.set_level(None)


@contextmanager
def opened(source: Source) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Opens a file and picks its moving picture; nothing has been decoded yet.

    Raises `MediaError`: unreadable, truncated, no_video_stream, out_of_memory.
    """
    path = source.path
    try:
        with source.lent() as descriptor, _open(source, descriptor) as container:
            yield container, _moving_picture(path, container)
    except av.error.MemoryError as error:
        raise out_of_memory(path) from error
    except av.error.FFmpegError as error:
        raise unreadable(path, error) from error


def decode_packet(stream: VideoStream, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
    """Decodes one packet (None: what the decoder still holds); a damaged one gives nothing."""
    try:
        frames = stream.decode(packet)
    except av.error.MemoryError:
        raise
    except av.error.FFmpegError:
        return []
    for frame in frames:
        settle_colours(frame)
    return frames


def settle_colours(frame: VideoFrame) -> None:
    """Says what a frame's colours mean where it does not, or where the scaler would refuse it.

    As players do: without a word, high definition is BT.709 and what is smaller BT.601.
    """
    if frame.colorspace not in _MATRICES:
        high_range = frame.color_trc in (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
        wide = frame.color_primaries == ColorPrimaries.BT2020 or high_range
        large = frame.width >= 1280 or frame.height > 576
        frame.colorspace = _BT2020 if wide else _BT709 if large else _BT601
    if frame.color_range not in _RANGES:
        frame.color_range = ColorRange.UNSPECIFIED


def packets_of(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """Reads the packets of one stream, up to where the file can be read no more."""
    while True:
        try:
            # A packet without data ends the stream and would flush the decoder: the caller decides.
            yield from (packet for packet in container.demux(stream) if packet.size)
        except IndexError:
            # PyAV stumbles over a stream that begins in the middle of the file, as broadcasts have.
            continue
        except (av.error.EOFError, av.error.InvalidDataError):
            pass
        return


def stamp_of(item: Packet[VideoStream] | VideoFrame) -> int:
    """Returns when a packet or frame is shown, in ticks, or decoded where nothing says more."""
    if item.pts is not None:
        return item.pts
    return item.dts or 0


def codec_name(stream: VideoStream) -> str:
    """Returns the codec's name, not that of the decoder at hand: `av1`, not `libdav1d`."""
    return stream.codec_context.codec.canonical_name


def _open(source: Source, descriptor: int) -> InputContainer:
    try:
        # By descriptor: a name could be taken for a protocol, and a sandbox cannot open it.
        return av.open(
            "fd:",
            mode="r",
            # Opening decodes a little to learn about the streams: the codec list holds there only,
            # so the stream that is picked is checked again before it is decoded.
            options={
                "fd": str(descriptor),
                "protocol_whitelist": "fd",
                "format_whitelist": FORMATS,
                "codec_whitelist": _DECODERS,
            },
            metadata_errors="replace",
        )
    except av.error.FFmpegError as error:
        if is_cut_short(source):
            raise truncated(source.path) from error
        raise unreadable(source.path, error) from error


def _moving_picture(path: Path, container: InputContainer) -> VideoStream:
    if len(container.streams) > MAX_STREAMS:
        what = f"holds {len(container.streams)} streams"
        raise failure(ErrorCode.UNREADABLE, path, what, "convert it to H.264 in MP4")
    streams = [s for s in container.streams.video if not s.disposition & NOT_MOVING]
    if not streams:
        what = "holds no moving picture, only sound or a still"
        raise failure(ErrorCode.NO_VIDEO_STREAM, path, what, "move it out of the watched folder")
    # A stream whose codec libav does not know at all comes without a context.
    known = [s for s in streams if s.codec_context is not None]
    if not known:
        what = "uses a codec that is not known"
        raise failure(ErrorCode.UNREADABLE, path, what, "convert it to H.264 in MP4")
    stream = max(known, key=_preference)
    if codec_name(stream) not in CODECS:
        what = f"uses the codec {codec_name(stream)}, which is not opened for safety"
        raise failure(ErrorCode.UNREADABLE, path, what, "convert it to H.264 in MP4")
    if not 0 < stream.width * stream.height <= MAX_PIXELS:
        what = f"says that its picture is {stream.width}×{stream.height} pixels"
        raise failure(ErrorCode.UNREADABLE, path, what, "convert it to a smaller size")
    return stream


def _preference(stream: VideoStream) -> tuple[bool, int, int]:
    default = bool(stream.disposition & Disposition.default)
    return default, stream.width * stream.height, -stream.index
