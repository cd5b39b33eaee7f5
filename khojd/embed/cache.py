"""Vectors of recent queries."""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from khojd.embed.protocol import Embedder, Vectors


class QueryCache:
    """Query vectors of `embedder`, least recently used first out: at most `size`, none older than `seconds`. Thread-safe.

    The arrays given out are read-only, for they are shared. A size or an age of 0 keeps nothing.
    """

    def __init__(self, embedder: Embedder, size: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.hits = 0
        self.misses = 0
        self._embedder = embedder
        self._size = size
        self._seconds = seconds
        self._clock = clock
        self._lock = Lock()
        self._vectors: OrderedDict[str, tuple[float, Vectors]] = OrderedDict()

    @property
    def embedder(self) -> Embedder:
        """The model whose query vectors these are."""
        return self._embedder

    def embed_query(self, text: str) -> Vectors:
        """The vector of a query, shape (dimensions,). Raises ModelError."""
        with self._lock:
            made, vector = self._vectors.get(text, (0.0, None))
            if vector is not None and self._clock() - made < self._seconds:
                self._vectors.move_to_end(text)
                self.hits += 1
                return vector
            self.misses += 1
        # Not under the lock: another query must not wait for this one.
        vector = self._embedder.embed_query(text)
        vector.flags.writeable = False
        with self._lock:
            self._vectors[text] = (self._clock(), vector)
            self._vectors.move_to_end(text)
            while len(self._vectors) > self._size:
                self._vectors.popitem(last=False)
        return vector

    def __len__(self) -> int:
        return len(self._vectors)
