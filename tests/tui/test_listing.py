"""What the list reads from the catalog."""

import unicodedata

from catalog import captions, listing
from catalog.database import Catalog
from tests.tui.factory import SAMPLES


def test_the_newest_come_first(samples: Catalog) -> None:
    with samples.read() as connection:
        assert list(listing.newest_ids(connection)) == list(range(len(SAMPLES), 0, -1))
        assert list(listing.newest_ids(connection, 2)) == [8, 7]
        assert listing.without_caption(connection) == 3


def test_the_rows_of_a_page(samples: Catalog) -> None:
    with samples.write() as session:
        captions.edit(session, 8, "첫 줄\n\n둘째  줄 " + "가" * 1000)
    with samples.read() as connection:
        rows = {row.id: row for row in listing.list_rows(connection, [8, 6, 5, 4, 3, 99])}
    assert rows.keys() == {8, 6, 5, 4, 3}
    assert rows[8].line.startswith("첫 줄 둘째 줄 가")
    assert len(rows[8].line) <= listing.LINE_LENGTH
    assert rows[8].by_human
    assert unicodedata.is_normalized("NFC", rows[6].title)
    assert (rows[5].status, rows[5].progress) == ("running", 0.42)
    assert (rows[4].status, rows[4].duration, rows[4].line) == ("queued", None, "")
    assert (rows[3].status, rows[3].error_code) == ("dead", "truncated")


def test_the_version_changes_with_another_connections_write(samples: Catalog) -> None:
    with samples.read() as connection:
        before = listing.data_version(connection)
        assert listing.data_version(connection) == before
        with samples.write() as session:
            captions.edit(session, 8, "새 글")
        assert listing.data_version(connection) != before
