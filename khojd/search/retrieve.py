"""Search: from a request to phases of hits. Synchronous; runs in a worker thread, several at once.

    query -> filters -> lexical and semantic candidates -> fusion -> profile -> hits -> re-ranking

Each phase replaces the one before: first the words' list, then the fused one, then the re-ranked one.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from datetime import date
from functools import cache
from time import perf_counter

from msgspec import Struct
from msgspec.structs import replace

from khojd.config import Config, Profile
from khojd.content import chunk
from khojd.embed.cache import QueryCache
from khojd.embed.protocol import Vectors
from khojd.errors import ConfigError, ModelError, QueryError
from khojd.index.catalog import Catalog, errors
from khojd.index.catalog_hits import hit_rows
from khojd.index.catalog_vectors import chunks_for_entries
from khojd.index.rows import ChunkRow
from khojd.index.vectors import Neighbours
from khojd.index.words import Words
from khojd.index.words_query import WordsQuery
from khojd.llm.line import Line
from khojd.search import beside, candidates, listing, rerank, tuning
from khojd.search.background import Sample
from khojd.search.candidates import Both, Lexical, Passages, Semantic
from khojd.search.conditions import Filter, Query
from khojd.search.filters import first_sections
from khojd.search.fuse import FEATURE_DEPTH, MEANING_ALONE, WORDS_ALONE, Weights, fuse
from khojd.search.highlight import Terms, weighted_terms
from khojd.search.hits import Found, make_hits
from khojd.search.query import parse
from khojd.search.rerank import Reranker
from khojd.search.scope import EVERYTHING, Hidden, Scope, scope
from khojd.search.tuning import Candidate
from khojd.search.types import Explanation, Measure, Phase, SearchRequest, SearchResult
from khojd.search.unknown import unknown
from khojd.search.vocabulary import NAMES

log = logging.getLogger(__name__)

MOST_HITS = 200
MOST_CANDIDATES = 20_000  # a list is made longer until there are enough hits, up to this
_GROWTH = 4
NOT_NEAR = Semantic([], {}, True)
NO_WORDS = Lexical([], True)


class _Pool(Struct, frozen=True):
    """All candidates of a query with their scores, and why they have them."""

    scores: dict[int, float]
    why: Both
    weights: Weights | None
    exhausted: bool


class _Question(Struct, frozen=True):
    """What stays the same over the phases of one search."""

    request: SearchRequest
    asked: WordsQuery
    lexical: Callable[[int], Lexical]  # the list by words of that size, made once
    passages: Callable[[int], Passages]  # and its chunks
    scope: Scope
    profile: Profile
    limit: int
    today: date
    vector: Vectors | None  # None: by words alone
    vectors: Neighbours | None
    reranks: bool

    @property
    def wanted(self) -> int:
        """Entries to rank: as many as asked for, and enough to re-rank."""
        return max(self.limit, rerank.DEPTH) if self.reranks else self.limit

    @property
    def size(self) -> int:
        """Candidates of each list, to begin with."""
        return max(self.profile.candidates, self.wanted, FEATURE_DEPTH)


class Retriever:
    """Answers searches from the open stores.

    `vectors` and `queries` are None while there is no meaning to search by: not opened yet, switched off or broken. With an
    `executor`, which is not the one that searches run on, parts of one search run at the same time. `line` leads to model servers.
    """

    def __init__(
        self,
        catalog: Catalog,
        words: Words,
        vectors: Neighbours | None,
        queries: QueryCache | None,
        config: Config,
        *,
        executor: Executor | None = None,
        line: Line | None = None,
    ) -> None:
        self.catalog = catalog
        self.words = words
        self.vectors = vectors
        self.queries = queries
        self.config = config
        self.executor = executor
        self.line = line
        self.problem = ""  # why there is no meaning to search by
        self.sample = Sample()
        self._hidden = Hidden()
        self._rerankers: dict[str, Reranker] = {}

    def search(self, request: SearchRequest, *, today: date, measure: Measure = len, phases: bool = True) -> Iterator[SearchResult]:
        """Phases of the answer, the last one final; without `phases` only that one. Hits are as many as asked for where there are.

        Raises QueryError for a query or profile that cannot be understood, ModelError for mode `semantic` without a model.
        """
        started = perf_counter()
        db = self.catalog.seen_by(request.viewer)
        with errors(self.catalog.path):
            for phase, found, terms, notes in self._phases(db, request, today, measure, phases):
                hits = make_hits(db, found, terms, self.words.analyze, measure)
                missing = [] if hits else unknown(db, self._parsed(request.query, today).filters)
                yield SearchResult(phase, hits, (perf_counter() - started) * 1000.0, (*notes, *missing))

    def _phases(
        self, db: sqlite3.Connection, request: SearchRequest, today: date, measure: Measure, phases: bool
    ) -> Iterator[tuple[Phase, list[Found], Terms, list[str]]]:
        settings = self.config.search
        query = self._parsed(request.query, today)
        bounds = [self._parsed(line, today) for line in request.within.splitlines()]
        if text := " ".join(bound.text for bound in bounds).strip():
            raise QueryError(f"“{text}” is no filter", part=text, allowed=sorted(NAMES))
        profile = tuning.profile(request.profile, settings)
        limit = request.limit or profile.limit
        if not 1 <= limit <= MOST_HITS:
            raise QueryError(f"limit is {limit}; it must be 1 to {MOST_HITS}", part=str(limit), allowed=f"1 to {MOST_HITS}")
        text = query.text.strip()
        if not text and not query.filters and not any(bound.filters for bound in bounds):
            raise QueryError("the query is empty; give words, a filter, or both", part=request.query)
        # The model begins at once, and whoever needs the vector comes for it later.
        embedded = self._embedding(text) if text and request.mode != "lexical" else None
        among = self.scope(db, query.filters, request.folders)
        for bound in bounds:
            if bound.filters:
                among = among.narrowed(self.scope(db, bound.filters, ()).within)
        if not text:
            newest = listing.newest(db, among.within or set(), limit)
            sections = first_sections(db, [one for each in (query, *bounds) for one in each.filters], newest)
            yield "words", [Found(one, 0.0, section=sections.get(one)) for one in newest], Terms({}), []
            return
        reranker_name = self._reranker_name(request.rerank)
        asked = self.words.ask(text)
        lexical = cache(lambda size: candidates.lexical(asked, size, among))
        passages = cache(lambda size: candidates.passages(db, dict(lexical(size).ranked)))
        question = _Question(
            request, asked, lexical, passages, among, profile, limit, today, None, self.vectors, reranker_name != "off"
        )
        if embedded is not None and self.vectors is not None and among is EVERYTHING:
            ask = candidates.first_ask(question.size)
            question = replace(question, vectors=beside.Ahead(self.executor, self.vectors, embedded, ask))
        terms = weighted_terms(asked)
        if phases and request.mode == "hybrid":
            yield "words", self._ranked(db, question)[:limit], terms, []
        if request.mode == "hybrid":
            passages(question.size)  # while the model computes
        notes: list[str] = []
        if request.mode != "lexical":
            question = replace(question, vector=self._vector(db, embedded, request.mode == "semantic", notes))
        found = self._ranked(db, question)
        phase: Phase = "words" if question.vector is None else "fused"
        if reranker_name == "off":
            yield phase, found[:limit], terms, notes
            return
        if phases:
            yield phase, found[:limit], terms, notes
        again = self._reranked(db, question, found, reranker_name, notes)
        yield "reranked", again[:limit], terms, notes

    def _parsed(self, query: str, today: date) -> Query:
        day_first = self.config.content.date_order == "day-first"
        return parse(query, today=today, first_weekday=self.config.search.first_weekday, day_first=day_first)

    def scope(self, db: sqlite3.Connection, filters: Sequence[Filter], folders: Sequence[str]) -> Scope:
        """Which entries may answer."""
        return scope(db, self.words, self._hidden, filters, folders)

    def reads(self, text: str) -> float:
        """Share of `text` that the model can read, 0 to 1."""
        return self.queries.embedder.reads(text) if self.queries is not None else 1.0

    def _embedding(self, text: str) -> Callable[[], Vectors] | None:
        """Begin to embed the query, beside what is done before its vector is needed."""
        queries = self.queries
        return None if queries is None else beside.start(self.executor, lambda: queries.embed_query(text))

    def _vector(
        self, db: sqlite3.Connection, embedded: Callable[[], Vectors] | None, required: bool, notes: list[str]
    ) -> Vectors | None:
        """The query's vector, waited for; None, with a note, where an answer by words has to do."""
        (waiting,) = db.execute("SELECT count(*) FROM entries WHERE vectors = 0").fetchone()
        if self.vectors is None or embedded is None:
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
            return embedded()
        except ModelError as error:
            if required:
                raise
            log.warning("no search by meaning: %s", error.message)
            notes.append(f"these hits are found by words alone: {error.message}")
            return None

    def _ranked(self, db: sqlite3.Connection, question: _Question) -> list[Found]:
        """The best entries: as many as asked for where there are, and enough to re-rank."""
        profile, wanted, size = question.profile, question.wanted, question.size
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
        scope, vector, vectors = question.scope, question.vector, question.vectors
        if vector is None or vectors is None:
            lexical = question.lexical(size)
            bm25 = dict(lexical.ranked)
            why = Both(lexical, NOT_NEAR, bm25, {}, {}, {}, WORDS_ALONE)
            return _Pool(fuse(bm25, {}, {}, WORDS_ALONE), why, None, lexical.exhausted)
        if question.request.mode == "semantic":
            semantic = candidates.semantic(db, vectors, vector, size, scope)
            cosines = dict(semantic.ranked)
            why = Both(NO_WORDS, semantic, {}, cosines, {}, semantic.chunks, MEANING_ALONE)
            return _Pool(fuse({}, cosines, {}, MEANING_ALONE), why, MEANING_ALONE, semantic.exhausted)
        why = candidates.both(
            db,
            question.asked,
            question.lexical(size),
            vectors,
            vector,
            own=question.passages(size),
            reads=self.reads(question.asked.query),
            sample=self.sample,
            size=size,
            scope=scope,
            executor=self.executor,
        )
        weights = why.weights
        scores = fuse(why.bm25, why.cosines, why.coverage, weights)
        return _Pool(scores, why, weights, why.lexical.exhausted and why.semantic.exhausted)

    def _found(self, one: Candidate, pool: _Pool, question: _Question) -> Found:
        best = pool.why.chunks.get(one.entry_id)
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
        # A cross-encoder is a model of its own, whose languages are not known.
        reads = self.reads(question.asked.query) if name == "maxsim" else 1.0
        if not reads:
            notes.append("not re-ranked: the embedding model has not learnt the script of the query")
            return found
        top = found[: rerank.DEPTH]
        rows = hit_rows(db, [one.entry_id for one in top])
        top = [one for one in top if one.entry_id in rows]
        texts = []
        for one in top:
            row = rows[one.entry_id]
            start, end = one.near or (0, len(row.text))
            texts.append(chunk.compiled(chunk.context(row.title, row.headings), row.text[start:end]))
        try:
            scores = self._reranker(name).score(question.asked.query, texts)
        except (ModelError, ConfigError) as error:
            log.warning("no re-ranking: %s", error.message)
            notes.append(f"not re-ranked: {error.message}")
            return found
        blended = rerank.blend([one.score for one in top], scores, rerank.SHARE * reads)
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
            elif name == "remote":
                from khojd.search.remote_rerank import RemoteReranker

                self.line = self.line or Line()
                known = RemoteReranker(self.config, self.line)
            else:
                from khojd.embed.crossencoder import CrossEncoderScorer

                known = CrossEncoderScorer(name, device=self.config.embedding.device)
            self._rerankers[name] = known
        return known


def _too_weak(entries: Sequence[Candidate], profile: Profile) -> bool:
    """Whether further candidates, which are weaker still, would fall below the profile's minimum."""
    return bool(entries) and min(one.score for one in entries) * max(1.0, *profile.weights.values(), 1.0) < profile.min_score


def _loss(pool: _Pool, entry_id: int, cosine: float | None) -> float:
    if cosine is None or pool.weights is None or entry_id not in pool.why.cosines:
        return 0.0
    score = pool.scores[entry_id]
    return score - pool.weights.moved(score, pool.why.cosines[entry_id], cosine)


def _explanation(entry_id: int, pool: _Pool) -> Explanation:
    why = pool.why
    lexical = [one for one, _ in why.lexical.ranked]
    semantic = [one for one, _ in why.semantic.ranked]
    return Explanation(
        lexical_rank=lexical.index(entry_id) + 1 if entry_id in lexical else None,
        lexical_score=why.bm25.get(entry_id),
        semantic_rank=semantic.index(entry_id) + 1 if entry_id in semantic else None,
        semantic_score=why.cosines.get(entry_id),
        semantic_weight=pool.weights.cosine if pool.weights else None,
        coverage=why.coverage.get(entry_id),
        fused_score=pool.scores[entry_id],
    )
