"""Linux's inotify (man 7 inotify): the kernel says what changed in a directory, so that nobody has to look."""

import ctypes
import errno
import os
import struct
import sys
from functools import cache
from typing import Any, NamedTuple

MODIFY, ATTRIB, CLOSE_WRITE = 0x2, 0x4, 0x8
MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x40, 0x80, 0x100, 0x200
DELETE_SELF, MOVE_SELF = 0x400, 0x800
UNMOUNT, OVERFLOW, IGNORED = 0x2000, 0x4000, 0x8000
ONLYDIR, MASK_ADD, ISDIR = 0x1000000, 0x20000000, 0x40000000

NAMES = CREATE | DELETE | MOVED_FROM | MOVED_TO  # what is in a directory
CONTENT = MODIFY | CLOSE_WRITE | ATTRIB

_HEAD = struct.Struct("iIII")
_BUFFER = 65_536


class Event(NamedTuple):
    """`name` is that of the thing in the watched directory, "" when the directory itself is meant."""

    watch: int
    mask: int
    name: str


class Inotify:
    """A queue of events. `fileno` can be polled. Raises OSError (EMFILE: too many queues)."""

    def __init__(self) -> None:
        self._fd = _checked(_libc().inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC), "")

    def fileno(self) -> int:
        return self._fd

    def watch(self, path: str, mask: int) -> int:
        """Watch a file or directory; the same number for the same one, however it is named. Raises OSError (ENOSPC: too many)."""
        return _checked(_libc().inotify_add_watch(self._fd, os.fsencode(path), mask | MASK_ADD), path)

    def unwatch(self, watch: int) -> None:
        """End a watch, there or not."""
        _libc().inotify_rm_watch(self._fd, watch)

    def read(self) -> list[Event]:
        """Some of the events that are there, in their order; none when there are none. Others may come as fast as they are read."""
        try:
            data = os.read(self._fd, _BUFFER)
        except BlockingIOError:
            return []
        events: list[Event] = []
        place = 0
        while place < len(data):
            watch, mask, _, length = _HEAD.unpack_from(data, place)
            place += _HEAD.size
            events.append(Event(watch, mask, os.fsdecode(data[place : place + length].rstrip(b"\0"))))
            place += length
        return events

    def close(self) -> None:
        os.close(self._fd)


def available() -> bool:
    """Whether this system has it."""
    return sys.platform == "linux" and hasattr(_libc(), "inotify_init1")


@cache
def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, path: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), *([path] if path else []))
    return result


def scarce(error: OSError) -> str:
    """The setting that gives more of what ran out, "" when something else is wrong."""
    return {errno.ENOSPC: "fs.inotify.max_user_watches", errno.EMFILE: "fs.inotify.max_user_instances"}.get(error.errno or 0, "")
