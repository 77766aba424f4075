"""When a file has come to rest, with a clock that a test moves."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.settling import Look, Settling
from daemon.volumes import being_written, file_system, ignore_lease_breaks

PATH = b"/videos/a.mp4"


class World:
    """A disk and a clock."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.files: dict[bytes, Look] = {}
        self.writers: set[bytes] = set()
        self.settling = Settling(
            self.files.get, lambda: self.time, lambda: self.time, lambda path: path in self.writers
        )

    def write(self, size: int, *, mtime: float | None = None) -> None:
        """Writes to the file; `mtime` is what a copying program sets afterwards."""
        stamp = self.time if mtime is None else mtime
        self.files[PATH] = Look(size, int(stamp * 1e9), self.time)

    def after(self, seconds: float) -> list[bytes]:
        self.time += seconds
        return self.settling.rested()


def test_a_file_is_taken_only_after_it_rested() -> None:
    world = World()
    world.write(1)
    world.settling.touch(PATH, 10)
    assert world.after(9.9) == []
    assert world.after(0.2) == [PATH]
    assert world.after(100) == []


def test_growth_starts_the_wait_anew() -> None:
    world = World()
    world.write(1)
    world.settling.touch(PATH, 10)
    for size in range(2, 30):
        assert world.after(1) == []
        world.write(size)
    assert world.after(1) == []  # sees the last growth
    assert world.after(9) == []
    assert world.after(1) == [PATH]


def test_an_old_file_is_taken_at_once() -> None:
    world = World()
    world.write(1)
    world.time += 60
    world.settling.touch(PATH, 10)
    assert world.after(0) == [PATH]


def test_an_old_mtime_on_a_fresh_file_convinces_nobody() -> None:
    world = World()
    world.write(1, mtime=5.0)  # as cp -p and rsync do
    world.settling.touch(PATH, 10)
    assert world.after(1) == []
    assert world.after(10) == [PATH]


def test_a_file_from_the_future_is_taken_too() -> None:
    world = World()
    world.write(1, mtime=99_999.0)
    world.files[PATH] = Look(1, 1, 99_999.0)
    world.settling.touch(PATH, 10)
    assert world.after(1) == []
    assert world.after(10) == [PATH]


def test_an_open_writer_holds_the_file_back() -> None:
    world = World()
    world.write(1)
    world.settling.touch(PATH, 10)
    world.writers.add(PATH)
    assert world.after(60) == []
    world.writers.clear()
    assert world.after(5) == []
    assert world.after(6) == [PATH]


def test_a_file_that_vanishes_is_forgotten() -> None:
    world = World()
    world.write(1)
    world.settling.touch(PATH, 10)
    del world.files[PATH]
    assert world.after(60) == []
    assert len(world.settling) == 0


@given(st.lists(st.tuples(st.floats(0.1, 15), st.booleans()), max_size=30))
def test_never_before_it_has_been_still_for_so_long(steps: list[tuple[float, bool]]) -> None:
    world = World()
    world.write(1)
    last_write, size = world.time, 1
    world.settling.touch(PATH, 10)
    for seconds, writes in steps:
        taken = world.after(seconds)
        if taken:
            assert world.time - last_write >= 10
            return
        if writes:
            size += 1
            world.write(size)
            last_write = world.time


def test_the_kernel_tells_who_writes(tmp_path: Path) -> None:
    ignore_lease_breaks()
    clip = tmp_path / "a.mp4"
    with clip.open("wb") as file:
        file.write(b"x")
        assert being_written(os.fsencode(clip))
    assert not being_written(os.fsencode(clip))
    with clip.open("rb"):
        assert not being_written(os.fsencode(clip))


@pytest.mark.skipif(not Path("/proc/self/mountinfo").exists(), reason="needs Linux")
def test_the_file_system_of_a_path_is_known(tmp_path: Path) -> None:
    assert file_system(b"/proc/self") == "proc"
    assert file_system(os.fsencode(tmp_path)) not in ("", "proc")
