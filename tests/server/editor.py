"""A small LSP client for tests: what an editor says and hears, awaited."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from khojd.daemon.address import socket_path
from khojd.daemon.token import token_path


class Failure(Exception):
    """An error reply."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code: int = error["code"]
        self.data: dict[str, Any] = error.get("data") or {}


class Editor:
    """`request` waits for the reply; notifications are kept until `hear` asks for them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.answers: dict[str, Callable[[Any], Any]] = {}  # to the server's requests
        self.asked: list[str] = []  # methods of the server's requests
        self.stray: list[dict[str, Any]] = []  # replies to no request of ours, e.g. with the id null
        self._replies: dict[int, asyncio.Future[Any]] = {}
        self._heard: list[tuple[str, Any]] = []
        self._news = asyncio.Condition()
        self._number = 0
        self._task: asyncio.Task[None] | None = None
        self.capabilities: dict[str, Any] = {}

    @classmethod
    async def attach(cls, address: Path, *, listen: bool = True) -> Self:
        reader, writer = await connected(address)
        editor = cls(reader, writer)
        if listen:
            editor.listen()
        return editor

    def listen(self) -> None:
        self._task = asyncio.create_task(self._listen())

    async def initialize(
        self, *, khoj: dict[str, Any] | None = None, capabilities: dict[str, Any] | None = None, **params: Any
    ) -> dict[str, Any]:
        options = {} if khoj is None else {"initializationOptions": {"khoj": khoj}}
        body = {"processId": None, "rootUri": None, "capabilities": capabilities or {}, **options, **params}
        result: dict[str, Any] = await self.request("initialize", body)
        self.capabilities = result["capabilities"]
        self.notify("initialized", {})
        return result

    def send(self, message: dict[str, Any]) -> None:
        self.raw(framed(message))

    def raw(self, data: bytes) -> None:
        self.writer.write(data)

    def ask(self, method: str, params: Any = None, **extra: Any) -> tuple[int, "asyncio.Future[Any]"]:
        """Send a request; its id, and the future of its result."""
        self._number += 1
        number = self._number
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._replies[number] = future
        message = {"jsonrpc": "2.0", "id": number, "method": method, **extra}
        self.send(message if params is None else {**message, "params": params})
        return number, future

    async def request(self, method: str, params: Any = None) -> Any:
        return await self.ask(method, params)[1]

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    async def hear(self, method: str, *, where: Callable[[Any], bool] = lambda _: True) -> Any:
        """The params of the first notification of `method` that was not asked for yet."""
        async with self._news:
            while True:
                for index, (name, params) in enumerate(self._heard):
                    if name == method and where(params):
                        del self._heard[index]
                        return params
                await self._news.wait()

    def heard(self, method: str) -> list[Any]:
        """All of that method so far, left in place."""
        return [params for name, params in self._heard if name == method]

    async def ended(self) -> None:
        """Wait until the server has closed the connection."""
        assert self._task is not None
        await self._task

    async def leave(self) -> None:
        self.writer.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def read(self) -> dict[str, Any] | None:
        """The next message; None at the end."""
        try:
            header = await self.reader.readuntil(b"\r\n\r\n")
            assert header.startswith(b"Content-Length: "), header
            body = await self.reader.readexactly(int(header.split(b":")[1]))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        message: dict[str, Any] = json.loads(body)
        return message

    async def _listen(self) -> None:
        while (message := await self.read()) is not None:
            if "method" not in message:
                self._reply(message)
            elif "id" in message:
                self.asked.append(message["method"])
                answer = self.answers.get(message["method"])
                if answer is not None:
                    self.send({"jsonrpc": "2.0", "id": message["id"], "result": answer(message["params"])})
            else:
                async with self._news:
                    self._heard.append((message["method"], message["params"]))
                    self._news.notify_all()
        for future in self._replies.values():
            if not future.done():
                future.set_exception(EOFError("the server closed the connection"))
                future.exception()  # nobody may be waiting for it

    def _reply(self, message: dict[str, Any]) -> None:
        future = self._replies.pop(message["id"], None) if isinstance(message["id"], int) else None
        if future is None:
            self.stray.append(message)
        elif not future.done():
            if "error" in message:
                future.set_exception(Failure(message["error"]))
            else:
                future.set_result(message["result"])


def address_in(base: Path) -> Path:
    """Where a daemon of the test's own listens."""
    return socket_path(base) if sys.platform == "win32" else base / "run" / "k.sock"


async def connected(address: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Both directions of a connection to the daemon at `address`, let in where a token is asked for."""
    if sys.platform != "win32":
        return await asyncio.open_unix_connection(str(address))
    loop = asyncio.get_running_loop()
    assert isinstance(loop, asyncio.ProactorEventLoop)
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport = None
    while transport is None:
        try:
            transport, _ = await loop.create_pipe_connection(lambda: protocol, str(address))
        except FileNotFoundError:  # a daemon in this loop makes its pipe when it begins to serve
            await asyncio.sleep(0)
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    token = token_path(address).read_bytes()
    half = len(token) // 2
    writer.write(token[:half])
    assert await reader.readexactly(half) == token[half:]
    return reader, writer


def framed(message: dict[str, Any]) -> bytes:
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
