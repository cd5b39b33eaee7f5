"""Fusion of the two lists: a weighted mean of three scores, with weights that depend on the query.

    score = (cosine + b * BM25 / (highest BM25 of the query) + c * coverage) / (1 + b + c)
    b = BETA * (CEILING - flatness) ** BETA_SLOPE
    c = GAMMA * (CEILING - flatness) ** GAMMA_SLOPE

S. Bruch, S. Gai and A. Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", ACM TOIS 2023, show that such a combination
of cosine and BM25 beats reciprocal ranks. The weights depend on how flat the BM25 list is: where the fiftieth entry scores nearly
as high as the first, the words tell little, and meaning counts more.

Coverage is how much of the query an entry has: the idf of its terms that stand there over the idf of all. It is coordination level
matching (entries by how many of the query's terms they have, known since the Cranfield tests of the 1960s) weighted by idf. Unlike
BM25 over its maximum it tells when even the best of the list has but a part of the query.

scripts/fit_fusion.py fits the constants on judged collections; docs/ranking.md has the figures.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import pow
from statistics import median
from typing import NamedTuple

from khojd.search.features import flatness

FEATURE_DEPTH = 100  # candidates of each list that are at least fetched, so that the features mean the same for every profile
RECIPROCAL_RANK_K = 60

BETA = 0.45
BETA_SLOPE = 2.0
GAMMA = 0.8
GAMMA_SLOPE = 1.5
CEILING = 1.05  # above the highest flatness there is: words never count nothing


class Weights(NamedTuple):
    """Shares of the three scores in the fused one; they add up to 1."""

    cosine: float
    bm25: float
    coverage: float


WORDS_ALONE = Weights(0.0, 1.0, 0.0)
MEANING_ALONE = Weights(1.0, 0.0, 0.0)


def weigh(bm25: Sequence[float], cosines: Sequence[float]) -> Weights:
    """The weights for a query. Both lists best first. An empty list has no say."""
    if not bm25:
        return MEANING_ALONE
    if not cosines:
        return WORDS_ALONE
    peak = CEILING - flatness(bm25)
    b, c = BETA * pow(peak, BETA_SLOPE), GAMMA * pow(peak, GAMMA_SLOPE)
    return Weights(1.0 / (1.0 + b + c), b / (1.0 + b + c), c / (1.0 + b + c))


def fuse(
    bm25: Mapping[int, float], cosines: Mapping[int, float], coverage: Mapping[int, float], weights: Weights
) -> dict[int, float]:
    """Scores of all candidates of either list, about 0 to 1. `bm25` and `coverage` lack entries without any of the query's words.

    An entry that is not embedded yet is taken to be as near as the others that have the query's words.
    """
    top = max(bm25.values(), default=0.0) or 1.0
    unknown = median(known) if (known := [cosines[one] for one in bm25 if one in cosines]) else 0.0
    return {
        one: weights.cosine * cosines.get(one, unknown)
        + weights.bm25 * bm25.get(one, 0.0) / top
        + weights.coverage * coverage.get(one, 0.0)
        for one in dict.fromkeys((*bm25, *cosines))
    }


def reciprocal_ranks(lists: Iterable[Sequence[int]], k: int = RECIPROCAL_RANK_K) -> dict[int, float]:
    """Reciprocal rank fusion (G. Cormack, C. Clarke, S. Büttcher, SIGIR 2009): the baseline that the evaluation prints."""
    scores: dict[int, float] = {}
    for ranked in lists:
        for rank, one in enumerate(ranked, start=1):
            scores[one] = scores.get(one, 0.0) + 1.0 / (k + rank)
    return scores
