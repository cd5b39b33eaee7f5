"""Control-C while a client waits for an answer: the request is cancelled, and nothing of the connection is lost."""

import signal
import socket
import sys
import threading
from collections.abc import Iterator

import msgspec
import pytest

from khojd.daemon.client import Client
from khojd.daemon.connection import Connection
from khojd.daemon.handover import Reader
from khojd.server.message import Envelope, decode, encode
from khojd.server.types import DaemonStatus, NoParams, SearchParams, SearchResult, ServerHello

if sys.platform == "win32":
    pytest.skip("signals and sockets of Unix", allow_module_level=True)

HELLO = ServerHello(protocol=(1, 1), version="", methods=())
STATUS = DaemonStatus(
    pid=7,
    version="",
    protocol=(1, 1),
    started=0.0,
    address="",
    index="",
    config="",
    log="",
    memory_bytes=0,
    busy=False,
    idle_minutes=1.0,
    clients=(),
)


class Interrupted:
    """A connection on which a signal comes when the first bytes have been read, and not yet been taken."""

    def __init__(self, sock: socket.socket, times: int) -> None:
        self._sock = sock
        self._times = times
        self.sendall, self.close = sock.sendall, sock.close
        self.settimeout, self.shutdown = sock.settimeout, sock.shutdown

    def recv(self, size: int, /) -> bytes:
        data = self._sock.recv(size)
        while self._times:
            self._times -= 1
            signal.raise_signal(signal.SIGINT)
        return data


class Daemon:
    """Answers a search when it is cancelled, and a question for the status at once."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._asked: object = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def join(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        reader = Reader(self._sock)
        try:
            while True:
                self._take(decode(reader.read()))
        except (EOFError, OSError):
            pass
        finally:
            self._sock.close()

    def _take(self, message: Envelope) -> None:
        if message.method == "khoj/search":
            self._asked = message.id
            progress = {"token": "partial", "value": SearchResult(phase="words", hits=(), count=0, took_ms=0.0, notes=())}
            self._say({"jsonrpc": "2.0", "method": "$/progress", "params": progress})
        elif message.method == "$/cancelRequest":
            assert msgspec.json.decode(message.params) == {"id": self._asked}
            self._say({"jsonrpc": "2.0", "id": self._asked, "error": {"code": -32800, "message": "cancelled"}})
        elif message.method == "khoj/daemon/status":
            self._say({"jsonrpc": "2.0", "id": message.id, "result": STATUS})

    def _say(self, message: dict[str, object]) -> None:
        self._sock.sendall(encode(message))


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, Daemon]]:
    ours, theirs = socket.socketpair()
    daemon = Daemon(theirs)
    yield ours, daemon
    ours.close()
    daemon.join()


def test_a_signal_in_the_middle_of_a_read_cancels_the_request_and_the_client_goes_on(ends: tuple[socket.socket, Daemon]) -> None:
    connection: Connection = Interrupted(ends[0], 1)
    client = Client(connection, HELLO)
    parts: list[SearchResult] = []
    with pytest.raises(KeyboardInterrupt):
        client.call("khoj/search", SearchParams(query="tea"), SearchResult, on_partial=parts.append)
    assert [part.phase for part in parts] == ["words"], "what was read when the signal came is not lost"
    assert client.call("khoj/daemon/status", NoParams(), DaemonStatus).pid == 7
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_signal_does_not_wait_for_the_daemon(ends: tuple[socket.socket, Daemon]) -> None:
    client = Client(Interrupted(ends[0], 2), HELLO)
    with pytest.raises(KeyboardInterrupt):
        client.call("khoj/search", SearchParams(query="tea"), SearchResult, on_partial=lambda part: None)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_programs_own_is_left_in_place(ends: tuple[socket.socket, Daemon]) -> None:
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        client = Client(Interrupted(ends[0], 1), HELLO)
        assert client.call("khoj/daemon/status", NoParams(), DaemonStatus).pid == 7
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    assert came == [signal.SIGINT]
