"""Where memory is short: smaller batches for good, then fewer frames, then one sentence."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from catalog.errors import CodedError
from daemon.captioner.base import Question
from daemon.captioner.features import FeatureCache, key_of
from daemon.captioner.local import LocalCaptioner

Limit = Callable[[int], None]


@pytest.fixture
def captioner(demo_captioner: LocalCaptioner) -> Any:
    batch_size = demo_captioner.batch_size
    yield demo_captioner
    demo_captioner.batch_size = batch_size


@pytest.fixture
def batches(captioner: LocalCaptioner, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes `generate` run out of memory above so many tokens in a batch, and notes what it is given."""
    generate = captioner.model.generate
    seen: list[tuple[int, ...]] = []
    limits: list[int] = []

    def limited(**inputs: Any) -> Any:
        shape = tuple(inputs["input_ids"].shape)
        seen.append(shape)
        if shape[0] * shape[1] > limits[0]:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return generate(**inputs)

    monkeypatch.setattr(captioner.model, "generate", limited)

    def limit(tokens: int) -> list[tuple[int, ...]]:
        limits[:] = [tokens]
        seen.clear()
        return seen

    return limit


def questions(count: int, frames: int = 8) -> list[Question]:
    rng = np.random.default_rng(3)
    shape = (frames, 96, 96, 3)
    return [
        Question("이 장면을 묘사해 주세요.", rng.integers(0, 256, shape, dtype=np.uint8))
        for _ in range(count)
    ]


def length(captioner: LocalCaptioner, question: Question) -> int:
    return int(captioner.inputs.prepare([question])["input_ids"].shape[1])


def test_batches_become_smaller_and_stay_so(captioner: LocalCaptioner, batches: Any) -> None:
    captioner.batch_size = 8
    asked = questions(9)
    one = length(captioner, asked[0])
    seen = batches(one * 10_000)
    expected = captioner.answer(asked)
    seen = batches(one * 2)
    answers = captioner.answer(asked)
    assert [shape[0] for shape in seen] == [8, 4, 2, 2, 2, 2, 1]
    assert captioner.batch_size == 2
    assert [answer.text for answer in answers] == [answer.text for answer in expected]
    assert all(answer.shown is None and answer.remarks == () for answer in answers)
    seen.clear()
    captioner.answer(asked[:4])
    assert [shape[0] for shape in seen] == [2, 2]


def test_then_frames_become_fewer(captioner: LocalCaptioner, batches: Any) -> None:
    captioner.batch_size = 2
    asked = questions(2)
    room = length(captioner, questions(1, 2)[0])
    seen = batches(room)
    answers = captioner.answer(asked)
    assert [shape[0] for shape in seen] == [2, 1, 1, 1, 1, 1, 1]
    for answer in answers:
        assert answer.shown == (2, 6)
        assert answer.remarks == ("out_of_memory: 2 of 8 frames",)
    pictures = asked[0].pictures
    assert pictures is not None
    fewer = Question(asked[0].prompt, pictures[[2, 6]])
    assert captioner.answer([fewer])[0].text == answers[0].text


def test_at_last_it_says_so(captioner: LocalCaptioner, batches: Any) -> None:
    batches(1)
    for asked in (questions(1)[0], questions(1, 1)[0], Question("무엇이 있나요?")):
        with pytest.raises(
            CodedError, match=r"has no room for .* with demo; choose a smaller"
        ) as told:
            captioner.answer([asked])
        assert told.value.code == "out_of_memory"


def test_on_a_gpu_it_is_the_gpus_memory(
    captioner: LocalCaptioner, batches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captioner, "device", torch.device("cuda"))
    emptied: list[int] = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(1))
    batches(1)
    with pytest.raises(CodedError, match="the GPU has no room for one frame") as told:
        captioner.answer(questions(1))
    assert told.value.code == "gpu_out_of_memory"
    assert len(emptied) == 4  # 8, 4, 2 and 1 frames


def test_main_memory_runs_out_in_words(
    captioner: LocalCaptioner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(**inputs: Any) -> Any:
        raise RuntimeError(
            "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"
        )

    monkeypatch.setattr(captioner.model, "generate", exhausted)
    with pytest.raises(CodedError, match="this machine has no room for one frame"):
        captioner.answer(questions(1))

    def broken(**inputs: Any) -> Any:
        raise RuntimeError("a bug")

    monkeypatch.setattr(captioner.model, "generate", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        captioner.answer(questions(1))


def test_the_memory_of_features_is_bounded() -> None:
    cache = FeatureCache(at_most=10 * 4 * 6)
    cpu = torch.device("cpu")
    made: list[int] = []

    def make(places: list[int]) -> list[torch.Tensor]:
        made.extend(places)
        return [torch.full((2, 3), float(place)) for place in places]

    for start in range(0, 30, 5):
        cache.get(range(start, start + 5), make, cpu)
        assert cache.size <= 240
    assert len(cache) == 10
    made.clear()
    cache.get([20], make, cpu)  # now the latest used
    cache.get(range(100, 109), make, cpu)
    assert len(made) == 9
    cache.get([20], make, cpu)
    assert len(made) == 9
    cache.get([29], make, cpu)
    assert len(made) == 10


def test_more_than_the_bound_at_once_is_not_lost() -> None:
    cache = FeatureCache(at_most=4)
    told = cache.get(
        [1, 2, 1], lambda places: [torch.ones(2) * it for it in places], torch.device("cpu")
    )
    assert [tensor.tolist() for tensor in told] == [[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]
    assert (len(cache), cache.size) == (0, 0)


def test_a_key_is_the_pixels_and_what_else_matters() -> None:
    frame = np.zeros((2, 3, 3), dtype=np.uint8)
    other = frame.copy()
    other[0, 0, 0] = 1
    keys = [
        key_of(frame),
        key_of(other),
        key_of(frame.reshape(3, 2, 3)),
        key_of(frame, "still"),
    ]
    assert len(set(keys)) == 4
    assert key_of(frame) == key_of(frame.copy())
