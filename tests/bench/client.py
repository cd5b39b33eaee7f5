"""A client of the daemon that is nothing but a socket, so that what is measured is the daemon."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

CONNECT_SECONDS = 60.0
KEPT = 100  # notifications


class Client:
    """Asks one thing at a time. Times are in seconds, from the first byte sent to the last byte received, without decoding."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = b""
        self._heard: list[bytes] = []
        self._number = 0

    @classmethod
    def connect(cls, address: Path, *, patience: float = CONNECT_SECONDS) -> Self:
        """Connect as soon as somebody listens and greet; raises TimeoutError when nobody does."""
        deadline = time.monotonic() + patience
        while True:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                sock.connect(str(address))
                break
            except (FileNotFoundError, ConnectionRefusedError):
                sock.close()
                if time.monotonic() > deadline:
                    raise TimeoutError(f"nobody listens at {address}") from None
                time.sleep(0.002)
        client = cls(sock)
        client.ask("initialize", initialize_params())
        client.tell("initialized", {})
        return client

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        """The result of a request."""
        return json.loads(self.timed(method, params)[1])["result"]

    def timed(self, method: str, params: dict[str, Any]) -> tuple[float, bytes]:
        """How long a request took, and the reply as it came. Raises RuntimeError for an error reply, EOFError at the end."""
        self._number += 1
        message = message_bytes({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        mark = b'"id":%d,' % self._number
        started = time.perf_counter()
        self._sock.sendall(message)
        while True:
            body = self._receive()
            if mark in body[:64] and b'"method"' not in body[:64]:
                break
            self._refuse(body)
        took = time.perf_counter() - started
        if b'"error":' in body[:64]:
            raise RuntimeError(f"{method}: {body.decode(errors='replace')[:500]}")
        return took, body

    def begin(self, method: str, params: dict[str, Any]) -> int:
        """Send a request; its id, for `end`."""
        self._number += 1
        self._sock.sendall(message_bytes({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}))
        return self._number

    def end(self, number: int) -> None:
        """Wait for the reply to a request, whatever it is."""
        while json.loads(body := self._receive()).get("id") != number or b'"method"' in body[:64]:
            self._refuse(body)

    def stream(self, method: str, params: dict[str, Any]) -> Iterator[tuple[float, Any]]:
        """The messages from now on up to the reply, each with the time of the monotonic clock at which it was read."""
        number = self.begin(method, params)
        while True:
            body = self._receive()
            when = time.monotonic()
            message = json.loads(body)
            if "id" in message and "method" in message:
                self._refuse(body)
                continue
            if "error" in message:
                raise RuntimeError(f"{method}: {message['error']['message']}")
            yield when, message
            if message.get("id") == number:
                return

    def tell(self, method: str, params: dict[str, Any]) -> None:
        """Send a notification."""
        self._sock.sendall(message_bytes({"jsonrpc": "2.0", "method": method, "params": params}))

    def hear(self, method: str, wanted: Callable[[Any], bool]) -> Any:
        """The params of the next notification of `method` that is `wanted`; the others are dropped."""
        while True:
            body = self._heard.pop(0) if self._heard else self._receive()
            message = json.loads(body)
            if message.get("method") == method and "id" not in message and wanted(message["params"]):
                return message["params"]
            if "id" in message:
                self._refuse(body)

    def close(self) -> None:
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _receive(self) -> bytes:
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        header, _, rest = self._buffer.partition(b"\r\n\r\n")
        length = int(header.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        self._buffer = rest
        while len(self._buffer) < length:
            self._fill()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return body

    def _fill(self) -> None:
        data = self._sock.recv(262_144)
        if not data:
            raise EOFError("the daemon closed the connection")
        self._buffer += data

    def _refuse(self, body: bytes) -> None:
        """Notifications are kept for `hear`; the server's own requests get an empty answer."""
        message = json.loads(body)
        if "id" not in message:
            self._heard = [*self._heard, body][-KEPT:]
        elif "method" in message:
            self._sock.sendall(message_bytes({"jsonrpc": "2.0", "id": message["id"], "result": None}))


def initialize_params() -> dict[str, Any]:
    edit = {"documentChanges": True, "resourceOperations": ["create", "rename"]}
    capabilities = {
        "general": {"positionEncodings": ["utf-16"]},
        "workspace": {"workspaceEdit": edit},
        "textDocument": {"documentSymbol": {"hierarchicalDocumentSymbolSupport": True}},
    }
    khoj = {"khoj": {"protocol": 1, "client": "bench"}}
    return {"processId": None, "rootUri": None, "capabilities": capabilities, "initializationOptions": khoj}


def message_bytes(message: dict[str, Any]) -> bytes:
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
