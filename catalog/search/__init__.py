"""Full-text search over captions, scene notes, titles, tags and paths."""
