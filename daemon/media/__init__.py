"""Looks into video files: what they are, where shots change, what is shown at given times."""

from daemon.media.frames import Frames, uniform_times
from daemon.media.moments import adaptive_times
from daemon.media.probe import Probe
from daemon.media.sandboxed import (
    find_scenes,
    probe,
    probe_still,
    sample_frames,
    still,
    thumbnail,
)
from daemon.media.scenes import SceneSpan
from daemon.media.source import MediaError, Source
from daemon.media.stills import is_still
from daemon.media.thumbnails import Thumbnail, thumbnail_from

__all__ = [
    "Frames",
    "MediaError",
    "Probe",
    "SceneSpan",
    "Source",
    "Thumbnail",
    "adaptive_times",
    "find_scenes",
    "is_still",
    "probe",
    "probe_still",
    "sample_frames",
    "still",
    "thumbnail",
    "thumbnail_from",
    "uniform_times",
]
