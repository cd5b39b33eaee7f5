"""Noticing changes on disk: the system's events where it has them, else looking again at intervals.

One task per folder. It ends only by being cancelled: a folder that vanishes is waited for, and looked at as a whole when it is
back.
"""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path, PurePath
from typing import Literal, Protocol

from khojd.paths import plain
from khojd.sources import inotify
from khojd.sources.notify import Notify
from khojd.sources.rules import GITIGNORE
from khojd.sources.tree import Tree

log = logging.getLogger(__name__)

# More changes than this at once (a git checkout, an unpacked archive) may have overflowed the system's queue: look at everything.
MANY_CHANGES = 2000
CHECK_SECONDS = 2.0  # how often we look whether the folder is still there
POLL_SHARE = 20  # polling waits at least this many times as long as a look took, so it costs at most 5 % of a core
POLL_SECONDS = 5.0

Mode = Literal["events", "polling", "off"]
# Told of changed paths, or of None when the whole folder should be looked at.
Changed = Callable[[frozenset[str] | None], Awaitable[None]]


class Events(Protocol):
    """The system's events of one tree. They are collected from the moment it was made. See Tree."""

    def wait(self, settle_ms: int, most_ms: int) -> frozenset[str] | None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


def events_of(root: str, enter: Callable[[str], bool]) -> Events:
    """Raises OSError where there are none to be had."""
    return Tree(root, enter) if inotify.available() else Notify(root)


class FolderWatch:
    """Watches one folder. `mode` and `problem` say how it goes.

    `entering` gives, each time that the folder is watched anew, what accepts a directory (a path below the root). It must not know
    yet what the disk says: what it has read before the directories are watched may have changed without an event.
    """

    def __init__(
        self,
        root: Path,
        changed: Changed,
        *,
        poll: bool,
        debounce_ms: int,
        status: Callable[[], None],
        entering: Callable[[], Callable[[str], bool]] = lambda: lambda path: True,
    ) -> None:
        self.root = root
        self._entering = entering
        self.mode: Mode = "polling" if poll else "events"
        self.problem = ""
        self._changed = changed
        self._debounce_ms = debounce_ms
        self._status = status

    async def run(self, *, look: bool = True) -> None:
        """Watch until cancelled. The first look at the whole folder is made when the events are already being collected."""
        while True:
            if not await asyncio.to_thread(os.path.isdir, self.root):
                await self._absent()
                look = True
            elif self.mode == "polling":
                await self._poll()
            else:
                await self._events(look=look)
                look = True

    async def _absent(self) -> None:
        there = await asyncio.to_thread(os.path.lexists, self.root)
        self._say(f"{self.root} is not a folder, or not within reach" if there else f"{self.root} is not there")
        await self._changed(None)
        while not await asyncio.to_thread(os.path.isdir, self.root):  # noqa: ASYNC110 - nothing tells of a folder that is not there
            await asyncio.sleep(CHECK_SECONDS)
        self._say("")

    async def _events(self, *, look: bool) -> None:
        """Until the folder is gone or replaced, or events turn out not to be available."""
        identity = await asyncio.to_thread(_identity, self.root)
        loop = asyncio.get_running_loop()
        batches: asyncio.Queue[frozenset[str] | OSError] = asyncio.Queue()
        making = asyncio.ensure_future(asyncio.to_thread(events_of, str(self.root), self._entering()))
        try:
            events = await asyncio.shield(making)
        except asyncio.CancelledError:
            with contextlib.suppress(OSError):
                (await making).close()  # the thread goes on making them
            raise
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                self._no_events(error)
            return

        def tell(found: frozenset[str] | OSError) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has closed
                loop.call_soon_threadsafe(batches.put_nowait, found)

        def collect() -> None:
            try:
                while (found := events.wait(self._debounce_ms, max(self._debounce_ms * 10, 500))) is not None:
                    tell(found)
            except OSError as error:
                tell(error)

        def end() -> None:
            thread.join()
            events.close()

        thread = threading.Thread(target=collect, name=f"khojd-watch-{self.root.name}", daemon=True)
        thread.start()
        try:
            if look:
                await self._changed(None)
            while await asyncio.to_thread(_identity, self.root) == identity:
                found = await batches.get()
                if isinstance(found, OSError):
                    self._no_events(found)
                    return
                if plain(str(self.root)) in found:
                    return  # deleted or moved: what is there now may be another, even with the same inode
                if found:
                    await self._changed(None if len(found) > MANY_CHANGES else found)
                if any(PurePath(path).name == GITIGNORE for path in found):
                    return  # directories may count that did not, and are not watched
        finally:
            events.stop()
            # One step, on a thread: cancelled here (too), this would leave them open.
            await asyncio.shield(loop.run_in_executor(None, end))

    def _no_events(self, error: OSError) -> None:
        self.mode = "polling"
        setting = inotify.scarce(error)
        hint = f"; raise {setting} to have events" if setting else ""
        self._say(f"{self.root}: no change events ({error}), looking every few seconds instead{hint}")

    async def _poll(self) -> None:
        while await asyncio.to_thread(os.path.isdir, self.root):
            started = time.monotonic()
            await self._changed(None)
            await asyncio.sleep(max(POLL_SECONDS, POLL_SHARE * (time.monotonic() - started)))

    def _say(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            if problem:
                log.warning("%s", problem)
            self._status()


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        found = root.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
