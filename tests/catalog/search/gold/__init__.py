"""Hand-written notes, questions about them with graded answers, and what surrounds them in a catalog.

`notes.jsonl` holds captions and scene notes, `queries.jsonl` what people type and how well each note
answers it: 3 is exactly what was asked, 2 relevant, 1 loosely related, 0 a trap. The answers come from
reading, not from any tokenizer. Every note that is not graded is no answer. A line of `queries.jsonl`:

1. `query`, `category`, and `grades` by the id of the note.
2. `words`: by note, words as it writes them, each of which a highlight must touch.
3. What no generated note of the background may hold: `absent` lists substrings, `absent_re` regular
   expressions, `absent_all` lists of substrings that must not stand together.

`synonyms.txt` is the synonym file that a user of this archive would have; all questions are asked with it.
"""

from tests.catalog.search.gold.absence import Absence
from tests.catalog.search.gold.gold import FOLDER, GoldSet, Question, read, uncovered

__all__ = ["FOLDER", "Absence", "GoldSet", "Question", "read", "uncovered"]
