"""What a family of models does with a question before the language model reads it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from daemon.captioner.base import Question
from daemon.captioner.pictures import evenly


@dataclass(frozen=True, slots=True)
class Fitted:
    """A question as a model can take it."""

    question: Question
    shown: tuple[int, ...] | None = None
    """Places of the frames that are left, where not all are."""
    remarks: tuple[str, ...] = ()


class Inputs(Protocol):
    """How one family of models takes questions."""

    long_side: int
    """The size in pixels beyond which a larger picture tells the model no more."""
    mixes_sizes: bool
    """Whether one batch may hold videos of different sides, if they have as many frames."""

    def frames_at_most(self) -> int:
        """Frames of a 16:9 video that fit beside a prompt and an answer of usual length."""

    def fit(self, question: Question) -> Fitted:
        """Leaves out frames that the model's context cannot hold. Raises `CodedError`."""

    def prepare(self, questions: Sequence[Question]) -> dict[str, Any]:
        """Arguments of `generate` for one batch; all questions have as many stills and frames."""


def with_frames(fitted: Fitted, wanted: int, remark: str) -> Fitted:
    """The same question with fewer frames, evenly chosen, and why."""
    pictures = fitted.question.pictures
    assert pictures is not None
    places = evenly(len(pictures), wanted)
    before = fitted.shown or tuple(range(len(pictures)))
    times = fitted.question.times
    return Fitted(
        replace(
            fitted.question,
            pictures=pictures[list(places)],
            times=tuple(times[place] for place in places) if times else (),
        ),
        tuple(before[place] for place in places) if wanted < len(pictures) else fitted.shown,
        (*fitted.remarks, remark),
    )
