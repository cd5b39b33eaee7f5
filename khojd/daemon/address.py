"""Where the daemon of an index listens. The bridge imports this module: standard library basics only.

The address is keyed by the index, so that every client of an index finds the same daemon, whatever its version or TMPDIR:
`$XDG_RUNTIME_DIR/khojd/<key>.sock`, else `~/.local/state/khojd/<key>.sock`, else (where those are too long for a socket)
`/tmp/khojd-<uid>/<key>.sock`; on Windows the named pipe `khojd-<key>` (daemon/token.py says who may use it). A running daemon also
writes its address into its index directory (`Record`), so that a client with another environment, e.g. without XDG_RUNTIME_DIR,
finds it too.
"""

import os
import stat
import sys
from pathlib import Path

from khojd import paths
from khojd.errors import ConfigError, DaemonError

# sun_path holds 108 bytes on Linux and 104 on macOS, with a NUL; the BSDs are like macOS.
MAX_SOCKET_PATH = 107 if sys.platform == "linux" else 102
_RECORD = "daemon"


def config_file(named: Path | None) -> Path:
    """The configuration file: the one that an option names, which has to be there, else the user's own, there or not.

    Raises ConfigError: another name than was meant would mean the defaults, without a word.
    """
    if named is None:
        return paths.config_file()
    file = named.expanduser().absolute()
    if not file.exists():
        message = f"--config {file} does not exist; correct it, or make it with `khojd --config {file} index --add FOLDER`"
        raise ConfigError(message, file=str(file))
    return file


def index_dir(config: Path) -> Path:
    """The index directory: `$KHOJD_INDEX`, else `index.path` of the configuration, else the default; resolved.

    A configuration that is no TOML counts as one that says nothing: the daemon itself reports it with line and reason.
    """
    if os.environ.get("KHOJD_INDEX"):
        return paths.default_index_dir().resolve()
    return (_configured_index(config) or paths.default_index_dir()).resolve()


def _configured_index(config: Path) -> Path | None:
    try:
        data = config.read_bytes()
    except OSError:
        return None
    # tomllib costs 9 ms and 3 MB, which the bridge pays only where the file speaks of an index at all.
    if not any(line.lstrip(b" \t[\"'").startswith(b"index") for line in data.splitlines()):
        return None
    import tomllib

    try:
        table = tomllib.loads(data.decode()).get("index")
    except ValueError:
        return None
    value = table.get("path") if isinstance(table, dict) else None
    return Path(value).expanduser() if isinstance(value, str) and value else None


def key(index: Path) -> str:
    """16 hexadecimal digits that stand for an index directory: FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/).

    Not hashlib: importing OpenSSL would cost the bridge 4 MB.
    """
    value = 0xCBF29CE484222325
    for byte in os.fsencode(index):
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def socket_path(index: Path) -> Path:
    """Where the daemon of `index` listens, as this process's environment has it: a socket, or a named pipe on Windows.

    Raises DaemonError when every directory's path is too long for a socket.
    """
    if sys.platform == "win32":
        return Path(rf"\\.\pipe\khojd-{key(index)}")
    name = key(index) + ".sock"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    bases = [Path(runtime) / "khojd"] if runtime.startswith("/") else []
    bases += [paths.state_dir(), Path(f"/tmp/khojd-{os.getuid()}")]
    for base in bases:
        if len(os.fsencode(base / name)) <= MAX_SOCKET_PATH:
            return base / name
    raise DaemonError(f"no directory is short enough for a socket of {MAX_SOCKET_PATH} bytes: {bases[0]}")


def check_private(directory: Path) -> None:
    """Refuse a socket directory that someone else could have made or could enter.

    Raises DaemonError unless it is a directory (no symbolic link) of our own that nobody else has any right to. A pipe lies in no
    directory: on Windows all is well.
    """
    if sys.platform == "win32":
        return
    try:
        status = os.lstat(directory)
    except FileNotFoundError:
        raise DaemonError(f"{directory} does not exist", address=str(directory)) from None
    if not stat.S_ISDIR(status.st_mode):
        raise DaemonError(f"{directory} is not a directory (or a symbolic link): remove it", address=str(directory))
    if status.st_uid != os.getuid():
        raise DaemonError(f"{directory} belongs to another user: remove it", address=str(directory))
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise DaemonError(f"{directory} is open to other users: run chmod 700 on it", address=str(directory))


class Record:
    """What a running daemon says of itself in its index directory, in plain lines (the bridge has no JSON)."""

    def __init__(self, *, pid: int, address: str, protocol: tuple[int, int], version: str) -> None:
        self.pid = pid
        self.address = address
        self.protocol = protocol
        self.version = version

    def write(self, index: Path) -> bool:
        """Put it in place at once; False on a read-only index, where clients have to find the address by themselves.

        Windows lets no file be replaced while someone reads it: there it is written in place, and half of it is read as none.
        """
        place = index / _RECORD
        fresh = place if sys.platform == "win32" else index / f"{_RECORD}.{self.pid}"
        low, high = self.protocol
        text = f"{self.pid}\n{low} {high}\n{self.version}\n{self.address}\n"
        try:
            fresh.write_text(text, encoding="utf-8", errors="surrogateescape")
            if fresh != place:
                fresh.replace(place)
        except OSError:
            return False
        return True

    @classmethod
    def read(cls, index: Path) -> "Record | None":
        """The record of the daemon that runs, or of one that was killed; None when there is none."""
        try:
            text = (index / _RECORD).read_text(encoding="utf-8", errors="surrogateescape")
            pid, protocol, version, address = text.split("\n", 4)[:4]
            low, high = protocol.split(" ")
            return cls(pid=int(pid), address=address, protocol=(int(low), int(high)), version=version)
        except (OSError, ValueError):
            return None

    @staticmethod
    def remove(index: Path) -> None:
        """One that cannot be removed is like that of a daemon that was killed: clients look whether it still runs."""
        try:
            (index / _RECORD).unlink(missing_ok=True)
        except OSError:
            pass
