"""A client's end of a named pipe (Windows). The bridge imports this module: standard library basics only.

The pipe is opened for overlapped reading and writing: on any other, a write waits for the read that another thread is in.
"""

import _winapi
import os
import sys
import time
from pathlib import Path

from khojd.daemon.token import Token, token_path
from khojd.errors import DaemonError

assert sys.platform == "win32"

_BUSY_SECONDS = 2.0  # for a daemon to take in the clients before us
_CHUNK = 65536
# Whoever holds the other end may know who we are, and may not act in our name.
_SECURITY_SQOS_PRESENT = 0x00100000
_SECURITY_IDENTIFICATION = 0x00010000
_GONE = (_winapi.ERROR_BROKEN_PIPE, _winapi.ERROR_NO_DATA, 233)  # 233: ERROR_PIPE_NOT_CONNECTED


def connect(address: Path) -> "Pipe | None":
    """A connection to the daemon at `address` that has shown its token; None when there is none, or it is leaving.

    Raises DaemonError when the pipe or its token may not be opened.
    """
    token = Token.read(token_path(address))
    handle = None if token is None else _open(os.fspath(address))
    if token is None or handle is None:
        return None
    pipe = Pipe(handle)
    try:
        if token.greet(pipe):
            return pipe
    except OSError:
        pass
    pipe.close()
    return None


def _open(name: str) -> int | None:
    flags = _winapi.FILE_FLAG_OVERLAPPED | _SECURITY_SQOS_PRESENT | _SECURITY_IDENTIFICATION
    access = _winapi.GENERIC_READ | _winapi.GENERIC_WRITE
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            return _winapi.CreateFile(name, access, 0, _winapi.NULL, _winapi.OPEN_EXISTING, flags, _winapi.NULL)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.winerror != _winapi.ERROR_PIPE_BUSY:
                raise DaemonError(f"cannot connect to {name}: {error.strerror}", address=name) from error
        if time.monotonic() > deadline:
            return None  # it takes in nobody any more: it is leaving
        try:
            _winapi.WaitNamedPipe(name, 100)
        except OSError:
            pass  # still busy, or gone, which the next attempt tells


class Pipe:
    """A Connection."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._milliseconds = _winapi.INFINITE
        # A read that a time limit or a signal has interrupted goes on, and the next one gets what it brings.
        self._reading: _winapi.Overlapped | None = None

    def recv(self, size: int, /) -> bytes:
        try:
            if self._reading is None:
                self._reading, _ = _winapi.ReadFile(self._handle, size, overlapped=True)
            self._wait(self._reading)
            reading, self._reading = self._reading, None
            got, _ = reading.GetOverlappedResult(True)
        except OSError as error:
            if error.winerror in _GONE:
                return b""
            raise
        return bytes(reading.getbuffer() or b"")[:got]

    def sendall(self, data: bytes, /) -> None:
        for start in range(0, len(data), _CHUNK):
            self._write(data[start : start + _CHUNK])

    def settimeout(self, seconds: float | None, /) -> None:
        self._milliseconds = _winapi.INFINITE if seconds is None else int(seconds * 1000)

    def shutdown(self, how: int, /) -> None:
        """A pipe has no half to close; an empty message reads as the end of the file."""
        self._write(b"")

    def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        _winapi.CloseHandle(self._handle)

    def _write(self, data: bytes) -> None:
        writing, _ = _winapi.WriteFile(self._handle, data, overlapped=True)
        try:
            self._wait(writing)
        except BaseException:
            writing.cancel()
            raise
        writing.GetOverlappedResult(True)

    def _wait(self, overlapped: _winapi.Overlapped) -> None:
        while True:
            try:
                if _winapi.WaitForMultipleObjects([overlapped.event], False, self._milliseconds) == _winapi.WAIT_TIMEOUT:
                    raise TimeoutError("the daemon does not answer")
                return
            except InterruptedError:
                continue  # before the next wait Python calls the signal's handler, which may raise
