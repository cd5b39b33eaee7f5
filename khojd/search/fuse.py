"""Fusion of the two lists: a convex combination of scores, with a weight that depends on the query.

    score = w * cosine + (1 - w) * BM25 / (highest BM25 of the query)

S. Bruch, S. Gai and A. Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", ACM TOIS 2023, show that such a combination
beats reciprocal ranks. The weight depends on how flat the BM25 list is: where the fiftieth entry scores nearly as high as the
first, the words tell little, and meaning counts more:

    (1 - w) / w = BALANCE * (CEILING - flatness) ** SLOPE

scripts/fit_fusion.py fits BALANCE and SLOPE on judged collections; docs/ranking.md has the figures.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import pow
from statistics import median

from khojd.search.features import flatness

FEATURE_DEPTH = 100  # candidates of each list that are at least fetched, so that the features mean the same for every profile
RECIPROCAL_RANK_K = 60

BALANCE = 0.8
SLOPE = 1.8
CEILING = 1.05  # above the highest flatness there is: words never count nothing


def semantic_weight(bm25: Sequence[float], cosines: Sequence[float]) -> float:
    """Weight of the cosine, 0 to 1. Both lists best first. An empty list has no say."""
    if not bm25:
        return 1.0
    if not cosines:
        return 0.0
    return 1.0 / (1.0 + BALANCE * pow(CEILING - flatness(bm25), SLOPE))


def fuse(bm25: Mapping[int, float], cosines: Mapping[int, float], weight: float) -> dict[int, float]:
    """Scores of all candidates of either list, about 0 to 1. `bm25` lacks entries without any of the query's words.

    An entry that is not embedded yet is taken to be as near as the others that have the query's words.
    """
    top = max(bm25.values(), default=0.0)
    unknown = median(known) if (known := [cosines[one] for one in bm25 if one in cosines]) else 0.0
    return {
        one: weight * cosines.get(one, unknown) + (1.0 - weight) * (bm25.get(one, 0.0) / top if top > 0.0 else 0.0)
        for one in dict.fromkeys((*bm25, *cosines))
    }


def reciprocal_ranks(lists: Iterable[Sequence[int]], k: int = RECIPROCAL_RANK_K) -> dict[int, float]:
    """Reciprocal rank fusion (G. Cormack, C. Clarke, S. Büttcher, SIGIR 2009): the baseline that the evaluation prints."""
    scores: dict[int, float] = {}
    for ranked in lists:
        for rank, one in enumerate(ranked, start=1):
            scores[one] = scores.get(one, 0.0) + 1.0 / (k + rank)
    return scores
