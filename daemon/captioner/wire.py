"""What the daemon and its model process say to each other, pickled over a socket between the two."""

from dataclasses import dataclass

from catalog.errors import ErrorCode
from daemon.captioner.base import Answer, Identity, Question
from daemon.captioner.checkpoints import Checkpoint


@dataclass(frozen=True, slots=True)
class Load:
    """To the process, once: which model to load, and where."""

    checkpoint: Checkpoint
    device: str
    batch_size: int | None


@dataclass(frozen=True, slots=True)
class Ready:
    """From the process, once: the model is loaded, and these are its ways."""

    identity: Identity
    frames: int
    long_side: int
    batch_size: int


@dataclass(frozen=True, slots=True)
class Ask:
    """To the process: a question, by a number of its own."""

    number: int
    question: Question


@dataclass(frozen=True, slots=True)
class Drop:
    """To the process: nobody waits for these answers any more."""

    numbers: frozenset[int]


@dataclass(frozen=True, slots=True)
class Told:
    """From the process: the answer to a question."""

    number: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Failed:
    """From the process: why there are no answers; without numbers, why there is no model."""

    numbers: frozenset[int]
    code: ErrorCode
    message: str
