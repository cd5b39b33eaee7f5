"""The daemon's listening socket, in place at once and gone first."""

import os
import socket
from pathlib import Path

from khojd.daemon.address import make_private
from khojd.errors import DaemonError


class Listener:
    """Only the process that holds the index's lock may make one: it replaces whatever lies at the address."""

    def __init__(self, path: Path) -> None:
        """Bind and listen. Raises DaemonError when the directory is not private or the socket cannot be made."""
        make_private(path.parent)
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        private = path.with_suffix(".new")  # a private name first: nobody sees a socket that is bound and does not listen
        try:
            private.unlink(missing_ok=True)
            self.socket.bind(os.fspath(private))
            private.chmod(0o600)
            self.socket.listen(128)
            self.socket.setblocking(False)
            private.replace(path)
        except OSError as error:
            self.socket.close()
            raise DaemonError(f"cannot listen at {path}: {error.strerror}", address=str(path)) from error
        self._inode = path.lstat().st_ino

    def hide(self) -> None:
        """Take the address away, so that new clients find no daemon; those that wait in the queue get an end of file."""
        try:
            if self.path.lstat().st_ino == self._inode:
                self.path.unlink()
        except FileNotFoundError:
            pass

    def close(self) -> None:
        self.hide()
        self.socket.close()
