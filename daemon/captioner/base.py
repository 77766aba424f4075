"""What every captioner offers, whatever runs behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Pictures = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange that came before a question."""

    prompt: str
    answer: str


@dataclass(frozen=True, slots=True)
class Question:
    """One prompt, with the pictures that it is about."""

    prompt: str
    pictures: Pictures | None = None
    """Frames of one video: RGB, shape (frames, height, width, 3). None without a video."""
    stills: tuple[Pictures, ...] = ()
    """Still pictures before the video: RGB, each of shape (height, width, 3) and any size."""
    earlier: tuple[Turn, ...] = ()
    """The conversation before this prompt; all pictures belong to its first prompt."""
    max_new_tokens: int = 256
    repetition_penalty: float = 1.0
    """Above 1, tokens that were said already are less likely; 1 leaves the model alone."""
    times: tuple[float, ...] = ()
    """When each of the frames is shown, in seconds; empty where nobody knows."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said."""

    text: str
    finished: bool
    """False if the text was cut off at the token limit."""
    shown: tuple[int, ...] | None = None
    """Places of the frames that were really looked at, where memory was too short for all of them."""
    remarks: tuple[str, ...] = ()
    """What was done otherwise than asked, and why; every caption records it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which model speaks, as every caption records it."""

    model: str
    quantization: str
    versions: dict[str, str]


class Captioner(Protocol):
    """Answers questions in batches."""

    identity: Identity
    frames: int
    """How many frames a question should show."""
    long_side: int
    """The size in pixels beyond which a larger picture tells the model no more."""
    batch_size: int
    """How many questions to ask at once."""

    def answer(
        self, questions: Sequence[Question], *, should_stop: Callable[[], bool] = lambda: False
    ) -> list[Answer]:
        """Answers in the order of the questions.

        Raises `CodedError` (gpu_out_of_memory, out_of_memory, model_unavailable) and
        `InterruptedByUserError` once `should_stop` says so, which is asked at every token.
        """


class Pending(Protocol):
    """Questions that were handed over."""

    def answers(self, should_stop: Callable[[], bool]) -> list[Answer]:
        """Waits for the answers, once, and raises as `Captioner.answer` does."""

    def drop(self) -> None:
        """Tells that nobody waits for the answers any more."""


class Engine(Captioner, Protocol):
    """A captioner as the worker holds it: many threads may ask it, and it can be put away."""

    @property
    def alive(self) -> bool:
        """Whether it can still answer."""

    def submit(self, questions: Sequence[Question]) -> Pending:
        """Hands questions over, so that the next frames can be decoded while the model writes."""

    def close(self) -> None:
        """Puts it away and gives back what it holds."""


@dataclass(frozen=True, slots=True)
class AskedLater:
    """The `Pending` of a captioner that is only asked once its answers are wanted."""

    captioner: Captioner
    questions: Sequence[Question]

    def answers(self, should_stop: Callable[[], bool]) -> list[Answer]:
        """Asks now."""
        return self.captioner.answer(self.questions, should_stop=should_stop)

    def drop(self) -> None:
        """Nothing was handed over yet."""
