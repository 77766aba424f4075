"""Textual, made fit for Korean typing. Import this before any part of Textual.

1. Its Kitty keyboard protocol loses text of input methods on some terminals, so it stays off; Textual
   reads the variable once, while it is imported.
2. Where a terminal sends such text all the same, five syllables in one sequence are longer than the
   parser's limit, and would be typed as garbage.
"""

import os

os.environ.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")

from textual import _xterm_parser

SEQUENCE_LIMIT = 4096

# A private name: a release of Textual without it needs no help, or a test will tell.
if hasattr(_xterm_parser, "_MAX_SEQUENCE_SEARCH_THRESHOLD"):
    _xterm_parser._MAX_SEQUENCE_SEARCH_THRESHOLD = SEQUENCE_LIMIT
