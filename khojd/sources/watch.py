"""Noticing changes on disk: the system's events where it has them, else looking again at intervals.

One task per folder. It ends only by being cancelled: a folder that vanishes is waited for, and looked at as a whole when it is
back.
"""

import asyncio
import contextlib
import errno
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

from watchfiles._rust_notify import RustNotify  # its documented low-level interface: we must know when the watches stand

log = logging.getLogger(__name__)

# More changes than this at once (a git checkout, an unpacked archive) may have overflowed the system's queue: look at everything.
MANY_CHANGES = 2000
CHECK_SECONDS = 2.0  # how often we look whether the folder is still there
POLL_SHARE = 20  # polling waits at least this many times as long as a look took, so it costs at most 5 % of a core
POLL_SECONDS = 5.0

Mode = Literal["events", "polling", "off"]
# Told of changed paths, or of None when the whole folder should be looked at.
Changed = Callable[[frozenset[str] | None], Awaitable[None]]


class FolderWatch:
    """Watches one folder. `mode` and `problem` say how it goes."""

    def __init__(self, root: Path, changed: Changed, *, poll: bool, debounce_ms: int, status: Callable[[], None]) -> None:
        self.root = root
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
        identity = _identity(self.root)
        loop = asyncio.get_running_loop()
        batches: asyncio.Queue[frozenset[str]] = asyncio.Queue()
        try:
            notify = await asyncio.to_thread(RustNotify, [str(self.root)], False, False, 0, True, True)
        except (OSError, RuntimeError) as error:
            if not isinstance(error, FileNotFoundError):
                self._no_events(error)
            return
        stop = threading.Event()

        def collect() -> None:
            while not stop.is_set():
                found = notify.watch(max(self._debounce_ms * 10, 500), self._debounce_ms, int(CHECK_SECONDS * 1000), stop)
                if found == "stop":
                    return
                paths = frozenset(path for _, path in found) if isinstance(found, set) else frozenset()
                with contextlib.suppress(RuntimeError):  # the loop has closed
                    loop.call_soon_threadsafe(batches.put_nowait, paths)

        thread = threading.Thread(target=collect, name=f"khojd-watch-{self.root.name}", daemon=True)
        thread.start()
        try:
            if look:
                await self._changed(None)
            while _identity(self.root) == identity:
                paths = await batches.get()
                if str(self.root) in paths:
                    return  # deleted or moved: what is there now may be another, even with the same inode
                if paths:
                    await self._changed(None if len(paths) > MANY_CHANGES else paths)
        finally:
            stop.set()
            await asyncio.shield(asyncio.to_thread(thread.join))
            notify.close()

    def _no_events(self, error: Exception) -> None:
        self.mode = "polling"
        limit = getattr(error, "errno", None) == errno.ENOSPC or "limit" in str(error).lower()
        hint = "; raise fs.inotify.max_user_watches to have events" if limit else ""
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
