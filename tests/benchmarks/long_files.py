"""Compares the memory that a video of ten hours takes with that of one of ten minutes.

    .venv/bin/python -m tests.benchmarks.long_files [--fps 25] [--minutes 10 600] [--mode exact]

For each length, in a process of its own: the scenes are searched and 32 frames sampled, as a job
does. Printed are the highest resident memory of that process and of the largest decoder process, in
MB, the scenes found, and the processor time of all. Needs the command `ffmpeg`.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

_UNIT_SECONDS = 60
_SIZE = "640x360"


def main() -> None:
    """Prints the table, or measures one file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=int, nargs="+", default=[10, 600])
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--mode", choices=("exact", "fast"), default="exact")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.measure:
        print(json.dumps(_measure(wanted.measure, wanted.mode)))
        return
    print(
        f"{'minutes':>8} {'scenes':>7} {'frames':>7} {'here MB':>8} {'decoder MB':>11} {'CPU s':>8}"
    )
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for minutes in wanted.minutes:
            path = _make(Path(folder), minutes, wanted.fps)
            command = [sys.executable, "-m", "tests.benchmarks.long_files", "--measure", path]
            ran = subprocess.run(
                [*map(str, command), "--mode", wanted.mode],
                check=True,
                capture_output=True,
                text=True,
            )
            row = json.loads(ran.stdout)
            rows.append(row)
            print(
                f"{minutes:8} {row['scenes']:7} {row['frames']:7} {row['here']:8.0f}"
                f" {row['decoder']:11.0f} {row['seconds']:8.0f}",
                flush=True,
            )
            path.unlink()
    first, last = rows[0], rows[-1]
    for name in ("here", "decoder"):
        print(f"{name}: {last[name] / first[name]:.2f} of the first (goal: about 1)")


def _make(folder: Path, minutes: int, fps: int) -> Path:
    """Writes a video of different pictures, a shot every few seconds, repeated without encoding."""
    unit, path = folder / "unit.mp4", folder / f"{minutes}.mp4"
    if not unit.exists():
        shots = "".join(
            f"testsrc2=s={_SIZE}:r={fps}:d={_UNIT_SECONDS / 12},hue=h={30 * n}[v{n}];"
            for n in range(12)
        )
        joined = "".join(f"[v{n}]" for n in range(12)) + "concat=n=12:v=1:a=0"
        _ffmpeg("-filter_complex", shots + joined, "-preset", "veryfast", "-g", "250", unit)
    loops = minutes * 60 // _UNIT_SECONDS - 1
    _ffmpeg("-stream_loop", loops, "-i", unit, "-c", "copy", path)
    return path


def _ffmpeg(*arguments: object) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)


def _measure(path: Path, mode: str) -> dict[str, float]:
    from daemon import media

    watch = _Watch()
    watch.start()
    facts = media.probe(path)
    scenes = media.find_scenes(path, facts, mode=mode)  # type: ignore[arg-type]
    times = media.uniform_times(0, facts.duration, 32)
    frames = media.sample_frames(path, facts, times, long_side=336)
    watch.over.set()
    watch.join()
    own = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "scenes": len(scenes),
        "frames": len(frames.times),
        "here": own.ru_maxrss / 1024,
        "decoder": watch.peak / 1024,
        "seconds": own.ru_utime + own.ru_stime + watch.seconds,
    }


class _Watch(threading.Thread):
    """Looks at the decoder processes, which are children of a child, all the time."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.peak = 0
        """Kilobytes that the largest of them held in memory at once."""
        self._ticks: dict[int, int] = {}

    @property
    def seconds(self) -> float:
        """Processor time of all of them, but for their last moments."""
        return sum(self._ticks.values()) / 100

    def run(self) -> None:
        """Looks until told that it is over."""
        while not self.over.is_set():
            for zygote in _children("self"):
                for pid in _children(zygote):
                    self._look(pid)
            time.sleep(0.02)

    def _look(self, pid: int) -> None:
        with suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text()
            peak = re.search(r"VmHWM:\s+(\d+)", status)
            if peak:  # else it is ending
                self.peak = max(self.peak, int(peak[1]))
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            self._ticks[pid] = int(fields[11]) + int(fields[12])


def _children(pid: int | str) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


if __name__ == "__main__":
    main()
