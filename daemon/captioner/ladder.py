"""Sees to it that what the model says is good Korean: asks again, more strictly, then by way of English.

1. Every answer goes through the gate; a good one costs nothing more.
2. What a second try can mend gets one, with a stricter prompt that names what was wrong.
3. What is still of no use is described in English, and the model translates its own words.
4. The best of all tries is kept, and the reasons that it still has go with it.

The questions of a batch climb together: each step is one call for all that need it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from catalog.errors import CodedError, ErrorCode
from catalog.prompts import (
    MERGE,
    TRANSLATE,
    Facts,
    Template,
    fill,
    in_english,
    render_merge,
    render_merge_in_english,
    render_retry,
    render_translate,
)
from catalog.prompts.asking_again import RETRY_KEY
from catalog.review import Gravity, Reason, gravest, weight
from daemon.captioner.base import Answer, Captioner, Pictures, Question, Turn
from daemon.captioner.gate import cleaned, review_reasons

LONGEST_RECORDED = 1000
"""So many characters of a try's text are recorded; a model in a loop writes without end."""

PENALTY_FOR_LOOPS = 1.15

Step = Literal["first", "retry", "translate"]


@dataclass(frozen=True, slots=True)
class Request:
    """A question, and what is needed to ask it again."""

    question: Question
    template: str
    """The key of the template that made the prompt, as the caption records it."""
    english: str
    """The prompt of the detour through English."""
    notes: tuple[str, ...] = ()
    """Notes that stand in the prompt: those of a merge, or the one on the scene before."""
    glossary: str = ""


@dataclass(frozen=True, slots=True)
class Try:
    """One text for a request, and what the gate says of it."""

    step: Step
    text: str
    finished: bool
    reasons: tuple[str, ...]
    answer: Answer
    prompt: str = ""
    """The key of the template of a further step."""
    english: str = ""
    """What was translated."""

    def json(self) -> dict[str, Any]:
        """The form that is recorded."""
        document = {"step": self.step, "reasons": list(self.reasons), "text": _short(self.text)}
        if self.prompt:
            document["prompt"] = self.prompt
        if self.english:
            document["english"] = _short(self.english)
        return document


@dataclass(frozen=True, slots=True)
class Checked:
    """The best text that the model has for a request."""

    text: str
    finished: bool
    review: tuple[str, ...]
    """Why a person should look at it; the names are in `catalog.review`."""
    tries: tuple[Try, ...]
    """Everything that was tried, in order; one for a text that was good at once."""
    shown: tuple[int, ...] | None = None
    """See `Answer.shown`, of the answer that was kept."""
    remarks: tuple[str, ...] = field(default=())
    """See `Answer.remarks`, of the answer that was kept."""

    @property
    def provenance(self) -> dict[str, Any]:
        """What a caption records of this beside the model: tries where there were several, remarks."""
        record: dict[str, Any] = {}
        if len(self.tries) > 1:
            record["tries"] = [one.json() for one in self.tries]
        if self.remarks:
            record["remarks"] = list(self.remarks)
        return record


def about_pictures(
    template: Template,
    facts: Facts,
    pictures: Pictures | None,
    *,
    stills: tuple[Pictures, ...] = (),
    max_new_tokens: int = 256,
) -> Request:
    """Asks for a text on frames of a video, on still pictures, or on both."""
    question = Question(
        fill(template, facts),
        pictures,
        stills,
        max_new_tokens=max_new_tokens,
        times=tuple(facts.times),
    )
    english = fill(in_english(template), replace(facts, glossary=""))
    notes = (facts.previous_note,) if facts.previous_note else ()
    return Request(question, template.key, english, notes, facts.glossary)


def about_notes(notes: Sequence[str], *, glossary: str = "", max_new_tokens: int = 256) -> Request:
    """Asks for one caption out of scene notes."""
    prompt = render_merge(notes, glossary=glossary)
    question = Question(prompt, max_new_tokens=max_new_tokens)
    english = render_merge_in_english(notes)
    return Request(question, MERGE.key, english, tuple(notes), glossary)


def ask(
    captioner: Captioner,
    requests: Sequence[Request],
    *,
    should_stop: Callable[[], bool] = lambda: False,
    retries: bool = True,
) -> list[Checked]:
    """Asks, and climbs as far as needed. Raises as `Captioner.answer` does."""
    answers = captioner.answer([it.question for it in requests], should_stop=should_stop)
    return check(captioner, requests, answers, should_stop=should_stop, retries=retries)


def check(
    captioner: Captioner,
    requests: Sequence[Request],
    answers: Sequence[Answer],
    *,
    should_stop: Callable[[], bool] = lambda: False,
    retries: bool = True,
) -> list[Checked]:
    """Climbs from answers that the model gave already, in the order of the requests.

    Without `retries` it only says what is wrong. Raises as `Captioner.answer` does.
    """
    climbs = [
        _Climb(request, [_try("first", request, answer)])
        for request, answer in zip(requests, answers, strict=True)
    ]
    if retries:
        with _enough_memory():
            _retry([it for it in climbs if it.lacks(Gravity.RETRY)], captioner, should_stop)
            _translate([it for it in climbs if it.lacks(Gravity.SERIOUS)], captioner, should_stop)
    return [climb.result() for climb in climbs]


@contextmanager
def _enough_memory() -> Iterator[None]:
    """A longer prompt may not fit where the first one did: then what there is so far is kept."""
    try:
        yield
    except CodedError as error:
        if error.code is not ErrorCode.GPU_OUT_OF_MEMORY:
            raise


@dataclass(frozen=True, slots=True)
class _Climb:
    """One request on its way."""

    request: Request
    tries: list[Try]

    def best(self) -> Try:
        """The try with the lightest reasons; of equals the earlier, which took fewer detours."""
        return min(self.tries, key=lambda one: weight(one.reasons))

    def lacks(self, gravity: Gravity) -> bool:
        """Whether the best try so far has a reason of this gravity or more."""
        worst = gravest(self.best().reasons)
        return worst is not None and worst >= gravity

    def result(self) -> Checked:
        """The best try, with the way there."""
        best = self.best()
        return Checked(
            best.text,
            best.finished,
            best.reasons,
            tuple(self.tries),
            best.answer.shown,
            best.answer.remarks,
        )


def _retry(climbs: Sequence[_Climb], captioner: Captioner, should_stop: Callable[[], bool]) -> None:
    """Asks each once more, and says what was wrong."""
    if not climbs:
        return
    questions = [_stricter(climb.request.question, climb.tries[-1].reasons) for climb in climbs]
    answers = captioner.answer(questions, should_stop=should_stop)
    for climb, answer in zip(climbs, answers, strict=True):
        climb.tries.append(_try("retry", climb.request, answer, prompt=RETRY_KEY))


def _stricter(question: Question, reasons: Sequence[str]) -> Question:
    penalty = PENALTY_FOR_LOOPS if Reason.REPETITION in reasons else question.repetition_penalty
    return replace(
        question,
        prompt=render_retry(question.prompt, reasons),
        repetition_penalty=max(penalty, question.repetition_penalty),
    )


def _translate(
    climbs: Sequence[_Climb], captioner: Captioner, should_stop: Callable[[], bool]
) -> None:
    """Asks for English with the same pictures, and has the model translate it."""
    if not climbs:
        return
    asked = [_in_english(climb) for climb in climbs]
    told = captioner.answer(asked, should_stop=should_stop)
    told_of = [
        (climb, question, answer)
        for climb, question, answer in zip(climbs, asked, told, strict=True)
        if _can_be_translated(answer)
    ]
    if not told_of:
        return
    questions = [
        replace(
            question,
            prompt=render_translate(glossary=climb.request.glossary),
            earlier=(*question.earlier, Turn(question.prompt, answer.text.strip())),
        )
        for climb, question, answer in told_of
    ]
    translations = captioner.answer(questions, should_stop=should_stop)
    for (climb, _, english), answer in zip(told_of, translations, strict=True):
        climb.tries.append(_translated(climb.request, english, answer))


def _in_english(climb: _Climb) -> Question:
    looped = any(Reason.REPETITION in one.reasons for one in climb.tries)
    question = climb.request.question
    penalty = PENALTY_FOR_LOOPS if looped else question.repetition_penalty
    return replace(question, prompt=climb.request.english, repetition_penalty=penalty)


def _can_be_translated(english: Answer) -> bool:
    """Whether the detour is worth its second half: a loop stays a loop in any language."""
    reasons = review_reasons(cleaned(english.text), finished=True)
    hopeless = {Reason.EMPTY, Reason.REPETITION, Reason.REFUSAL, Reason.BROKEN_TEXT}
    return hopeless.isdisjoint(reasons)


def _translated(request: Request, english: Answer, answer: Answer) -> Try:
    """A translation was made from the frames that the English was written of."""
    merged = replace(
        answer,
        finished=answer.finished and english.finished,
        shown=english.shown if answer.shown is None else answer.shown,
        remarks=tuple(dict.fromkeys((*english.remarks, *answer.remarks))),
    )
    made = _try("translate", request, merged, prompt=TRANSLATE.key)
    return replace(made, english=english.text.strip())


def _try(step: Step, request: Request, answer: Answer, *, prompt: str = "") -> Try:
    text = cleaned(answer.text)
    reasons = review_reasons(
        text,
        finished=answer.finished,
        prompt=request.question.prompt,
        notes=request.notes,
        glossary=request.glossary,
    )
    return Try(step, text, answer.finished, reasons, answer, prompt)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_RECORDED else f"{text[:LONGEST_RECORDED]}…"
