"""Looks into video files: what they are, where shots change, what is shown at given times."""

from daemon.decoder.facts import Frames, Probe, uniform_times
from daemon.decoder.moments import adaptive_times
from daemon.decoder.scenes import SceneSpan
from daemon.decoder.source import MediaError, Source
from daemon.media.calls import (
    is_still,
    probe,
    probe_still,
    sample_frames,
    still,
    thumbnail,
)
from daemon.media.search import find_scenes, recipe
from daemon.media.thumbnails import Thumbnail, picture_file, thumbnail_from

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
    "picture_file",
    "probe",
    "probe_still",
    "recipe",
    "sample_frames",
    "still",
    "thumbnail",
    "thumbnail_from",
    "uniform_times",
]
