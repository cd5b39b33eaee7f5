"""Asking an older daemon to leave, so that a newer one can serve. Standard library only."""

import json
import socket
from pathlib import Path
from typing import Any

from khojd.daemon.spawn import connect
from khojd.errors import DaemonError
from khojd.server.framing import BrokenFraming, content_length, frame

_SECONDS = 5.0


def retire(index: Path, config: Path, protocol: int) -> bool:
    """Ask the daemon of `index` to leave; False when it stays (others use it), True when it leaves or is gone already."""
    try:
        sock = connect(index, config, spawn=False)
    except DaemonError:
        return True
    with sock:
        sock.settimeout(_SECONDS)
        options = {"khoj": {"protocol": protocol, "client": "khojd"}}
        hello = {"processId": None, "rootUri": None, "capabilities": {}, "initializationOptions": options}
        try:
            _request(sock, 1, "initialize", hello)
            reply = _request(sock, 2, "khoj/daemon/retire", {})
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


def _request(sock: socket.socket, number: int, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """Send a request and return its reply; whatever else arrives before is left aside."""
    sock.sendall(frame(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()))
    while True:
        message: dict[str, Any] = json.loads(read_message(sock))
        if message.get("id") == number and "method" not in message:
            return message


def read_message(sock: socket.socket) -> bytes:
    """The body of the next message on a blocking socket. Raises BrokenFraming, and EOFError when the daemon has left."""
    header = b""
    while not header.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        if not byte:
            raise EOFError
        header += byte
    left = content_length(header[:-4])
    parts = []
    while left:
        part = sock.recv(min(left, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
