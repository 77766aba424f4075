"""Messages in Korean and English. The English sentence in the code is the message's id."""

import json
import os
from functools import cache
from pathlib import Path

LANGUAGES = ("ko", "en")
_chosen = "en"


def choose_language(flag: str | None, config_file: Path | None = None) -> str:
    """Sets the language of this process: flag, `HAESEOL_LANG`, settings file, else the locale's.

    Reads the one key it needs with tomllib: a command that only looks must start fast.
    """
    global _chosen
    wanted = flag or os.environ.get("HAESEOL_LANG") or _from_file(config_file) or "auto"
    _chosen = wanted if wanted in LANGUAGES else _from_locale()
    return _chosen


def _from_file(config_file: Path | None) -> str | None:
    if config_file is None:
        return None
    try:
        content = config_file.read_bytes()
    except OSError:
        return None
    import tomllib  # here, for the many who have no such file

    try:
        value = tomllib.loads(content.decode()).get("lang")
    except ValueError:
        return None
    return value if isinstance(value, str) else None


def _from_locale() -> str:
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable)
        if value:
            return "ko" if value.lower().startswith("ko") else "en"
    return "en"


def language() -> str:
    """The language of this process: `ko` or `en`."""
    return _chosen


@cache
def korean_messages() -> dict[str, str]:
    """Korean sentences by their English ids."""
    file = Path(__file__).parent / "messages" / "ko.json"
    messages: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return messages


def tr(message: str, **facts: object) -> str:
    """A message in the chosen language, with `{names}` filled in from `facts`."""
    text = korean_messages().get(message, message) if _chosen == "ko" else message
    return text.format(**facts) if facts else text
