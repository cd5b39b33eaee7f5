"""Asking an older daemon to leave, so that a newer one can serve. Standard library only."""

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from khojd.daemon.spawn import connect
from khojd.errors import DaemonError
from khojd.server.framing import BrokenFraming, content_length, frame

if TYPE_CHECKING:
    from khojd.daemon.connection import Connection

_SECONDS = 5.0


def retire(index: Path, config: Path, protocol: int) -> bool:
    """Ask the daemon of `index` to leave; False when it stays (others use it), True when it leaves or is gone already."""
    try:
        sock = connect(index, config, spawn=False)
    except DaemonError:
        return True
    with closing(sock):
        sock.settimeout(_SECONDS)
        options = {"khoj": {"protocol": protocol, "client": "khojd"}}
        hello = {"processId": None, "rootUri": None, "capabilities": {}, "initializationOptions": options}
        try:
            reader = Reader(sock)
            _request(sock, reader, 1, "initialize", hello)
            reply = _request(sock, reader, 2, "khoj/daemon/retire", {})
        except (OSError, EOFError, ValueError, BrokenFraming):
            return False
        if not reply.get("result", {}).get("retiring"):
            return False
        try:
            while sock.recv(65536):
                pass
        except OSError:
            pass
        return True


def _request(sock: "Connection", reader: "Reader", number: int, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """Send a request and return its reply; whatever else arrives before is left aside."""
    sock.sendall(frame(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()))
    while True:
        message: dict[str, Any] = json.loads(reader.read())
        if message.get("id") == number and "method" not in message:
            return message


class Reader:
    """Messages from a blocking connection. A read that was interrupted (a signal, a time limit) can be made again."""

    def __init__(self, sock: "Connection") -> None:
        self._sock = sock
        self._buffer = bytearray()

    def read(self) -> bytes:
        """The body of the next message. Raises BrokenFraming, and EOFError when the daemon has left."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            self._more()
        start = end + 4
        size = content_length(bytes(self._buffer[:end]))
        while len(self._buffer) < start + size:
            self._more()
        body = bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        return body

    def _more(self) -> None:
        data = self._sock.recv(1 << 18)
        if not data:
            raise EOFError
        self._buffer += data
