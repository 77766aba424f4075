"""How long the backlog may take, by the pace of the jobs done lately."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from catalog import overview, pace
from catalog.database import Catalog
from catalog.ingest import take_file


def put_jobs(catalog: Catalog, folder: Path, done: list[tuple[int, int]], waiting: int) -> None:
    for number in range(len(done) + waiting):
        path = folder / f"{number}.mp4"
        path.write_bytes(bytes([number]) * 1000)
        take_file(catalog, str(path).encode())
    with catalog.write() as session:
        for job_id, (start, end) in enumerate(done, 1):
            session.execute(
                text(
                    "UPDATE job SET state = 'done', started_at = :start, finished_at = :end"
                    " WHERE id = :id"
                ),
                {"start": start, "end": end, "id": job_id},
            )


def test_jobs_beside_each_other_count_once(catalog: Catalog, tmp_path: Path) -> None:
    put_jobs(catalog, tmp_path, [(0, 30), (10, 40), (100, 120), (110, 120)], waiting=6)
    with catalog.read() as connection:
        assert pace.seconds_a_job(connection) == pytest.approx(60 / 4)
        view = overview.status(connection, catalog.home)
    assert view.backlog_seconds == pytest.approx(90)
    assert view.json()["queue"]["backlog_seconds"] == pytest.approx(90)


def test_two_jobs_tell_nothing_yet(catalog: Catalog, tmp_path: Path) -> None:
    put_jobs(catalog, tmp_path, [(0, 30), (30, 60)], waiting=2)
    with catalog.read() as connection:
        assert overview.status(connection, catalog.home).backlog_seconds is None


def test_the_pace_is_found_without_reading_the_backlog(catalog: Catalog) -> None:
    with catalog.read() as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT started_at, finished_at FROM job WHERE state = 'done'"
            " AND started_at IS NOT NULL ORDER BY finished_at DESC LIMIT 50"
        ).fetchall()
    assert [row["detail"] for row in plan] == ["SCAN job USING INDEX job_done"]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).map(sorted), max_size=20))
def test_covered_is_the_length_of_the_union(spans: list[list[int]]) -> None:
    ticks = {tick for start, end in spans for tick in range(start, end)}
    assert pace.covered((start, end) for start, end in spans) == len(ticks)
