"""Sound media files of many kinds, and ways to damage them as disks, cables and attackers do."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tests.clips import textured, write_sound, write_video

Mutation = Callable[[bytearray, random.Random], bytearray]

_FRAMES = 40
_SIZE = (128, 96)

KINDS: dict[str, dict[str, object]] = {
    "h264.mp4": {"codec": "libx264", "options": {"g": "12", "bf": "2"}},
    "fragmented.mp4": {
        "codec": "libx264",
        "container_options": {"movflags": "frag_keyframe+empty_moov"},
    },
    "hevc.mov": {
        "codec": "libx265",
        "options": {"preset": "ultrafast", "x265-params": "log-level=none"},
    },
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}},
    "vp8.webm": {"codec": "libvpx", "options": {"deadline": "realtime", "cpu-used": "8"}},
    "h264.mkv": {"codec": "libx264", "options": {"g": "12"}},
    "h264.ts": {"codec": "libx264", "options": {"g": "12"}},
    "mpeg2.mpg": {"codec": "mpeg2video"},
    "mpeg4.avi": {"codec": "mpeg4"},
    "mjpeg.avi": {"codec": "mjpeg", "options": {"strict": "unofficial"}},
    "flv1.flv": {"codec": "flv"},
}
PHOTOS = ("photo.jpg", "photo.png", "photo.webp", "photo.avif")


def make_sound_files(folder: Path) -> list[Path]:
    """Writes one small, sound file of each kind."""
    pictures = [textured(number // 15, _SIZE) for number in range(_FRAMES)]
    for number, picture in enumerate(pictures):
        picture[40:60, number : number + 20] = (250, 20, 20)
    paths = [write_video(folder / name, pictures, **how) for name, how in KINDS.items()]  # type: ignore[arg-type]
    for name in PHOTOS:
        Image.fromarray(textured(3, (320, 240))).save(folder / name)
        paths.append(folder / name)
    return [*paths, write_sound(folder / "cover.mp3", cover=True)]


def _flip_bits(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice((1, 4, 30, 400))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data


def _flip_head(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice((1, 3, 10))):
        data[chance.randrange(min(len(data), 1024))] = chance.randrange(256)
    return data


def _extreme_numbers(data: bytearray, chance: random.Random) -> bytearray:
    """Puts the largest and smallest numbers in the place of sizes, counts and times."""
    for _ in range(chance.choice((1, 2, 8))):
        place = chance.randrange(len(data))
        width = chance.choice((2, 4, 8))
        value = chance.choice((0, 1, 2 ** (8 * width) - 1, 2 ** (8 * width - 1)))
        data[place : place + width] = value.to_bytes(width, "big")
    return data


def _cut_short(data: bytearray, chance: random.Random) -> bytearray:
    return data[: chance.randrange(1, len(data))]


def _hole(data: bytearray, chance: random.Random) -> bytearray:
    """Zeroes a part, as an unfinished download has it."""
    start = chance.randrange(len(data))
    length = min(len(data) - start, chance.randrange(1, 8192))
    data[start : start + length] = bytes(length)
    return data


def _splice(data: bytearray, chance: random.Random) -> bytearray:
    """Repeats or moves a part."""
    start, to = chance.randrange(len(data)), chance.randrange(len(data))
    part = data[start : start + chance.randrange(1, 4096)]
    return data[:to] + part + data[to + chance.choice((0, len(part))) :]


MUTATIONS: dict[str, Mutation] = {
    "bits flipped": _flip_bits,
    "head flipped": _flip_head,
    "extreme numbers": _extreme_numbers,
    "cut short": _cut_short,
    "hole": _hole,
    "spliced": _splice,
}


def mutate(sound: bytes, seed: int) -> tuple[str, bytes]:
    """Returns the name of a way of damage and the damaged file; the same for the same seed."""
    chance = random.Random(seed)
    name = chance.choice(sorted(MUTATIONS))
    return name, bytes(MUTATIONS[name](bytearray(sound), chance))


def read_all(path: Path) -> str:
    """Does with a file all that a job does; returns `read`, or the code of what is wrong with it."""
    from daemon import media

    try:
        if media.is_still(path):
            media.probe_still(path)
            picture = media.still(path, long_side=336)
            assert picture.ndim == 3
            return "read"
        facts = media.probe(path)
        scenes = media.find_scenes(path, facts)
        assert scenes[0].start == 0
        assert scenes[-1].end == facts.duration
        times = media.uniform_times(0, facts.duration, 4)
        frames = media.sample_frames(path, facts, times, long_side=336)
        assert frames.images.shape[0] == len(frames.times) > 0
        assert np.isfinite(frames.times).all()
    except media.MediaError as error:
        return error.code if path.name in str(error) else f"unnamed: {error}"
    return "read"
