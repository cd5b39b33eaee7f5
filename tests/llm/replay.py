"""An HTTP/1.1 server for tests that says what it is told to say, down to the byte, and misbehaves on request.

::

    async with Replay() as server:
        server.on("POST", "/v1/chat/completions", transcript(shared_data / "llm-wire/vllm/v1_chat_tools_stream.txt", every=7))
        ...                                   # a client of server.url
        assert server.requests[0].json["model"] == "tiny"

A reply's body is a list of steps: bytes are sent as one piece (one chunk of the transfer encoding, so that no two are seen as
one), an Event is waited for, RESET breaks the connection, CLOSE ends it without the reply's proper end, HANG says nothing until
the client leaves. `before` are steps ahead of the status line.
"""

import asyncio
import itertools
import socket
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

import msgspec


class Fault(Enum):
    RESET = "reset"
    CLOSE = "close"
    HANG = "hang"


RESET, CLOSE, HANG = Fault.RESET, Fault.CLOSE, Fault.HANG
Step = bytes | asyncio.Event | Fault


@dataclass(frozen=True)
class Reply:
    """What is answered. `framing` "close" means that the body ends where the connection does."""

    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    body: Sequence[Step] = ()
    before: Sequence[asyncio.Event | Fault] = ()
    framing: Literal["chunked", "length", "close"] = "chunked"


@dataclass
class Request:
    """What a client sent. Header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    left: asyncio.Event = field(default_factory=asyncio.Event)  # the client closed the connection before the reply had ended
    answered: asyncio.Event = field(default_factory=asyncio.Event)  # the reply was sent whole

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


Answer = Reply | Callable[[Request], Reply]


def cut(body: bytes, at: Iterable[int] = (), *, every: int = 0) -> list[bytes]:
    """`body` in pieces, cut at the positions `at` and after each `every` bytes."""
    marks = {*at, *(range(every, len(body), every) if every else ())}
    places = [0, *sorted(mark for mark in marks if 0 < mark < len(body)), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(places) if end > start]


def json_reply(value: Any, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> Reply:
    return Reply(status, (("Content-Type", "application/json"), *headers), [msgspec.json.encode(value)], framing="length")


def text_reply(
    text: str, status: int = 200, *, kind: str = "text/plain; charset=utf-8", headers: Sequence[tuple[str, str]] = ()
) -> Reply:
    return Reply(status, (("Content-Type", kind), *headers), [text.encode()], framing="length")


def sse(*events: Any, end: bytes = b"data: [DONE]\n\n") -> bytes:
    """A body of server-sent events: a string is sent as it is, anything else as JSON."""
    lines = [event.encode() if isinstance(event, str) else msgspec.json.encode(event) for event in events]
    return b"".join(b"data: " + line + b"\n\n" for line in lines) + end


def stream_reply(*body: Step, kind: str = "text/event-stream", before: Sequence[asyncio.Event | Fault] = ()) -> Reply:
    return Reply(200, (("Content-Type", kind),), body, before)


PHRASES = {status.value: status.phrase for status in HTTPStatus}
# Headers that speak of the connection, which the server here says itself.
OWN = {"connection", "transfer-encoding", "content-length", "keep-alive"}


def transcript(path: Path, at: Iterable[int] = (), *, every: int = 0) -> Reply:
    """A recorded answer. Where its middle was left out ("[...]") it goes on with the next whole record."""
    recorded = path.read_bytes()
    if recorded.startswith(b"# "):  # the request it answers
        recorded = recorded.partition(b"\n")[2]
    head, _, body = recorded.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    body = body.removesuffix(b"curl exit 0\n")
    first, elided, last = body.partition(b"\n[...]\n")
    if elided:
        end = b"\n\n" if b"event-stream" in head else b"\n"
        body = first[: first.rindex(end) + len(end)] + last[last.index(end) + len(end) :]
    chunked = any(name.lower() == "transfer-encoding" for name, _ in headers)
    kept = [(name, value) for name, value in headers if name.lower() not in OWN]
    return Reply(int(status.split()[1]), kept, cut(body, at, every=every), framing="chunked" if chunked else "length")


def refused_url() -> str:
    """The address of a port at which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


class Replay:
    """The server. Routes are exact paths without their query; replies are given in turn, and the last one for ever."""

    def __init__(self, port: int = 0) -> None:
        self.url = ""
        self._port = port  # 0: one that is free
        self.requests: list[Request] = []
        self.connections = 0  # open now
        self.accepted = 0  # ever
        self._routes: dict[tuple[str, str], list[Answer]] = {}
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Break all connections and refuse new ones."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def on(self, method: str, path: str, *replies: Answer) -> None:
        self._routes[method, path] = list(replies)

    async def arrived(self, number: int = 1) -> Request:
        """The `number`th request, counted from 1, when it is here."""
        await self._until(lambda: len(self.requests) >= number)
        return self.requests[number - 1]

    async def idle(self) -> None:
        """Until no connection is open."""
        await self._until(lambda: self.connections == 0)

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._changed.clear()
            await self._changed.wait()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.accepted += 1
        try:
            early: bytes | None = b""
            while early is not None and (request := await _read(reader, early)) is not None:
                self.requests.append(request)
                self._changed.set()
                early = await _exchange(reader, writer, request, self._answer(request))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:  # stop(); let through, asyncio would report it as an error of this callback
            writer.transport.abort()
        finally:
            writer.close()
            self.connections -= 1
            self._tasks.discard(task)
            self._changed.set()

    def _answer(self, request: Request) -> Reply:
        replies = self._routes.get((request.method, request.path))
        if not replies:
            return json_reply({"detail": "Not Found"}, 404)
        answer = replies.pop(0) if len(replies) > 1 else replies[0]
        return answer if isinstance(answer, Reply) else answer(request)


async def _read(reader: asyncio.StreamReader, early: bytes) -> Request | None:
    """The next request, of which `early` was read already; None when the client has no more."""
    try:
        head = early + await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = b""
    if headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    elif length := int(headers.get("content-length", "0")):
        body = await reader.readexactly(length)
    url = urlsplit(target)
    return Request(method, url.path, dict(parse_qsl(url.query)), headers, body)


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request, reply: Reply) -> bytes | None:
    """Send the reply while watching for the client's leaving. What it has sent of its next request; None: no next one."""
    sending = asyncio.create_task(_send(writer, request, reply))
    watching = asyncio.create_task(reader.read(1))
    try:
        await asyncio.wait({sending, watching}, return_when=asyncio.FIRST_COMPLETED)
        if watching.done() and watching.exception() is None and watching.result():
            await asyncio.wait({sending})  # a client in another thread that has the reply, while we have not yet noticed
        if sending.done() and sending.exception() is None:
            request.answered.set()
            return (watching.result() if watching.done() else b"") if sending.result() else None
        request.left.set()
        return None
    finally:
        for task in (sending, watching):
            task.cancel()
        await asyncio.gather(sending, watching, return_exceptions=True)


async def _send(writer: asyncio.StreamWriter, request: Request, reply: Reply) -> bool:
    """Whether the connection stays in use after the reply."""
    for early in reply.before:
        if not await _step(writer, reply, early):
            return False
    length = sum(len(step) for step in reply.body if isinstance(step, bytes))
    framing = {"chunked": "Transfer-Encoding: chunked", "length": f"Content-Length: {length}", "close": "Connection: close"}
    head = [
        f"HTTP/1.1 {reply.status} {PHRASES.get(reply.status, 'Unknown')}",
        *(f"{name}: {value}" for name, value in reply.headers),
        framing[reply.framing],
    ]
    writer.write("\r\n".join([*head, "", ""]).encode())
    if request.method != "HEAD":
        for step in reply.body:
            if not await _step(writer, reply, step):
                return False
        if reply.framing == "chunked":
            writer.write(b"0\r\n\r\n")
    await writer.drain()
    return reply.framing != "close"


async def _step(writer: asyncio.StreamWriter, reply: Reply, step: Step) -> bool:
    """Whether the reply goes on."""
    if isinstance(step, bytes):
        writer.write(b"%x\r\n%b\r\n" % (len(step), step) if reply.framing == "chunked" else step)
        await writer.drain()
        for _ in range(2):  # a client on this loop reads the piece before the next one is sent
            await asyncio.sleep(0)
    elif isinstance(step, asyncio.Event):
        await step.wait()
    elif step is HANG:
        await asyncio.Event().wait()
    else:
        if step is RESET:  # closing with a linger time of 0 sends RST instead of FIN
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        return False
    return True
