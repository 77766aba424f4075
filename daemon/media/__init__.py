"""Looks into video files: what they are, where shots change, what is shown at given times."""

from daemon.media.container import MediaError
from daemon.media.frames import Frames, sample_frames, uniform_times
from daemon.media.moments import adaptive_times
from daemon.media.probe import Probe, probe
from daemon.media.scenes import SceneSpan, find_scenes
from daemon.media.stills import is_still, probe_still, still
from daemon.media.thumbnails import Thumbnail, thumbnail, thumbnail_from

__all__ = [
    "Frames",
    "MediaError",
    "Probe",
    "SceneSpan",
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
