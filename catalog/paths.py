"""Raw paths and what people read of them."""

import unicodedata


def path_key(path: bytes) -> str:
    """The readable, NFC-normalised form of a raw path; what cannot be decoded shows as U+FFFD."""
    return unicodedata.normalize("NFC", path.decode("utf-8", "replace"))
