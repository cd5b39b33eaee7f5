"""`khojd connect`: an editor's stdin and stdout, copied to and from the daemon's socket or pipe.

An editor waits for this process, so it imports standard library basics only: no asyncio, no JSON, no pygls.
"""

import os
import socket
import sys
import threading
from pathlib import Path

from khojd.daemon.address import Record, config_file, index_dir
from khojd.daemon.spawn import connect, listening
from khojd.errors import ConfigError, DaemonError

TYPE_CHECKING = False  # as typing has it; importing typing costs 2 ms
if TYPE_CHECKING:
    from khojd.daemon.connection import Connection

PROTOCOL = 1  # the highest version that editors of this khojd speak; a test compares it with server.types.PROTOCOL
MISTAKEN, FAILED = 2, 3  # as all commands end when the configuration or the daemon is at fault
_CHUNK = 65536
_ATTEMPTS = 20  # connections to daemons that were leaving


def main(*, index: Path | None = None, config: Path | None = None) -> int:
    """Copy until either side ends. 0: the editor left; 2: the configuration is not there; 3: the daemon left, or there is none."""
    try:
        return _Bridge(*_places(index, config)).run()
    except (ConfigError, DaemonError) as error:
        return _told(error)


def tell_address(*, index: Path | None = None, config: Path | None = None) -> int:
    """Start the daemon if need be and print where it listens, for clients that speak to its socket themselves.

    0; 2 and 3 as `main`. On Windows it is the named pipe, which asks for a secret first: docs/protocol.md.
    """
    try:
        index, config = _places(index, config)
        retire_older(index, config)
        print(listening(index, config))
    except (ConfigError, DaemonError) as error:
        return _told(error)
    return 0


def _places(index: Path | None, config: Path | None) -> tuple[Path, Path]:
    config = config_file(config)
    return (index or index_dir(config)).expanduser().resolve(), config


def _told(error: ConfigError | DaemonError) -> int:
    print(f"khojd: {error.message}", file=sys.stderr)
    return MISTAKEN if isinstance(error, ConfigError) else FAILED


class _Bridge:
    """What the editor sent before the daemon's first byte is kept, to be said again to the next daemon if this one was leaving."""

    def __init__(self, index: Path, config: Path) -> None:
        self._index = index
        self._config = config
        self._lock = threading.Lock()
        self._sock: Connection
        self._unanswered: list[bytes] | None = []
        self._last = b""  # the end of what the editor sent
        self._ended = False

    def run(self) -> int:
        retire_older(self._index, self._config)
        self._sock = connect(self._index, self._config)
        threading.Thread(target=self._copy_in, daemon=True).start()
        attempts = 1
        while True:
            answered = self._copy_out()
            if answered or self._left() or attempts == _ATTEMPTS:
                break
            attempts += 1
            fresh = connect(self._index, self._config)
            with self._lock:
                self._sock = fresh
                self._say_again()
        if self._left():
            return 0
        print("khojd: the daemon ended the connection", file=sys.stderr)
        return FAILED

    def _copy_out(self) -> bool:
        """Daemon to editor; whether a byte came."""
        answered = False
        while True:
            try:
                data = self._sock.recv(_CHUNK)
            except OSError:
                data = b""
            if not data:
                return answered
            if not answered:
                answered = True
                with self._lock:
                    self._unanswered = None
            try:
                _write(1, data)
            except OSError:
                self._ended = True
                return True

    def _copy_in(self) -> None:
        """Editor to daemon."""
        while True:
            try:
                data = os.read(0, _CHUNK)
            except OSError:
                data = b""
            with self._lock:
                if data and self._unanswered is not None:
                    self._unanswered.append(data)
                    self._send(data)
                    continue
            if not data:
                self._ended = True
                self._shut()
                return
            self._last = (self._last + data)[-256:]
            self._send(data)

    def _send(self, data: bytes) -> None:
        try:
            self._sock.sendall(data)
        except OSError:
            pass  # the daemon is gone, which _copy_out sees

    def _say_again(self) -> None:
        for data in self._unanswered or ():
            self._send(data)
        if self._ended:
            self._shut()

    def _shut(self) -> None:
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _left(self) -> bool:
        return self._ended or b'"exit"' in self._last


def retire_older(index: Path, config: Path) -> None:
    """A daemon of an older khojd that nobody else uses makes room for ours; one that is in use serves us as it can."""
    record = Record.read(index)
    if record is not None and record.protocol[1] < PROTOCOL:
        from khojd.daemon.handover import retire

        retire(index, config, PROTOCOL)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
