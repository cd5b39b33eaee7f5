"""Measuring search on a judged collection, through the same stores and the same retriever that serve a person's notes."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from statistics import quantiles
from typing import Literal, get_args

from msgspec import Struct
from msgspec.structs import replace

from khojd.config import Config
from khojd.content import registry
from khojd.content.model import ContentSettings
from khojd.embed.cache import QueryCache
from khojd.embed.protocol import Embedder
from khojd.evaluate.collection import Collection, Record, load_collection
from khojd.evaluate.metrics import Scores, score_run
from khojd.index.catalog_documents import store_document
from khojd.index.catalog_vectors import set_active_model
from khojd.index.document_rows import rows_of
from khojd.index.meaning import Meaning
from khojd.index.rows import FileStat
from khojd.index.scratch import scratch
from khojd.index.stores import Stores
from khojd.index.writer import Writer
from khojd.search import types
from khojd.search.conditions import Query
from khojd.search.fuse import reciprocal_ranks
from khojd.search.retrieve import Retriever
from khojd.search.types import SearchRequest

Mode = Literal["lexical", "semantic", "rrf", "hybrid", "reranked"]
MODES: tuple[Mode, ...] = get_args(Mode)

DEPTH = 20  # hits asked for: ten documents, of which some may have two entries among the hits
RUN_DEPTH = 100  # with run files, and for reciprocal ranks
_FOLDER = "/collection"
Run = dict[str, list[tuple[str, float]]]
Progress = Callable[[str, int, int], None]


class ModeResult(Struct, frozen=True):
    """One row of the table. Latencies are of whole searches in milliseconds; `rrf` is computed from two lists and has none."""

    mode: Mode
    scores: Scores
    p50_ms: float
    p95_ms: float


class Evaluation(Struct, frozen=True):
    """What `khojd eval` prints. `indexing_s` counts from the first document to the last vector."""

    collection: str
    documents: int
    entries: int
    queries: int
    indexing_s: float
    results: tuple[ModeResult, ...]


def evaluate(
    directory: Path,
    embedder: Embedder | None,
    config: Config,
    *,
    modes: Sequence[Mode] = MODES,
    runs: Path | None = None,
    progress: Progress = lambda what, done, total: None,
) -> Evaluation:
    """Index the collection in `directory` into a temporary index and search it with each of its judged queries.

    Without an embedder only `lexical` can be measured. With `runs`, TREC run files are written there, with the collection's own
    ids. `progress` gets what is done and how far. Raises NotFound, ContentError, ModelError.
    """
    collection = load_collection(directory)
    queries = collection.judged()
    with scratch("eval") as place:
        started = time.monotonic()
        with indexed(collection, Path(place), embedder, config, progress) as (retriever, names):
            took = time.monotonic() - started
            results = []
            depth = RUN_DEPTH if runs is not None else DEPTH
            for mode in modes:
                run, latencies = _run(retriever, mode, queries, names, depth=depth, progress=progress)
                ids = {query: [one for one, _ in ranked] for query, ranked in run.items()}
                results.append(ModeResult(mode, score_run(ids, collection.qrels), *_percentiles(latencies)))
                if runs is not None:
                    write_run(runs / f"{collection.name}.{mode}.trec", run, f"khojd-{mode}")
            entries = retriever.words.count()
    return Evaluation(collection.name, len(collection.documents), entries, len(queries), took, tuple(results))


@contextmanager
def indexed(
    collection: Collection, place: Path, embedder: Embedder | None, config: Config, progress: Progress
) -> Iterator[tuple[Retriever, dict[str, str]]]:
    """A retriever over the collection, and the document id behind each path."""
    stores = Stores.open(place)
    meaning: Meaning | None = None
    try:
        settings = ContentSettings(entry_tokens=config.content.entry_tokens)
        names = _store(stores, collection, settings, progress)
        cache = None
        if embedder is not None:
            meaning = Meaning(stores.catalog, place / "vectors", embedder)
            total, done = stores.words.count(), 0
            while made := meaning.fill().entries:
                done += made
                progress("embedding", done, total)
            with stores.catalog.transaction() as db:
                set_active_model(db, meaning.model_id)
            # Every query counts as a new one.
            cache = QueryCache(embedder, 0, 0)
        yield Retriever(stores.catalog, stores.words, meaning.store if meaning else None, cache, config), names
    finally:
        if meaning is not None:
            meaning.store.close()
        stores.close()


def write_run(path: Path, run: Mapping[str, Sequence[tuple[str, float]]], tag: str) -> None:
    """A TREC run file: query, Q0, document, rank, score, tag. Scores fall with the rank, as trec_eval orders by them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for query, ranked in run.items():
        written = float("inf")
        for rank, (document, score) in enumerate(ranked, start=1):
            written = min(score, written - 1e-6)
            lines.append(f"{query} Q0 {document} {rank} {written:.6f} {tag}\n")
    path.write_text("".join(lines), encoding="utf-8")


def _store(stores: Stores, collection: Collection, settings: ContentSettings, progress: Progress) -> dict[str, str]:
    names = {}
    with stores.catalog.transaction() as db:
        for number, record in enumerate(collection.documents):
            # A name of letters that no query holds: the names of files are searched, too.
            path = f"{_FOLDER}/{_letters(number)}.txt"
            names[path] = record.id
            document = replace(registry.read_text(path, record.text, settings), title=record.title)
            store_document(db, FileStat(path, _FOLDER, size=len(record.text)), rows_of(document))
    progress("reading", len(names), len(names))
    Writer(stores.catalog, stores.words, settings).flush()
    return names


def _run(
    retriever: Retriever, mode: Mode, queries: Sequence[Record], names: Mapping[str, str], *, depth: int, progress: Progress
) -> tuple[Run, list[float]]:
    run: Run = {}
    latencies: list[float] = []
    if mode == "rrf":
        # Reciprocal ranks gain from long lists; RUN_DEPTH is what peers use.
        halves = [_run(retriever, half, queries, names, depth=RUN_DEPTH, progress=progress)[0] for half in ("lexical", "semantic")]
        return {query.id: _fused([half[query.id] for half in halves])[:depth] for query in queries}, latencies
    searched: types.Mode = "hybrid" if mode == "reranked" else mode
    for done, query in enumerate(queries, start=1):
        request = SearchRequest(Query(query.text).render(), limit=depth, mode=searched, rerank=mode == "reranked")
        *_, last = retriever.search(request, today=date.today(), phases=False)
        latencies.append(last.took_ms)
        best: dict[str, float] = {}
        for hit in last.hits:
            best.setdefault(names[hit.path], hit.score)
        run[query.id] = list(best.items())
        progress(mode, done, len(queries))
    return run, latencies


def _fused(halves: Sequence[Sequence[tuple[str, float]]]) -> list[tuple[str, float]]:
    numbers: dict[str, int] = {}
    lists = [[numbers.setdefault(document, len(numbers)) for document, _ in half] for half in halves]
    documents = list(numbers)
    scores = reciprocal_ranks(lists)
    return [(documents[one], score) for one, score in sorted(scores.items(), key=lambda item: -item[1])]


def _percentiles(latencies: Sequence[float]) -> tuple[float, float]:
    if len(latencies) < 2:
        return (latencies[0], latencies[0]) if latencies else (0.0, 0.0)
    cuts = quantiles(latencies, n=20)
    return cuts[9], cuts[18]


def _letters(number: int) -> str:
    text = ""
    for _ in range(6):
        number, rest = divmod(number, 26)
        text = chr(ord("a") + rest) + text
    return f"zq{text}"
