"""A test server on a loop in a thread: the command line is another process, and blocks."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from tests.llm.replay import Replay


class Served:
    """The server, and work for its loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.replay = Replay()
        self._loop = loop

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


@contextmanager
def served() -> Iterator[Served]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    made = Served(loop)
    made.run(made.replay.__aenter__())
    try:
        yield made
    finally:
        made.run(made.replay.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
