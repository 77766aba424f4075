"""Fills templates in.

1. The variables of a prompt are those of `VARIABLES`, written `{filename}`; `{{` and `}}` are braces.
2. What is filled in is plain text: braces in a file name are only braces, and nothing else of a
   value can be reached, as `str.format` would let a prompt do.
3. A glossary that a template does not mention is put behind it.
"""

import difflib
import re
import string
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.errors import UsageError
from catalog.prompts.templates import (
    CURRENT_KEYS,
    MERGE,
    NOTE,
    NOTE_AFTER,
    PHOTO,
    PRESETS,
    TAGS,
    TITLE,
    Template,
)

VARIABLES = (
    "duration",
    "count",
    "times",
    "folder",
    "filename",
    "recorded_at",
    "previous_note",
    "glossary",
)
"""What a prompt of a person's own may use."""

NO_PREVIOUS_NOTE = "없음"
"""What `{previous_note}` reads in the first scene."""

_LONGEST_NAME = 200
_PRESET = re.compile(r"@[\w-]+")
_CUSTOM = "custom: "


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the frames that a prompt is about. Times are in seconds."""

    duration: float
    times: Sequence[float]
    folder: str = ""
    filename: str = ""
    recorded_at: str = ""
    """Local date and time as a person would read them; empty where the file does not say."""
    previous_note: str = ""
    """The note on the scene before; empty at the first one."""
    glossary: str = ""


def custom(text: str) -> Template:
    """The template that a person asks for: `@short` and the like by name, else their own words.

    Raises `UsageError` for a name or a variable that does not exist.
    """
    if _PRESET.fullmatch(text.strip()):
        return _preset(text.strip()[1:])
    template = Template(f"{_CUSTOM}{text}", text)
    fill(template, Facts(1.0, (0.5,)))
    return template


def _preset(name: str) -> Template:
    if name in PRESETS:
        return PRESETS[name]
    near = difflib.get_close_matches(name, PRESETS, 1)
    hint = f"did you mean @{near[0]}? " if near else ""
    known = ", ".join(f"@{one}" for one in PRESETS)
    raise UsageError(f"there is no prompt named @{name}; {hint}known: {known}")


def fill(template: Template, facts: Facts) -> str:
    """Fills in a template. Raises `UsageError` for an unknown variable or a stray brace."""
    values = {
        "duration": f"{facts.duration:.1f}",
        "count": str(len(facts.times)),
        "times": ", ".join(f"{time:.1f}" for time in facts.times),
        "folder": _one_line(facts.folder),
        "filename": _one_line(facts.filename),
        "recorded_at": _one_line(facts.recorded_at),
        "previous_note": facts.previous_note or NO_PREVIOUS_NOTE,
        "glossary": facts.glossary,
    }
    text = _substituted(template.text, values)
    return text if _mentions(template, "glossary") else with_glossary(text, facts.glossary)


def render(
    template: Template,
    *,
    duration: float,
    times: Sequence[float],
    folder: str = "",
    filename: str = "",
    recorded_at: str = "",
    previous_note: str = "",
    glossary: str = "",
) -> str:
    """Fills in a template from single facts; see `fill`."""
    return fill(
        template, Facts(duration, times, folder, filename, recorded_at, previous_note, glossary)
    )


def _substituted(text: str, values: Mapping[str, str]) -> str:
    """Replaces `{name}` by values and doubled braces by single ones, and allows nothing else."""
    try:
        pieces = list(string.Formatter().parse(text))
    except ValueError as error:
        raise UsageError(_complaint(text, str(error))) from error
    filled = []
    for literal, name, form, conversion in pieces:
        filled.append(literal)
        if name is None:
            continue
        if name not in values or form or conversion:
            raise UsageError(_complaint(text, repr(name)))
        filled.append(values[name])
    return "".join(filled)


def _complaint(text: str, problem: str) -> str:
    known = ", ".join(f"{{{name}}}" for name in VARIABLES)
    return (
        f"the prompt has an unknown variable or a stray brace ({problem}): {text!r}; "
        f"known are {known}; write {{{{ for a brace"
    )


def _one_line(name: str) -> str:
    """A name from a disk as one line of bounded length, so that it cannot pose as a prompt's own lines."""
    plain = "".join(
        " " if unicodedata.category(character)[0] in "CZ" else character
        for character in unicodedata.normalize("NFC", name)
    )
    return " ".join(plain.split())[:_LONGEST_NAME]


def with_glossary(text: str, glossary: str) -> str:
    """Puts a folder's words and their spelling behind a prompt."""
    return f"{text}\n다음 낱말은 이렇게 써 주세요: {glossary}" if glossary else text


def in_english(template: Template) -> Template:
    """The same request for an English answer; a person's own prompt only gets that wish behind it."""
    text = template.english or f"{template.text}\nAnswer in English, in plain sentences."
    return Template(template.key.replace("-ko-", "-en-"), text)


def note_after(previous_note: str) -> Template:
    """The built-in note for a scene that follows another; the first scene has the plain one."""
    return NOTE_AFTER if previous_note else NOTE


def for_photo(template: Template) -> Template:
    """What to ask about a still picture: the named prompts speak of frames, so `PHOTO` stands for them."""
    return PHOTO if template.key in CURRENT_KEYS else template


def wants_previous_note(template: Template) -> bool:
    """Whether scenes must be noted one after the other for this template."""
    return _mentions(template, "previous_note")


def _mentions(template: Template, variable: str) -> bool:
    return any(name == variable for _, name, _, _ in string.Formatter().parse(template.text))


def is_current(key: str) -> bool:
    """Whether a recorded key is a person's prompt or a template of this version: else it is stale."""
    return key.startswith(_CUSTOM) or key in CURRENT_KEYS


def render_merge(notes: Sequence[str], *, glossary: str = "") -> str:
    """Asks for one caption out of scene notes, which stand in the order of time."""
    return with_glossary(MERGE.text.replace("{notes}", _numbered(notes)), glossary)


def render_merge_in_english(notes: Sequence[str]) -> str:
    """The same for an English caption."""
    return MERGE.english.replace("{notes}", _numbered(notes))


def _numbered(notes: Sequence[str]) -> str:
    return "\n".join(f"{number}. {note}" for number, note in enumerate(notes, 1))


def render_title(caption: str) -> str:
    """Asks for a title of a finished caption; no pictures go with it."""
    return TITLE.text.replace("{caption}", caption)


def render_tags(caption: str) -> str:
    """Asks for words to find a video by, out of its finished caption; no pictures go with it."""
    return TAGS.text.replace("{caption}", caption)
