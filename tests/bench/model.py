"""A model server that speaks OpenAI's streams at a given pace, in a process of its own: `python -m tests.bench.model`.

What it says is asked for in the question: `{{tokens=1000 rate=200}}`, `{{hold}}` (begins, and never ends), `{{cite}}` (cites
what was given, and what was not). Each word of a paced answer is the time at which it was sent, in nanoseconds of the monotonic
clock. It prints its port, then a line for each question that arrived and for each client that left early, with the time.
"""

from __future__ import annotations

import json
import re
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Self

_ASKED = re.compile(r"\{\{([^{}]*)\}\}")
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
CITED_EVERY = 100  # tokens
GIVEN = 12  # passages that `{{cite}}` cites, and as many that were never given


class ModelServer:
    """The process, from the side of a benchmark."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.bench.model"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.settings = (
            f'[providers.bench]\nkind = "openai"\nbase_url = "http://127.0.0.1:{self._line()}/v1"\n'
            '[models]\nchat = ["bench/m"]\n[chat]\nrewrite = false\ntitles = false\n'
        )

    def when(self, what: str) -> float:
        """Seconds of the monotonic clock at which a question `arrived` or a client `left`; waits for the next such line."""
        while True:
            name, _, stamp = self._line().partition(" ")
            if name == what:
                return int(stamp) / 1e9

    def _line(self) -> str:
        assert self._process.stdout is not None, "it is a pipe"
        line = self._process.stdout.readline()
        if not line:
            raise EOFError("the model server ended")
        return line.strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()


def main() -> None:
    """Serve until the process is ended."""
    listener = socket.create_server(("127.0.0.1", 0))
    _tell(str(listener.getsockname()[1]))
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def _tell(line: str) -> None:
    print(line, flush=True)


def _serve(connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as stream:
        while line := stream.readline():
            length = 0
            while (header := stream.readline().strip().lower()) != b"":
                if header.startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            body = stream.read(length)
            try:
                if line.startswith(b"GET"):
                    _send_json(connection, {"object": "list", "data": [{"id": "m", "object": "model"}]})
                else:
                    _tell(f"arrived {time.monotonic_ns()}")
                    _answer(connection, json.loads(body))
            except ConnectionError:
                _tell(f"left {time.monotonic_ns()}")
                return


def _send_json(connection: socket.socket, value: Any) -> None:
    body = json.dumps(value).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    connection.sendall(head + body)


def _answer(connection: socket.socket, request: dict[str, Any]) -> None:
    found = _ASKED.findall(str(request["messages"][-1]["content"]))
    asked = dict(pair.partition("=")[::2] for pair in found[-1].split()) if found else {}
    connection.sendall(_HEAD)
    for text in _texts(connection, asked):
        connection.sendall(_chunk({"content": text}))
    connection.sendall(_chunk({}, "stop") + _framed(b"data: [DONE]\n\n") + b"0\r\n\r\n")


def _texts(connection: socket.socket, asked: dict[str, str]) -> Iterator[str]:
    if "hold" in asked:
        yield "It begins"
        select.select([connection], [], [])  # a client sends nothing more, so this is its end
        raise ConnectionError
    if "cite" in asked:
        for number in range(1, 2 * GIVEN + 1):
            yield f"So it is said [{number}"
            yield "]. "
        return
    if "tokens" not in asked:
        yield "Well."
        return
    pause = 1e9 / float(asked["rate"]) if float(asked.get("rate", 0)) else 0.0
    started = time.monotonic_ns()
    for number in range(int(asked["tokens"])):
        late = started + number * pause - time.monotonic_ns()
        if late > 0:
            time.sleep(late / 1e9)
        yield f" {time.monotonic_ns()}" + (" [1]." if number % CITED_EVERY == CITED_EVERY - 1 else "")


def _chunk(delta: dict[str, str], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    event = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return _framed(b"data: " + json.dumps(event).encode() + b"\n\n")


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


if __name__ == "__main__":
    main()
