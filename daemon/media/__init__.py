"""Looks into video files: what they are, where shots change, what is shown at given times."""

from daemon.media.container import MediaError
from daemon.media.frames import Frames, sample_frames, uniform_times
from daemon.media.probe import Probe, probe
from daemon.media.scenes import SceneSpan, find_scenes
from daemon.media.thumbnails import Thumbnail, thumbnail, thumbnail_from

__all__ = [
    "Frames",
    "MediaError",
    "Probe",
    "SceneSpan",
    "Thumbnail",
    "find_scenes",
    "probe",
    "sample_frames",
    "thumbnail",
    "thumbnail_from",
    "uniform_times",
]
