"""Finding the daemon of an index, or starting it. The bridge imports this module: standard library basics only.

The rules, without which clients fail while a daemon is coming or going:

- connect; where nobody listens, start a daemon of our own and try again with growing pauses;
- a child that ended without an error has lost the race for the index's lock: the winner is about to listen, or a daemon that is
  leaving still holds the lock, so start another one, with growing pauses too;
- the connection may end before the reply to `initialize`: that daemon was leaving (`Connection` is made again by the caller).
"""

import os
import socket
import sys
import time
from pathlib import Path

from khojd.daemon.address import Record, check_private, socket_path
from khojd.errors import DaemonError

TYPE_CHECKING = False  # as typing has it; importing typing costs 2 ms
if TYPE_CHECKING:
    from khojd.daemon.connection import Connection

PATIENCE = 60.0  # seconds for a daemon to come up; a large index that was not closed takes a while to open
_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.2
# Before another daemon is started in place of one that lost the race: many clients that do so take the winner's processor time.
_FIRST_LOST_PAUSE = 0.05
_LONGEST_LOST_PAUSE = 2.0


def connect(index: Path, config: Path, *, spawn: bool = True, patience: float = PATIENCE) -> "Connection":
    """A connection to the daemon of `index`, which is started when there is none and `spawn` is true.

    Raises DaemonError when there is none, it cannot be started (with what it said), or does not come up in `patience` seconds.
    """
    return _reach(index, config, spawn=spawn, patience=patience)[1]


def listening(index: Path, config: Path, *, patience: float = PATIENCE) -> Path:
    """Where the daemon of `index` listens; it is started when there is none. Raises DaemonError as `connect` does."""
    address, connection = _reach(index, config, spawn=True, patience=patience)
    connection.close()
    return address


def _reach(index: Path, config: Path, *, spawn: bool, patience: float) -> "tuple[Path, Connection]":
    child: _Child | None = None
    deadline = time.monotonic() + patience
    pause = _FIRST_PAUSE
    next_start = 0.0
    lost_pause = _FIRST_LOST_PAUSE
    try:
        while True:
            found = _try(index)
            if found is not None:
                return found
            if not spawn:
                raise DaemonError(f"no daemon is running for {index}", address=str(socket_path(index)))
            now = time.monotonic()
            if child is not None and child.ended():
                child = None
                next_start = now + lost_pause
                lost_pause = min(lost_pause * 2, _LONGEST_LOST_PAUSE)
            elif child is None and now >= next_start:
                child = _Child(index, config)
            if now > deadline:
                message = f"the daemon of {index} did not come up in {patience:.0f} seconds: look at its log"
                raise DaemonError(message, index=str(index))
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
    finally:
        if child is not None:
            child.let_go()


def _try(index: Path) -> "tuple[Path, Connection] | None":
    record = Record.read(index)
    addresses = [socket_path(index)]
    if record is not None and record.address != str(addresses[0]):
        addresses.append(Path(record.address))
    for address in addresses:
        found = _open(address)
        if found is not None:
            return address, found
    return None


if sys.platform == "win32":
    from _winapi import CREATE_NEW_PROCESS_GROUP, DETACHED_PROCESS  # importing subprocess for them would cost the bridge more

    from khojd.daemon.pipe import connect as _open

    _DETACHED = DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP
else:
    _DETACHED = 0

    def _open(address: Path) -> socket.socket | None:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.connect(os.fspath(address))
        except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
            sock.close()
            return None
        except OSError as error:
            sock.close()
            raise DaemonError(f"cannot connect to {address}: {error.strerror or error}", address=str(address)) from error
        check_private(address.parent)
        return sock


class _Child:
    """A daemon that we started, as long as it is not known to listen."""

    def __init__(self, index: Path, config: Path) -> None:
        import subprocess

        command = [sys.executable, "-m", "khojd", "serve", "--detached", "--index", str(index)]
        # By its variable the file need not be there yet.
        environment = {**os.environ, "KHOJD_CONFIG": str(config)}
        package = Path(__file__).resolve().parents[2]
        if not package.name.endswith("-packages"):
            # A checkout that is not installed: the child has to find it too.
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, [environment.get("PYTHONPATH"), str(package)]))
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            creationflags=_DETACHED,
            cwd=Path(os.sep).resolve(),
            env=environment,
        )

    def ended(self) -> bool:
        """Whether it has ended without an error. Raises DaemonError with its last words when there was one."""
        code = self._process.poll()
        if code is None:
            return False
        assert self._process.stderr is not None, "made with a pipe"
        words = self._process.stderr.read().decode(errors="replace").strip()
        self._process.stderr.close()
        if code != 0:
            last = words.removeprefix("khojd: ") or f"it ended with status {code}"
            raise DaemonError(f"the daemon cannot be started: {last}", status=code)
        return True

    def let_go(self) -> None:
        """It is on its own now."""
        if self._process.stderr is not None:
            self._process.stderr.close()
        # It outlives us on purpose, which subprocess would warn about.
        self._process.returncode = self._process.poll() or 0
