"""An OpenAI-compatible engine over real HTTP that says what a test tells it to."""

import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What the engine answers: a status, a JSON document or text, and how long it takes, in seconds."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def says(text: str, *, finish: str = "stop", seconds: float = 0.0) -> Reply:
    """An answer."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    return Reply(200, body, seconds=seconds)


def prompt_of(body: Mapping[str, Any]) -> str:
    """The text that is asked last."""
    return str(body["messages"][-1]["content"][-1]["text"])


def echo(number: int, body: Mapping[str, Any]) -> Reply:
    """Repeats the prompt."""
    return says(f"답: {prompt_of(body)}")


Script = Callable[[int, Mapping[str, Any]], Reply]


class FakeEngine:
    """Its address, what it was asked, and how it behaves."""

    def __init__(self, script: Script = echo, *, models: tuple[str, ...] = ("m",)) -> None:
        self.script = script
        self.models = models
        self.owner = "vllm"
        self.health = 200
        self.key = ""
        self.bodies: list[Mapping[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.checks = 0
        self.last_requests: list[bool] = []
        """Of each request but questions, whether it ends its connection."""
        self.left_early = 0
        """Requests whose asker did not wait for the answer."""
        self.at_once = 0
        self.most_at_once = 0
        self.lock = threading.Lock()
        self.server: ThreadingHTTPServer
        self.port = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def prompts(self) -> list[str]:
        return [prompt_of(body) for body in self.bodies]

    def start(self) -> None:
        """Starts to listen, at the port of last time if there was one."""
        self.server = _Server(("127.0.0.1", self.port), _Handler)
        self.server.engine = self  # type: ignore[attr-defined]
        self.port = self.server.server_address[1]
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def stop(self) -> None:
        """Stops, and breaks off what is under way."""
        self.server.shutdown()
        self.server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    allow_reuse_address = True

    def __init__(self, *arguments: Any) -> None:
        self.sockets: list[socket.socket] = []
        super().__init__(*arguments)

    def get_request(self) -> Any:
        connection, address = super().get_request()
        self.sockets.append(connection)
        return connection, address

    def server_close(self) -> None:
        super().server_close()
        for connection in self.sockets:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that is gone is no news here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def engine(self) -> FakeEngine:
        return self.server.engine  # type: ignore[attr-defined,no-any-return]

    def do_GET(self) -> None:
        engine = self.engine
        engine.last_requests.append(self.headers.get("Connection") == "close")
        if self.path == "/health":
            engine.checks += 1
            self._send(Reply(engine.health, {}))
        elif engine.key and self.headers.get("Authorization") != f"Bearer {engine.key}":
            self._send(Reply(401, {"error": {"message": f"wrong {self.headers['Authorization']}"}}))
        else:
            cards = [{"id": name, "object": "model", "owned_by": engine.owner, "created": 1}
                     for name in engine.models]  # fmt: skip
            self._send(Reply(200, {"object": "list", "data": cards}))

    def do_POST(self) -> None:
        engine = self.engine
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with engine.lock:
            engine.bodies.append(body)
            engine.headers.append({k.lower(): v for k, v in self.headers.items()})
            number = len(engine.bodies)
            engine.at_once += 1
            engine.most_at_once = max(engine.most_at_once, engine.at_once)
        try:
            reply = engine.script(number, body)
            if self._asker_waits(reply.seconds):
                self._send(reply)
        finally:
            with engine.lock:
                engine.at_once -= 1

    def _asker_waits(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            readable, _, _ = select.select([self.connection], [], [], min(left, 0.05))
            if readable:
                self.engine.left_early += 1
                self.close_connection = True
                return False
        return True

    def _send(self, reply: Reply) -> None:
        text = isinstance(reply.body, str)
        data = (reply.body if text else json.dumps(reply.body or {})).encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", "text/html" if text else "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Tests want a quiet engine."""


@contextmanager
def running(script: Script = echo, *, models: tuple[str, ...] = ("m",)) -> Iterator[FakeEngine]:
    """An engine that listens on a free port of this machine."""
    engine = FakeEngine(script, models=models)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()
