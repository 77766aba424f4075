"""What the daemon and its model process say to each other, pickled over a socket between the two."""

from dataclasses import dataclass, fields

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


SPOKEN = ";".join(
    f"{kind.__name__}: {', '.join(field.name for field in fields(kind))}"
    for kind in (Checkpoint, Identity, Question, Answer, Load, Ready, Ask, Drop, Told, Failed)
)
"""What the daemon says first. The program may have been updated on the disk while the daemon ran; the
process that it starts then is of the new version, and must not misread the old one's messages.
"""
