"""Search by meaning from the catalog alone, for an index that can be read but not written: then the vector store does not open.

Every vector is compared with the query, block by block, so that the memory it takes does not grow with the index.
"""

import numpy as np
from numpy.typing import NDArray

from khojd.embed.protocol import Embedder
from khojd.index.catalog import Catalog

VECTORS_AT_ONCE = 4000

_VECTORS = "SELECT hash, vector FROM vectors WHERE model_id = ?"
_COUNT = "SELECT count(*) FROM vectors WHERE model_id = ?"


class Scan:
    """The vectors that the catalog has of one model. Any thread may ask."""

    def __init__(self, catalog: Catalog, model_id: int) -> None:
        self._catalog = catalog
        self._model_id = model_id
        self._counted: int | None = None  # at the last look at all of them

    def query(self, vector: NDArray[np.float32], limit: int) -> list[tuple[bytes, float]]:
        """(hash, cosine) of the `limit` nearest vectors, best first, exactly."""
        if limit < 1:
            return []
        best: list[bytes] = []
        scores = np.empty(0, np.float32)
        seen = 0
        rows = self._catalog.reader().execute(_VECTORS, (self._model_id,))
        while block := rows.fetchmany(VECTORS_AT_ONCE):
            seen += len(block)
            halves = np.frombuffer(b"".join([half for _, half in block]), "<f2").reshape(len(block), -1)
            own = halves.astype(np.float32) @ vector
            chosen = np.flatnonzero(own >= scores[-1]) if len(scores) >= limit else np.arange(len(own))
            best += [block[index][0] for index in chosen]
            scores = np.concatenate([scores, own[chosen]])
            order = np.argsort(-scores, kind="stable")[:limit]
            best, scores = [best[index] for index in order], scores[order]
        self._counted = seen
        return list(zip(best, scores.tolist(), strict=True))

    def count(self) -> int:
        """Vectors of the model."""
        if self._counted is None:
            self._counted = int(self._catalog.reader().execute(_COUNT, (self._model_id,)).fetchone()[0])
        return self._counted


class Reading:
    """A model and the catalog's vectors of it: answers queries as a Meaning does, and writes nothing."""

    def __init__(self, catalog: Catalog, model_id: int, embedder: Embedder) -> None:
        self.embedder = embedder
        self.model_id = model_id
        self.store = Scan(catalog, model_id)

    def close(self) -> None:
        self.embedder.close()
