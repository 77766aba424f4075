"""The prompts: versioned Korean templates, and how a template becomes the text a model reads.

A template's id and version are stored with every caption that it made, so a later version marks
older captions as stale. Its variables are `{duration}`, `{count}`, `{times}`, `{folder}`, `{filename}`
and `{glossary}`. A glossary that a template does not mention is put behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.errors import UsageError


@dataclass(frozen=True, slots=True)
class Template:
    """One prompt. `key` names it with its version, as captions record it."""

    key: str
    text: str


NOTE = Template(
    "note-ko-1",
    "{duration}초 길이의 장면에서 다음 시각(초)의 {count}프레임입니다: {times}.\n"
    "이 장면을 한국어로 간결하게 묘사해 주세요.",
)
CAPTION = Template(
    "caption-ko-1",
    "{duration}초 길이의 영상에서 다음 시각(초)의 {count}프레임입니다: {times}.\n"
    "이 영상을 한국어로 상세히 묘사해 주세요.",
)
MERGE = Template(
    "merge-ko-1",
    "한 영상의 장면 설명을 시간 순서대로 적었습니다.\n"
    "{notes}\n"
    "이 설명을 이어서 영상 전체를 한국어로 묘사해 주세요.",
)


def custom(text: str) -> Template:
    """Wraps a prompt that a person wrote. Raises `UsageError` for a variable that does not exist."""
    template = Template(f"custom: {text}", text)
    render(template, duration=1.0, times=(0.5,), folder="", filename="")
    return template


def render(
    template: Template,
    *,
    duration: float,
    times: Sequence[float],
    folder: str = "",
    filename: str = "",
    glossary: str = "",
) -> str:
    """Fills in a template for frames. `duration` and `times` are seconds."""
    try:
        text = template.text.format(
            duration=f"{duration:.1f}",
            count=len(times),
            times=", ".join(f"{time:.1f}" for time in times),
            folder=folder,
            filename=filename,
            glossary=glossary,
        )
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise UsageError(
            f"the prompt has an unknown variable or a stray brace ({error}): {template.text!r}; "
            "known are {duration}, {count}, {times}, {folder}, {filename}, {glossary}; write {{ for a brace"
        ) from error
    return text if "{glossary}" in template.text else _with_glossary(text, glossary)


def _with_glossary(text: str, glossary: str) -> str:
    return f"{text}\n다음 낱말은 이렇게 써 주세요: {glossary}" if glossary else text


def render_merge(notes: Sequence[str], *, glossary: str = "") -> str:
    """Asks for one caption out of scene notes, which stand in the order of time."""
    lines = "\n".join(f"{number}. {note}" for number, note in enumerate(notes, 1))
    return _with_glossary(MERGE.text.replace("{notes}", lines), glossary)
