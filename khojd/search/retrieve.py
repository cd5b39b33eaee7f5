"""Search: from a request to phases of hits. Synchronous; runs in a worker thread, several at once.

    query -> filters -> lexical and semantic candidates -> fusion -> profile -> hits -> re-ranking

Each phase replaces the one before: first the words' list, then the fused one, then the re-ranked one.
"""

import logging
import sqlite3
from collections.abc import Iterator, Sequence, Set
from datetime import date
from time import perf_counter

from msgspec import Struct
from msgspec.structs import replace

from khojd.config import Config, Profile
from khojd.content import chunk
from khojd.embed.cache import QueryCache
from khojd.embed.protocol import Vectors
from khojd.errors import ModelError, QueryError
from khojd.index.catalog import Catalog, errors
from khojd.index.catalog_hits import hit_rows
from khojd.index.catalog_vectors import chunks_for_entries
from khojd.index.rows import ChunkRow
from khojd.index.vectors import VectorStore
from khojd.index.words import Words
from khojd.search import candidates, listing, rerank, tuning
from khojd.search.candidates import Lexical, Semantic
from khojd.search.filters import resolve
from khojd.search.fuse import FEATURE_DEPTH, MEANING_ALONE, WORDS_ALONE, Weights, fuse, weigh
from khojd.search.highlight import Terms, query_terms
from khojd.search.hits import Found, make_hits
from khojd.search.query import parse
from khojd.search.rerank import Reranker
from khojd.search.tuning import Candidate
from khojd.search.types import Explanation, Measure, Phase, SearchRequest, SearchResult

log = logging.getLogger(__name__)

MOST_HITS = 200
MOST_CANDIDATES = 20_000  # a list is made longer until there are enough hits, up to this
_GROWTH = 4


class _Pool(Struct, frozen=True):
    """All candidates of a query with their scores, and why they have them."""

    scores: dict[int, float]
    lexical: Lexical
    semantic: Semantic
    bm25: dict[int, float]
    cosines: dict[int, float]
    coverage: dict[int, float]
    weights: Weights | None
    exhausted: bool


class _Question(Struct, frozen=True):
    """What stays the same over the phases of one search."""

    request: SearchRequest
    text: str
    terms: Terms
    within: Set[int] | None
    profile: Profile
    limit: int
    today: date
    measure: Measure
    vector: Vectors | None
    reranks: bool


class Retriever:
    """Answers searches from the open stores.

    `vectors` and `queries` are None while there is no meaning to search by: not opened yet, switched off or broken.
    """

    def __init__(
        self, catalog: Catalog, words: Words, vectors: VectorStore | None, queries: QueryCache | None, config: Config
    ) -> None:
        self.catalog = catalog
        self.words = words
        self.vectors = vectors
        self.queries = queries
        self.config = config
        self.problem = ""  # why there is no meaning to search by
        self._rerankers: dict[str, Reranker] = {}

    def search(self, request: SearchRequest, *, today: date, measure: Measure = len, phases: bool = True) -> Iterator[SearchResult]:
        """Phases of the answer, the last one final; without `phases` only that one. Hits are as many as asked for where there are.

        Raises QueryError for a query or profile that cannot be understood, ModelError for mode `semantic` without a model.
        """
        started = perf_counter()
        db = self.catalog.reader()
        with errors(self.catalog.path):
            for phase, found, terms, notes in self._phases(db, request, today, measure, phases):
                hits = make_hits(db, found, terms, self.words.analyze, measure)
                yield SearchResult(phase, hits, (perf_counter() - started) * 1000.0, tuple(notes))

    def _phases(
        self, db: sqlite3.Connection, request: SearchRequest, today: date, measure: Measure, phases: bool
    ) -> Iterator[tuple[Phase, list[Found], Terms, list[str]]]:
        settings = self.config.search
        query = parse(
            request.query,
            today=today,
            first_weekday=settings.first_weekday,
            day_first=self.config.content.date_order == "day-first",
        )
        profile = tuning.profile(request.profile, settings)
        limit = request.limit or profile.limit
        if not 1 <= limit <= MOST_HITS:
            raise QueryError(f"limit is {limit}; it must be 1 to {MOST_HITS}", part=str(limit), allowed=f"1 to {MOST_HITS}")
        text = query.text.strip()
        if not text and not query.filters:
            raise QueryError("the query is empty; give words, a filter, or both", part=request.query)
        within = resolve(db, self.words, query.filters, folders=request.folders)
        if not text:
            yield "words", [Found(entry_id, 0.0) for entry_id in listing.newest(db, within or set(), limit)], Terms({}), []
            return
        reranker_name = self._reranker_name(request.rerank)
        terms = self.terms(text)
        question = _Question(request, text, terms, within, profile, limit, today, measure, None, reranker_name != "off")
        meant = request.mode != "lexical"
        if phases and request.mode == "hybrid":
            yield "words", self._ranked(db, question)[:limit], terms, []
        notes: list[str] = []
        if meant:
            question = replace(question, vector=self._vector(db, text, request.mode == "semantic", notes))
        found = self._ranked(db, question)
        phase: Phase = "words" if question.vector is None else "fused"
        if reranker_name == "off":
            yield phase, found[:limit], terms, notes
            return
        if phases:
            yield phase, found[:limit], terms, notes
        again = self._reranked(db, question, found, reranker_name, notes)
        yield "reranked", again[:limit], terms, notes

    def terms(self, text: str) -> Terms:
        """The terms to look for in passages; rare ones count more."""
        plain = query_terms(text, {})
        total = self.words.count() + 1
        return query_terms(text, {term: _rarity(count, total) for term, count in self.words.frequencies(plain.weights).items()})

    def _vector(self, db: sqlite3.Connection, text: str, required: bool, notes: list[str]) -> Vectors | None:
        """The query's vector; None, with a note, where an answer by words has to do."""
        (waiting,) = db.execute("SELECT count(*) FROM entries WHERE vectors = 0").fetchone()
        if self.vectors is None or self.queries is None:
            said = f"search by meaning is not available: {self.problem or 'no embedding model is open'}"
            if required:
                hint = "set embedding.model in the configuration, or search with mode lexical or hybrid"
                raise ModelError(f"{said}; {hint}", model=self.config.embedding.model)
            notes.append(f"{said}; these hits are found by words alone")
            return None
        if waiting:
            entries = "entry still waits" if waiting == 1 else "entries still wait"
            notes.append(f"{waiting} {entries} to be embedded: found by words only so far")
        try:
            return self.queries.embed_query(text)
        except ModelError as error:
            if required:
                raise
            log.warning("no search by meaning: %s", error.message)
            notes.append(f"these hits are found by words alone: {error.message}")
            return None

    def _ranked(self, db: sqlite3.Connection, question: _Question) -> list[Found]:
        """The best entries: as many as asked for where there are, and enough to re-rank."""
        profile = question.profile
        wanted = max(question.limit, rerank.DEPTH) if question.reranks else question.limit
        size = max(profile.candidates, wanted, FEATURE_DEPTH)
        while True:
            pool = self._pool(db, question, size)
            entries = self._entries(db, pool, wanted if tuning.is_plain(profile) else len(pool.scores))
            tuned = tuning.tune(
                entries, profile, limit=wanted, today=question.today, vectors=lambda ids: candidates.entry_vectors(db, ids)
            )
            if len(tuned) >= question.limit or pool.exhausted or size >= MOST_CANDIDATES or _too_weak(entries, profile):
                break
            size *= _GROWTH
        found = [self._found(one, pool, question) for one in tuned]
        if question.request.all_passages:
            found = self._passages(db, found, pool, question)
        return found[:wanted]

    def _entries(self, db: sqlite3.Connection, pool: _Pool, wanted: int) -> list[Candidate]:
        """The `wanted` best candidates that are there and visible, and those that equal the last of them."""
        order = sorted(pool.scores, key=lambda one: -pool.scores[one])
        entries: list[Candidate] = []
        at, step = 0, wanted
        while at < len(order) and len(entries) < wanted:
            end = min(at + step, len(order))
            while end < len(order) and pool.scores[order[end]] == pool.scores[order[end - 1]]:
                end += 1
            facts = listing.facts(db, order[at:end])
            entries += [Candidate(one, pool.scores[one], *facts[one]) for one in order[at:end] if one in facts]
            at, step = end, 2 * step
        return entries

    def _pool(self, db: sqlite3.Connection, question: _Question, size: int) -> _Pool:
        text, within, vector = question.text, question.within, question.vector
        nothing = Semantic([], {}, True)
        if vector is None or self.vectors is None:
            lexical = candidates.lexical(self.words, text, size, within)
            bm25 = dict(lexical.ranked)
            return _Pool(fuse(bm25, {}, {}, WORDS_ALONE), lexical, nothing, bm25, {}, {}, None, lexical.exhausted)
        semantic = candidates.semantic(db, self.vectors, vector, size, within)
        cosines = dict(semantic.ranked)
        if question.request.mode == "semantic":
            scores = fuse({}, cosines, {}, MEANING_ALONE)
            return _Pool(scores, Lexical([], True), semantic, {}, cosines, {}, MEANING_ALONE, semantic.exhausted)
        lexical = candidates.lexical(self.words, text, size, within)
        bm25 = dict(lexical.ranked)
        weights = weigh([score for _, score in lexical.ranked], [score for _, score in semantic.ranked])
        more, chunks = candidates.cosines(db, vector, [entry_id for entry_id in bm25 if entry_id not in cosines])
        bm25.update(self.words.scores(text, [entry_id for entry_id in cosines if entry_id not in bm25]))
        cosines.update(more)
        semantic.chunks.update(chunks)
        coverage = self.words.coverage(text, list(bm25))
        exhausted = lexical.exhausted and semantic.exhausted
        return _Pool(fuse(bm25, cosines, coverage, weights), lexical, semantic, bm25, cosines, coverage, weights, exhausted)

    def _found(self, one: Candidate, pool: _Pool, question: _Question) -> Found:
        best = pool.semantic.chunks.get(one.entry_id)
        explanation = _explanation(one.entry_id, pool) if question.request.explain else None
        return Found(one.entry_id, one.score, (best.start, best.end) if best else None, explanation)

    def _passages(self, db: sqlite3.Connection, found: Sequence[Found], pool: _Pool, question: _Question) -> list[Found]:
        """One hit for each chunk of the found entries. A chunk differs from its entry's score by its own cosine."""
        own: dict[int, list[ChunkRow]] = {}
        for row in chunks_for_entries(db, [one.entry_id for one in found]):
            own.setdefault(row.entry_id, []).append(row)
        scores = candidates.chunk_cosines(db, question.vector, [row for rows in own.values() for row in rows])
        passages = []
        for one in found:
            rows = own.get(one.entry_id, [])
            passages += [
                replace(one, near=(row.start, row.end), score=one.score - _loss(pool, one.entry_id, scores.get(row.hash)))
                for row in rows
            ] or [one]
        return sorted(passages, key=lambda one: -one.score)

    def _reranker_name(self, wanted: bool | None) -> str:
        name = self.config.search.rerank
        if wanted is None:
            return name
        return "off" if not wanted else "maxsim" if name == "off" else name

    def _reranked(
        self, db: sqlite3.Connection, question: _Question, found: list[Found], name: str, notes: list[str]
    ) -> list[Found]:
        top = found[: rerank.DEPTH]
        rows = hit_rows(db, [one.entry_id for one in top])
        top = [one for one in top if one.entry_id in rows]
        texts = []
        for one in top:
            row = rows[one.entry_id]
            start, end = one.near or (0, len(row.text))
            texts.append(chunk.compiled(chunk.context(row.title, row.headings), row.text[start:end]))
        try:
            scores = self._reranker(name).score(question.text, texts)
        except ModelError as error:
            log.warning("no re-ranking: %s", error.message)
            notes.append(f"not re-ranked: {error.message}")
            return found
        blended = rerank.blend([one.score for one in top], scores)
        again = [
            replace(
                one,
                score=score,
                explanation=replace(one.explanation, rerank_score=raw) if one.explanation else None,
            )
            for one, score, raw in zip(top, blended, scores, strict=True)
        ]
        return [*sorted(again, key=lambda one: -one.score), *found[rerank.DEPTH :]]

    def _reranker(self, name: str) -> Reranker:
        known = self._rerankers.get(name)
        if known is None:
            if name == "maxsim":
                if self.queries is None:
                    raise ModelError("no embedding model is open", model=self.config.embedding.model)
                known = rerank.MaxSim(self.queries.embedder)
            else:
                from khojd.embed.crossencoder import CrossEncoderScorer

                known = CrossEncoderScorer(name, device=self.config.embedding.device)
            self._rerankers[name] = known
        return known


def _rarity(count: int, total: int) -> float:
    """1 for a term of one entry, near 0 for one that is everywhere."""
    from math import log

    return max(0.05, 1.0 - log(1 + count) / log(1 + total)) if total > 1 else 1.0


def _too_weak(entries: Sequence[Candidate], profile: Profile) -> bool:
    """Whether further candidates, which are weaker still, would fall below the profile's minimum."""
    return bool(entries) and min(one.score for one in entries) * max(1.0, *profile.weights.values(), 1.0) < profile.min_score


def _loss(pool: _Pool, entry_id: int, cosine: float | None) -> float:
    if cosine is None or pool.weights is None or entry_id not in pool.cosines:
        return 0.0
    return pool.weights.cosine * (pool.cosines[entry_id] - cosine)


def _explanation(entry_id: int, pool: _Pool) -> Explanation:
    lexical = [one for one, _ in pool.lexical.ranked]
    semantic = [one for one, _ in pool.semantic.ranked]
    return Explanation(
        lexical_rank=lexical.index(entry_id) + 1 if entry_id in lexical else None,
        lexical_score=pool.bm25.get(entry_id),
        semantic_rank=semantic.index(entry_id) + 1 if entry_id in semantic else None,
        semantic_score=pool.cosines.get(entry_id),
        semantic_weight=pool.weights.cosine if pool.weights else None,
        coverage=pool.coverage.get(entry_id),
        fused_score=pool.scores[entry_id],
    )
