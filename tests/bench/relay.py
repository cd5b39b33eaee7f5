"""A relay before a real model server, in a process of its own, that tells the times: `python -m tests.bench.relay HOST PORT`.

It prints its port, then a line for each question that arrived, for each client that left before the answer's end, and behind each
whole answer what was passed on and when: `said` and a list of [nanoseconds of the monotonic clock, text].
"""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import threading
import time
from typing import Any, Self
from urllib.parse import urlsplit

_QUESTION = b"POST /v1/chat/completions"
_END = b"data: [DONE]"


class Relay:
    """The process, from the side of a benchmark."""

    def __init__(self, server: str) -> None:
        parts = urlsplit(server)
        command = [sys.executable, "-m", "tests.bench.relay", str(parts.hostname), str(parts.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.url = f"http://127.0.0.1:{self._line()}"

    def when(self, what: str) -> float:
        """Seconds of the monotonic clock at which a question `arrived` or a client `left`; waits for the next such line."""
        return int(self._next(what)) / 1e9

    def said(self) -> list[tuple[float, str]]:
        """The texts of the next whole answer, each with the time at which it was passed on."""
        return [(stamp / 1e9, text) for stamp, text in json.loads(self._next("said"))]

    def _next(self, what: str) -> str:
        while True:
            name, _, rest = self._line().partition(" ")
            if name == what:
                return rest

    def _line(self) -> str:
        assert self._process.stdout is not None, "it is a pipe"
        line = self._process.stdout.readline()
        if not line:
            raise EOFError("the relay ended")
        return line.strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()


def main() -> None:
    """Serve until the process is ended."""
    place = sys.argv[1], int(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", 0))
    _tell(str(listener.getsockname()[1]))
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_serve, args=(client, place), daemon=True).start()


def _tell(line: str) -> None:
    print(line, flush=True)


def _serve(client: socket.socket, place: tuple[str, int]) -> None:
    with client, socket.create_connection(place) as server:
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answer: _Answer | None = None
        while True:
            ready, _, _ = select.select([client, server], [], [])
            now = time.monotonic_ns()
            if client in ready:
                data = _received(client)
                if data.startswith(_QUESTION):
                    _tell(f"arrived {now}")
                    answer = _Answer()
                if not data or not _sent(server, data):
                    if answer is not None:
                        _tell(f"left {now}")
                    return
            if server in ready:
                data = _received(server)
                if not data:
                    return
                if not _sent(client, data):
                    if answer is not None:
                        _tell(f"left {time.monotonic_ns()}")
                    return
                if answer is not None and answer.took(data):
                    _tell(f"said {json.dumps(answer.said)}")
                    answer = None


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(262_144)
    except ConnectionError:
        return b""


def _sent(to: socket.socket, data: bytes) -> bool:
    try:
        to.sendall(data)
    except ConnectionError:
        return False
    return True


class _Answer:
    """What of an answer was passed on so far."""

    def __init__(self) -> None:
        self.said: list[tuple[int, str]] = []
        self._begun = False  # the headers are over
        self._framed = b""
        self._rest = b""

    def took(self, data: bytes) -> bool:
        """Whether the answer is whole with it."""
        now = time.monotonic_ns()
        *lines, self._rest = (self._rest + self._body(data)).split(b"\n")
        for line in lines:
            if line.startswith(_END):
                return True
            if line.startswith(b"data: ") and (text := _text(json.loads(line[6:]))):
                self.said.append((now, text))
        return False

    def _body(self, data: bytes) -> bytes:
        """What of the body is whole with it, without the frames of its transfer encoding, which stand anywhere."""
        self._framed += data
        if not self._begun:
            _, over, rest = self._framed.partition(b"\r\n\r\n")
            if not over:
                return b""
            self._begun, self._framed = True, rest
        body = b""
        while b"\r\n" in self._framed:
            size, _, rest = self._framed.partition(b"\r\n")
            end = int(size, 16)
            if len(rest) < end + 2:
                break
            body += rest[:end]
            self._framed = rest[end + 2 :]
        return body


def _text(chunk: dict[str, Any]) -> str:
    choices = chunk.get("choices") or [{}]
    return choices[0].get("delta", {}).get("content") or ""


if __name__ == "__main__":
    main()
