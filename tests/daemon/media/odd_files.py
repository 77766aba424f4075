"""Odd files, made with ffmpeg, and what must come out of each: facts, pictures, or an error.

One row is one file. `judged` says in words what the program did with it and what was not right.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from pydantic import TypeAdapter

from catalog.errors import ErrorCode
from daemon.media import MediaError, Probe, probe, sample_frames
from tests.clips import number_of, write_numbered

if TYPE_CHECKING:
    import numpy.typing as npt

    from daemon.decoder.facts import Picture

FFMPEG = shutil.which("ffmpeg")

_PROBES = TypeAdapter(Probe)

COUNT = 75
"""Pictures of the numbered clip that most rows are made of, at 25 a second."""

TIMES = (0.0, 0.5, 0.99, 1.1, 1.98, 2.5, 2.99)
"""Seconds at which the numbered rows are asked for their pictures."""

_NAMES = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "grey": (128, 128, 128),
    "yellow": (255, 255, 0),
}

UPRIGHT = ("red", "green", "blue", "white")
"""The quarters of the coloured picture: above left and right, below left and right."""

Spot = tuple[float, float, tuple[int, int, int], int]
"""A place as shares of width and height, the colour there, and by how much it may be off."""


class MissingEncoderError(Exception):
    """This ffmpeg was built without an encoder that a row needs."""


@dataclass(frozen=True, slots=True)
class Odd:
    """A file and what must come out of it."""

    name: str
    what: str
    make: str | Callable[[Path, Path], None]
    """Arguments of ffmpeg before the output, or a function of the sources' folder and the output."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """Fields of the probe; floats within a fiftieth."""
    times: tuple[float, ...] = (0.1,)
    numbers: tuple[int, ...] | None = None
    """What the pictures at `times` carry, where they are numbered."""
    corners: tuple[str, ...] = ()
    spots: tuple[Spot, ...] = ()
    error: ErrorCode | None = None


def write_sources(folder: Path) -> None:
    """Makes what the rows are made of: numbered pictures, and one of four colours."""
    lossless = {"preset": "ultrafast", "qp": "0"}
    write_numbered(folder / "numbers.mkv", COUNT, options=lossless)
    Image.fromarray(quarters()).save(folder / "quarters.png")


def quarters(width: int = 128, height: int = 96) -> Picture:
    """Returns a picture of four colours; see `UPRIGHT`."""
    grid = np.array([_NAMES[name] for name in UPRIGHT], dtype=np.uint8).reshape(2, 2, 3)
    return np.repeat(np.repeat(grid, height // 2, axis=0), width // 2, axis=1)


def write(odd: Odd, sources: Path, folder: Path) -> Path:
    """Makes the file of a row."""
    path = folder / odd.name
    if callable(odd.make):
        odd.make(sources, path)
    else:
        ffmpeg(sources, odd.make, path)
    return path


def ffmpeg(sources: Path, arguments: str, path: Path, *more: str) -> None:
    """Runs ffmpeg; NUMBERS and QUARTERS stand for the sources, HERE for the folder of the output.

    `more` holds arguments that must not be split at spaces.
    """
    if FFMPEG is None:
        raise RuntimeError("ffmpeg is not installed")
    words = (
        arguments.replace("NUMBERS", f"-i {sources}/numbers.mkv")
        .replace("QUARTERS", f"-loop 1 -framerate 25 -t 0.4 -i {sources}/quarters.png")
        .replace("HERE", str(path.parent))
    )
    command = [FFMPEG, "-v", "error", "-nostdin", "-y", "-threads", "1", *words.split(), *more]
    command.append(str(path))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "Unknown encoder" in done.stderr:
        raise MissingEncoderError(done.stderr.strip())
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")


def judged(odd: Odd, path: Path) -> tuple[str, list[str]]:
    """Returns what the program did with a file, and all that is not right about it."""
    try:
        found = probe(path)
        sample = sample_frames(path, found, odd.times, long_side=None)
    except MediaError as error:
        wrong = [] if error.code == odd.error else [f"{error.code.value}: {error}"]
        return f"refused: {error.code.value}", wrong
    wrong = [] if odd.error is None else [f"was not refused as {odd.error.value}"]
    wrong += _facts_wrong(odd, found)
    if _PROBES.validate_json(_PROBES.dump_json(found)) != found:
        wrong.append("the probe is another one after a way through JSON")
    did = f"{found.codec} {found.width}×{found.height}, {found.duration:.2f} s at {found.fps:.4g}"
    if odd.numbers is not None:
        told = tuple(number_of(image) for image in sample.images)
        did += f"; pictures {' '.join(map(str, told))}"
        wrong += [f"pictures {told} instead of {odd.numbers}"] * (told != odd.numbers)
    if odd.corners:
        names = corners_of(sample.images[0])
        did += f"; {' '.join(names)}"
        wrong += [f"shows {names} instead of {odd.corners}"] * (names != odd.corners)
    for spot in odd.spots:
        colour = _colour_at(sample.images[-1], spot[0], spot[1])
        did += f"; rgb {' '.join(str(round(value)) for value in colour)}"
        off = float(np.abs(colour - np.array(spot[2])).max())
        wrong += [f"{colour} instead of {spot[2]} at {spot[:2]}"] * (off > spot[3])
    return did, wrong


def corners_of(image: Picture) -> tuple[str, ...]:
    """Names the colours of the four quarters."""
    places = ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75))
    return tuple(_name(_colour_at(image, x, y)) for x, y in places)


def _colour_at(image: Picture, x: float, y: float) -> npt.NDArray[np.float64]:
    """Returns the mean of a few pixels around a place."""
    height, width = image.shape[:2]
    row, column, reach = int(y * height), int(x * width), min(2, height // 8)
    near = image[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
    return np.asarray(near.reshape(-1, 3).mean(axis=0))


def _name(colour: npt.NDArray[np.float64]) -> str:
    return min(_NAMES, key=lambda name: float(np.abs(colour - np.array(_NAMES[name])).sum()))


def _facts_wrong(odd: Odd, found: Probe) -> list[str]:
    wrong = []
    for name, wanted in odd.facts.items():
        value: object = found
        for part in name.split("__"):
            value = value[int(part)] if isinstance(value, tuple) else getattr(value, part)
        same = (
            abs(value - wanted) < 0.02
            if isinstance(wanted, float) and isinstance(value, float)
            else value == wanted
        )
        if not same:
            wrong.append(f"{name} is {value!r} instead of {wanted!r}")
    return wrong


def shown(times: tuple[float, ...] = TIMES, fps: Fraction | int = 25) -> tuple[int, ...]:
    """Returns the distinct numbers of the pictures shown at `times` of the numbered clip."""
    return tuple(sorted({min(COUNT - 1, int(time * fps + 1e-6)) for time in times}))
