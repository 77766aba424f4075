"""Puts the rules together: which reasons there are for a person to look at a text."""

from collections.abc import Callable, Sequence

from catalog.review import Reason
from daemon.captioner.gate.endings import is_cut_off, mixes_speech_levels
from daemon.captioner.gate.leaks import (
    has_control_tokens,
    has_markup,
    is_broken,
    repeats_prompt,
)
from daemon.captioner.gate.loops import doubles_a_word, goes_in_circles
from daemon.captioner.gate.manner import declines, talks_about_itself
from daemon.captioner.gate.script import has_foreign_script, is_empty, is_not_korean
from daemon.captioner.gate.sentences import without_terms
from daemon.captioner.gate.spacing import is_spaced_unevenly

RULES: dict[Reason, Callable[[str], bool]] = {
    Reason.NOT_KOREAN: is_not_korean,
    Reason.FOREIGN_SCRIPT: has_foreign_script,
    Reason.REPETITION: goes_in_circles,
    Reason.REFUSAL: declines,
    Reason.BROKEN_TEXT: is_broken,
    Reason.CONTROL_TOKENS: has_control_tokens,
    Reason.META_OPENER: talks_about_itself,
    Reason.MARKUP: has_markup,
    Reason.MIXED_SPEECH_LEVEL: mixes_speech_levels,
    Reason.DOUBLED_WORD: doubles_a_word,
    Reason.UNEVEN_SPACING: is_spaced_unevenly,
}
"""The rules that need nothing but the text. Each says whether its fault is there."""


def review_reasons(
    text: str,
    *,
    finished: bool,
    prompt: str = "",
    notes: Sequence[str] = (),
    glossary: str = "",
) -> tuple[str, ...]:
    """Why a cleaned text needs review, by the names of `catalog.review`; nothing for a good one.

    `finished` is False where the model was cut off at its token limit. `notes` stand in the prompt to
    be taken up: a text may quote them, and one that is made of several may repeat itself as far as
    they do, since one still camera gives many scenes one note. Words of the `glossary` are as wanted.
    """
    if is_empty(text):
        return (Reason.EMPTY.value,)
    own = without_terms(text, glossary)
    wrong = {reason for reason, has_fault in RULES.items() if has_fault(own)}
    if len(notes) > 1 and goes_in_circles(" ".join(notes)):
        wrong.discard(Reason.REPETITION)
    for note in notes:
        prompt = prompt.replace(note, "")
    if repeats_prompt(text, prompt):
        wrong.add(Reason.PROMPT_ECHO)
    if not finished or is_cut_off(text):
        wrong.add(Reason.UNFINISHED)
    return tuple(reason.value for reason in Reason if reason in wrong)
