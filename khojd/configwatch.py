"""Taking up changes of config.toml while running. A bad edit keeps the last good configuration, and says so.

So does a file that goes away, or has nothing in it: taken for the defaults it would have every folder forgotten, and some programs
empty a file before they write it, or find the disk full then.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from khojd import configfile
from khojd.config import Config
from khojd.errors import ConfigError
from khojd.sources import inotify
from khojd.sources.inotify import Inotify

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # where the system gives no events
RARELY_SECONDS = 30.0  # for what gives none: a link in the middle of the path that leads elsewhere
SETTLE_SECONDS = 0.05
EMPTY_SECONDS = 0.5  # that an empty file is given to be written
MOST_LINKS = 40


class ConfigWatch:
    """Watches one file, present or not. `apply` gets each new configuration; `problem` a message, or "" when all is well again.

    An event in a directory that holds the file, or a link on the way to it, calls for a look at the file: that sees every way
    in which editors and dotfile managers replace it, for one `stat`.
    """

    def __init__(self, path: Path, apply: Callable[[Config], Awaitable[None]], problem: Callable[[str], None]) -> None:
        self.path = path
        self._apply = apply
        self._problem = problem
        self._seen = _fact(path)

    async def run(self) -> None:
        """Watch until cancelled."""
        called = asyncio.Event()
        with _events(called.set) as events:
            watched: set[int] = set()
            while True:
                patience = LOOK_SECONDS
                if events is not None and (now := _watch(events, self.path)):
                    patience = RARELY_SECONDS
                    for watch in watched - now:
                        events.unwatch(watch)
                    watched = now
                called.clear()
                if _fact(self.path) != self._seen:
                    await self.reload()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(patience):
                        await called.wait()
                        await asyncio.sleep(SETTLE_SECONDS)

    async def reload(self) -> bool:
        """Read the file now; False when the last good configuration stays."""
        self._seen = _fact(self.path)
        if self._seen is not None and self._seen.size == 0:
            await asyncio.sleep(EMPTY_SECONDS)
            self._seen = _fact(self.path)
        try:
            if self._seen is None:
                raise ConfigError(f"{self.path} is not there", file=str(self.path))
            if self._seen.size == 0:
                raise ConfigError(f"{self.path} is empty", file=str(self.path))
            await self._apply(await asyncio.to_thread(configfile.load, self.path))
        except ConfigError as error:
            log.warning("the configuration stays as it was: %s", error.message)
            self._problem(f"the configuration stays as it was: {error.message}")
            return False
        self._problem("")
        return True


class _Fact(NamedTuple):
    time: int
    size: int
    inode: int


def _fact(path: Path) -> _Fact | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _Fact(found.st_mtime_ns, found.st_size, found.st_ino)


@contextlib.contextmanager
def _events(called: Callable[[], None]) -> Iterator[Inotify | None]:
    """Have `called` called for each event; None where there are none."""
    try:
        events = Inotify() if inotify.available() else None
    except OSError as error:
        log.debug("no events of the configuration: %s", error)
        events = None
    if events is None:
        yield None
        return
    loop = asyncio.get_running_loop()

    def ready() -> None:
        if events.read():
            called()

    loop.add_reader(events.fileno(), ready)
    try:
        yield events
    finally:
        loop.remove_reader(events.fileno())
        events.close()


def _watch(events: Inotify, path: Path) -> set[int]:
    """Watch the directories that hold the file and the links to it, or would; none at all when one of them cannot be."""
    watches = set()
    try:
        for _ in range(MOST_LINKS):
            directory = next(parent for parent in path.absolute().parents if os.path.isdir(parent))  # noqa: PTH112
            watches.add(events.watch(str(directory), inotify.NAMES | inotify.CLOSE_WRITE | inotify.ATTRIB | inotify.ONLYDIR))
            if not os.path.islink(path):  # noqa: PTH114
                break
            path = path.parent / path.readlink()
    except OSError as error:
        log.debug("no events of the configuration: %s", error)
        return set()
    return watches
