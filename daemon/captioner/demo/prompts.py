"""The requests that the demo model is taught to obey: the built-in prompts, and loose variants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.prompts import CAPTION, DETAILED, NOTE, NOTE_AFTER, SHORT, Template, render
from daemon.captioner.demo.vocabulary import (
    BACKGROUNDS,
    BRIEF_TRAINED,
    COLOURS,
    NOTHING,
    SHAPES,
    TRAINED,
    sentence,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

_TIMED = tuple(
    Template("", text)
    for text in (
        "{duration}초 길이의 장면에서 다음 시각(초)의 {count}프레임입니다: {times}.\n무엇이 보이나요?",
        "영상은 {duration}초이고 다음 시각의 {count}프레임입니다: {times}.\n이 영상을 설명해 주세요.",
        "다음은 {times}초의 프레임입니다.\n이 장면을 한 문장으로 묘사해 주세요.",
    )
)
_BARE = (
    "이 영상을 한국어로 상세히 묘사해주세요.",
    "이 영상을 한국어로 상세히 묘사해 주세요.",
    "이 장면을 한국어로 간결하게 묘사해 주세요.",
    "이 영상을 설명해 주세요.",
    "이 장면을 설명해줘.",
    "영상에 무엇이 나오나요?",
    "무엇이 보이나요?",
    "장면을 한 문장으로 써 주세요.",
    "도형이 어떻게 움직이는지 알려 주세요.",
    "색과 모양과 움직임을 말해 주세요.",
    "한국어로 답하세요. 이 영상을 자세히 묘사하세요.",
    "Describe this video in Korean.",
)
_WORDS = [
    *sorted({word for text in _BARE for word in text.rstrip(".?").split()}),
    *(it.value for it in (*COLOURS, *SHAPES, *BACKGROUNDS)),
    *"배경에서 원이 사각형이 삼각형이 별이 위로 아래로 점점 깜빡인다 커진다 움직인다 가만히".split(),
    *"사람 자동차 길 나무 바다 하늘 건물 강아지 고양이 걷는다 달린다 앉아 있다 손 물병 책 화면".split(),
]
"""Words of which notes that say something else are made."""


def video_prompt(rng: np.random.Generator, frames: int, bare: float) -> str:
    """Draw a prompt for a clip of so many frames; `bare` is the share without frame times."""
    if rng.random() < bare:
        # The seed prompt of the project comes first in the list, and most often.
        return _BARE[min(int(rng.exponential(4)), len(_BARE) - 1)]
    choice = int(rng.choice(5, p=(0.42, 0.4, 0.06, 0.06, 0.06)))
    template = (NOTE, CAPTION, *_TIMED)[choice]
    duration = float(rng.uniform(0.8, 9.0) if rng.random() < 0.7 else rng.uniform(1, 120))
    start = 0.0 if rng.random() < 0.6 else float(rng.uniform(0, 60))
    times = [start + (i + 0.5) / frames * duration for i in range(frames)]
    return render(template, duration=duration, times=times)


def draw_template(rng: np.random.Generator) -> Template:
    """Draw a prompt with frame times: mostly that of notes or of captions."""
    choices = (NOTE, CAPTION, SHORT, DETAILED, NOTE_AFTER, *_TIMED)
    shares = (0.44, 0.36, 0.04, 0.04, 0.06, 0.02, 0.02, 0.02)
    return choices[int(rng.choice(len(choices), p=shares))]


def timed_prompt(
    rng: np.random.Generator, template: Template, duration: float, times: Sequence[float]
) -> str:
    """Fill in true frame times for a scene that begins anywhere within an hour or so."""
    chance = rng.random()
    start = 0.0 if chance < 0.35 else float(rng.uniform(0, 600 if chance < 0.75 else 3600))
    shown = [start + time for time in times]
    previous = merge_note(rng) if template is NOTE_AFTER else ""
    return render(template, duration=duration, times=shown, previous_note=previous)


def merge_note(rng: np.random.Generator) -> str:
    """Draw a scene note to be copied: mostly a sentence, else any words, so that copying is learnt."""
    chance = rng.random()
    if chance < 0.05:
        return NOTHING
    if chance < 0.3:
        return " ".join(rng.choice(_WORDS, size=int(rng.integers(3, 13)))) + "."
    count = 1 + int(rng.random() < 0.5)
    triples = [TRAINED[int(it)] for it in rng.integers(len(TRAINED), size=count)]
    kind = rng.random() if count == 2 else 1.0
    if kind < 0.25:
        triples[1] = BRIEF_TRAINED[int(rng.integers(len(BRIEF_TRAINED)))]
    ground = BACKGROUNDS[int(rng.integers(len(BACKGROUNDS)))]
    return sentence(ground, triples, in_turn=0.25 <= kind < 0.55)


def merged(notes: Sequence[str]) -> str:
    """Return the caption that the model should make of two or more scene notes."""
    *middle, last = notes[1:]
    parts = [f"먼저 {notes[0]}", *(f"이어서 {note}" for note in middle)]
    parts.append(f"{'끝으로' if middle else '이어서'} {last}")
    return " ".join(parts)
