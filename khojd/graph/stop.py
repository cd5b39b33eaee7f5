"""Work on a thread that nobody waits for any more ends soon."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STEPS = 10_000  # of SQLite's machine, about a millisecond


class Stopped(Exception):
    """Who asked was cancelled. It is raised on the thread of the work, where nobody hears of it."""


class Stop:
    """`set` on the loop, `check` on the thread."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def check(self) -> None:
        """Raises Stopped after `set`."""
        if self._event.is_set():
            raise Stopped

    @contextmanager
    def interrupting(self, db: sqlite3.Connection) -> Iterator[None]:
        """Statements of `db`, which is this thread's, fail in here after `set`, however long they would take."""
        db.set_progress_handler(self._event.is_set, _STEPS)
        try:
            yield
        finally:
            db.set_progress_handler(None, 0)
