"""Where the daemon takes clients in: a socket, in place at once and gone first; a named pipe with a token on Windows.

Only the process that holds the index's lock may make a Listener: it replaces whatever lies at the address.
"""

import asyncio
import logging
import os
import socket
import stat
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from khojd import paths
from khojd.daemon.address import check_private
from khojd.daemon.token import Token, token_path
from khojd.errors import DaemonError

log = logging.getLogger(__name__)

Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

if sys.platform == "win32":

    class Listener:
        def __init__(self, path: Path) -> None:
            """Make the token. Raises DaemonError when it cannot be written."""
            self.path = path
            self._token = Token.make(token_path(path))
            self._pipe: asyncio.windows_events.PipeServer | None = None

        async def serve(self, connected: Connected) -> None:
            """Call `connected` for each client that shows the token, in a task. Raises DaemonError when the name is taken."""
            loop = asyncio.get_running_loop()
            assert isinstance(loop, asyncio.ProactorEventLoop), "the default loop of Windows"

            async def admit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                if await self._token.welcome(reader, writer):
                    await connected(reader, writer)
                    return
                log.warning("a client without the token was refused")
                writer.close()

            def protocol() -> asyncio.StreamReaderProtocol:
                return asyncio.StreamReaderProtocol(asyncio.StreamReader(), admit)

            try:
                (self._pipe,) = await loop.start_serving_pipe(protocol, os.fspath(self.path))
            except OSError as error:
                raise DaemonError(f"cannot listen at {self.path}: {error.strerror}", address=str(self.path)) from error

        def hide(self) -> None:
            """Take nobody in any more: new clients find no daemon, or none with time for them while others are attached."""
            if self._pipe is not None:
                self._pipe.close()

        close = hide

else:

    class Listener:
        def __init__(self, path: Path) -> None:
            """Bind and listen. Raises DaemonError when the directory is not private or the socket cannot be made."""
            _make_private(path.parent)
            self.path = path
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._server: asyncio.Server | None = None
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

        async def serve(self, connected: Connected) -> None:
            """Call `connected` for each client, in a task."""
            self._server = await asyncio.start_unix_server(connected, sock=self.socket)

        def hide(self) -> None:
            """Take the address away, so that new clients find no daemon; those that wait in the queue get an end of file."""
            try:
                if self.path.lstat().st_ino == self._inode:
                    self.path.unlink()
            except FileNotFoundError:
                pass

        def close(self) -> None:
            self.hide()
            if self._server is not None:
                self._server.close()
            self.socket.close()

    def _make_private(directory: Path) -> None:
        """Create a socket directory, or close one of our own to others. Raises DaemonError as check_private does."""
        paths.private_dir(directory)
        status = os.lstat(directory)
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and stat.S_IMODE(status.st_mode) & 0o077:
            directory.chmod(0o700)
        check_private(directory)
