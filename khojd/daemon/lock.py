"""One daemon per index: an exclusive flock on the index directory, held for the daemon's life.

The directory itself is locked, not a file in it, so that an index on a read-only disk can be served too; on Windows it is the first
byte of the file `lock`. The kernel drops the lock when the process ends, however it ends.
"""

import os
import sys
from pathlib import Path

from khojd.errors import StorageFull, StoreError

if sys.platform == "win32":
    import errno
    import msvcrt

    def _open(index: Path) -> int:
        # Windows locks no directories. On a read-only disk the file lies there from before.
        path = index / "lock"
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return os.open(path, os.O_RDONLY)

    def _lock(descriptor: int) -> None:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in (errno.EACCES, 0):  # 0: not every C library says why
                raise BlockingIOError from error
            raise
else:
    import fcntl

    def _open(index: Path) -> int:
        return os.open(index, os.O_RDONLY | os.O_DIRECTORY)

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


# What an index directory holds; the files of SQLite and damaged ones that are kept begin like the databases.
_OURS = ("catalog.db", "conversations.", "daemon", "lock", "open", "suspect", "vectors", "words")
_SYSTEMS = ("lost+found", ".DS_Store")


class Lock:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, index: Path) -> "Lock | None":
        """Lock `index`, creating it; None when another process has it.

        Raises StorageFull when it cannot be created, StoreError when it is not a directory, cannot be opened, or holds files of
        something else: an index is closed to everybody but its owner, and nobody wants that of their home, or khojd's files in it.
        """
        try:
            index.mkdir(parents=True, exist_ok=True, mode=0o700)
        except (FileExistsError, NotADirectoryError):
            message = f"the index {index} is not a directory: remove it or choose another index.path"
            raise StoreError(message, path=str(index)) from None
        except OSError as error:
            raise StorageFull(f"the index directory {index} cannot be created: {error.strerror}", path=str(index)) from error
        try:
            if found := others(index):
                some = ", ".join(found[:2]) + (", …" if found[2:] else "")
                message = f"the index directory {index} holds files that are not khojd's ({some}): name a directory of its own"
                raise StoreError(message, path=str(index))
            descriptor = _open(index)
        except OSError as error:
            raise StoreError(f"the index directory {index} cannot be opened: {error.strerror}", path=str(index)) from error
        try:
            _lock(descriptor)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError as error:
            os.close(descriptor)
            message = f"the index directory {index} cannot be locked ({error.strerror}): put it on a local disk"
            raise StoreError(message, path=str(index)) from error
        return cls(descriptor)

    @classmethod
    def held(cls, index: Path) -> bool:
        """Whether a process has the lock of `index`; False for one that is not there or cannot be locked."""
        if not index.is_dir():
            return False
        try:
            lock = cls.take(index)
        except StoreError:
            return False
        if lock is not None:
            lock.release()
        return lock is None

    def release(self) -> None:
        os.close(self._descriptor)


def others(index: Path) -> list[str]:
    """Names of what is in a directory that has never been an index. Raises OSError."""
    names = sorted(name for name in os.listdir(index) if name not in _SYSTEMS)  # noqa: PTH208
    if any(name.startswith(("catalog.db", "conversations.db")) for name in names):
        return []
    return [name for name in names if not name.startswith(_OURS)]
