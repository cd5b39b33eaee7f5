"""How good the ranked lists are, on judged collections that lie beside the checkout."""

from pathlib import Path
from statistics import fmean

import numpy as np

from khojd.config import Config
from khojd.embed.onnx import BundledEmbedder
from khojd.evaluate.collection import load_collection
from khojd.evaluate.metrics import score_run
from khojd.evaluate.run import MODES, Evaluation, evaluate
from tests.bench import peers
from tests.bench.options import Options
from tests.bench.table import TARGET, Row, Table, say

# The collections whose mean is a target, and those of which only one half is.
COLLECTIONS = (
    "cranfield",
    "cacm",
    "cisi",
    "npl-vaswani",
    "scifact-train",
    "cosqa-dev",
    "locomo-sessions",
    "nq-qed",
    "chroma-chunking",
)
_SPANISH_AND_ENGLISH = ("xquad-en", "xquad-es")
_QUICK = ("chroma-chunking", "cranfield")

_PEERS = (
    peers.peer("SciFact, same model", peers.KHOJ, "0.636"),
    peers.peer("cranfield and cacm-like questions", peers.QMD, "0.015 (all words of a question must match)"),
    peers.peer("cranfield and cacm-like questions", peers.MINIMAL_RAG, "0.501"),
    peers.peer("cranfield and cacm-like questions", peers.FTS5, "0.510"),
)


def tables(options: Options) -> list[Table]:
    place = None if options.shared is None else options.shared / "collections"
    if place is None or not place.is_dir():
        note = "The collections are not here, so nothing was measured; `khojd eval DIRECTORY` measures one of your own."
        return [Table("Ranking, nDCG@10", (), (note,))]
    embedder = BundledEmbedder()
    found = [_measure(place / name, embedder) for name in (_QUICK if options.quick else COLLECTIONS) if (place / name).is_dir()]
    others = () if options.quick else _SPANISH_AND_ENGLISH
    rows = [Row(one.collection, _line(one), *_goal(_ndcg(one))) for one in found]
    for one in found:
        if one.collection == "scifact-train":
            rows.append(
                Row(
                    "scifact-train, meaning, a document's first 254 tokens alone",
                    f"{_first_tokens(place / 'scifact-train', embedder):.3f}",
                    "within 0.005 of 0.660 (unquantised, published)",
                    TARGET,
                )
            )
    means = {str(mode): fmean(_ndcg(one)[mode] for one in found) for mode in MODES}
    rows.append(
        Row(
            "mean", _figures(means), f"hybrid {means['rrf'] + 0.03:.3f} (rrf + 0.03): {means['hybrid'] - means['rrf']:+.3f}", TARGET
        )
    )
    for name in others:
        if (place / name).is_dir():
            rows.append(Row(f"{name}, words", f"{_lexical(place / name):.3f}", "0.93", TARGET))
    notes = (
        "Through the real pipeline into a temporary index. rrf: reciprocal rank fusion (k = 60) of the lists of words and meaning.",
        "Target of each collection: hybrid at most 0.01 below the better half; the figure says how far above (+) or below it is.",
    )
    return [Table("Ranking, nDCG@10", (*rows, *_PEERS), notes)]


def _measure(directory: Path, embedder: BundledEmbedder) -> Evaluation:
    result = evaluate(directory, embedder, Config())
    say(f"  {result.collection}: {_line(result)} ({result.documents:,} documents indexed in {result.indexing_s:.0f} s)")
    return result


def _first_tokens(directory: Path, embedder: BundledEmbedder) -> float:
    """nDCG@10 as published figures of the model are measured: one vector per document, of as many tokens as the model takes."""
    collection = load_collection(directory)
    documents = [_cut(f"{one.title} {one.text}".strip(), embedder) for one in collection.documents]
    vectors = np.vstack([embedder.embed_passages(documents[at : at + 64]) for at in range(0, len(documents), 64)])
    run = {}
    for query in collection.judged():
        best = np.argsort(-(vectors @ embedder.embed_query(query.text)), kind="stable")[:10]
        run[query.id] = [collection.documents[place].id for place in best]
    return score_run(run, collection.qrels).ndcg


def _cut(text: str, embedder: BundledEmbedder) -> str:
    """The longest beginning of `text` that the model takes whole."""
    if embedder.count(text) <= embedder.max_tokens:
        return text
    low, high = 0, len(text)
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if embedder.count(text[:middle]) <= embedder.max_tokens else (low, middle)
    return text[:low]


def _lexical(directory: Path) -> float:
    result = evaluate(directory, None, Config(), modes=("lexical",))
    say(f"  {result.collection}: words {result.results[0].scores.ndcg:.3f}")
    return result.results[0].scores.ndcg


def _ndcg(result: Evaluation) -> dict[str, float]:
    return {one.mode: one.scores.ndcg for one in result.results}


def _line(result: Evaluation) -> str:
    return _figures(_ndcg(result))


def _figures(scores: dict[str, float]) -> str:
    return ", ".join(f"{mode} {scores[mode]:.3f}" for mode in MODES)


def _goal(scores: dict[str, float]) -> tuple[str, str]:
    better = max(scores["lexical"], scores["semantic"])
    return f"hybrid {better - 0.01:.3f}: {scores['hybrid'] - better + 0.01:+.3f}", TARGET
