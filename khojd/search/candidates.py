"""The two lists of candidates, and the scores that one list lacks.

Lexical candidates come from the words index, semantic ones from the vector store: an entry counts as its best chunk. Every
candidate of one list gets its exact score of the other, so that the fusion compares like with like.
"""

import sqlite3
from collections.abc import Collection, Sequence, Set
from concurrent.futures import Executor
from itertools import islice
from math import inf

import numpy as np
from msgspec import Struct

from khojd.embed.protocol import Vectors
from khojd.index.catalog_vectors import chunks_with_hashes, chunks_with_vectors, vectors_for
from khojd.index.rows import ChunkRow
from khojd.index.vectors import Neighbours
from khojd.index.words_query import WordsQuery
from khojd.search import beside, listing
from khojd.search.background import Sample
from khojd.search.fuse import Weights, weigh
from khojd.search.scope import Scope

EXACT_SET = 1000  # up to this many entries their cosines are computed one by one; above, the vector store is asked
MOST_EXACT = (
    20_000  # vectors compared one by one wherever the store finds fewer than there are; of more, only when hits are missing
)
MOST_NEIGHBOURS = 4000  # more than this are not asked of the vector store for a restricted set
SOME_NEIGHBOURS = 1000  # asked of it at first where entries are hidden
VECTORS_AT_ONCE = 4000  # of those that are compared one by one, or entries with theirs: what is held in memory
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


def lexical(asked: WordsQuery, size: int, scope: Scope) -> Lexical:
    """The best `size` entries of the words index; some may be gone."""
    found = asked.search(size, scope.within, scope.without)
    return Lexical(found, len(found) < size)


class Passages(Struct, frozen=True):
    """The embedded chunks of some entries and their vectors, which can be read before the query's vector is known."""

    rows: list[ChunkRow]  # in the order of entry and start
    vectors: Vectors

    def cosines(self, vector: Vectors) -> tuple[dict[int, float], dict[int, ChunkRow]]:
        """Exact cosine of each entry (its best chunk's, the first one of equals), and that chunk."""
        scores: dict[int, float] = {}
        best: dict[int, ChunkRow] = {}
        for row, score in zip(self.rows, (self.vectors @ vector).tolist() if self.rows else (), strict=True):
            if score > scores.get(row.entry_id, -inf):
                scores[row.entry_id], best[row.entry_id] = score, row
        return scores, best


def passages(db: sqlite3.Connection, entries: Collection[int]) -> Passages:
    """The chunks of the entries. Entries that are not embedded yet have none."""
    return Passages(*chunks_with_vectors(db, entries)) if entries else Passages([], np.empty((0, 0), np.float32))


class Both(Struct, frozen=True):
    """The two lists, and each of their entries' score of either ranker where it has one."""

    lexical: Lexical
    semantic: Semantic
    bm25: dict[int, float]
    cosines: dict[int, float]
    coverage: dict[int, float]
    chunks: dict[int, ChunkRow]
    weights: Weights


def both(
    db: sqlite3.Connection,
    asked: WordsQuery,
    found: Lexical,
    store: Neighbours,
    vector: Vectors,
    *,
    own: Passages,
    reads: float,
    sample: Sample,
    size: int,
    scope: Scope,
    pairs: bool = True,
    executor: Executor | None = None,
) -> Both:
    """The entries `found` by words, whose chunks are `own`, and the best `size` by meaning, each with its exact score of the other.

    `reads`: share of the query that the model can read. Without `pairs` the query is a bag of words: their order says nothing. An
    `executor` looks up the coverage beside the scores.
    """
    bm25 = dict(found.ranked)
    # The store may still be looking for neighbours (beside.Ahead): what needs only the words comes first.
    more, chunks = own.cosines(vector)
    background = sample.background(db, vector)
    coverage = asked.coverage(bm25, pairs=pairs)
    near = semantic(db, store, vector, size, scope)
    lacking = [entry_id for entry_id, _ in near.ranked if entry_id not in bm25]
    covered = beside.start(executor, lambda: asked.coverage(lacking, pairs=pairs))
    scores = asked.scores(lacking)
    coverage |= covered()
    weights = weigh([score for _, score in found.ranked], [cosine for _, cosine in near.ranked], background, reads)
    return Both(found, near, bm25 | scores, more | dict(near.ranked), coverage, chunks | near.chunks, weights)


def chunk_cosines(db: sqlite3.Connection, vector: Vectors | None, chunks: Sequence[ChunkRow]) -> dict[bytes, float]:
    """Exact cosines of chunks by their hash; nothing without a query vector."""
    if vector is None or not chunks:
        return {}
    scores: dict[bytes, float] = {}
    wanted = list(dict.fromkeys(row.hash for row in chunks))
    for start in range(0, len(wanted), VECTORS_AT_ONCE):
        hashes, vectors = vectors_for(db, wanted[start : start + VECTORS_AT_ONCE])
        if hashes:
            scores.update(zip(hashes, (vectors @ vector).tolist(), strict=True))
    return scores


def first_ask(size: int) -> int:
    """Neighbours that `semantic` asks the store for first when every entry may answer."""
    return int(size * CHUNKS_PER_ENTRY)


def semantic(db: sqlite3.Connection, store: Neighbours, vector: Vectors, size: int, scope: Scope) -> Semantic:
    """The best `size` entries by cosine, fewer where there are no more."""
    within = scope.within
    if within is not None and len(within) <= EXACT_SET:
        return _exact(db, vector, within)
    ask, enough = first_ask(size), size
    narrow = within is not None or bool(scope.without)
    if within is not None:
        ask = max(ask, min(ask * store.count() // len(within), MOST_NEIGHBOURS))
    elif narrow:
        # Hidden entries take places among the neighbours. A part of the list will do: who is short of hits asks for a longer one.
        ask, enough = max(ask, min(int(ask / scope.share), SOME_NEIGHBOURS)), size // 4
    while True:
        near = store.query(vector, ask)
        exhausted = len(near) < ask
        cosines = dict(near)
        best = _best(chunks_with_hashes(db, list(cosines)), cosines, scope)
        # The graph cannot reach all vectors where many are equal or nearly so.
        if exhausted and len(near) < store.count() and (store.count() <= MOST_EXACT or len(best) < size):
            return _exact(db, vector, _all(db, scope))
        if len(best) >= enough or exhausted:
            return _semantic(best, cosines, exhausted)
        if narrow and ask >= MOST_NEIGHBOURS:
            return _exact(db, vector, _all(db, scope))
        ask = min(4 * ask, MOST_NEIGHBOURS) if narrow else 4 * ask


def cosines(db: sqlite3.Connection, vector: Vectors, entries: Collection[int]) -> tuple[dict[int, float], dict[int, ChunkRow]]:
    """Exact cosine of each entry (its best chunk's), and that chunk. Entries that are not embedded yet are left out."""
    scores: dict[int, float] = {}
    best: dict[int, ChunkRow] = {}
    rest = iter(entries)
    while part := list(islice(rest, VECTORS_AT_ONCE)):
        some, chunks = passages(db, part).cosines(vector)
        scores |= some
        best |= chunks
    return scores, best


def entry_vectors(db: sqlite3.Connection, entries: Sequence[int]) -> dict[int, Vectors]:
    """One normalised vector per embedded entry: the mean of its chunks'."""
    read = passages(db, entries)
    own: dict[int, list[int]] = {}
    for index, row in enumerate(read.rows):
        own.setdefault(row.entry_id, []).append(index)
    found = {}
    for entry_id, indices in own.items():
        mean = read.vectors[indices].mean(axis=0)
        found[entry_id] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return found


def _all(db: sqlite3.Connection, scope: Scope) -> Set[int]:
    return listing.seen_entries(db) if scope.within is None else scope.within


def _exact(db: sqlite3.Connection, vector: Vectors, within: Set[int]) -> Semantic:
    scores, chunks = cosines(db, vector, within)
    return Semantic(sorted(scores.items(), key=lambda item: (-item[1], item[0])), chunks, True)


def _semantic(best: dict[int, ChunkRow], scores: dict[bytes, float], exhausted: bool) -> Semantic:
    ranked = sorted(((entry_id, scores[row.hash]) for entry_id, row in best.items()), key=lambda item: (-item[1], item[0]))
    return Semantic(ranked, best, exhausted)


def _best(rows: Sequence[ChunkRow], scores: dict[bytes, float], scope: Scope) -> dict[int, ChunkRow]:
    """The best chunk of each entry, the first one of equals."""
    best: dict[int, ChunkRow] = {}
    for row in rows:
        if row.hash not in scores or not scope.has(row.entry_id):
            continue
        known = best.get(row.entry_id)
        if known is None or (-scores[row.hash], row.start) < (-scores[known.hash], known.start):
            best[row.entry_id] = row
    return best
