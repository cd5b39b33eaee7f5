"""Rank metrics, as trec_eval computes them (https://github.com/usnistgov/trec_eval, `ndcg_cut`, `recall`, `recip_rank`).

`ranked` is a list of document ids, best first, each at most once; `grades` maps document ids to grades, 0 and below meaning not
relevant. trec_eval re-sorts a run by score and breaks ties by document id; here the order given counts.
"""

from collections.abc import Mapping, Sequence
from math import log2
from statistics import fmean

from msgspec import Struct


class Scores(Struct, frozen=True):
    """Means over the queries of a collection, each 0 to 1."""

    ndcg: float
    recall: float
    mrr: float


def ndcg(ranked: Sequence[str], grades: Mapping[str, int], k: int = 10) -> float:
    """Normalised discounted cumulative gain with linear gain (the grade itself) and discount log2(rank + 1)."""
    ideal = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k]
    if not ideal:
        return 0.0
    gained = [max(grades.get(document, 0), 0) for document in ranked[:k]]
    return _discounted(gained) / _discounted(ideal)


def recall(ranked: Sequence[str], grades: Mapping[str, int], k: int = 10) -> float:
    """Share of the relevant documents that stand among the first k."""
    relevant = {document for document, grade in grades.items() if grade > 0}
    return len(relevant.intersection(ranked[:k])) / len(relevant) if relevant else 0.0


def mrr(ranked: Sequence[str], grades: Mapping[str, int], k: int = 10) -> float:
    """1 / rank of the first relevant document among the first k, else 0."""
    for rank, document in enumerate(ranked[:k], start=1):
        if grades.get(document, 0) > 0:
            return 1.0 / rank
    return 0.0


def score_run(run: Mapping[str, Sequence[str]], qrels: Mapping[str, Mapping[str, int]], k: int = 10) -> Scores:
    """Means over the queries of `qrels` that have a relevant document; a query missing from `run` counts as 0."""
    judged = {query: grades for query, grades in qrels.items() if any(grade > 0 for grade in grades.values())}
    if not judged:
        return Scores(0.0, 0.0, 0.0)
    lists = [(run.get(query, ()), grades) for query, grades in judged.items()]
    return Scores(
        ndcg=fmean(ndcg(ranked, grades, k) for ranked, grades in lists),
        recall=fmean(recall(ranked, grades, k) for ranked, grades in lists),
        mrr=fmean(mrr(ranked, grades, k) for ranked, grades in lists),
    )


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, start=1))
