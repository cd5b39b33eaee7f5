"""The events of a whole tree of directories, on Linux. Waiting for them takes no time of the processor."""

import contextlib
import os
import select
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from khojd.sources import inotify
from khojd.sources.inotify import Event, Inotify

MOUNTS = "/proc/self/mountinfo"  # polls as urgent when something is mounted
CHECK_SECONDS = 30.0  # for what gives no event: a link in the middle of the path that leads elsewhere
SAID = inotify.NAMES | inotify.CONTENT
LOST = inotify.DELETE_SELF | inotify.MOVE_SELF | inotify.UNMOUNT


class Tree:
    """What changes below `root`, in directories that `enter` (given the path below the root) accepts.

    Links to directories are followed; a directory that has two names is known by one of them, its own if that is below the root.
    Not thread-safe, but for `stop`. Raises OSError where the system has too few watches.
    """

    def __init__(self, root: str, enter: Callable[[str], bool]) -> None:
        self.root = root
        self._enter = enter
        self._events = Inotify()
        self._waker, self._stopper = os.pipe()
        self._mounts = open(MOUNTS, "rb")  # noqa: SIM115, PTH123 - held open to be polled
        self._poll = select.poll()
        self._poll.register(self._events, select.POLLIN)
        self._poll.register(self._waker, select.POLLIN)
        self._poll.register(self._mounts, select.POLLPRI)
        self._paths: dict[int, str] = {}
        self._watches: dict[str, int] = {}
        self._links: set[str] = set()
        try:
            self._watch_above()
            self._add(root)
        except BaseException:
            self.close()
            raise

    def wait(self, settle_ms: int, most_ms: int) -> frozenset[str] | None:
        """Paths that changed, collected until nothing did for `settle_ms`, but no longer than `most_ms`; None after `stop`.

        A directory stands for all that is below it. The root itself is among them when it was moved, deleted or unmounted, or its
        permissions changed, and when events were lost. None at all are returned when it may no longer be what it was.
        """
        found: set[str] = set()
        deadline: float | None = None
        while True:
            left = CHECK_SECONDS * 1000 if deadline is None else min(settle_ms, (deadline - time.monotonic()) * 1000)
            ready = {fd for fd, _ in self._poll.poll(max(0, left))}
            if self._waker in ready:
                return None
            if self._events.fileno() in ready:
                for event in self._events.read():
                    self._take(event, found)
            elif deadline is not None or not ready or self._mounts.fileno() in ready:
                return frozenset(found)
            if deadline is None:
                deadline = time.monotonic() + most_ms / 1000
            elif time.monotonic() >= deadline:
                return frozenset(found)

    def stop(self) -> None:
        """Let `wait` return, now and ever after. From any thread."""
        os.write(self._stopper, b"!")

    def close(self) -> None:
        self._events.close()
        self._mounts.close()
        os.close(self._waker)
        os.close(self._stopper)

    def _take(self, event: Event, found: set[str]) -> None:
        if event.mask & inotify.OVERFLOW:
            found.add(self.root)
            return
        directory = self._paths.get(event.watch)
        if directory is None:
            return  # above the root, or of a directory that is watched no longer
        if event.mask & inotify.IGNORED:
            self._drop(directory)
            return
        if not event.name:
            if directory == self.root and event.mask & (LOST | inotify.ATTRIB):
                found.add(self.root)
            return
        path = f"{directory.rstrip('/')}/{event.name}"
        if event.mask & inotify.MOVED_FROM or path in self._links:
            self._forget(path)
        appeared = event.mask & (inotify.CREATE | inotify.MOVED_TO | inotify.ATTRIB)
        if appeared and self._is_directory(path, event.mask) and self._enters(path):
            self._add(path)
        found.add(_nameable(path))

    def _is_directory(self, path: str, mask: int) -> bool:
        return bool(mask & inotify.ISDIR) or (os.path.islink(path) and os.path.isdir(path))  # noqa: PTH112, PTH114

    def _enters(self, path: str) -> bool:
        return self._enter(path[len(self.root) :].strip("/"))

    def _add(self, path: str) -> None:
        """Watch a directory and those below it."""
        own, linked = [path], list[str]()
        while own or linked:
            directory = own.pop() if own else linked.pop()
            if not self._add_one(directory):
                continue
            with contextlib.suppress(OSError):
                for entry in os.scandir(directory):
                    with contextlib.suppress(OSError):  # a link to itself, or to where we may not look
                        if entry.is_dir() and self._enters(entry.path):
                            (linked if entry.is_symlink() else own).append(entry.path)

    def _add_one(self, directory: str) -> bool:
        """Whether to go on below it."""
        try:
            watch = self._events.watch(directory, SAID | LOST | inotify.ONLYDIR)
        except OSError as error:
            if inotify.scarce(error):
                raise
            return False  # gone, or not readable
        known = self._paths.get(watch)
        if known == directory:
            return True
        if known is not None:
            if _same(known, directory):
                return False  # it has two names
            self._forget(known)  # it was moved here; the event of that is still to come
            return self._add_one(directory)
        self._forget(directory)  # another one had this name
        self._paths[watch], self._watches[directory] = directory, watch
        if os.path.islink(directory):  # noqa: PTH114
            self._links.add(directory)
        return True

    def _forget(self, path: str) -> None:
        """Watch no longer what is at or below `path`."""
        if path in self._watches:
            for directory in [path, *(other for other in self._watches if other.startswith(f"{path}/"))]:
                self._events.unwatch(self._watches[directory])
                self._drop(directory)

    def _drop(self, directory: str) -> None:
        watch = self._watches.pop(directory, None)
        if watch is not None:
            self._paths.pop(watch, None)
        self._links.discard(directory)

    def _watch_above(self) -> None:
        """Be woken when a directory above the root is moved, or another one is put in its place."""
        for parent in _above(self.root):
            with contextlib.suppress(OSError):
                linked = any(child.is_symlink() for child in (Path(self.root), *Path(self.root).parents) if child.parent == parent)
                self._events.watch(str(parent), LOST | (inotify.NAMES if linked else 0))


def _above(root: str) -> Iterable[Path]:
    return dict.fromkeys((*Path(root).parents, *Path(os.path.realpath(root)).parents))


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)  # noqa: PTH121
    except OSError:
        return False


def _nameable(path: str) -> str:
    """The path, or the nearest one above it that is text."""
    while not path.isascii():
        try:
            path.encode()
        except UnicodeEncodeError:
            path = path.rpartition("/")[0]
        else:
            break
    return path
