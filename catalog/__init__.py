"""What is known: videos, scenes, captions, jobs, search and settings. Imports neither `daemon` nor `tui`."""
