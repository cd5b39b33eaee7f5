"""The phases of a search, from the thread that makes them to the loop that hands them on."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from datetime import date

from khojd.search.retrieve import Retriever
from khojd.search.types import Measure, SearchRequest, SearchResult

OnPhase = Callable[[SearchResult], Awaitable[None]]


async def phases(
    retriever: Retriever,
    request: SearchRequest,
    *,
    measure: Measure,
    on_phase: OnPhase | None,
    run: Callable[[Callable[[], None]], Awaitable[None]],
) -> tuple[SearchResult, list[str]]:
    """The last phase of the answer, and the files of its hits that are not what was indexed; `on_phase` gets each phase as it is
    made. `run` runs the search on a thread.

    When the caller is cancelled the thread stops after the phase it is at. Raises what the search raises.
    """
    loop = asyncio.get_running_loop()
    results: asyncio.Queue[SearchResult | None] = asyncio.Queue()
    stop = threading.Event()
    changed: list[str] = []

    def work() -> None:
        for result in retriever.search(request, today=date.today(), measure=measure, phases=on_phase is not None):
            loop.call_soon_threadsafe(results.put_nowait, result)
            if stop.is_set():
                return
        changed.extend(_stale(result))

    running = asyncio.ensure_future(run(work))
    # Also when the work never began, as its thread was to end.
    running.add_done_callback(lambda _: results.put_nowait(None))
    last: SearchResult | None = None
    try:
        while (result := await results.get()) is not None:
            last = result
            if on_phase is not None:
                await on_phase(result)
        await running
    finally:
        stop.set()
        if not running.done():  # who asked is gone: what the thread still says interests nobody
            running.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    assert last is not None, "a search that ends without an error has a result"
    return last, changed


def _stale(result: SearchResult) -> list[str]:
    """Paths of hits whose file is not the one that was indexed. Looks at the files."""
    found: dict[str, None] = {}
    for hit in result.hits:
        if hit.unsaved or hit.path in found:
            continue
        try:
            same = os.stat(hit.path).st_mtime_ns / 1e9 == hit.modified  # noqa: PTH116
        except OSError:
            same = False
        if not same:
            found[hit.path] = None
    return list(found)
