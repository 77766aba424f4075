"""What the search for scenes found so far is kept until the scenes are recorded."""

from catalog import library, stretches
from catalog.database import Catalog
from catalog.library import FileSeen, place_file


def test_keeps_parts_by_recipe_until_the_scenes_are_there(catalog: Catalog) -> None:
    with catalog.write() as session:
        video, *_ = place_file(session, FileSeen(b"/a.mp4", 100, 1, "8"), "content")
        stretches.keep(session, video, 0, "exact 1", b"first")
        stretches.keep(session, video, 1, "exact 1", b"second")
        stretches.keep(session, video, 1, "exact 1", b"second again")
    with catalog.read() as connection:
        assert stretches.kept(connection, video, "exact 1") == {0: b"first", 1: b"second again"}
        assert stretches.kept(connection, video, "exact 2") == {}
    with catalog.write() as session:
        stretches.keep(session, video, 0, "exact 2", b"anew")
    with catalog.read() as connection:
        assert stretches.kept(connection, video, "exact 1") == {1: b"second again"}
    with catalog.write() as session:
        library.record_scenes(session, video, [library.SceneSpan(0.0, 1.0, 0.5)])
    with catalog.read() as connection:
        assert stretches.kept(connection, video, "exact 1") == {}
