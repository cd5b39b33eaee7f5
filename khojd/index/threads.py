"""The threads that read the stores for answers, so that the loop never does."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, TypeVar

from khojd.errors import IndexCorrupt

T = TypeVar("T")

SEARCHES = 4
GRAPHS = 2


class Threads:
    """Belongs to one event loop. `corrupt` is told when a store does not read back, which is raised, too.

    `beside` is for what searches begin ahead.
    """

    def __init__(self, corrupt: Callable[[IndexCorrupt], None]) -> None:
        self._corrupt = corrupt
        self._searches = ThreadPoolExecutor(SEARCHES, thread_name_prefix="khojd-search")
        self._graphs = ThreadPoolExecutor(GRAPHS, thread_name_prefix="khojd-graph")  # apart: searches wait for none of them
        self.beside = ThreadPoolExecutor(SEARCHES, thread_name_prefix="khojd-beside")
        self._asides: set[asyncio.Future[Any]] = set()

    async def search(self, work: Callable[[], T]) -> T:
        """The result of `work`, which is part of a search."""
        return await self._on(self._searches, work)

    async def graph(self, work: Callable[[], T]) -> T:
        """The result of `work`, which follows links."""
        return await self._on(self._graphs, work)

    async def aside(self, work: Callable[[], T]) -> T:
        """The result of `work`, which reads the catalog, on a thread beside those of searches.

        The thread goes on when who asked is cancelled. Closing the catalog under it would crash the process: see `ended`.
        """
        running = asyncio.get_running_loop().run_in_executor(None, work)
        self._asides.add(running)
        running.add_done_callback(self._asides.discard)
        return await asyncio.shield(running)

    async def close(self) -> None:
        """Finish what is being searched; asides go on."""
        for threads in (self._searches, self._graphs, self.beside):
            await asyncio.to_thread(threads.shutdown, wait=True, cancel_futures=True)

    async def ended(self) -> None:
        """Return when no aside reads any more."""
        await asyncio.gather(*self._asides, return_exceptions=True)

    async def _on(self, threads: Executor, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, work)
        except IndexCorrupt as error:
            self._corrupt(error)
            raise
