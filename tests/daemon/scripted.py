"""A captioner that says what a test tells it to; it honours the same contract as the real one."""

from collections.abc import Callable, Sequence

from catalog.errors import InterruptedByUserError
from daemon.captioner.base import (
    Answer,
    AskedLater,
    Identity,
    Pending,
    Question,
)


class ScriptedCaptioner:
    """Answers with a numbered sentence, or runs a test's own function on each question."""

    def __init__(self, on_question: Callable[[int, Question], str] | None = None) -> None:
        self.identity = Identity("scripted", "none", {"scripted": "1"})
        self.frames = 4
        self.long_side = 64
        self.batch_size = 1
        self.alive = True
        self.questions: list[Question] = []
        self._on_question = on_question or (lambda number, question: f"문장 {number}이 있다.")

    def answer(
        self, questions: Sequence[Question], *, should_stop: Callable[[], bool] = lambda: False
    ) -> list[Answer]:
        """See `daemon.captioner.base.Captioner.answer`."""
        answers = []
        for question in questions:
            if should_stop():
                raise InterruptedByUserError
            self.questions.append(question)
            text = self._on_question(len(self.questions), question)
            if should_stop():
                raise InterruptedByUserError
            answers.append(Answer(text, finished=True))
        return answers

    def submit(self, questions: Sequence[Question]) -> Pending:
        """See `daemon.captioner.base.Engine.submit`."""
        return AskedLater(self, questions)

    def close(self) -> None:
        """See `daemon.captioner.base.Engine.close`."""
        self.alive = False
