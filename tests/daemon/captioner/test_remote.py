"""The captioner that asks engines: what it sends, whom it asks, and what it does when they fail."""

import base64
import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from catalog.database import Catalog
from catalog.errors import CodedError, ErrorCode, InterruptedByUserError
from catalog.home import Home
from catalog.ingest import take_file
from catalog.schema import Job, JobState
from catalog.settings import load_settings
from daemon.captioner.base import Pictures, Question, Turn
from daemon.captioner.endpoint import Patience
from daemon.captioner.remote import RemoteCaptioner
from daemon.worker import Worker
from tests.clips import plain, write_video
from tests.daemon.captioner.fake_engine import FakeEngine, Reply, echo, prompt_of, running, says

HURRY = Patience(first_rest=0.05, longest_rest=0.2, wait=1.5)


@contextmanager
def captioner_at(*engines: FakeEngine | str, **options: Any) -> Iterator[RemoteCaptioner]:
    addresses = [one if isinstance(one, str) else one.address for one in engines]
    captioner = RemoteCaptioner(addresses, **{"patience": HURRY, **options})
    try:
        yield captioner
    finally:
        captioner.close()


def frames(count: int = 4, size: tuple[int, int] = (64, 48)) -> Pictures:
    """Each frame is of another grey."""
    pictures = np.empty((count, size[1], size[0], 3), dtype=np.uint8)
    pictures[:] = np.linspace(10, 240, count).astype(np.uint8).reshape(-1, 1, 1, 1)
    return pictures


def asked(*prompts: str) -> list[Question]:
    return [Question(prompt) for prompt in prompts]


def numbered(count: int) -> list[Question]:
    return asked(*(f"질문 {number}" for number in range(count)))


def data_of(part: Mapping[str, Any]) -> bytes:
    kind = part["type"]
    head, _, data = part[kind]["url"].partition(",")
    assert (
        head
        == {
            "image_url": "data:image/jpeg;base64",
            "video_url": "data:video/mp4;base64",
        }[kind]
    )
    return base64.b64decode(data)


def picture_of(part: Mapping[str, Any]) -> Pictures:
    return np.asarray(Image.open(io.BytesIO(data_of(part))).convert("RGB"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def dead_address() -> str:
    return f"http://127.0.0.1:{free_port()}/v1"


def eventually(fact: Callable[[], object], seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while not fact() and time.monotonic() < until:
        time.sleep(0.02)
    return bool(fact())


class TestWhatIsSent:
    def test_frames_go_as_images_in_order_before_the_prompt(self) -> None:
        with running() as engine, captioner_at(engine) as captioner:
            (answer,) = captioner.answer([Question("묘사해 주세요.", frames(), max_new_tokens=99)])
        assert (answer.text, answer.finished, answer.remarks) == ("답: 묘사해 주세요.", True, ())
        (body,) = engine.bodies
        assert {key: body[key] for key in body if key != "messages"} == {
            "model": "m",
            "max_tokens": 99,
            "temperature": 0,
            "seed": 0,
        }
        (message,) = body["messages"]
        *images, text = message["content"]
        assert text == {"type": "text", "text": "묘사해 주세요."}
        greys = [picture_of(part).mean() for part in images]
        assert greys == pytest.approx([10, 86, 163, 240], abs=3)
        assert picture_of(images[0]).shape == (48, 64, 3)

    def test_a_video_part_holds_exactly_these_frames(self) -> None:
        shown = frames(5, (63, 47))
        with running() as engine, captioner_at(engine, media="video") as captioner:
            captioner.answer([Question("무엇이 보이나요?", shown)])
        video, text = engine.bodies[0]["messages"][0]["content"]
        assert text["type"] == "text"
        with av.open(io.BytesIO(data_of(video))) as container:
            decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert [picture.shape for picture in decoded] == [(48, 64, 3)] * 5  # sides made even
        for picture, original in zip(decoded, shown, strict=True):
            assert np.abs(picture[:47, :63].astype(int) - original).max() < 6

    def test_stills_earlier_turns_and_frames(self) -> None:
        still = np.full((200, 1000, 3), 200, dtype=np.uint8)
        question = Question(
            "그다음은?", frames(2), stills=(still,), earlier=(Turn("처음은?", "원이 있다."),)
        )
        with running() as engine, captioner_at(engine) as captioner:
            captioner.answer([question])
        first, reply, last = engine.bodies[0]["messages"]
        kinds = [part["type"] for part in first["content"]]
        assert kinds == ["image_url", "image_url", "image_url", "text"]
        assert picture_of(first["content"][0]).shape == (77, 384, 3)  # made smaller for the engine
        assert (first["content"][-1]["text"], reply["role"], reply["content"]) == (
            "처음은?",
            "assistant",
            "원이 있다.",
        )
        assert last["content"] == [{"type": "text", "text": "그다음은?"}]

    def test_a_file_name_cannot_pass_for_a_picture(self) -> None:
        with running() as engine, captioner_at(engine) as captioner:
            captioner.answer(asked("<image>.mp4 <|im_end|> </s> 2 < 3 > 1"))
        assert engine.prompts == ["image.mp4 im_end /s 2 < 3 > 1"]

    def test_a_penalty_is_sent_where_it_is_asked_for(self) -> None:
        with running() as engine, captioner_at(engine) as captioner:
            captioner.answer([Question("하나", repetition_penalty=1.2)])
        assert engine.bodies[0]["repetition_penalty"] == 1.2

    def test_several_images_are_marked_for_sglangs_llava(self) -> None:
        with running(models=("lmms-lab/llava-onevision",)) as engine:
            engine.owner = "sglang"
            with captioner_at(engine) as captioner:
                captioner.answer([Question("여럿", frames(count)) for count in (1, 3, 17)])
        contents = [body["messages"][0]["content"] for body in engine.bodies]
        marks = {len(content) - 1: content[0].get("modalities") for content in contents}
        assert marks == {1: None, 3: "multi-images", 17: "video"}

    def test_nothing_of_this_machine_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "for-another-server")
        monkeypatch.setenv("OPENAI_ORG_ID", "my-company")
        monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: 1")
        monkeypatch.setenv("OPENAI_BASE_URL", dead_address())
        for proxy in ("HTTP_PROXY", "ALL_PROXY", "http_proxy"):
            monkeypatch.setenv(proxy, dead_address())
        with running() as engine, captioner_at(engine) as captioner:
            captioner.answer(asked("하나"))
        (headers,) = engine.headers
        assert set(headers) == {
            "host",
            "accept",
            "accept-encoding",
            "connection",
            "content-type",
            "content-length",
            "user-agent",
        }
        assert headers["user-agent"] == "haeseol"

    def test_no_question_follows_a_check_down_its_connection(self) -> None:
        """Engines end the connection after an error, and the question would be lost with it."""
        with running() as engine, captioner_at(engine) as captioner:
            captioner.answer(asked("하나"))
        assert engine.last_requests
        assert all(engine.last_requests)

    def test_a_redirection_is_not_followed(self) -> None:
        with running() as other:
            away = Reply(307, {}, {"Location": f"{other.address}/chat/completions"})
            with (
                running(lambda number, body: away) as engine,
                captioner_at(engine) as captioner,
                pytest.raises(CodedError, match="307"),
            ):
                captioner.answer(asked("하나"))
            assert other.bodies == []


class TestWhatComesBack:
    def test_answers_are_in_the_order_of_the_questions(self) -> None:
        def later_first(number: int, body: Mapping[str, Any]) -> Reply:
            last = prompt_of(body)[-1]
            return says(last, seconds=0.3 - 0.05 * int(last))

        with running(later_first) as engine, captioner_at(engine, at_once=6) as captioner:
            answers = captioner.answer(numbered(6))
        assert [answer.text for answer in answers] == list("012345")

    def test_a_text_that_was_cut_off_is_not_finished(self) -> None:
        with (
            running(lambda number, body: says(" 그리고 ", finish="length")) as engine,
            captioner_at(engine) as captioner,
        ):
            (answer,) = captioner.answer(asked("하나"))
        assert (answer.text, answer.finished) == ("그리고", False)

    @pytest.mark.parametrize(
        "body", ["<html>Welcome</html>", {"choices": []}, {"choices": [{}]}, {"ok": True}, [1]]
    )
    def test_what_is_no_completion_is_said_so(self, body: object) -> None:
        with (
            running(lambda number, _: Reply(200, body)) as engine,
            captioner_at(engine) as captioner,
            pytest.raises(CodedError, match="no chat completion") as caught,
        ):
            captioner.answer(asked("하나"))
        assert caught.value.code is ErrorCode.ENGINE_UNREACHABLE

    def test_a_field_that_an_engine_does_not_take_is_left_out_and_recorded(self) -> None:
        def strict(number: int, body: Mapping[str, Any]) -> Reply:
            unknown = set(body) - {"model", "messages", "max_tokens", "temperature", "seed"}
            if unknown:
                return Reply(422, {"detail": f"Unexpected fields in the request: {unknown}"})
            return echo(number, body)

        question = Question("하나", repetition_penalty=1.1)
        with running(strict) as engine, captioner_at(engine, at_once=1) as captioner:
            answers = captioner.answer([question, question, Question("둘")])
        assert len(engine.bodies) == 4  # it is learnt once
        remark = "repetition_penalty left out: the engine does not take it"
        assert [answer.remarks for answer in answers] == [(remark,), (remark,), ()]

    def test_a_refused_question_is_final_and_quotes_the_engine(self) -> None:
        words = "maximum context length is 4096 tokens\x1b[31m, however you " + "x" * 1000
        with (
            running(lambda number, body: Reply(400, {"error": {"message": words}})) as engine,
            captioner_at(engine) as captioner,
            pytest.raises(CodedError, match="context length is 4096 tokens") as caught,
        ):
            captioner.answer(asked("하나"))
        assert caught.value.code is ErrorCode.MODEL_UNAVAILABLE
        assert len(engine.bodies) == 1
        assert "\x1b" not in str(caught.value)
        assert len(str(caught.value)) < 500


class TestManyAtOnce:
    def test_no_more_are_under_way_at_an_engine_than_allowed(self) -> None:
        slow = lambda number, body: says("네", seconds=0.05)  # noqa: E731
        with (
            running(slow) as one,
            running(slow) as two,
            captioner_at(one, two, at_once=2) as captioner,
        ):
            assert captioner.batch_size == 2
            captioner.answer(numbered(12))
        assert (one.most_at_once, two.most_at_once) == (2, 2)
        assert len(one.bodies) + len(two.bodies) == 12

    def test_many_threads_may_ask(self) -> None:
        told: dict[int, str] = {}
        with running() as engine, captioner_at(engine) as captioner:

            def ask(number: int) -> None:
                told[number] = captioner.answer(asked(f"실 {number}"))[0].text

            threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert told == {number: f"답: 실 {number}" for number in range(8)}

    def test_a_stop_ends_the_waiting_and_the_requests(self) -> None:
        with (
            running(lambda number, body: says("늦은 답", seconds=20)) as engine,
            captioner_at(engine) as captioner,
        ):
            begin = time.monotonic()
            with pytest.raises(InterruptedByUserError):
                captioner.answer(numbered(6), should_stop=lambda: len(engine.bodies) >= 4)
            assert time.monotonic() - begin < 2
            assert eventually(lambda: engine.left_early == 4)
            assert len(engine.bodies) == 4

    def test_what_is_dropped_is_cancelled(self) -> None:
        with (
            running(lambda number, body: says("늦은 답", seconds=20)) as engine,
            captioner_at(engine) as captioner,
        ):
            pending = captioner.submit(numbered(1))
            assert eventually(lambda: engine.bodies)
            pending.drop()
            assert eventually(lambda: engine.left_early == 1)

    def test_after_its_end_it_says_so(self) -> None:
        with running(lambda number, body: says("늦은 답", seconds=20)) as engine:
            with captioner_at(engine) as captioner:
                pending = captioner.submit(numbered(1))
                assert captioner.alive
            assert not captioner.alive
            for ask in (lambda: captioner.submit(numbered(1)), lambda: pending.answers(bool)):
                with pytest.raises(CodedError, match="closed"):
                    ask()
            captioner.close()


class TestFailingEngines:
    def test_one_of_two_is_dead(self) -> None:
        with running() as engine, captioner_at(dead_address(), engine) as captioner:
            answers = captioner.answer(numbered(6))
        assert [answer.text for answer in answers] == [f"답: 질문 {n}" for n in range(6)]
        assert sorted(engine.prompts) == [f"질문 {number}" for number in range(6)]

    def test_a_dead_one_is_used_again_once_it_is_back(self) -> None:
        late = FakeEngine()
        late.port = free_port()
        with (
            running(lambda number, body: says("느림", seconds=0.1)) as engine,
            captioner_at(late, engine, at_once=1) as captioner,
        ):
            captioner.answer(numbered(2))
            late.start()
            try:
                captioner.answer(numbered(12))
                assert late.bodies
            finally:
                late.stop()

    def test_it_falls_and_comes_back_while_all_wait(self) -> None:
        engine = FakeEngine(lambda number, body: says(prompt_of(body), seconds=0.1))
        engine.start()
        with captioner_at(engine, patience=Patience(0.05, 0.2, wait=20)) as captioner:
            pending = [captioner.submit([question]) for question in numbered(12)]
            pending[0].answers(bool)
            engine.stop()
            time.sleep(0.5)
            engine.start()
            texts = [one.answers(bool)[0].text for one in pending[1:]]
            engine.stop()
        assert texts == [f"질문 {number}" for number in range(1, 12)]

    def test_a_slow_one_is_left_and_another_asked(self) -> None:
        with (
            running(lambda number, body: says("늦은 답", seconds=20)) as slow,
            running() as engine,
            captioner_at(slow, engine, at_once=1, timeout_seconds=0.3) as captioner,
        ):
            answers = captioner.answer(numbered(4))
        assert [answer.text for answer in answers] == [f"답: 질문 {n}" for n in range(4)]

    def test_errors_of_the_engine_pass(self) -> None:
        def twice(number: int, body: Mapping[str, Any]) -> Reply:
            return Reply(503, "loading") if number <= 2 else echo(number, body)

        with running(twice) as engine, captioner_at(engine) as captioner:
            (answer,) = captioner.answer(asked("하나"))
        assert answer.text == "답: 하나"
        assert len(engine.bodies) == 3
        assert engine.checks == 3  # at first, and before each new try

    def test_one_question_that_always_fails_is_at_fault_itself(self) -> None:
        def poisoned(number: int, body: Mapping[str, Any]) -> Reply:
            if prompt_of(body) == "독":
                return Reply(500, "Internal Server Error")
            return echo(number, body)

        with (
            running(poisoned) as engine,
            captioner_at(engine) as captioner,
            pytest.raises(CodedError, match="Internal Server Error") as caught,
        ):
            captioner.answer(asked("독"))
        assert caught.value.code is ErrorCode.MODEL_UNAVAILABLE
        assert engine.prompts.count("독") == HURRY.tries

    def test_an_engine_that_fails_at_everything_is_at_fault(self) -> None:
        with (
            running(lambda number, body: Reply(500, "broken")) as engine,
            captioner_at(engine) as captioner,
            pytest.raises(CodedError, match="broken") as caught,
        ):
            captioner.answer(asked("하나"))
        assert caught.value.code is ErrorCode.ENGINE_UNREACHABLE

    def test_none_is_up_at_first(self) -> None:
        addresses = [dead_address(), dead_address()]
        with pytest.raises(CodedError, match="check `engines` in the settings") as caught:
            RemoteCaptioner(addresses, patience=HURRY)
        assert caught.value.code is ErrorCode.ENGINE_UNREACHABLE
        assert all(address in str(caught.value) for address in addresses)

    def test_all_fall_for_longer_than_is_waited(self) -> None:
        engine = FakeEngine()
        engine.start()
        with captioner_at(engine) as captioner:
            captioner.answer(asked("하나"))
            engine.stop()
            begin = time.monotonic()
            with pytest.raises(CodedError, match=engine.address) as caught:
                captioner.answer(numbered(3))
            assert HURRY.wait <= time.monotonic() - begin < HURRY.wait + 3
            assert caught.value.code is ErrorCode.ENGINE_UNREACHABLE
            assert captioner.alive  # asked again later, it looks again
            engine.start()
            assert captioner.answer(asked("둘"))[0].text == "답: 둘"
            engine.stop()

    def test_it_slows_down_when_asked_to(self) -> None:
        def busy(number: int, body: Mapping[str, Any]) -> Reply:
            if number == 1:
                return Reply(429, {"error": {"message": "slow"}}, {"Retry-After": "0.6"})
            return echo(number, body)

        with running(busy) as engine, captioner_at(engine) as captioner:
            begin = time.monotonic()
            assert captioner.answer(asked("하나"))[0].text == "답: 하나"
            assert time.monotonic() - begin > 0.6
        assert engine.checks == 1  # nothing was wrong with it

    def test_it_does_not_sit_out_an_hour(self) -> None:
        def busy(number: int, body: Mapping[str, Any]) -> Reply:
            return Reply(429, {"error": {"message": "quota"}}, {"Retry-After": "3600"})

        with (
            running(busy) as engine,
            captioner_at(engine) as captioner,
            pytest.raises(CodedError, match="quota") as caught,
        ):
            captioner.answer(asked("하나"))
        assert caught.value.code is ErrorCode.ENGINE_UNREACHABLE
        assert len(engine.bodies) == 1

    def test_a_job_waits_for_engines_and_loses_no_try(
        self, catalog: Catalog, tmp_path: Path
    ) -> None:
        colours = ((200, 30, 30), (30, 200, 30), (30, 30, 200))
        path = write_video(tmp_path / "셋.mp4", [plain(one) for one in colours for _ in range(25)])
        video_id, _ = take_file(catalog, str(path).encode())

        def falls_at_third(number: int, body: Mapping[str, Any]) -> Reply:
            up = number < 3 or engine.health == 200
            return says(f"문장 {number}이 있다.") if up else Reply(503, "down")

        def job() -> Job:
            with catalog.write() as session:
                return session.scalars(select(Job).where(Job.video_id == video_id)).one()

        with running(falls_at_third) as engine, captioner_at(engine, batch_size=1) as captioner:
            worker = Worker(
                catalog, load_settings(catalog.home), lambda model: captioner, threading.Event()
            )
            engine.health = 503
            worker.run_next()
            assert worker.outcome.fault is not None
            assert worker.outcome.fault.code is ErrorCode.ENGINE_UNREACHABLE
            assert (job().state, job().attempts, worker.room) == (JobState.QUEUED, 0, 0)
            engine.health, worker.rests_until, noted = 200, 0.0, len(engine.bodies)
            worker.run_next()
            assert job().state == JobState.DONE
            worker.close()
        looked_at = [b for b in engine.bodies[noted:] if len(b["messages"][0]["content"]) > 1]
        assert len(looked_at) == 1  # the third scene; the first two were noted before


class TestModelAndKey:
    def test_the_only_model_is_found(self) -> None:
        with (
            running(models=("llava-hf/llava-onevision-qwen2-7b-ov-hf",)) as engine,
            captioner_at(engine) as captioner,
        ):
            captioner.answer(asked("하나"))
            identity = captioner.identity
        assert engine.bodies[0]["model"] == "llava-hf/llava-onevision-qwen2-7b-ov-hf"
        assert identity.model == "llava-hf/llava-onevision-qwen2-7b-ov-hf"
        assert identity.quantization == "none"
        assert identity.versions["engines"] == f"127.0.0.1:{engine.port}"
        assert identity.versions["served_by"] == "vllm"

    def test_a_path_is_named_by_its_end(self) -> None:
        with (
            running() as engine,
            captioner_at(engine, model="/srv/models/llava-7b") as captioner,
        ):
            captioner.answer(asked("하나"))
            assert captioner.identity.model == "llava-7b"
        assert engine.bodies[0]["model"] == "/srv/models/llava-7b"

    def test_several_models_want_a_choice(self) -> None:
        with (
            running(models=("a", "b")) as engine,
            pytest.raises(CodedError, match=r"\(a, b\); set engine_model") as caught,
        ):
            RemoteCaptioner([engine.address], patience=HURRY)
        assert caught.value.code is ErrorCode.MODEL_UNAVAILABLE

    def test_an_engine_that_comes_up_with_another_model_is_not_asked(self) -> None:
        other = FakeEngine(models=("b",))
        other.port = free_port()
        with (
            running(lambda number, body: says("a", seconds=0.05)) as engine,
            captioner_at(engine, other, at_once=1) as captioner,
        ):
            other.start()
            captioner.answer(numbered(12))
            assert eventually(lambda: other.checks)
            other.stop()
        assert other.bodies == []

    def test_the_key_goes_to_the_engine_and_nowhere_else(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        with running() as engine:
            engine.key = "geheim-0815"
            with captioner_at(engine, key="geheim-0815") as captioner:
                captioner.answer([Question("하나", frames())])
                assert "geheim" not in repr(captioner.identity)
            engine.key = "another"
            with pytest.raises(CodedError, match="HAESEOL_ENGINE_KEY") as caught:
                RemoteCaptioner([engine.address], key="geheim-0815", patience=HURRY)
        assert engine.headers[0]["authorization"] == "Bearer geheim-0815"
        assert caught.value.code is ErrorCode.ENGINE_UNREACHABLE
        assert "geheim" not in str(caught.value)
        assert "geheim" not in caplog.text
        assert "base64" not in caplog.text

    def test_a_key_that_is_refused_in_the_middle(self) -> None:
        with (
            running(lambda number, body: Reply(401, {"error": {"message": "expired"}})) as engine,
            captioner_at(engine, key="k") as captioner,
            pytest.raises(CodedError, match="refuses the key") as caught,
        ):
            captioner.answer(asked("하나"))
        assert caught.value.code is ErrorCode.ENGINE_UNREACHABLE

    def test_the_settings_build_it(self, home: Home, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("aus-der-datei\n")
        with running() as engine:
            settings = load_settings(
                home,
                engines=f"http://127.0.0.1:{engine.port}",
                engine_key_file=tmp_path / "key",
                engine_media="video",
                engine_at_once=16,
            )
            captioner = RemoteCaptioner.from_settings(settings)
            try:
                captioner.answer([Question("하나", frames())])
            finally:
                captioner.close()
        assert (captioner.frames, captioner.long_side, captioner.batch_size) == (8, 672, 8)
        assert engine.headers[0]["authorization"] == "Bearer aus-der-datei"

    def test_settings_without_engines_say_what_is_missing(self, home: Home) -> None:
        with pytest.raises(CodedError, match="no engine is set"):
            RemoteCaptioner.from_settings(load_settings(home, model="remote"))

    def test_a_key_file_that_is_not_there(self, home: Home, tmp_path: Path) -> None:
        settings = load_settings(
            home, engines="http://127.0.0.1:1", engine_key_file=tmp_path / "none"
        )
        with pytest.raises(CodedError, match="engine_key_file"):
            RemoteCaptioner.from_settings(settings)
