"""The whole table of odd files."""

from __future__ import annotations

from tests.daemon.media.odd_contents import CONTENTS, REFUSED, SHORTENED
from tests.daemon.media.odd_looks import COLOURS, INTERLACED, SHAPES, TURNS
from tests.daemon.media.odd_recipes import CODECS, TIMING

ROWS = (*CODECS, *TIMING, *TURNS, *SHAPES, *INTERLACED, *COLOURS, *CONTENTS, *SHORTENED, *REFUSED)
