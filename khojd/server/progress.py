"""Work-done progress: `$/progress` values for one piece of work."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from khojd.index.status import Progress
from khojd.server import types
from khojd.server.types import Token

if TYPE_CHECKING:
    from khojd.server.session import Session

_PAUSE = 0.1  # seconds between two reports
_UNITS = {"scanning": "files", "reading": "files", "embedding": "entries"}


class Work:
    """Begins when made; `measured` where there will be percentages. Reports beyond ten a second are left out, and so are those
    that a slow client has no room for.
    """

    def __init__(self, session: Session, token: Token, title: str, *, cancellable: bool, measured: bool = True) -> None:
        self._session = session
        self._token = token
        self._last = 0.0
        self._ended = False
        self._percentage = 0
        begin = {"kind": "begin", "title": title, "cancellable": cancellable}
        self._value({**begin, "percentage": 0} if measured else begin, optional=False)

    def report(self, progress: Progress) -> None:
        """Tell how far the work is. The value's `khoj` member has the numbers, its message has them in words."""
        now = asyncio.get_running_loop().time()
        if self._ended or now - self._last < _PAUSE:
            return
        self._last = now
        units = _UNITS[progress.what]
        message = f"{progress.what}: {progress.done:,} of {progress.total:,} {units}, {progress.left:,} left"
        percentage = min(100, 100 * progress.done // progress.total) if progress.total else 0
        numbers = types.Progress(what=progress.what, done=progress.done, total=progress.total, left=progress.left)
        self._value({"kind": "report", "message": message, "percentage": percentage, "khoj": numbers}, optional=True)

    def share(self, message: str, done: int, total: int) -> None:
        """Tell how many bytes of a part of the work are done; `total` 0 is not known. The percentage never falls."""
        now = asyncio.get_running_loop().time()
        if self._ended or now - self._last < _PAUSE:
            return
        self._last = now
        if total:
            message = f"{message}, {done / 1e6:,.0f} of {total / 1e6:,.0f} MB"
            self._percentage = max(self._percentage, min(100, 100 * done // total))
        self._value({"kind": "report", "message": message, "percentage": self._percentage}, optional=True)

    def say(self, message: str) -> None:
        """Tell what is being done, where there is nothing to count."""
        if not self._ended:
            self._value({"kind": "report", "message": message}, optional=True)

    def end(self, message: str) -> None:
        if not self._ended:
            self._ended = True
            self._value({"kind": "end", "message": message}, optional=False)

    def _value(self, value: dict[str, Any], *, optional: bool) -> None:
        self._session.protocol.send("$/progress", {"token": self._token, "value": value}, optional=optional)
