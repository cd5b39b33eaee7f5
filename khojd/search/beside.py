"""Two parts of one search at the same time: what waits on compiled code (the model, the vector store) runs on a thread beside."""

from collections.abc import Callable
from concurrent.futures import Executor
from functools import cache
from typing import TypeVar

from khojd.embed.protocol import Vectors
from khojd.index.vectors import Neighbours

T = TypeVar("T")


def start(executor: Executor | None, work: Callable[[], T]) -> Callable[[], T]:
    """Begin `work` on a thread of the executor; the returned function waits for its result, and raises what it raised.

    Without an executor it is done here, when it is asked for. The work must not use the caller's connection to the catalog.
    """
    return cache(work) if executor is None else executor.submit(work).result


class Ahead:
    """A store of vectors that is being asked for the `limit` nearest before the caller comes to ask for them.

    `vector` waits for the query's vector. On the executor a task of this search waits at most for one that was begun before it.
    """

    def __init__(self, executor: Executor | None, store: Neighbours, vector: Callable[[], Vectors], limit: int) -> None:
        self._store = store
        self._limit = limit
        self._near = start(executor, lambda: store.query(vector(), limit))

    def query(self, vector: Vectors, limit: int) -> list[tuple[bytes, float]]:
        return self._near() if limit == self._limit else self._store.query(vector, limit)

    def count(self) -> int:
        return self._store.count()
