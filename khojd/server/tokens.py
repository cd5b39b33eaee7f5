"""Work-done tokens: which running requests a client cancels by naming one."""

import asyncio
from typing import Any

from khojd.server.types import Token


class Tokens:
    """Holds a token only while something runs under it. A client may use one token for several requests at once."""

    def __init__(self) -> None:
        self._tasks: dict[Token, set[asyncio.Task[Any]]] = {}

    def watch(self, token: Token, task: asyncio.Task[Any]) -> None:
        """Let `cancel(token)` cancel `task`, as long as it runs."""
        self._tasks.setdefault(token, set()).add(task)
        task.add_done_callback(lambda done: self._forget(token, done))

    def cancel(self, token: Token) -> None:
        for task in tuple(self._tasks.get(token, ())):
            task.cancel()

    def __len__(self) -> int:
        return len(self._tasks)

    def _forget(self, token: Token, task: asyncio.Task[Any]) -> None:
        tasks = self._tasks[token]
        tasks.discard(task)
        if not tasks:
            del self._tasks[token]
