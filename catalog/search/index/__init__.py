"""What is written: the full-text index with a text, its lemmas and the lexicon once it was read."""
