"""The captioner that runs a model on this machine, through transformers and bitsandbytes."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import bitsandbytes
import torch
import transformers
from transformers import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    StoppingCriteria,
    StoppingCriteriaList,
)

from catalog.errors import CodedError, ErrorCode, InterruptedByUserError
from daemon.captioner.base import Answer, Identity, Question
from daemon.captioner.checkpoints import Checkpoint
from daemon.captioner.conversation import Conversation
from daemon.captioner.inputs import Fitted, Inputs, with_frames
from daemon.captioner.llava import FAMILIES, LlavaInputs
from daemon.captioner.loading import load
from daemon.captioner.processed import ProcessedInputs
from daemon.captioner.shortage import is_shortage

logger = logging.getLogger(__name__)

SEED = 0


class LocalCaptioner:
    """A checkpoint loaded for `AutoModelForImageTextToText`; see `daemon.captioner.base.Captioner`."""

    def __init__(
        self, checkpoint: Checkpoint, *, device: str = "auto", batch_size: int | None = None
    ) -> None:
        """Loads the weights.

        Raises `CodedError` (model_unavailable, out_of_memory, gpu_out_of_memory).
        """
        # It says on every int8 call that it casts its input, which is what int8 does.
        logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
        loaded = load(checkpoint, device)
        self.processor, self.model, self.device = loaded.processor, loaded.model, loaded.device
        self.inputs = inputs_for(self.processor, self.model, checkpoint)
        self.long_side = self.inputs.long_side
        self.frames = min(checkpoint.frames, self.inputs.frames_at_most())
        self.batch_size = batch_size or (4 if self.device.type == "cuda" else 2)
        self.identity = Identity(
            checkpoint.name,
            checkpoint.quantization,
            {
                # Its own is a class that would bring torch along to whoever reads it.
                "torch": str(torch.__version__),
                "transformers": transformers.__version__,
                "bitsandbytes": bitsandbytes.__version__,
                "seed": str(SEED),
            },
        )

    @torch.inference_mode()
    def answer(
        self, questions: Sequence[Question], *, should_stop: Callable[[], bool] = lambda: False
    ) -> list[Answer]:
        """Answers in the order of the questions; those that are alike go together."""
        fitted = [self.inputs.fit(question) for question in questions]
        alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
        for place, one in enumerate(fitted):
            alike[self._kind(one.question)].append(place)
        answers: dict[int, Answer] = {}
        for places in alike.values():
            told = self._answer_alike([fitted[place] for place in places], should_stop)
            answers.update(zip(places, told, strict=True))
        return [answers[place] for place in range(len(questions))]

    def _kind(self, question: Question) -> tuple[object, ...]:
        """What questions of one batch have in common."""
        frames: object = None
        if question.pictures is not None:
            shape = question.pictures.shape
            frames = shape[0] if self.inputs.mixes_sizes else shape
        return frames, len(question.stills), question.max_new_tokens, question.repetition_penalty

    def _answer_alike(
        self, questions: Sequence[Fitted], should_stop: Callable[[], bool]
    ) -> list[Answer]:
        """Goes down the ladder where memory is short: smaller batches, for good; then fewer frames."""
        answers: list[Answer] = []
        while len(answers) < len(questions):
            batch = questions[len(answers) : len(answers) + self.batch_size]
            told = self._tried(batch, should_stop)
            if told is not None:
                answers += told
            elif len(batch) > 1:
                self.batch_size = len(batch) // 2
                logger.warning(
                    "Memory is short; from now on %d scenes are captioned at once",
                    self.batch_size,
                    extra={"action": "batch_reduced", "batch_size": self.batch_size},
                )
            else:
                answers.append(self._with_fewer_frames(batch[0], should_stop))
        return answers

    def _with_fewer_frames(self, fitted: Fitted, should_stop: Callable[[], bool]) -> Answer:
        pictures = fitted.question.pictures
        total = left = 0 if pictures is None else len(pictures)
        while left > 1:
            left //= 2
            fewer = with_frames(fitted, left, f"{self._shortage}: {left} of {total} frames")
            told = self._tried([fewer], should_stop)
            if told is not None:
                return told[0]
        of = "the GPU" if self.device.type == "cuda" else "this machine"
        raise CodedError(
            self._shortage,
            f"{of} has no room for {'one frame' if total else 'the question'} with "
            f"{self.identity.model}; choose a smaller model, or end other programs",
        )

    @property
    def _shortage(self) -> ErrorCode:
        gpu = self.device.type == "cuda"
        return ErrorCode.GPU_OUT_OF_MEMORY if gpu else ErrorCode.OUT_OF_MEMORY

    def _tried(
        self, batch: Sequence[Fitted], should_stop: Callable[[], bool]
    ) -> list[Answer] | None:
        """Answers of a batch, or None where there is no memory for it."""
        try:
            told = self._generate([one.question for one in batch], should_stop)
        except (RuntimeError, MemoryError) as error:
            if not is_shortage(error):
                raise
        else:
            return [
                replace(answer, shown=one.shown, remarks=one.remarks)
                for answer, one in zip(told, batch, strict=True)
            ]
        # Out of the handler: the error holds the tensors that the memory is needed for.
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return None

    def _generate(
        self, questions: Sequence[Question], should_stop: Callable[[], bool]
    ) -> list[Answer]:
        inputs = self.inputs.prepare(questions)
        prompt_tokens = inputs["input_ids"].shape[1]
        torch.manual_seed(SEED)
        stop = _StopWhen(should_stop)
        output = self.model.generate(
            **inputs,
            max_new_tokens=questions[0].max_new_tokens,
            do_sample=False,
            # transformers' own would count the prompt as said, and the padding with it.
            repetition_penalty=1.0,
            logits_processor=_penalty(questions[0].repetition_penalty, prompt_tokens),
            stopping_criteria=StoppingCriteriaList([stop]),
        )
        if stop.stopped:
            raise InterruptedByUserError
        written = output[:, prompt_tokens:]
        texts = self.processor.tokenizer.batch_decode(written, skip_special_tokens=True)
        ends = self._end_tokens()
        return [
            Answer(text.strip(), finished=any(token in ends for token in tokens.tolist()))
            for text, tokens in zip(texts, written, strict=True)
        ]

    def _end_tokens(self) -> set[int]:
        ends = self.model.generation_config.eos_token_id
        return set(ends) if isinstance(ends, list) else {ends}


def inputs_for(processor: Any, model: Any, checkpoint: Checkpoint) -> Inputs:
    """How this model takes questions."""
    tokenizer = processor.tokenizer
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    conversation = Conversation(processor, checkpoint.system)
    if model.config.model_type in FAMILIES:
        return LlavaInputs(processor, model, conversation, checkpoint.pool_stride)
    return ProcessedInputs(processor, model, conversation)


def _penalty(penalty: float, prompt_tokens: int) -> LogitsProcessorList:
    if penalty == 1.0:
        return LogitsProcessorList()
    return LogitsProcessorList(
        [RepetitionPenaltyLogitsProcessor(float(penalty), prompt_ignore_length=prompt_tokens)]
    )


class _StopWhen(StoppingCriteria):  # type: ignore[misc]
    """Ends the writing at the next token once a stop is asked for."""

    def __init__(self, should_stop: Callable[[], bool]) -> None:
        self._should_stop = should_stop
        self.stopped = False

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        self.stopped = self.stopped or self._should_stop()
        return torch.full((input_ids.shape[0],), self.stopped, device=input_ids.device)
