"""Shot boundaries found in films of known boundaries, beside other tools in the same table.

Makes the films from real clips with ffmpeg (about 6 minutes with 100 hard cuts and much that lures,
and 2 minutes with 31 dissolves and fades), searches them with every tool, and prints F1 and speed.
The parameters of this project were chosen on seed 1; report another one. The other tools need an
environment of their own:

    uv venv PEERS && uv pip install -p PEERS scenedetect opencv-python-headless

Run it from the root of the project:

    python -m tests.benchmarks.shots --peers PEERS [--seed 23] [--keep FOLDER] [--footage FOLDER]
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.shots_film import Truth, make_films

CUTS, TRANSITIONS = 100, 31
NEAR = 0.1
"""Seconds by which a hard cut may be missed."""
SLACK = 0.2
"""Seconds that a boundary may lie outside of the transition it stands for."""
HARD_GOAL, FAST_GOAL, GRADUAL_GOAL, SPEED_GOAL = 0.97, 0.95, 0.75, 50.0

_PEER = """
import json, sys
from scenedetect import detect, AdaptiveDetector, ContentDetector, HistogramDetector
kinds = {"content": ContentDetector, "adaptive": AdaptiveDetector, "histogram": HistogramDetector}
found = detect(sys.argv[2], kinds[sys.argv[1]]())
seconds = lambda at: float(getattr(at, "seconds", None) or at.get_seconds())
print(json.dumps([seconds(start) for start, _ in found[1:]]))
"""

_OURS = """
import json, sys
from pathlib import Path
from daemon.decoder.searching import find_scenes
from daemon.decoder.probe import probe
from daemon.decoder.source import Source
with Source.of(Path(sys.argv[2])) as source:
    found = find_scenes(source, probe(source), mode=sys.argv[1])
print(json.dumps([scene.start for scene in found[1:]]))
"""

TOOLS = ("ours exact", "ours fast", "content", "adaptive", "histogram", "scdet")


@dataclass(frozen=True, slots=True)
class Run:
    """What a tool found in a film."""

    times: list[float]
    """Boundaries in seconds."""
    cpu: float
    """CPU seconds, of all threads."""


def run(tool: str, film: Path, peers: Path | None) -> Run | None:
    """Runs a tool in a process of its own; None where it is not there."""
    kind = tool.removeprefix("ours ")
    if tool == "scdet":
        command = ["ffmpeg", "-nostats", "-i", str(film), "-an", "-vf", "scdet", "-f", "null", "-"]
    elif tool.startswith("ours"):
        command = [sys.executable, "-c", _OURS, kind, str(film)]
    elif peers is not None:
        command = [str(peers / "bin" / "python"), "-c", _PEER, kind, str(film)]
    else:
        return None
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if tool == "scdet":
        times = [float(at) for at in re.findall(r"lavfi\.scd\.time: ([\d.]+)", done.stderr)]
    else:
        times = json.loads(done.stdout.splitlines()[-1])
    return Run(times, cpu)


def remembered(tool: str, film: Path, peers: Path | None) -> Run | None:
    """Runs a tool, or reads what it found the last time; what is ours is always run."""
    note = film.with_suffix(f".{tool}.json")
    if not tool.startswith("ours") and note.exists():
        return Run(**json.loads(note.read_text()))
    found = run(tool, film, peers)
    if found is not None:
        note.write_text(json.dumps({"times": found.times, "cpu": found.cpu}))
    return found


def hits(found: list[float], spans: list[tuple[float, float]], slack: float) -> set[int]:
    """Matches boundaries and spans of the truth one to one; returns the places of those matched."""
    pairs = sorted(
        (abs(at - (start + end) / 2), place, span)
        for place, at in enumerate(found)
        for span, (start, end) in enumerate(spans)
        if start - slack - 1e-6 <= at <= end + slack + 1e-6
    )
    places: set[int] = set()
    taken: set[int] = set()
    for _, place, span in pairs:
        if place not in places and span not in taken:
            places.add(place)
            taken.add(span)
    return places


def f1(matched: int, found: int, true: int) -> float:
    """Returns the harmonic mean of precision and recall."""
    return 2 * matched / (found + true) if found + true else 1.0


def alarms(found: list[float], matched: set[int], truth: Truth, kinds: tuple[str, ...]) -> int:
    """Counts boundaries that are none and lie in something that lures."""
    spans = [span for kind in kinds for span in truth.lures.get(kind, [])]
    return sum(
        place not in matched and any(start - NEAR <= at <= end + NEAR for start, end in spans)
        for place, at in enumerate(found)
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    film: str
    tool: str
    f1: float
    speed: float
    """Seconds of video a CPU second."""
    missed: int
    false: int
    flashes: int
    pans: int


def judge(name: str, tool: str, found: Run, truth: Truth) -> Row:
    """Compares what a tool found with the truth."""
    spans = [(cut, cut) for cut in truth.cuts] or truth.gradual
    matched = hits(found.times, spans, NEAR if truth.cuts else SLACK)
    return Row(
        film=name,
        tool=tool if tool.startswith("ours") or tool == "scdet" else f"PySceneDetect {tool}",
        f1=f1(len(matched), len(found.times), len(spans)),
        speed=truth.seconds / found.cpu,
        missed=len(spans) - len(matched),
        false=len(found.times) - len(matched),
        flashes=alarms(found.times, matched, truth, ("flash",)),
        pans=alarms(found.times, matched, truth, ("pan", "shake", "passer")),
    )


def show(row: Row) -> None:
    """Prints a line of the table."""
    print(
        f"{row.film:22}{row.tool:24}{row.f1:7.3f}{row.missed:8}{row.false:7}"
        f"{row.flashes:9}{row.pans:7}{row.speed:10.1f}",
        flush=True,
    )


def reached(rows: list[Row]) -> bool:
    """Prints the goals and says whether all are reached."""
    goals = {
        "hard, exact": [r.f1 >= HARD_GOAL for r in rows if _is(r, "hard", "ours exact")],
        "hard, fast, 1080p": [
            r.f1 >= FAST_GOAL and r.speed >= SPEED_GOAL
            for r in rows
            if _is(r, "hard 1080p", "ours fast") and "GOP" not in r.film
        ],
        "gradual, exact": [r.f1 >= GRADUAL_GOAL for r in rows if _is(r, "gradual", "ours exact")],
    }
    for name, held in goals.items():
        print(f"{name}: {'reached' if held and all(held) else 'not reached'}")
    return all(held and all(held) for held in goals.values())


def _is(row: Row, film: str, tool: str) -> bool:
    return row.film.startswith(film) and row.tool == tool


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--peers", type=Path, help="environment that has PySceneDetect")
    parser.add_argument("--seed", type=int, default=23)
    parser.add_argument("--keep", type=Path, help="folder for the films, used again the next time")
    parser.add_argument("--footage", type=Path, default=Path("../shared/videos"))
    parser.add_argument("--films", default="", help="only films whose name holds this")
    parser.add_argument("--tools", nargs="+", default=list(TOOLS), choices=TOOLS)
    return parser.parse_args()


def main() -> int:
    """Makes films, runs tools, prints the table; exit 1 when a goal is missed."""
    arguments = _arguments()
    clips = sorted(arguments.footage.glob("*.m[pk][4v]"))
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        films = make_films(clips, folder, arguments.seed, CUTS, TRANSITIONS)
        print(
            f"seed {arguments.seed}; false alarms also by what lured; speed in x real time a core"
        )
        print(f"{'film':22}{'tool':24}{'F1':>7}{'missed':>8}{'false':>7}", end="")
        print(f"{'flashes':>9}{'pans':>7}{'speed':>10}")
        for name, (path, truth) in films.items():
            for tool in arguments.tools if arguments.films in name else []:
                found = remembered(tool, path, arguments.peers)
                if found is not None:
                    rows.append(judge(name, tool, found, truth))
                    show(rows[-1])
    return 0 if reached(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
