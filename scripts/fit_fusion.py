"""Fit the constants of khojd/search/fuse.py on judged collections, and print the tables of docs/ranking.md.

    python scripts/fit_fusion.py COLLECTION_DIR... [--extra COLLECTION_DIR...] [--cache DIR]

Every collection is indexed through khojd's own stores; for each query the first 100 entries of either list are kept with their
exact BM25 and cosine. BALANCE and SLOPE are chosen on a grid: the highest mean of nDCG@10 over the collections, less what a
collection lies below the better of its two lists. The cross-validated column leaves out one collection after the other (with all
of its family, e.g. both LoCoMo ones) and measures it with the constants that the others choose. `--extra` collections take part
in fitting but not in the means.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

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
from khojd.search.features import flatness
from khojd.search.fuse import BALANCE, CEILING, FEATURE_DEPTH, SLOPE, reciprocal_ranks

BALANCES = tuple(np.geomspace(0.2, 1.6, 19).tolist())
SLOPES = tuple(np.linspace(0.0, 3.0, 16).tolist())
CONVEX = 0.65  # weight of the cosine in the combination that is compared with


class Judged(Struct):
    """A query's candidates: document, BM25 and cosine of each, and the two lists as indices into them."""

    documents: list[str]
    bm25: list[float]
    cosines: list[float]
    lexical: list[int]
    semantic: list[int]
    flatness: float
    grades: dict[str, int]


def gather(directory: Path, cache: Path) -> list[Judged]:
    """The candidates of every judged query; kept in `cache`, for indexing takes minutes."""
    kept = cache / f"{directory.name}.json"
    if kept.exists():
        return msgspec.json.decode(kept.read_bytes(), type=list[Judged])
    collection = load_collection(directory)
    embedder = BundledEmbedder()
    found = []
    with indexed(collection, cache / "index" / directory.name, embedder, Config(), lambda what, done, total: None) as made:
        retriever, names = made
        db = retriever.catalog.reader()
        paths = dict(db.execute("SELECT e.id, d.path FROM entries e JOIN documents d ON d.id = e.document_id"))
        assert retriever.vectors is not None
        for query in collection.judged():
            vector = embedder.embed_query(query.text)
            lexical = candidates.lexical(retriever.words, query.text, FEATURE_DEPTH, None).ranked
            semantic = candidates.semantic(db, retriever.vectors, vector, FEATURE_DEPTH, None).ranked[:FEATURE_DEPTH]
            bm25, cosines = dict(lexical), dict(semantic)
            cosines.update(candidates.cosines(db, vector, [one for one in bm25 if one not in cosines])[0])
            bm25.update(retriever.words.scores(query.text, [one for one in cosines if one not in bm25]))
            place = {one: index for index, one in enumerate(cosines)}
            found.append(
                Judged(
                    documents=[names[paths[one]] for one in place],
                    bm25=[bm25.get(one, 0.0) for one in place],
                    cosines=[cosines[one] for one in place],
                    lexical=[place[one] for one, _ in lexical],
                    semantic=[place[one] for one, _ in semantic],
                    flatness=flatness([score for _, score in lexical]) if lexical else 1.0,
                    grades=dict(collection.qrels[query.id]),
                )
            )
    kept.write_bytes(msgspec.json.encode(found))
    return found


def measure(queries: Sequence[Judged], balance: float, slope: float) -> float:
    """Mean nDCG@10 of the fusion with these constants."""
    return float(np.mean([_ndcg(query, _fused(query, _weight(query, balance, slope))) for query in queries]))


def baselines(queries: Sequence[Judged]) -> dict[str, float]:
    """Mean nDCG@10 of the two lists alone, of reciprocal rank fusion and of a fixed weight."""
    rows: dict[str, list[float]] = {"lexical": [], "semantic": [], "rrf": [], "convex": []}
    for query in queries:
        rows["lexical"].append(ndcg(_once([query.documents[one] for one in query.lexical]), query.grades))
        rows["semantic"].append(ndcg(_once([query.documents[one] for one in query.semantic]), query.grades))
        ranks = reciprocal_ranks([query.lexical, query.semantic])
        rows["rrf"].append(ndcg(_once([query.documents[one] for one in sorted(ranks, key=lambda one: -ranks[one])]), query.grades))
        rows["convex"].append(_ndcg(query, _fused(query, CONVEX)))
    return {name: float(np.mean(values)) for name, values in rows.items()}


def choose(table: Mapping[str, NDArray[np.float64]], better: Mapping[str, float], names: Sequence[str]) -> tuple[float, float]:
    """The constants with the best smoothed objective over `names`."""
    objective = np.mean([table[name] - np.maximum(0.0, better[name] - table[name]) for name in names], axis=0)
    padded = np.pad(objective, 1, mode="edge")
    smooth = sum(padded[i : i + len(BALANCES), j : j + len(SLOPES)] for i in range(3) for j in range(3))
    i, j = np.unravel_index(int(np.argmax(smooth)), objective.shape)
    return BALANCES[int(i)], SLOPES[int(j)]


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
    table = {name: np.array([[measure(queries, b, s) for s in SLOPES] for b in BALANCES]) for name, queries in data.items()}
    chosen = choose(table, better, list(data))
    print(f"\nchosen: BALANCE = {chosen[0]:.3f}, SLOPE = {chosen[1]:.2f}; in fuse.py: {BALANCE}, {SLOPE}\n")
    print(f"{'collection':<18}{'lexical':>9}{'semantic':>9}{'rrf':>9}{'0.65':>9}{'LOCO-CV':>9}{'chosen':>9}{'fuse.py':>9}")
    rows = []
    for name, queries in data.items():
        others = [other for other in data if _family(other) != _family(name)]
        fair = measure(queries, *choose(table, better, others)) if others else float("nan")
        row = [*plain[name].values(), fair, measure(queries, *chosen), measure(queries, BALANCE, SLOPE)]
        if name in {directory.name for directory in given.collections}:
            rows.append(row)
        print(f"{name:<18}" + "".join(f"{value:>9.4f}" for value in row), flush=True)
    print(f"{'mean':<18}" + "".join(f"{value:>9.4f}" for value in np.mean(rows, axis=0)))


def _weight(query: Judged, balance: float, slope: float) -> float:
    return float(1.0 / (1.0 + balance * (CEILING - query.flatness) ** slope))


def _fused(query: Judged, weight: float) -> NDArray[np.float64]:
    bm25 = np.array(query.bm25)
    return weight * np.array(query.cosines) + (1.0 - weight) * bm25 / max(float(bm25.max(initial=0.0)), 1e-9)


def _ndcg(query: Judged, scores: NDArray[np.float64]) -> float:
    # Some documents have several entries; thirty entries hold ten documents nearly always, and all are looked at when not.
    order = np.argsort(-scores, kind="stable")
    top = _once([query.documents[one] for one in order[:30]])
    return ndcg(top if len(top) >= 10 else _once([query.documents[one] for one in order]), query.grades)


def _once(documents: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(documents))


def _family(name: str) -> str:
    return name.split("-", maxsplit=1)[0]


if __name__ == "__main__":
    main()
