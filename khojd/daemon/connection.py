"""What a client needs of its end, be it a socket or a named pipe. For type checkers: the bridge does not load this module."""

from typing import Protocol


class Connection(Protocol):
    """The part of `socket.socket` that khojd uses."""

    def recv(self, size: int, /) -> bytes:
        """At most `size` bytes; none when the daemon has left. Raises TimeoutError, and another OSError when it is lost."""

    def sendall(self, data: bytes, /) -> None:
        """Raises OSError when the daemon has left."""

    def settimeout(self, seconds: float | None, /) -> None: ...

    def shutdown(self, how: int, /) -> None:
        """Nothing more will be sent."""

    def close(self) -> None: ...
