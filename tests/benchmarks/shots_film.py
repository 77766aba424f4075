"""Films whose boundaries are known, made from a few real clips: the ground truth of `shots`.

Each shot shows a part of a clip: cropped, turned over, in other colours, by a camera that rests,
glides, shakes or swings. Neighbouring shots come from different clips. All chance is seeded.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

RATE = 25
WIDTH, HEIGHT = 640, 360
"""Of the drawn pictures, in pixels; the real clips are not larger."""

ENCODINGS: dict[str, tuple[str, list[str]]] = {
    "1080p": ("large", []),
    "1080p GOP 60": ("also", ["-g", "60", "-keyint_min", "60", "-sc_threshold", "0"]),
    "360p": ("small", []),
}
"""Which of the filtered pictures is encoded, and how, beside the defaults of x264."""

_FILTERS = (
    "[0]split[a][b];"
    "[a]scale=1920:1080:flags=bicubic,noise=alls=5:allf=t:all_seed=1,format=yuv420p,split[large][also];"
    "[b]noise=alls=3:allf=t:all_seed=1,format=yuv420p[small]"
)
"""Adds grain as of a camera."""

Picture = npt.NDArray[np.uint8]
Mixed = npt.NDArray[np.float32]


@dataclass(slots=True)
class Truth:
    """What is known of a film; all in seconds."""

    seconds: float = 0.0
    cuts: list[float] = field(default_factory=list)
    gradual: list[tuple[float, float]] = field(default_factory=list)
    lures: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """What a detector may take for a boundary, by kind."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A way to show a clip for a while."""

    clip: Path
    begin: float
    """Share of the clip (0..1) at which the shot begins."""
    frames: int
    zoom: float
    """Height of the crop as a share of the clip's height."""
    place: tuple[float, float]
    """Of the crop's middle, across and down, 0..1."""
    mirrored: bool
    colours: Mixed
    """Rows give the new red, green and blue of the old ones."""
    light: float
    camera: str
    lures: tuple[tuple[str, int, int], ...] = ()
    """Kind, first frame and frames."""


def hard_film(clips: list[Path], seed: int, cuts: int) -> list[Shot]:
    """Draws a film of shots that follow on each other at once, many with something that lures."""
    rng = np.random.default_rng([seed, 1])
    lengths = rng.uniform(1.2, 6.0, cuts + 1)
    kinds = ["flash", "pan", "passer", "shake", *[""] * 4]
    shots: list[Shot] = []
    for index, length in enumerate(lengths):
        kind = kinds[index % len(kinds)]
        length = max(length, 3.2) if kind else length
        shots.append(_shot(rng, clips, shots, round(length * RATE), kind))
    return shots


def gradual_film(clips: list[Path], seed: int, count: int) -> tuple[list[Shot], list[str]]:
    """Draws shots and the kinds of `count` transitions between them."""
    rng = np.random.default_rng([seed, 2])
    shots: list[Shot] = []
    for _ in range(count + 1):
        shots.append(_shot(rng, clips, shots, round(rng.uniform(3.6, 5.2) * RATE), ""))
    kinds = (["dissolve"] * 3 + ["black"] + ["white"]) * (count // 5 + 1)
    return shots, [str(kind) for kind in rng.permutation(kinds[:count])]


def _shot(
    rng: np.random.Generator, clips: list[Path], before: list[Shot], frames: int, kind: str
) -> Shot:
    last = before[-1].clip if before else None
    clip = [it for it in clips if it != last][int(rng.integers(len(clips) - (last is not None)))]
    camera = {"pan": "pan", "shake": "shake"}.get(kind) or str(
        rng.choice(["still", "glide", "hand", "zoom"])
    )
    zoom = float(rng.uniform(0.45, 0.75 if camera != "still" else 1.0))
    lures: tuple[tuple[str, int, int], ...] = ()
    if kind:
        least = {"flash": 1, "pan": 9, "passer": 12, "shake": 25}[kind]
        most = {"flash": 5, "pan": 20, "passer": 26, "shake": 46}[kind]
        span = int(rng.integers(least, most))
        lures = ((kind, int(rng.integers(15, frames - span - 14)), span),)
    place = (float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.3, 0.7)))
    colours = _colours(rng)
    return Shot(
        clip, float(rng.uniform(0, 0.9)), frames, zoom, place, bool(rng.random() < 0.5),
        colours, float(rng.uniform(0.7, 1.25)), camera, lures,
    )  # fmt: skip


def _colours(rng: np.random.Generator) -> Mixed:
    """Returns the colours as they are, or turned about grey, or without some of their strength."""
    if rng.random() < 0.35:
        return np.eye(3, dtype=np.float32)
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 1.1)
    cos, sin = np.cos(angle), np.sin(angle)
    grey = np.full((3, 3), 1 / 3)
    axis = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    turned = grey + strength * (cos * (np.eye(3) - grey) + sin * axis)
    return np.asarray(turned, dtype=np.float32)


# Drawing ------------------------------------------------------------------------------------------


def drawn(shot: Shot, seed: int) -> Iterator[Picture]:
    """Draws the pictures of a shot."""
    rng = np.random.default_rng([seed, shot.frames, round(1e6 * shot.begin)])
    path = _camera_path(rng, shot)
    reformatter = VideoReformatter()
    passer = _passer(rng) if any(kind == "passer" for kind, _, _ in shot.lures) else None
    levels = np.arange(256, dtype=np.float32)
    table = (255 * (levels / 255) ** (1 / shot.light)).astype(np.float32)
    for index, whole in enumerate(_pictures(shot)):
        swings = shot.camera == "pan" and _within(shot, "pan", index)
        # A swinging camera blurs what it sees.
        steps = np.linspace(index, index + 0.7, 5) if swings else [float(index)]
        views = [_view(whole, shot, path, step, reformatter) for step in steps]
        mixed = table[np.mean(views, axis=0).astype(np.uint8)] @ shot.colours.T
        for kind, first, span in shot.lures:
            share = (index - first) / max(1, span - 1)
            if kind == "flash" and first <= index < first + span:
                strength = 0.95 * (1 - 0.6 * share)
                mixed += (255 - mixed) * strength
            if kind == "passer" and passer and first <= index < first + span:
                mixed = _with_passer(mixed, passer, share)
        yield np.clip(mixed, 0, 255).astype(np.uint8)


def _pictures(shot: Shot) -> Iterator[Picture]:
    """Gives a clip's pictures at the film's rate, to and fro where it is too short."""
    kept: list[Picture] = []
    with av.open(str(shot.clip)) as container:
        stream = container.streams.video[0]
        step = float(stream.average_rate or RATE) / RATE
        frames = int(_length(shot.clip) * float(stream.average_rate or RATE))
        first = int(shot.begin * max(0, frames - shot.frames * step))
        needed = int(shot.frames * step) + 2
        for frame in islice(container.decode(stream), first, first + needed):
            kept.append(np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8))
    cycle = max(1, 2 * len(kept) - 2)
    for index in range(shot.frames):
        place = int(index * step) % cycle
        yield kept[place if place < len(kept) else cycle - place]


def _length(clip: Path) -> float:
    with av.open(str(clip)) as container:
        return float(Fraction(container.duration or 0, av.time_base))


def _camera_path(rng: np.random.Generator, shot: Shot) -> Mixed:
    """Returns across, down and zoom factor of every frame, shape (frames + 2, 3)."""
    count = shot.frames + 2
    path = np.zeros((count, 3))
    path[:, 2] = 1.0
    if shot.camera == "glide":
        path[:, :2] = np.linspace(0, 1, count)[:, None] * rng.uniform(-0.25, 0.25, 2)
    elif shot.camera == "zoom":
        path[:, 2] = np.linspace(1, rng.choice([0.75, 1.3]), count)
    elif shot.camera == "hand":
        path[:, :2] = _wander(rng, count, 0.004)
    elif shot.camera == "shake":
        path[:, :2] = _wander(rng, count, 0.004)
        for kind, first, span in shot.lures:
            if kind == "shake":
                path[first : first + span, :2] += _wander(rng, span, 0.03)
    else:
        for kind, first, span in shot.lures:
            if kind == "pan":
                way = rng.choice([-1, 1]) * rng.uniform(0.6, 1.5)
                eased = (1 - np.cos(np.pi * np.linspace(0, 1, span))) / 2
                path[first : first + span, 0] = way * eased
                path[first + span :, 0] = way
    return path.astype(np.float32)


def _wander(rng: np.random.Generator, count: int, strength: float) -> Mixed:
    """Returns a trembling way, shape (count, 2), in heights of the clip."""
    steps = rng.normal(0, strength, (count + 4, 2))
    smooth = sum(steps[shift : shift + count] for shift in range(5)) / 2.2
    return np.asarray(smooth, dtype=np.float32)


def _view(
    whole: Picture, shot: Shot, path: Mixed, step: float, reformatter: VideoReformatter
) -> Picture:
    height, width = whole.shape[:2]
    index = min(int(step), len(path) - 2)
    across, down, zoom = path[index] + (step - index) * (path[index + 1] - path[index])
    tall = min(1.0, shot.zoom * float(zoom)) * height
    tall = min(tall, width * HEIGHT / WIDTH)
    wide = tall * WIDTH / HEIGHT
    left = shot.place[0] * (width - wide) + across * width
    top = np.clip(shot.place[1] * (height - tall) + down * height, 0, height - tall)
    # Beside the clip lies its mirror image, so that there is always something to see.
    columns = np.arange(round(left), round(left) + round(wide)) % (2 * width)
    columns = np.where(columns < width, columns, 2 * width - 1 - columns)
    part = whole[round(top) : round(top) + round(tall)][:, columns]
    part = np.ascontiguousarray(part[:, ::-1] if shot.mirrored else part)
    frame = av.VideoFrame.from_ndarray(part, format="rgb24")
    small = reformatter.reformat(frame, WIDTH, HEIGHT, interpolation="BICUBIC")
    return np.asarray(small.to_ndarray(), dtype=np.uint8)


def _within(shot: Shot, kind: str, index: int) -> bool:
    return any(k == kind and first <= index < first + span for k, first, span in shot.lures)


@dataclass(frozen=True, slots=True)
class _Passer:
    """Something that passes close before the camera."""

    colour: Mixed
    radii: tuple[float, float]
    """In heights of the picture."""
    tilt: float
    from_left: bool


def _passer(rng: np.random.Generator) -> _Passer:
    colour = rng.uniform(20, 220, 3).astype(np.float32)
    radii = (float(rng.uniform(0.3, 0.6)), float(rng.uniform(0.5, 0.9)))
    return _Passer(colour, radii, float(rng.uniform(-0.2, 0.2)), bool(rng.random() < 0.5))


def _with_passer(mixed: Mixed, passer: _Passer, share: float) -> Mixed:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32) / HEIGHT
    wide = WIDTH / HEIGHT
    way = share if passer.from_left else 1 - share
    middle = -passer.radii[0] + way * (wide + 2 * passer.radii[0])
    x = (columns - middle + passer.tilt * (rows - 0.5)) / passer.radii[0]
    y = (rows - 0.7) / passer.radii[1]
    cover = np.clip((1 - x**2 - y**2) * 4, 0, 1)[..., None]  # its edge is out of focus
    shade = passer.colour * (1 + 0.25 * np.sin(9 * rows + 5 * x))[..., None]
    return np.asarray(mixed * (1 - cover) + shade * cover, dtype=np.float32)


# Films --------------------------------------------------------------------------------------------


def show_hard(shots: list[Shot], seed: int, truth: Truth) -> Iterator[Picture]:
    """Draws a film of hard cuts and fills in its truth."""
    at = 0
    for shot in shots:
        if at:
            truth.cuts.append(at / RATE)
        for kind, first, span in shot.lures:
            spans = truth.lures.setdefault(kind, [])
            spans.append(((at + first) / RATE, (at + first + span) / RATE))
        yield from drawn(shot, seed)
        at += shot.frames
        truth.seconds = at / RATE


def show_gradual(shots: list[Shot], kinds: list[str], seed: int, truth: Truth) -> Iterator[Picture]:
    """Draws a film in which shots pass into each other, and fills in its truth."""
    rng = np.random.default_rng([seed, 3])
    at = 0
    tail: list[Picture] = []
    for index, shot in enumerate(shots):
        pictures = list(drawn(shot, seed))
        span = round(float(rng.uniform(0.3, 2.0)) * RATE)
        last = index == len(shots) - 1
        head, body = pictures[: len(tail)], pictures[len(tail) :]
        if tail:
            truth.gradual.append((at / RATE, (at + len(tail)) / RATE))
            yield from _mixed(tail, head, kinds[index - 1])
            at += len(tail)
        tail = [] if last else body[-span:]
        body = body if last else body[:-span]
        yield from body
        at += len(body)
    truth.seconds = at / RATE


def _mixed(before: list[Picture], after: list[Picture], kind: str) -> Iterator[Picture]:
    count = len(before)
    ground = {"black": 12.0, "white": 240.0}.get(kind)
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        share = (index + 1) / (count + 1)
        if ground is None:
            mixed = (1 - share) * old + share * new.astype(np.float32)
        else:
            picture, strength = (old, 1 - 2 * share) if share < 0.5 else (new, 2 * share - 1)
            mixed = ground + strength * (picture.astype(np.float32) - ground)
        yield mixed.astype(np.uint8)


def encode(pictures: Iterator[Picture], targets: dict[str, Path]) -> None:
    """Encodes a film in several ways at once."""
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE), "-i", "pipe:0"]
    command += ["-filter_complex", _FILTERS]
    for name, path in targets.items():
        pictures_of, options = ENCODINGS[name]
        command += ["-map", f"[{pictures_of}]", "-c:v", "libx264", "-preset", "veryfast"]
        command += [*options, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for picture in pictures:
            process.stdin.write(picture.tobytes())
        process.stdin.close()
    if process.returncode:
        raise RuntimeError("ffmpeg failed")


def make_films(
    clips: list[Path], folder: Path, seed: int, cuts: int, transitions: int
) -> dict[str, tuple[Path, Truth]]:
    """Makes the films and returns each file and its truth; what is there already is kept."""
    made: dict[str, tuple[Path, Truth]] = {}
    for content in ("hard", "gradual"):
        targets = {
            name: folder / f"{content}-{seed}-{name.replace(' ', '-')}.mp4" for name in ENCODINGS
        }
        facts = folder / f"{content}-{seed}.json"
        if not facts.exists():
            truth = Truth()
            if content == "hard":
                pictures = show_hard(hard_film(clips, seed, cuts), seed, truth)
            else:
                pictures = show_gradual(*gradual_film(clips, seed, transitions), seed, truth)
            encode(pictures, targets)
            facts.write_text(json.dumps(asdict(truth)))
        truth = Truth(**json.loads(facts.read_text()))
        made.update({f"{content} {name}": (path, truth) for name, path in targets.items()})
    return made
