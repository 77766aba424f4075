"""Korean text without an analyser: letters, keys, sounds, numbers, inflection. The standard library alone."""
