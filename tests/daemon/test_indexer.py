"""The processes that read texts for search while the daemon runs: real ones, on a real catalog."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalog.captions import Draft, add_revision
from catalog.database import Catalog
from catalog.library import FileSeen, place_file
from catalog.schema import Origin
from catalog.search.index import verifying
from catalog.search.index.indexing import waiting
from catalog.search.query.asking import search
from daemon import indexer as module
from daemon.indexer import Indexer

_PATIENCE = 60.0


def add(catalog: Catalog, name: str, text: str) -> int:
    with catalog.write() as session:
        seen = FileSeen(f"/videos/{name}.mp4".encode(), 100, 1, "8")
        video_id, _ = place_file(session, seen, name)
        add_revision(session, video_id, Draft(text, Origin.MODEL, model="demo"))
        return video_id


def left(catalog: Catalog) -> int:
    with catalog.read() as connection:
        return waiting(connection)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def children() -> set[int]:
    """The processes that this one started, zombies among them."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        found |= set(map(int, (task / "children").read_text().split()))
    return found


@pytest.fixture
def indexer(catalog: Catalog) -> Iterator[Indexer]:
    """One that leaves no process behind, whatever a test did."""
    before = children()
    started = Indexer(catalog)
    yield started
    started.close()
    assert children() <= before


def process_of(indexer: Indexer) -> "subprocess.Popen[bytes]":
    process = indexer._words._process
    assert process is not None
    return process


def test_nothing_starts_while_nothing_waits(catalog: Catalog, indexer: Indexer) -> None:
    before = children()
    assert indexer.look() is False
    assert children() == before


def test_texts_are_read_as_they_come_and_the_process_ends(
    catalog: Catalog, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FOLLOW_SECONDS", 2)
    first = add(catalog, "1", "강아지가 길을 걷는다.")
    assert indexer.look() is True
    pid = process_of(indexer).pid
    wait_for(lambda: not left(catalog))
    second = add(catalog, "2", "고양이가 걷는다.")
    wait_for(lambda: not left(catalog))
    assert process_of(indexer).pid == pid  # the same process, whose analyser is loaded
    with catalog.read() as connection:
        found = {match.video_id for match in search(connection, "걸었다").matches}
    assert found == {first, second}
    wait_for(lambda: process_of(indexer).poll() is not None)
    assert process_of(indexer).returncode == 0
    assert indexer.look() is False
    assert verifying.faults(catalog) == []


def test_one_process_at_a_time(catalog: Catalog, indexer: Indexer) -> None:
    add(catalog, "1", "강아지가 걸어간다.")
    before = children()
    for _ in range(5):
        indexer.look()
    assert len(children() - before) == 1


def test_a_killed_process_is_followed_by_another_after_a_while(
    catalog: Catalog,
    indexer: Indexer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    add(catalog, "1", "강아지가 걸어간다.")
    indexer.look()
    first = process_of(indexer)
    os.kill(first.pid, signal.SIGKILL)
    wait_for(lambda: first.poll() is not None)
    with caplog.at_level(logging.WARNING):
        assert indexer.look() is True  # texts still wait
    assert "index update" in caplog.text
    assert indexer._words._process is None  # no process that fails again and again
    assert indexer.look() is True
    assert indexer._words._process is None
    monkeypatch.setattr(indexer._words, "_not_before", 0.0)
    indexer.look()
    assert process_of(indexer).pid != first.pid
    wait_for(lambda: not left(catalog))


def test_a_failure_while_nothing_waits_is_not_told(
    catalog: Catalog, indexer: Indexer, caplog: pytest.LogCaptureFixture
) -> None:
    add(catalog, "1", "강아지가 걸어간다.")
    indexer.look()
    wait_for(lambda: not left(catalog))
    process_of(indexer).kill()
    process_of(indexer).wait()
    assert indexer.look() is False
    assert caplog.text == ""
    add(catalog, "2", "고양이가 걷는다.")
    assert indexer.look() is True
    assert indexer._words._process is not None  # the next text does not wait for it


def test_ctrl_c_is_for_the_daemon(catalog: Catalog, indexer: Indexer) -> None:
    add(catalog, "1", "강아지가 걸어간다.")
    indexer.look()
    assert os.getpgid(process_of(indexer).pid) != os.getpgid(0)
    assert os.getsid(process_of(indexer).pid) != os.getsid(0)


def test_close_ends_it_soon_and_what_it_had_not_read_waits(
    catalog: Catalog, indexer: Indexer
) -> None:
    for number in range(50):
        add(catalog, str(number), f"강아지가 {number}번째 길을 걸어간다.")
    indexer.look()
    process = process_of(indexer)
    began = time.monotonic()
    indexer.close()
    assert time.monotonic() - began < 10
    assert process.returncode is not None
    indexer.close()  # once more does no harm
    assert indexer.look() is True
    wait_for(lambda: not left(catalog))
    assert verifying.faults(catalog) == []


def test_finish_waits_until_all_is_read(catalog: Catalog, indexer: Indexer) -> None:
    add(catalog, "1", "강아지가 걸어간다.")
    indexer.finish(threading.Event())
    assert left(catalog) == 0
    assert indexer._words._process is None


def test_finish_stops_when_it_should(catalog: Catalog, indexer: Indexer) -> None:
    add(catalog, "1", "강아지가 걸어간다.")
    stop = threading.Event()
    stop.set()
    indexer.finish(stop)
    assert left(catalog) > 0


def test_finish_does_not_wait_for_what_fails(
    catalog: Catalog, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(catalog, "1", "강아지가 걸어간다.")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    began = time.monotonic()
    indexer.finish(threading.Event())
    assert time.monotonic() - began < 30
    assert left(catalog) > 0


def test_a_catalog_that_cannot_be_read_ends_nothing(
    catalog: Catalog, indexer: Indexer, caplog: pytest.LogCaptureFixture
) -> None:
    catalog.path.rename(catalog.path.with_suffix(".away"))
    assert indexer.look() is False
    assert "cannot be looked at" in caplog.text
