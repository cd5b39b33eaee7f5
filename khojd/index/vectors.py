"""The vector store: nearest neighbours by cosine among one model's vectors (Chroma, embedded).

Derived from the catalog, which holds every vector too. Exactly one process may have it open. One thread writes, any thread queries.
Importing chromadb takes 0.6 s, so it happens when a store is opened.
"""

import hashlib
import logging
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from khojd.errors import IndexCorrupt, StorageFull, StoreError
from khojd.paths import private_dir

log = logging.getLogger(__name__)

# The graph: with these, recall@50 against exact search is above 0.99 at 100,000 vectors of 384 dimensions.
NEIGHBOURS = 16
EF_CONSTRUCTION = 100
EF_SEARCH = 200
SYNC_EVERY = 2000  # vectors, after which the graph is written to disk; until then they stand in Chroma's log
SPARE_PLACES = 10_000
PAGE = 5000

_FULL = ("disk is full", "readonly database", "read-only", "No space left", "Permission denied", "disk I/O error")


class Neighbours(Protocol):
    """What a search asks of a store of vectors."""

    def query(self, vector: NDArray[np.float32], limit: int) -> list[tuple[bytes, float]]:
        """(hash, cosine) of the nearest vectors, best first."""

    def count(self) -> int:
        """Vectors in the store."""


class VectorStore:
    """The open store of one model. Vectors are keyed by their 16-byte hash."""

    def __init__(self, directory: Path, client: Any, collection: Any, dimensions: int) -> None:
        self.directory = directory
        self.dimensions = dimensions
        self._client = client
        self._collection = collection
        self._counted: int | None = None  # Chroma counts for some milliseconds
        self._changes = 0
        self._counting = threading.Lock()

    @classmethod
    def open(cls, directory: Path, model_fingerprint: str, dimensions: int) -> Self:
        """Open or create the model's store. Raises IndexCorrupt, StorageFull.

        Collections of other models stay beside it until `drop_others`.
        """
        import chromadb
        from chromadb.config import Settings

        with _errors(directory):
            private_dir(directory).chmod(0o700)
            # No .env of the current directory: it is read, and its unknown keys refused.
            settings = Settings(_env_file=None, anonymized_telemetry=False)
            try:
                client = chromadb.PersistentClient(str(directory), settings)
            except BaseException:
                _forget(directory)
                raise
            try:
                collection = client.get_or_create_collection(
                    _name(model_fingerprint, dimensions),
                    configuration={
                        "hnsw": {
                            "space": "cosine",
                            "max_neighbors": NEIGHBOURS,
                            "ef_construction": EF_CONSTRUCTION,
                            "ef_search": EF_SEARCH,
                            "sync_threshold": SYNC_EVERY,
                        }
                    },
                    embedding_function=None,
                )
                store = cls(directory, client, collection, dimensions)
                store._check()
            except BaseException:
                client.close()
                raise
        return store

    @staticmethod
    def destroy(directory: Path) -> None:
        """Remove a closed or broken store with all its collections. Raises StorageFull."""
        with _errors(directory):
            if directory.exists():
                shutil.rmtree(directory)

    def upsert(self, hashes: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        """Add vectors of shape (len(hashes), dimensions), or replace them. Raises StorageFull."""
        with _errors(self.directory), self._changing():
            step = self._client.get_max_batch_size()
            for start in range(0, len(hashes), step):
                self._collection.upsert(
                    [hash_.hex() for hash_ in hashes[start : start + step]],
                    np.ascontiguousarray(vectors[start : start + step], np.float32),
                )

    def delete(self, hashes: Sequence[bytes]) -> None:
        """Remove vectors; unknown hashes are left aside. Raises StorageFull."""
        with _errors(self.directory), self._changing():
            step = self._client.get_max_batch_size()
            for start in range(0, len(hashes), step):
                self._collection.delete([hash_.hex() for hash_ in hashes[start : start + step]])

    def query(self, vector: NDArray[np.float32], limit: int) -> list[tuple[bytes, float]]:
        """(hash, cosine) of the nearest vectors, best first."""
        if limit < 1:
            return []
        with _errors(self.directory):
            answer = self._collection.query(
                query_embeddings=[np.asarray(vector, np.float32)],
                n_results=limit,
                include=["distances"],
            )
        found = zip(answer["ids"][0], answer["distances"][0], strict=True)
        return [(bytes.fromhex(name), 1.0 - distance) for name, distance in found]

    def hashes(self) -> set[bytes]:
        """All hashes in the store."""
        with _errors(self.directory):
            return {bytes.fromhex(name) for page in self._pages() for name in page}

    def count(self) -> int:
        """Vectors in the store."""
        if (known := self._counted) is not None:
            return known
        changes = self._changes
        with _errors(self.directory):
            found = int(self._collection.count())
        with self._counting:
            if changes == self._changes:
                self._counted = found
        return found

    def drop_others(self) -> int:
        """Remove the collections of other models; returns how many there were."""
        with _errors(self.directory):
            others = [other.name for other in self._client.list_collections() if other.name != self._collection.name]
            for name in others:
                self._client.delete_collection(name)
            return len(others)

    def close(self) -> None:
        """Give files and memory back."""
        self._client.close()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            yield
        finally:
            with self._counting:
                self._changes += 1
                self._counted = None

    def _pages(self) -> Iterator[list[str]]:
        offset = 0
        while page := self._collection.get(limit=PAGE, offset=offset, include=[])["ids"]:
            yield page
            offset += len(page)

    @property
    def bloated(self) -> bool:
        """Whether most of the graph is vectors that were deleted: Chroma keeps their places, until it is filled anew."""
        return self._places() > 2 * self.count() + SPARE_PLACES

    def _places(self) -> int:
        """Places in the graph on disk, those of deleted vectors included."""
        return sum(item.stat().st_size // 4 for item in self.directory.glob("*/length.bin"))

    def _check(self) -> None:
        """Chroma opens a store whose graph is gone or cut off without a word, and then finds little or the wrong vectors."""
        place = 4 * self.dimensions + 8 * NEIGHBOURS + 12
        if (
            self._others() == 0
            and sum(item.stat().st_size for item in self.directory.glob("*/data_level0.bin")) != place * self._places()
        ):
            raise self._corrupt("its graph is cut off")
        expected = min(self._collection.count(), 10)
        if expected:
            probe = np.full(self.dimensions, self.dimensions**-0.5, np.float32)
            found = len(self.query(probe, expected))
            if found < expected:
                raise self._corrupt(f"it holds {expected} vectors or more but finds {found}")

    def _others(self) -> int:
        return len([other for other in self._client.list_collections() if other.name != self._collection.name])

    def _corrupt(self, what: str) -> IndexCorrupt:
        return IndexCorrupt(
            f"the vector store {self.directory} does not read back: {what}", path=str(self.directory), store="vectors"
        )


def _name(fingerprint: str, dimensions: int) -> str:
    return "v-" + hashlib.blake2b(f"{fingerprint}\0{dimensions}".encode(), digest_size=16).hexdigest()


def _forget(directory: Path) -> None:
    """Chroma keeps a client that failed to start, and would hand it out for this path again."""
    from chromadb.api.shared_system_client import SharedSystemClient

    SharedSystemClient._identifier_to_system.pop(str(directory), None)
    SharedSystemClient._identifier_to_refcount.pop(str(directory), None)


@contextmanager
def _errors(directory: Path) -> Iterator[None]:
    try:
        yield
    except StoreError:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        # Chroma raises plain Exceptions of many kinds, and panics of Rust, which do not derive from Exception.
        if any(sign in str(error) for sign in _FULL):
            raise StorageFull(f"the vector store {directory} cannot be written ({error})", path=str(directory)) from error
        raise IndexCorrupt(
            f"the vector store {directory} does not read back ({error})", path=str(directory), store="vectors"
        ) from error
