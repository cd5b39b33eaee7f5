"""Editors' unsaved text -> the stores, as it is typed. What cannot be written now is kept, said, and tried again."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable

from khojd.errors import IndexCorrupt, KhojdError
from khojd.index.indexer import Indexer
from khojd.index.writer import Writer
from khojd.sources.buffers import Buffers, Standing

log = logging.getLogger(__name__)

SETTLE_SECONDS = 0.08  # typing is indexed at most this often
LONGEST_PAUSE_SECONDS = 1.0  # in typing that a note is waited for which takes long to be written
RETRY_SECONDS = 1.0  # after a first failure; doubled after each further one
LONGEST_RETRY_SECONDS = 30.0
STUCK, REFUSED = "buffers", "buffers.refused"  # keys of problems


class Drafts:
    """Keeps the stores in line with the buffers. Belongs to one event loop.

    `wrote` is called after each write; `problem` is told under a key what a person should know, "" when it is over; `corrupt` when
    a store does not read back.
    """

    def __init__(
        self,
        indexer: Indexer,
        writer: Writer,
        buffers: Buffers,
        *,
        wrote: Callable[[], None],
        problem: Callable[[str, str], None],
        corrupt: Callable[[IndexCorrupt], None],
    ) -> None:
        self._indexer = indexer
        self._writer = writer
        self._buffers = buffers
        self._wrote = wrote
        self._problem = problem
        self._corrupt = corrupt
        self._changed: dict[Standing, None] = {}  # what waits to be written, oldest first
        self._stuck: dict[Standing, str] = {}  # what could not be, and why
        self._refused: dict[Standing, str] = {}  # texts that cannot be read as notes, and why
        self._wake = asyncio.Event()
        self._took: dict[Standing, float] = {}  # seconds that the texts of long notes took to be written
        self._room = False  # something was written since the last attempt, so what is stuck may be, too
        self._said: dict[str, str] = {}

    @property
    def busy(self) -> bool:
        """Whether text waits that can be written. What cannot does not count: it would keep the process for ever."""
        return bool(self._changed)

    def changed(self, standing: Standing) -> None:
        """A buffer was opened, changed or closed: its text is indexed soon."""
        self._changed[standing] = None
        self._wake.set()

    def all_changed(self) -> None:
        """Other folders are followed, or by other rules: what is typed may count as a note now, or no more."""
        for standing in self._buffers.all():
            self.changed(standing)

    def share(self, shared: bool) -> None:
        """Whether editors see each other's unsaved text from now on."""
        if shared != self._buffers.shared:
            before = self._buffers.all()
            self._buffers.shared = shared
            for standing in {*before, *self._buffers.all()}:
                self.changed(standing)

    def retry(self) -> None:
        """The index could be written: try again now what could not be before."""
        if self._stuck:
            self._room = True
            self._wake.set()

    async def run(self) -> None:
        """Index buffers as they change, until cancelled."""
        wait = RETRY_SECONDS
        while True:
            due = not await self._woken(wait if self._stuck else None)
            if not due:
                await self._settle()
            self._wake.clear()
            again = self._stuck if due or self._room else ()
            self._room = False
            written = await self._write_all(self._changed)
            if self._stuck and (again or written):
                await self._write_all(self._stuck)
                wait = min(wait * 2, LONGEST_RETRY_SECONDS)
            if not self._stuck:
                wait = RETRY_SECONDS
            self._tell()

    async def _settle(self) -> None:
        """Let a word be typed. A long note, whose reading takes the time of many keystrokes waits for a pause, not for ever."""
        await asyncio.sleep(SETTLE_SECONDS)
        pause = min(max((self._took.get(standing, 0.0) for standing in self._changed), default=0.0), LONGEST_PAUSE_SECONDS)
        loop = asyncio.get_running_loop()
        until = loop.time() + 4 * pause
        while pause and loop.time() < until:
            self._wake.clear()
            if not await self._woken(pause):
                return

    async def _woken(self, seconds: float | None) -> bool:
        """Wait for something to do, at most so long; False when the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        return self._wake.is_set()

    async def _write_all(self, those: Iterable[Standing]) -> bool:
        """Write these buffers as they are now; whether any could be."""
        written = False
        for standing in list(those):
            try:
                await self._write(standing)
            except Exception as error:
                # A full disk, say. The text is in memory as long as its editor is there, so nothing is lost.
                if str(error) != self._stuck.get(standing):
                    trace = None if isinstance(error, KhojdError | OSError) else error
                    log.warning("the unsaved text of %s could not be indexed: %s", standing.path, error, exc_info=trace)
                self._stuck[standing] = str(error)
                self._changed.pop(standing, None)
                if isinstance(error, IndexCorrupt):
                    self._corrupt(error)
            else:
                written = True
        return written

    async def _write(self, standing: Standing) -> None:
        path, overlay = standing
        # The rules of a folder may have to be read from its disk.
        folder = await asyncio.to_thread(self._indexer.folder_of, path)
        buffer = self._buffers.at(standing)
        refused = ""
        started = time.monotonic()
        if folder is not None:
            refused = await self._indexer.on_writer(lambda: self._writer.buffer(path, folder, buffer, overlay))
        else:
            await self._indexer.on_writer(lambda: self._writer.drop_buffer(path, overlay))
        took = time.monotonic() - started
        if buffer is not None and took > SETTLE_SECONDS:
            self._took[standing] = took
        else:
            self._took.pop(standing, None)
        self._stuck.pop(standing, None)
        if refused:
            self._refused[standing] = refused
        else:
            self._refused.pop(standing, None)
        if self._buffers.at(standing) is buffer:
            self._changed.pop(standing, None)
        else:
            self.changed(standing)
        self._wrote()

    def _tell(self) -> None:
        """Say what is wrong, once for each change of it."""
        now = {
            STUCK: _summary(self._stuck, "cannot be taken into the index, and is tried again"),
            REFUSED: _summary(self._refused, "cannot be searched"),
        }
        for key, message in now.items():
            if message != self._said.get(key, ""):
                self._said[key] = message
                self._problem(key, message)


def _summary(reasons: dict[Standing, str], what: str) -> str:
    if not reasons:
        return ""
    first = next(iter(reasons))
    others = f" (and of {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return f"the editor's text of {first.path}{others} {what}: {reasons[first]}"
