"""The embedding process: loads a model, then answers each list of texts with their codes.

It is a process of its own because loading a tokenizer of half a million tokens holds Python's lock for
seconds and takes hundreds of megabytes: a terminal UI would stand still, and a daemon keep the memory.
"""

import json
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from catalog.errors import HaeseolError

CODES, FAILED = b"+", b"!"
"""The first byte of an answer."""


def main() -> None:
    """`python -m catalog.search.meaning.child DESCRIPTOR FOLDER`, which `Embedder` starts."""
    connection: Connection[object, object] = Connection(int(sys.argv[1]))
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # nobody waits any more
        serve(connection, Path(sys.argv[2]))


def serve(connection: "Connection[object, object]", folder: Path) -> None:
    """Answers until the other end closes the socket, which raises `EOFError`.

    The first message says the codes' dimension, or the sentence why there will be none. Each answer is
    `CODES` and the codes, or `FAILED` and the reason.
    """
    from catalog.search.meaning.model import StaticModel

    try:
        model = StaticModel(folder)
    except HaeseolError as error:
        connection.send_bytes(json.dumps({"error": str(error)}).encode())
        return
    connection.send_bytes(json.dumps({"dimension": model.dimension}).encode())
    while True:
        texts = json.loads(connection.recv_bytes())
        try:
            answer = CODES + b"".join(model.codes(texts))
        except Exception as error:  # one text's trouble must not end the answers to others
            answer = FAILED + f"{type(error).__name__}: {error}".encode()
        connection.send_bytes(answer)


if __name__ == "__main__":
    main()
