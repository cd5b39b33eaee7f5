"""The meaning side of the index: one model's vectors, filled up in the background and asked by searches.

Every vector stands in the catalog; the vector store (Chroma) finds neighbours among them and can be rebuilt from the catalog
without the model. Vectors are keyed by model and text, so a rename, a move or the same text in a second place embeds nothing.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from msgspec import Struct

from khojd.content import chunk
from khojd.embed.protocol import Embedder
from khojd.errors import IndexCorrupt
from khojd.index import catalog_queue as queue
from khojd.index import catalog_vectors as rows
from khojd.index.catalog import Catalog
from khojd.index.rows import PendingEntry
from khojd.index.vectors import VectorStore

log = logging.getLogger(__name__)

ENTRIES_AT_ONCE = 64
CHARACTERS_AT_ONCE = 200_000  # of their texts; an entry that is longer goes alone
VECTORS_AT_ONCE = 256
ORPHANS_AT_ONCE = 500


class Pass(Struct, frozen=True):
    """What one pass did."""

    entries: int
    embedded: int  # chunks for which the model was run


class Meaning:
    """One model's chunks and vectors. The methods block and belong on one thread."""

    def __init__(self, catalog: Catalog, directory: Path, embedder: Embedder) -> None:
        self.embedder = embedder
        self.embedded = 0  # chunks for which the model was run since the start
        self.rebuilt = ""  # why the store was rebuilt, "" when it was not
        self._catalog = catalog
        self._directory = directory
        with catalog.transaction() as db:
            self.model_id = rows.model_id(db, embedder.id, embedder.dimensions)
        try:
            self.store = VectorStore.open(directory, embedder.id, embedder.dimensions)
        except IndexCorrupt as error:
            log.warning("the vector store does not read back and is rebuilt from the catalog: %s", error)
            self.rebuilt = error.message
            self._begin_anew()

    def repair(self) -> int:
        """Make the store hold what the catalog says it holds; returns how many vectors differed.

        What is missing waits for the next pass, what is left over is removed.
        """
        bloated = self.store.bloated
        if bloated:
            log.info("the vector store holds mostly deleted vectors; it is built anew from the catalog")
            self.store.close()
            self._begin_anew()
        there = self.store.hashes()
        wanted = rows.vector_hashes(self._catalog.reader(), self.model_id)
        missing, superfluous = wanted - there, there - wanted
        if missing:
            with self._catalog.transaction() as db:
                lost = rows.forget_stored_hashes(db, missing)
            if lost and not bloated and not self.rebuilt:
                self.rebuilt = f"it lacked {lost} vectors"
                log.warning("the vector store lacked %d vectors and gets them from the catalog", lost)
        if superfluous:
            self.store.delete(list(superfluous))
        return len(missing) + len(superfluous)

    def fill(self, *, breathe: Callable[[], None] = lambda: None) -> Pass:
        """Embed the next few pending entries, newest first.

        `breathe` is called between the model's batches; it lets queries go first, or raises to end the pass. What is embedded by
        then is kept, and found again by the next pass.
        """
        started = time.monotonic()
        pending = _together(queue.vectors_pending(self._catalog.reader(), self.model_id, ENTRIES_AT_ONCE))
        if not pending:
            while self.hand_on():
                breathe()
            return Pass(0, 0)
        texts: dict[bytes, str] = {}
        chunks = [self._chunks(entry, texts, breathe) for entry in pending]
        # Texts of similar length together: the model pads a batch to its longest.
        unknown = sorted(rows.missing_vectors(self._catalog.reader(), texts), key=lambda digest: len(texts[digest]))
        number = len(unknown)
        vectors: list[tuple[bytes, bytes]] = []
        while unknown:
            breathe()
            some, unknown = unknown[: self.embedder.texts_at_once], unknown[self.embedder.texts_at_once :]
            made = self.embedder.embed_passages([texts[digest] for digest in some])
            vectors.extend(zip(some, map(rows.blob, made), strict=True))
            self.embedded += len(some)
            if len(vectors) >= VECTORS_AT_ONCE:
                with self._catalog.transaction() as db:
                    rows.store_vectors(db, self.model_id, vectors)
                vectors.clear()
        with self._catalog.transaction() as db:
            rows.store_vectors(db, self.model_id, vectors)
            for entry, ranges in zip(pending, chunks, strict=True):
                rows.store_chunks(db, self.model_id, entry.id, ranges)
            queue.mark_embedded(db, self.model_id, [entry.id for entry in pending])
        # Chroma takes a vector in a quarter of the time when it gets many together.
        if rows.count_to_store(self._catalog.reader(), self.model_id) >= VECTORS_AT_ONCE:
            breathe()
            self.hand_on()
        log.debug("embedded %d entries, %d new chunks in %.2f s", len(pending), number, time.monotonic() - started)
        return Pass(len(pending), number)

    def hand_on(self) -> bool:
        """Give the store some of the vectors that stand in the catalog and not in it; whether there were any."""
        waiting = rows.vectors_to_store(self._catalog.reader(), self.model_id, VECTORS_AT_ONCE)
        if not waiting:
            return False
        digests = [digest for digest, _ in waiting]
        self.store.upsert(digests, np.stack([np.frombuffer(half, dtype="<f2").astype(np.float32) for _, half in waiting]))
        with self._catalog.transaction() as db:
            rows.mark_stored(db, digests)
        return True

    def collect(self) -> int:
        """Remove vectors whose text is nowhere in the notes any more. Returns how many."""
        removed = 0
        while True:
            orphans = rows.orphan_vectors(self._catalog.reader(), ORPHANS_AT_ONCE)
            if not orphans:
                return removed
            self.store.delete(orphans)
            with self._catalog.transaction() as db:
                rows.delete_vectors(db, orphans)
            removed += len(orphans)

    def close(self) -> None:
        self.store.close()
        self.embedder.close()

    def _begin_anew(self) -> None:
        """An empty store; `repair` lets the catalog's vectors wait for it."""
        VectorStore.destroy(self._directory)
        self.store = VectorStore.open(self._directory, self.embedder.id, self.embedder.dimensions)

    def _chunks(self, entry: PendingEntry, texts: dict[bytes, str], breathe: Callable[[], None]) -> list[tuple[int, int, bytes]]:
        """Cut an entry into chunks; their compiled texts are added to `texts` by hash. With a long one queries go first, too."""

        def count(text: str) -> int:
            if len(entry.text) > CHARACTERS_AT_ONCE:
                breathe()
            return self.embedder.count(text)

        prefix = chunk.context(entry.title, entry.headings, count=self.embedder.count, max_tokens=self.embedder.max_tokens)
        ranges: list[tuple[int, int, bytes]] = []
        # An entry without text is found by its headings.
        spans = chunk.split(entry.text, prefix=prefix, count=count, max_tokens=self.embedder.max_tokens)
        for start, end in [(span.start, span.end) for span in spans] or [(0, 0)]:
            text = chunk.compiled(prefix, entry.text[start:end])
            digest = vector_hash(self.embedder.id, text)
            texts[digest] = text
            ranges.append((start, end, digest))
        return ranges


def _together(pending: list[PendingEntry]) -> list[PendingEntry]:
    """The first of them, as many as have at most CHARACTERS_AT_ONCE."""
    total = 0
    for index, entry in enumerate(pending):
        total += len(entry.text)
        if index and total > CHARACTERS_AT_ONCE:
            return pending[:index]
    return pending


def vector_hash(model: str, compiled: str) -> bytes:
    """The key of a vector: 16 bytes of the model's identity and the compiled text."""
    return hashlib.blake2b(f"{model}\0{compiled}".encode(), digest_size=16).digest()
