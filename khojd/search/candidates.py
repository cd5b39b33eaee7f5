"""The two lists of candidates, and the scores that one list lacks.

Lexical candidates come from the words index, semantic ones from the vector store: an entry counts as its best chunk. Every
candidate of one list gets its exact score of the other, so that the fusion compares like with like.
"""

import sqlite3
from collections.abc import Collection, Sequence, Set

import numpy as np
from msgspec import Struct

from khojd.embed.protocol import Vectors
from khojd.index.catalog_vectors import chunks_for_entries, chunks_with_hashes, vectors_for
from khojd.index.rows import ChunkRow
from khojd.index.vectors import VectorStore
from khojd.index.words import Words
from khojd.search import listing

EXACT_SET = 1000  # up to this many entries their cosines are computed one by one; above, the vector store is asked
MOST_EXACT = 20_000  # vectors compared one by one where the vector store finds fewer than there are
MOST_NEIGHBOURS = 4000  # more than this are not asked of the vector store for a restricted set
CHUNKS_PER_ENTRY = 1.25  # neighbours asked for to find one entry; more are asked for where that is not enough


class Semantic(Struct, frozen=True):
    """Entries by their best chunk, best first. `exhausted`: there are no more."""

    ranked: list[tuple[int, float]]
    chunks: dict[int, ChunkRow]
    exhausted: bool


class Lexical(Struct, frozen=True):
    """Entries by BM25, best first. `exhausted`: there are no more."""

    ranked: list[tuple[int, float]]
    exhausted: bool


def lexical(words: Words, text: str, size: int, within: Set[int] | None) -> Lexical:
    """The best `size` entries of the words index; some may be hidden by a buffer or gone."""
    found = words.search(text, size, within)
    return Lexical(found, len(found) < size)


def chunk_cosines(db: sqlite3.Connection, vector: Vectors | None, chunks: Sequence[ChunkRow]) -> dict[bytes, float]:
    """Exact cosines of chunks by their hash; nothing without a query vector."""
    if vector is None or not chunks:
        return {}
    hashes, vectors = vectors_for(db, [row.hash for row in chunks])
    return dict(zip(hashes, (vectors @ vector).tolist(), strict=True)) if hashes else {}


def semantic(db: sqlite3.Connection, store: VectorStore, vector: Vectors, size: int, within: Set[int] | None) -> Semantic:
    """The best `size` entries by cosine (fewer where there are no more); some may be hidden by a buffer."""
    if within is not None and len(within) <= EXACT_SET:
        return _exact(db, vector, within)
    ask = int(size * CHUNKS_PER_ENTRY)
    if within is not None:
        ask = min(max(ask, ask * store.count() // len(within)), MOST_NEIGHBOURS)
    while True:
        near = store.query(vector, ask)
        exhausted = len(near) < ask
        if exhausted and len(near) < store.count() <= MOST_EXACT:
            # The graph cannot reach all vectors where many are equal or nearly so.
            return _exact(db, vector, listing.all_entries(db) if within is None else within)
        cosines = dict(near)
        best = _best(chunks_with_hashes(db, list(cosines)), cosines, within)
        if len(best) >= size or exhausted:
            return _semantic(best, cosines, exhausted)
        if within is not None and ask >= MOST_NEIGHBOURS:
            return _exact(db, vector, within)
        ask *= 4


def cosines(db: sqlite3.Connection, vector: Vectors, entries: Collection[int]) -> tuple[dict[int, float], dict[int, ChunkRow]]:
    """Exact cosine of each entry (its best chunk's), and that chunk. Entries that are not embedded yet are left out."""
    if not entries:
        return {}, {}
    rows = chunks_for_entries(db, entries)
    scores = chunk_cosines(db, vector, rows)
    best = _best(rows, scores, None)
    return {entry_id: scores[row.hash] for entry_id, row in best.items()}, best


def entry_vectors(db: sqlite3.Connection, entries: Sequence[int]) -> dict[int, Vectors]:
    """One normalised vector per embedded entry: the mean of its chunks'."""
    rows = chunks_for_entries(db, entries)
    hashes, vectors = vectors_for(db, [row.hash for row in rows])
    place = {digest: index for index, digest in enumerate(hashes)}
    own: dict[int, list[int]] = {}
    for row in rows:
        if row.hash in place:
            own.setdefault(row.entry_id, []).append(place[row.hash])
    found = {}
    for entry_id, indices in own.items():
        mean = vectors[indices].mean(axis=0)
        found[entry_id] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return found


def _exact(db: sqlite3.Connection, vector: Vectors, within: Set[int]) -> Semantic:
    scores, chunks = cosines(db, vector, within)
    return Semantic(sorted(scores.items(), key=lambda item: (-item[1], item[0])), chunks, True)


def _semantic(best: dict[int, ChunkRow], scores: dict[bytes, float], exhausted: bool) -> Semantic:
    ranked = sorted(((entry_id, scores[row.hash]) for entry_id, row in best.items()), key=lambda item: (-item[1], item[0]))
    return Semantic(ranked, best, exhausted)


def _best(rows: Sequence[ChunkRow], scores: dict[bytes, float], within: Set[int] | None) -> dict[int, ChunkRow]:
    """The best chunk of each entry, the first one of equals."""
    best: dict[int, ChunkRow] = {}
    for row in rows:
        if row.hash not in scores or (within is not None and row.entry_id not in within):
            continue
        known = best.get(row.entry_id)
        if known is None or (-scores[row.hash], row.start) < (-scores[known.hash], known.start):
            best[row.entry_id] = row
    return best
