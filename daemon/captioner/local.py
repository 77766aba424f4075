"""The captioner that runs a model on this machine, through transformers and bitsandbytes."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import bitsandbytes
import torch
import transformers
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    BitsAndBytesConfig,
    StoppingCriteria,
    StoppingCriteriaList,
)

from catalog.errors import CodedError, ErrorCode
from daemon.captioner.base import Answer, Identity, InterruptedByUserError, Question
from daemon.captioner.checkpoints import Checkpoint
from daemon.captioner.pictures import crops_sides, input_pixels, letterboxed
from daemon.captioner.profiles import Quantization

MAX_NEW_TOKENS = 256
SEED = 0

# Full prefixes: bitsandbytes matches them from the root, and takes a bare "vision_tower" for nothing.
# Vision tower and projector are a small part of the weights, and every later error starts there.
_KEPT_WHOLE = ["lm_head", "model.vision_tower", "model.multi_modal_projector"]


class LocalCaptioner:
    """A checkpoint loaded for `AutoModelForImageTextToText`; see `daemon.captioner.base.Captioner`."""

    def __init__(
        self, checkpoint: Checkpoint, *, device: str = "auto", batch_size: int | None = None
    ) -> None:
        """Loads the weights. Raises `CodedError` (model_unavailable, gpu_out_of_memory)."""
        # It says on every int8 call that it casts its input, which is what int8 does.
        logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
        self.device = _device(device)
        self.processor, self.model = _load(checkpoint, self.device)
        self.processor.tokenizer.padding_side = "left"
        video_processor = getattr(self.processor, "video_processor", None)
        if video_processor is None:
            raise CodedError(
                ErrorCode.MODEL_UNAVAILABLE,
                f"the model {checkpoint.name} takes single pictures only, not video; "
                "choose one of `haeseol models`",
            )
        self._letterbox = crops_sides(video_processor)
        self._fill = _mean_colour(video_processor)
        pixels = input_pixels(video_processor)
        # A squeezed picture has its short side stretched, so that side too should have the pixels.
        self.long_side = pixels if self._letterbox else pixels * 2
        self.frames = checkpoint.frames
        self.batch_size = batch_size or (4 if self.device.type == "cuda" else 2)
        self.identity = Identity(
            checkpoint.name,
            checkpoint.quantization,
            {
                "torch": torch.__version__,
                "transformers": transformers.__version__,
                "bitsandbytes": bitsandbytes.__version__,
                "seed": str(SEED),
            },
        )

    def answer(
        self, questions: Sequence[Question], *, should_stop: Callable[[], bool] = lambda: False
    ) -> list[Answer]:
        """Answers in the order of the questions; those with equal numbers of frames go together."""
        answers: dict[int, Answer] = {}
        for group in self._groups(questions):
            told = self._answer_group([questions[index] for index in group], should_stop)
            answers.update(zip(group, told, strict=True))
        return [answers[index] for index in range(len(questions))]

    def _groups(self, questions: Sequence[Question]) -> list[list[int]]:
        """Places of questions that fit into one batch: the processors cannot mix frame counts."""
        by_frames: dict[int, list[int]] = defaultdict(list)
        for index, question in enumerate(questions):
            by_frames[0 if question.pictures is None else len(question.pictures)].append(index)
        return [
            group[start : start + self.batch_size]
            for group in by_frames.values()
            for start in range(0, len(group), self.batch_size)
        ]

    def _answer_group(
        self, questions: Sequence[Question], should_stop: Callable[[], bool]
    ) -> list[Answer]:
        try:
            return self._generate(questions, should_stop)
        except torch.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            if len(questions) > 1:
                return [self._answer_group([one], should_stop)[0] for one in questions]
            raise CodedError(
                ErrorCode.GPU_OUT_OF_MEMORY,
                f"the GPU has no room for {self.frames} frames with {self.identity.model}; "
                "lower `frames` or choose a smaller model",
            ) from error

    @torch.inference_mode()
    def _generate(
        self, questions: Sequence[Question], should_stop: Callable[[], bool]
    ) -> list[Answer]:
        inputs = self._inputs(questions)
        torch.manual_seed(SEED)
        stop = _StopWhen(should_stop)
        output = self.model.generate(
            **inputs,
            max_new_tokens=MAX_NEW_TOKENS,
            do_sample=False,
            stopping_criteria=StoppingCriteriaList([stop]),
        )
        if stop.stopped:
            raise InterruptedByUserError
        written = output[:, inputs["input_ids"].shape[1] :]
        texts = self.processor.batch_decode(written, skip_special_tokens=True)
        ends = self._end_tokens()
        return [
            Answer(text.strip(), finished=any(token in ends for token in tokens.tolist()))
            for text, tokens in zip(texts, written, strict=True)
        ]

    def _inputs(self, questions: Sequence[Question]) -> dict[str, Any]:
        with_pictures = questions[0].pictures is not None
        texts = [
            self.processor.apply_chat_template(
                [{"role": "user", "content": self._content(question)}],
                add_generation_prompt=True,
            )
            for question in questions
        ]
        # The chat template has written the first token; a second one would shift the model's footing.
        options: dict[str, Any] = {"add_special_tokens": False, "padding": True}
        if with_pictures:
            options["videos"] = [self._fitted(question) for question in questions]
        batch = self.processor(text=texts, return_tensors="pt", **options)
        return {
            name: value.to(self.device, self.model.dtype)
            if value.is_floating_point()
            else value.to(self.device)
            for name, value in batch.items()
        }

    def _content(self, question: Question) -> list[dict[str, str]]:
        text = {"type": "text", "text": self._without_control_tokens(question.prompt)}
        return [text] if question.pictures is None else [{"type": "video"}, text]

    def _without_control_tokens(self, prompt: str) -> str:
        """A prompt may quote a file name that spells `<video>`; as a token it would count as frames."""
        for token in self.processor.tokenizer.all_special_tokens:
            prompt = prompt.replace(token, token.strip("<>|"))
        return prompt

    def _fitted(self, question: Question) -> Any:
        pictures = question.pictures
        assert pictures is not None
        return letterboxed(pictures, self._fill) if self._letterbox else pictures

    def _end_tokens(self) -> set[int]:
        ends = self.model.generation_config.eos_token_id
        return set(ends) if isinstance(ends, list) else {ends}


class _StopWhen(StoppingCriteria):  # type: ignore[misc]
    """Ends the writing at the next token once a stop is asked for."""

    def __init__(self, should_stop: Callable[[], bool]) -> None:
        self._should_stop = should_stop
        self.stopped = False

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        self.stopped = self.stopped or self._should_stop()
        return torch.full((input_ids.shape[0],), self.stopped, device=input_ids.device)


def _device(wanted: str) -> torch.device:
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise CodedError(
            ErrorCode.MODEL_UNAVAILABLE,
            "device = cuda, but torch sees no GPU; check the driver with nvidia-smi, or set "
            "device = auto",
        )
    return torch.device(wanted)


def _dtype(device: torch.device) -> torch.dtype:
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    # On a CPU: float32 is exact, so that a batch says what its members say alone.
    return torch.float32


def quantization_config(
    quantization: Quantization, dtype: torch.dtype
) -> BitsAndBytesConfig | None:
    """How bitsandbytes should load the weights: NF4 with double quantization, or int8."""
    if quantization == "nf4":
        return BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
            llm_int8_skip_modules=_KEPT_WHOLE,
        )
    if quantization == "int8":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=_KEPT_WHOLE)
    return None


def _load(checkpoint: Checkpoint, device: torch.device) -> tuple[Any, Any]:
    transformers.utils.logging.disable_progress_bar()
    dtype = _dtype(device)
    folder = Path(checkpoint.folder)
    try:
        processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
        model = AutoModelForImageTextToText.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=dtype,
            quantization_config=quantization_config(checkpoint.quantization, dtype),
            device_map={"": device},
            attn_implementation="sdpa",
        )
    except torch.OutOfMemoryError as error:
        raise CodedError(
            ErrorCode.GPU_OUT_OF_MEMORY,
            f"the GPU has no room for the model {checkpoint.name} as {checkpoint.quantization}; "
            "free it, or set quantization = nf4 or a smaller model",
        ) from error
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        raise CodedError(
            ErrorCode.MODEL_UNAVAILABLE,
            f"the model in {folder} does not load: {error}. Download it again, or choose another",
        ) from error
    return processor, model.eval()


def _mean_colour(video_processor: Any) -> tuple[int, int, int]:
    """The colour that the model sees as nothing: its normalisation takes it to zero."""
    red, green, blue = (round(255 * float(part)) for part in video_processor.image_mean)
    return red, green, blue
