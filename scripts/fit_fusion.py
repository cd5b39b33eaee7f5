"""Fit the constants of khojd/search/fuse.py on judged collections, and print the tables of docs/ranking.md.

    python scripts/fit_fusion.py COLLECTION_DIR... [--extra COLLECTION_DIR...] [--cache DIR]

Every collection is indexed through khojd's own stores; for each query the first 100 entries of either list are kept with their
exact BM25, cosine and coverage, and the background of the query's cosines. The constants are chosen on a grid: the highest mean of
nDCG@10 over the collections, less what a collection lies below the better of its two lists. The cross-validated column leaves out
one collection after the other (with all of its family, e.g. both LoCoMo ones) and measures it with the constants that the others
choose. `--extra` collections take part in fitting but not in the means.
"""

import argparse
from collections.abc import Mapping, Sequence
from itertools import product
from math import log2
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from khojd.config import Config
from khojd.embed.onnx import BundledEmbedder
from khojd.evaluate.collection import load_collection
from khojd.evaluate.metrics import ndcg
from khojd.evaluate.run import indexed
from khojd.search import candidates
from khojd.search.background import Background, Sample
from khojd.search.features import flatness
from khojd.search.fuse import BETA, CEILING, FEATURE_DEPTH, GAMMA, NATS, SLOPE, reciprocal_ranks
from khojd.search.scope import EVERYTHING

BETAS = (0.6, 0.8, 1.0, 1.2, 1.4, 1.7, 2.0)
GAMMAS = (1.0, 1.3, 1.6, 2.0, 2.5, 3.0, 3.5)
SLOPES = (0.0, 0.5, 1.0, 1.5, 2.0)
CUT = 10
CONVEX = 0.65  # weight of the cosine in the combination that is compared with


class Constants(NamedTuple):
    """Those of khojd/search/fuse.py."""

    beta: float
    gamma: float
    slope: float


GRID = [Constants(*point) for point in product(BETAS, GAMMAS, SLOPES)]
SHIPPED = Constants(BETA, GAMMA, SLOPE)


class Judged(Struct):
    """A query's candidates: document, BM25, cosine and coverage of each, and the two lists as indices into them."""

    documents: list[str]
    bm25: list[float]
    cosines: list[float]
    coverage: list[float]
    lexical: list[int]
    semantic: list[int]
    flatness: float
    background: Background
    grades: dict[str, int]


def gather(directory: Path, cache: Path) -> list[Judged]:
    """The candidates of every judged query; kept in `cache`, for indexing takes minutes."""
    kept = cache / f"{directory.name}.json"
    if kept.exists():
        return msgspec.json.decode(kept.read_bytes(), type=list[Judged])
    collection = load_collection(directory)
    embedder = BundledEmbedder()
    found = []
    sample = Sample()
    with indexed(collection, cache / "index" / directory.name, embedder, Config(), lambda what, done, total: None) as made:
        retriever, names = made
        db = retriever.catalog.reader()
        paths = dict(db.execute("SELECT e.id, d.path FROM entries e JOIN documents d ON d.id = e.document_id"))
        assert retriever.vectors is not None
        for query in collection.judged():
            vector = embedder.embed_query(query.text)
            asked = retriever.words.ask(query.text)
            lexical = candidates.lexical(asked, FEATURE_DEPTH, EVERYTHING).ranked
            semantic = candidates.semantic(db, retriever.vectors, vector, FEATURE_DEPTH, EVERYTHING).ranked[:FEATURE_DEPTH]
            bm25, cosines = dict(lexical), dict(semantic)
            cosines.update(candidates.cosines(db, vector, [one for one in bm25 if one not in cosines])[0])
            bm25.update(asked.scores([one for one in cosines if one not in bm25]))
            coverage = asked.coverage(list(cosines))
            place = {one: index for index, one in enumerate(cosines)}
            found.append(
                Judged(
                    documents=[names[paths[one]] for one in place],
                    bm25=[bm25.get(one, 0.0) for one in place],
                    cosines=[cosines[one] for one in place],
                    coverage=[coverage.get(one, 0.0) for one in place],
                    lexical=[place[one] for one, _ in lexical],
                    semantic=[place[one] for one, _ in semantic],
                    flatness=flatness([score for _, score in lexical]) if lexical else 1.0,
                    background=sample.background(db, vector),
                    grades=dict(collection.qrels[query.id]),
                )
            )
    kept.write_bytes(msgspec.json.encode(found))
    return found


def measure(queries: Sequence[Judged], points: Sequence[Constants]) -> NDArray[np.float64]:
    """Mean nDCG@10 of the fusion with each of these constants."""
    beta, gamma, slope = (np.array(column)[:, None] for column in zip(*points, strict=True))
    total = np.zeros(len(points))
    for query in queries:
        near = np.array([query.background.surprise(cosine) / NATS for cosine in query.cosines])
        bm25, coverage = np.array(query.bm25), np.array(query.coverage)
        bm25 /= max(float(bm25.max(initial=0.0)), 1e-9)
        total += _ndcgs(query, near + (CEILING - query.flatness) ** slope * (beta * bm25 + gamma * coverage))
    return total / len(queries)


def baselines(queries: Sequence[Judged]) -> dict[str, float]:
    """Mean nDCG@10 of the two lists alone, of reciprocal rank fusion and of a fixed weight."""
    rows: dict[str, list[float]] = {"lexical": [], "semantic": [], "rrf": [], "convex": []}
    for query in queries:
        rows["lexical"].append(ndcg(_once([query.documents[one] for one in query.lexical]), query.grades))
        rows["semantic"].append(ndcg(_once([query.documents[one] for one in query.semantic]), query.grades))
        ranks = reciprocal_ranks([query.lexical, query.semantic])
        rows["rrf"].append(ndcg(_once([query.documents[one] for one in sorted(ranks, key=lambda one: -ranks[one])]), query.grades))
        rows["convex"].append(float(_ndcgs(query, _convex(query)[None])[0]))
    return {name: float(np.mean(values)) for name, values in rows.items()}


def choose(table: Mapping[str, NDArray[np.float64]], better: Mapping[str, float], names: Sequence[str]) -> Constants:
    """The constants with the best objective over `names`."""
    return GRID[int(np.argmax(np.mean([table[name] - np.maximum(0.0, better[name] - table[name]) for name in names], axis=0)))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+", type=Path)
    parser.add_argument("--extra", nargs="*", type=Path, default=[])
    parser.add_argument("--cache", type=Path, default=Path("build/fusion"))
    given = parser.parse_args()
    (given.cache / "index").mkdir(parents=True, exist_ok=True)
    data = {}
    for directory in [*given.collections, *given.extra]:
        data[directory.name] = gather(directory, given.cache)
        print(f"{directory.name}: {len(data[directory.name])} queries", flush=True)
    plain = {name: baselines(queries) for name, queries in data.items()}
    better = {name: max(row["lexical"], row["semantic"]) for name, row in plain.items()}
    table = {name: measure(queries, GRID) for name, queries in data.items()}
    chosen = choose(table, better, list(data))
    print(f"\nchosen: {chosen}\nin fuse.py: {SHIPPED}\n")
    titles = ("lexical", "semantic", "rrf", str(CONVEX), "LOCO-CV", "chosen", "fuse.py", "-better")
    print(f"{'collection':<18}" + "".join(f"{title:>10}" for title in titles))
    rows = []
    for name, queries in data.items():
        others = [other for other in data if _family(other) != _family(name)]
        fair = choose(table, better, others) if others else chosen
        fitted = measure(queries, [fair, chosen, SHIPPED]).tolist()
        row = [*plain[name].values(), *fitted, fitted[-1] - better[name]]
        if name in {directory.name for directory in given.collections}:
            rows.append(row)
        print(f"{name:<18}" + "".join(f"{value:>10.4f}" for value in row) + f"  {tuple(round(one, 2) for one in fair)}", flush=True)
    print(f"{'mean':<18}" + "".join(f"{value:>10.4f}" for value in np.mean(rows, axis=0)))


def _convex(query: Judged) -> NDArray[np.float64]:
    bm25 = np.array(query.bm25)
    return CONVEX * np.array(query.cosines) + (1.0 - CONVEX) * bm25 / max(float(bm25.max(initial=0.0)), 1e-9)


def _ndcgs(query: Judged, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """nDCG@10 of each row of `scores`, which has a column for each candidate. A document counts as its best entry."""
    ideal = _gain(sorted(query.grades.values(), reverse=True))
    if not ideal or not query.documents:
        return np.zeros(len(scores))
    order = sorted(range(len(query.documents)), key=lambda one: query.documents[one])
    names = [query.documents[one] for one in order]
    firsts = [at for at, name in enumerate(names) if not at or names[at - 1] != name]
    best = np.maximum.reduceat(scores[:, order], firsts, axis=1)
    gains = np.array([max(query.grades.get(names[at], 0), 0) for at in firsts], dtype=np.float64)
    top = np.argpartition(-best, min(CUT, len(firsts)) - 1, axis=1)[:, :CUT]
    top = np.take_along_axis(top, np.argsort(-np.take_along_axis(best, top, axis=1), axis=1, kind="stable"), axis=1)
    discounts = np.array([1.0 / log2(rank + 2) for rank in range(top.shape[1])])
    ranked: NDArray[np.float64] = (gains[top] * discounts).sum(axis=1) / ideal
    return ranked


def _gain(grades: Sequence[int]) -> float:
    return sum(max(grade, 0) / log2(rank + 2) for rank, grade in enumerate(grades[:CUT]))


def _once(documents: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(documents))


def _family(name: str) -> str:
    return name.split("-", maxsplit=1)[0]


if __name__ == "__main__":
    main()
