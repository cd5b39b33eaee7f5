"""More like this: a text, or a place in a note, as the query."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from time import perf_counter

import numpy as np

from khojd.embed.factory import REMOTE
from khojd.embed.protocol import Vectors
from khojd.errors import ModelError, NotFound, QueryError
from khojd.index import analysis
from khojd.index.catalog import errors
from khojd.index.catalog_hits import entries_at, hit_rows
from khojd.index.rows import ChunkRow
from khojd.index.words import Words
from khojd.search import beside, candidates, listing
from khojd.search.fuse import READ, WORDS_ALONE, fuse
from khojd.search.highlight import query_terms
from khojd.search.hits import Found, make_hits
from khojd.search.retrieve import MOST_HITS, Retriever
from khojd.search.types import Measure, Phase, SearchResult, SimilarRequest

SALIENT_WORDS = 12
_CANDIDATES = 100
_MOST_CHARACTERS = 20_000  # of the source; its most salient words are long known by then


def nearness(retriever: Retriever, query: str, texts: Sequence[str]) -> list[float] | None:
    """The cosine of each text to a query; None where no model is open, it fails, cannot read the query or is on a server.

    That server would be paid, and waited for, for texts that it has seen as parts of entries.
    """
    queries = retriever.queries
    if queries is None or retriever.config.embedding.model == REMOTE or queries.embedder.reads(query) < READ:
        return None
    try:
        found = queries.embedder.embed_passages(texts) @ queries.embed_query(query)
    except ModelError:
        return None
    return [float(cosine) for cosine in found]


def similar(retriever: Retriever, request: SimilarRequest, *, measure: Measure = len) -> SearchResult:
    """Entries like a text or a place in a note, best first; the place itself is left out, the same text elsewhere is not.

    Without a model the answer is by words alone, with a note. The phase is "words" for a text that the model cannot read, too.

    Raises QueryError, NotFound.
    """
    started = perf_counter()
    if not 1 <= request.limit <= MOST_HITS:
        raise QueryError(f"limit is {request.limit}; it must be 1 to {MOST_HITS}", part=str(request.limit))
    db = retriever.catalog.seen_by(request.viewer)
    with errors(retriever.catalog.path):
        sources = _sources(db, request)
        text = request.text or _text(db, sources, request)
        notes: list[str] = []
        salient = salient_words(retriever.words, text)
        vector = _vector(db, retriever, sources, text, notes)
        scope = retriever.scope(db, (), request.folders)
        size = max(_CANDIDATES, request.limit) + len(sources)
        chunks: dict[int, ChunkRow] = {}
        reads = retriever.reads(text)
        asked = retriever.words.ask(salient)
        if vector is None or retriever.vectors is None:
            bm25 = dict(candidates.lexical(asked, size, scope).ranked)
            scores = fuse(_without(sources, bm25), {}, {}, WORDS_ALONE)
        else:
            unit = vector
            store = beside.Ahead(retriever.executor, retriever.vectors, lambda: unit, candidates.first_ask(size))
            words = candidates.lexical(asked, size, scope)
            why = candidates.both(
                db,
                asked,
                words,
                store,
                vector,
                own=candidates.passages(db, dict(words.ranked)),
                reads=reads,
                sample=retriever.sample,
                size=size,
                scope=scope,
                pairs=False,
                executor=retriever.executor,
            )
            chunks = why.chunks
            scores = fuse(_without(sources, why.bm25), _without(sources, why.cosines), why.coverage, why.weights)
        facts = listing.facts(db, list(scores))
        ranked = sorted(facts, key=lambda one: (-scores[one], facts[one].path, facts[one].position))[: request.limit]
        found = [Found(one, scores[one], (chunks[one].start, chunks[one].end) if one in chunks else None) for one in ranked]
        terms = query_terms(salient, {})
        hits = make_hits(db, found, terms, retriever.words.analyze, measure)
    phase: Phase = "words" if vector is None or reads < READ else "fused"
    return SearchResult(phase, hits, (perf_counter() - started) * 1000.0, tuple(notes))


def salient_words(words: Words, text: str, count: int = SALIENT_WORDS) -> str:
    """The words of `text` that are frequent in it and rare in the index, as a query."""
    surface: dict[str, str] = {}
    occurrences: Counter[str] = Counter()
    for token in words.analyze(text[:_MOST_CHARACTERS]):
        if token.term not in analysis.STOPWORDS and not token.term.isdigit():
            occurrences[token.term] += 1
            surface.setdefault(token.term, text[token.start : token.end])
    total = words.count() + 1
    frequencies = words.frequencies(occurrences)
    # TF-IDF with a damped frequency; a word of no entry finds nothing.
    weights = {
        term: (1.0 + np.log(occurrences[term])) * np.log(1.0 + total / (1.0 + frequency))
        for term, frequency in frequencies.items()
        if frequency
    }
    best = sorted(weights, key=lambda term: (-weights[term], term))[:count]
    return " ".join(surface[term] for term in best)


def _sources(db: sqlite3.Connection, request: SimilarRequest) -> list[int]:
    """Ids of the entries that the request points at; none for a bare text."""
    if request.text.strip() and not request.path:
        return []
    if not request.path:
        raise QueryError("nothing to compare with; give a text, or a path with a line", part="")
    start = request.start_line or 0
    end = request.end_line if request.end_line is not None else start if request.start_line is not None else 2**31
    if end < start:
        raise QueryError(f"the range of lines ends ({end}) before it starts ({start})", part=f"{start}-{end}")
    found = entries_at(db, request.path, start, end)
    if start == end and len(found) > 1:
        # An entry ends where the next one begins: the line belongs to the later one.
        found = found[-1:]
    if not found and not request.text.strip():
        raise NotFound(f"there is no indexed text at line {start + 1} of {request.path}", path=request.path, line=start)
    return found


def _text(db: sqlite3.Connection, sources: Sequence[int], request: SimilarRequest) -> str:
    rows = hit_rows(db, sources)
    parts = []
    for entry_id in sources:
        if entry_id in rows:
            row = rows[entry_id]
            parts.append("\n".join((row.title, *row.headings, row.text)))
    if not parts:
        raise NotFound(f"the text of {request.path} went away while it was read; ask again", path=request.path)
    return "\n".join(parts)


def _vector(db: sqlite3.Connection, retriever: Retriever, sources: Sequence[int], text: str, notes: list[str]) -> Vectors | None:
    """The mean of the sources' vectors, else the vector of the text; None with a note where there is no model."""
    if retriever.vectors is None or retriever.queries is None:
        why = retriever.problem or "no embedding model is open"
        notes.append(f"search by meaning is not available: {why}; these hits are found by words alone")
        return None
    own = candidates.entry_vectors(db, sources)
    if own:
        mean = np.mean(list(own.values()), axis=0)
        unit: Vectors = (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
        return unit
    try:
        made: Vectors = retriever.queries.embedder.embed_passages([text])[0]
    except ModelError as error:
        notes.append(f"these hits are found by words alone: {error.message}")
        return None
    return made


def _without(sources: Sequence[int], scores: dict[int, float]) -> dict[int, float]:
    return {one: score for one, score in scores.items() if one not in sources}
