"""The formats in which the catalog speaks to other programs, one module each."""
