"""An engine on paper: enough of `khojd.engine.Engine` to hold a handler still, which the real one does not do on demand.

Only the tests of the wire use it; what search and index requests mean is tested with the real engine in tests/e2e.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from khojd.config import Config, Folder
from khojd.index.status import FileStatus, IndexStatus, Progress, UpdateReport
from khojd.search.types import Hit, Measure, Place, Range, SearchRequest, SearchResult


class PaperEngine:
    def __init__(self, directory: Path, config: Config) -> None:
        self.config = config
        self.index_dir = directory
        self.fatal = asyncio.Event()
        self.busy = False
        self.gate = asyncio.Event()  # what is asked waits for it
        self.gate.set()
        self.started = asyncio.Event()  # set when a request waits at the gate
        self.cancelled = 0
        self.snippet = "tea"
        self.buffers: dict[tuple[str, str], str] = {}
        self.asked: list[SearchRequest] = []
        self.updated: list[tuple[str, ...]] = []
        self.running: Progress | None = None
        self._folders: list[Folder] = []
        self._listeners: list[Callable[[], None]] = []

    async def search(
        self,
        request: SearchRequest,
        *,
        measure: Measure = len,
        on_phase: Callable[[SearchResult], Awaitable[None]] | None = None,
    ) -> SearchResult:
        self.asked.append(request)
        await self._wait()
        text = self.snippet
        place = Range(Place(0, 0), Place(0, measure(text)))
        hit = Hit("/notes/a b.md", "markdown", "", ("Top",), place, place, text, ((0, len(text)),), 1.0)
        words = SearchResult("words", (hit,), 1.0)
        fused = SearchResult("fused", (hit, hit), 2.0)
        if on_phase is not None:
            await on_phase(words)
            await on_phase(fused)
        return fused

    async def _wait(self) -> None:
        self.started.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    def open_buffer(self, owner: str, path: str, text: str, version: int) -> None:
        self.buffers[owner, path] = text

    change_buffer = open_buffer

    def close_buffer(self, owner: str, path: str) -> None:
        del self.buffers[owner, path]

    def close_owner(self, owner: str) -> None:
        self.buffers = {key: text for key, text in self.buffers.items() if key[0] != owner}

    async def update(
        self, paths: Sequence[str] = (), *, progress: Callable[[Progress], None] | None = None, embed: bool = False
    ) -> UpdateReport:
        self.updated.append(tuple(paths))
        if progress is not None:
            progress(Progress("reading", 1, 4))
        await self._wait()
        return UpdateReport(added=4)

    async def add_folder(self, folder: Folder) -> None:
        self._folders.append(folder)

    def folders(self) -> tuple[Folder, ...]:
        return tuple(self._folders)

    async def status(self) -> IndexStatus:
        return IndexStatus(
            indexed=3,
            pending=0,
            skipped=0,
            failed=0,
            entries=5,
            embedded=5,
            words_pending=0,
            vectors_pending=0,
            queue=0,
            paused=False,
            running=self.running,
            files_per_second=0.0,
            entries_per_second=0.0,
            model="",
            model_target="",
            model_problem="",
            cache_hits=0,
            cache_misses=0,
            catalog_bytes=0,
            words_bytes=0,
            vectors_bytes=0,
            buffers=len(self.buffers),
            folders=(),
            problems=(),
        )

    async def files(self, **_: object) -> tuple[FileStatus, ...]:
        return ()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def changed(self) -> None:
        for listener in list(self._listeners):
            listener()
