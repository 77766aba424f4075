"""What is known of a video or photo, and what is taken out of it: plain values, without a decoder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MAX_PIXELS = 8192 * 8192
"""Of a picture that is decoded; larger ones are taken for attacks."""

Picture = npt.NDArray[np.uint8]
"""RGB, 8 bits, shape (height, width, 3), or (frames, height, width, 3)."""


@dataclass(frozen=True, slots=True)
class Tags:
    """What the file says of itself, cleaned and bounded; empty where it says nothing."""

    title: str = ""
    artist: str = ""
    description: str = ""
    make: str = ""
    """Who made the camera."""
    model: str = ""
    """Which camera it was."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where it was filmed, in WGS 84."""

    latitude: float
    """Degrees, -90 to 90, north of the equator."""
    longitude: float
    """Degrees, -180 to 180, east of Greenwich."""
    altitude: float | None
    """Metres above the sea."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the video that its maker named. Times are in seconds from the first frame shown."""

    start: float
    end: float
    title: str


@dataclass(frozen=True, slots=True)
class Track:
    """One stream of the file."""

    kind: str
    """`video`, `audio`, `subtitle`, `data`, `attachment`, or `picture`: a cover or thumbnails."""
    codec: str
    """Canonical name, such as `aac`; empty where libav does not know it."""
    language: str
    """As the file names it, mostly by ISO 639-2: `kor`; empty where it does not."""
    title: str
    default: bool
    """Whether a player picks it by itself."""


_NO_TAGS = Tags()


@dataclass(frozen=True, slots=True)
class Probe:
    """What a video file is. Times are in seconds."""

    duration: float
    """From the first frame shown to the end of the last one; 0 only of a photo."""
    width: int
    """Pixels as shown: upright, and with square pixels."""
    height: int
    """Pixels as shown: upright, and with square pixels."""
    rotation: int
    """Degrees clockwise, 0, 90, 180 or 270, that turn the decoded picture upright."""
    fps: float
    """Frames a second, on average; 0 of a photo."""
    variable_fps: bool
    """Whether frames are shown for different lengths of time."""
    codec: str
    """Canonical name, such as `h264` or `jpeg`."""
    frame_count: int | None
    """None where the container does not say."""
    start_time: float
    """The container's time of the first frame shown; every other time counts from it."""
    has_audio: bool
    created_at: str | None
    """When it was filmed, ISO 8601, if the file says so; with zone, but of most photos."""
    format: str = ""
    """The name of libav's demuxer, such as `mov,mp4,m4a,3gp,3g2,mj2`; empty of a photo."""
    mirrored: bool = False
    """Whether the decoded picture is flipped left to right before it is turned by `rotation`."""
    interlaced: bool = False
    """Whether a frame holds two pictures, in its even and in its odd lines."""
    pixel_format: str = ""
    """Libav's name for how the pixels are stored, such as `yuv420p10le`; empty of a photo."""
    bit_depth: int = 8
    """Bits of a pixel's most exact channel."""
    hdr: str = ""
    """`pq` (HDR10 and its kin), `hlg` or `dolby vision`; empty of a picture without high range."""
    streams: tuple[Track, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    tags: Tags = _NO_TAGS
    location: Place | None = None
    """Where it was filmed, if the file says so."""

    @property
    def has_subtitles(self) -> bool:
        """Whether a track of subtitles is among the streams."""
        return any(track.kind == "subtitle" for track in self.streams)

    def scaled(self, long_side: int | None) -> tuple[int, int]:
        """Returns width and height as shown, the larger at most `long_side`; nothing is enlarged."""
        scale = min(1.0, long_side / max(self.width, self.height)) if long_side else 1.0
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))


@dataclass(frozen=True, slots=True)
class Frames:
    """Pictures and when they are shown."""

    times: tuple[float, ...]
    """Seconds from the start of the video, rising: when each picture really begins to be shown."""
    images: Picture
    """RGB, shape (frames, height, width, 3)."""


def uniform_times(start: float, end: float, count: int) -> tuple[float, ...]:
    """Returns the middles of `count` equal parts of [start, end), in seconds."""
    return tuple(start + (index + 0.5) / count * (end - start) for index in range(count))
