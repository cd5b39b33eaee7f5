"""The secret that the two ends of a named pipe show each other. The bridge imports this module: standard library basics only.

A socket lies in a directory that only its owner can enter; the name of a pipe is open to everyone on the machine. So a daemon that
serves a pipe writes a fresh secret into a file of its user's. A client says the first half of it before anything else, else it is
not served; the daemon answers with the second half, else the client says nothing more: whoever takes the pipe's name while no
daemon runs learns half a secret, which opens nothing.
"""

import os
import sys
from pathlib import Path

from khojd import paths
from khojd.errors import DaemonError

TYPE_CHECKING = False  # as typing has it; importing typing costs 2 ms
if TYPE_CHECKING:
    import asyncio

    from khojd.daemon.connection import Connection

_HALF = 64  # hexadecimal digits
_SECONDS = 10.0  # for the other end to say its half


def token_path(address: Path) -> Path:
    """Where the secret of the daemon at `address` lies."""
    return paths.state_dir() / f"{address.name}.token"


class Token:
    def __init__(self, digits: bytes) -> None:
        self._first = digits[:_HALF]
        self._second = digits[_HALF:]

    @classmethod
    def make(cls, path: Path) -> "Token":
        """A new one, in a file that only this user can read. Raises DaemonError when it cannot be written."""
        digits = os.urandom(_HALF).hex().encode()
        try:
            paths.private_dir(path.parent)
            # In place, not by renaming: a reader would keep Windows from that. Half a secret is read as none.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                if sys.platform == "win32":  # where the mode says nothing
                    from khojd.daemon.acl import close_to_others

                    close_to_others(path)
                os.write(descriptor, digits)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise DaemonError(f"cannot write {path}: {error.strerror}", file=str(path)) from error
        return cls(digits)

    @classmethod
    def read(cls, path: Path) -> "Token | None":
        """None when no daemon has written one. Raises DaemonError when it is not ours to read."""
        try:
            digits = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DaemonError(f"cannot read {path}: {error.strerror}", file=str(path)) from error
        return cls(digits) if len(digits) == 2 * _HALF else None

    def greet(self, connection: "Connection") -> bool:
        """The client's part; whether the daemon is the one that wrote the file. Raises OSError when the connection is lost."""
        connection.settimeout(_SECONDS)
        connection.sendall(self._first)
        heard = b""
        while len(heard) < _HALF:
            data = connection.recv(_HALF - len(heard))
            if not data:
                return False
            heard += data
        connection.settimeout(None)
        return heard == self._second

    async def welcome(self, reader: "asyncio.StreamReader", writer: "asyncio.StreamWriter") -> bool:
        """The daemon's part; whether the client may be served."""
        import asyncio
        import hmac

        try:
            async with asyncio.timeout(_SECONDS):
                heard = await reader.readexactly(_HALF)
        except (TimeoutError, asyncio.IncompleteReadError, OSError):
            return False
        if not hmac.compare_digest(heard, self._first):
            return False
        writer.write(self._second)
        return True
