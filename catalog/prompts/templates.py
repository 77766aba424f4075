"""The built-in prompts. A text is never changed under its key: a better one gets the next version.

A template's key is stored with every caption that it made, so that a later version marks older
captions as stale. The bundled model was trained on version 1 of `NOTE`, `NOTE_AFTER`,
`CAPTION`, `SHORT`, `DETAILED` and `MERGE`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Template:
    """One prompt. `key` names it with its version, as captions record it."""

    key: str
    text: str
    english: str = ""
    """The same request for an English answer, with the same variables; empty in a person's prompt."""


_FRAMES_IN_ENGLISH = "These are {count} frames of a {duration} second video, at {times} seconds.\n"

NOTE = Template(
    "note-ko-1",
    "{duration}초 길이의 장면에서 다음 시각(초)의 {count}프레임입니다: {times}.\n"
    "이 장면을 한국어로 간결하게 묘사해 주세요.",
    _FRAMES_IN_ENGLISH + "Describe in one or two plain English sentences what happens.",
)
NOTE_AFTER = Template(
    "note-after-ko-1",
    "{duration}초 길이의 장면에서 다음 시각(초)의 {count}프레임입니다: {times}.\n"
    "바로 앞 장면의 설명: {previous_note}\n"
    "앞 설명을 되풀이하지 말고, 이 장면에서 보이는 것을 한국어로 간결하게 묘사해 주세요.",
    _FRAMES_IN_ENGLISH + "Describe in one or two plain English sentences what happens.",
)
CAPTION = Template(
    "caption-ko-1",
    "{duration}초 길이의 영상에서 다음 시각(초)의 {count}프레임입니다: {times}.\n"
    "이 영상을 한국어로 상세히 묘사해 주세요.",
    _FRAMES_IN_ENGLISH + "Describe this video in detail, in plain English sentences.",
)
SHORT = Template(
    "short-ko-1",
    "{duration}초 길이의 영상에서 다음 시각(초)의 {count}프레임입니다: {times}.\n"
    "누가 무엇을 하는지 한국어 한 문장으로 묘사해 주세요.",
    _FRAMES_IN_ENGLISH + "Say in one plain English sentence who does what.",
)
DETAILED = Template(
    "detailed-ko-1",
    "{duration}초 길이의 영상에서 다음 시각(초)의 {count}프레임입니다: {times}.\n"
    "보이는 사람과 사물, 장소, 움직임을 시간 순서대로 한국어 세 문장에서 다섯 문장으로 묘사해 주세요. "
    "보이지 않는 것은 짐작해서 쓰지 마세요.",
    _FRAMES_IN_ENGLISH
    + "Describe people, things, the place and the movements in the order of time, in three to "
    "five plain English sentences. Do not guess at what cannot be seen.",
)
SEED = Template(
    "seed-ko-1",
    "이 영상을 한국어로 상세히 묘사해주세요.",
    "Describe this video in detail, in plain English sentences.",
)
PHOTO = Template(
    "photo-ko-1",
    "이 사진을 한국어로 상세히 묘사해 주세요.",
    "Describe this photo in detail, in plain English sentences.",
)
MERGE = Template(
    "merge-ko-1",
    "한 영상의 장면 설명을 시간 순서대로 적었습니다.\n"
    "{notes}\n"
    "이 설명을 이어서 영상 전체를 한국어로 묘사해 주세요.",
    "These are notes on the scenes of one video, in the order of time.\n"
    "{notes}\n"
    "Describe the whole video in plain English sentences.",
)
TITLE = Template(
    "title-ko-1",
    "다음은 한 영상의 설명입니다.\n"
    "{caption}\n"
    "이 영상에 어울리는 한국어 제목을 스무 글자 안팎으로 하나만 지어 주세요. 제목만 쓰세요.",
)
TAGS = Template(
    "tags-ko-1",
    "다음은 한 영상의 설명입니다.\n"
    "{caption}\n"
    "이 영상을 찾을 때 쓸 한국어 낱말을 다섯 개에서 열 개까지 쉼표로 나누어 쓰세요. 낱말만 쓰세요.",
)

PRESETS: dict[str, Template] = {
    "short": SHORT,
    "detailed": DETAILED,
    "caption": CAPTION,
    "note": NOTE,
    "seed": SEED,
}
"""Prompts that a person can name, as in `--prompt @short`."""

CURRENT_KEYS = frozenset(
    template.key for template in (NOTE, NOTE_AFTER, PHOTO, MERGE, TITLE, TAGS, *PRESETS.values())
)
"""The keys of this version's templates. A caption by another built-in one is stale."""
