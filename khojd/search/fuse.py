"""Fusion of the two lists: a weighted mean of three kinds of evidence, with weights that depend on the query.

    evidence = (a * surprise of the cosine / NATS + b * BM25 / (highest BM25 of the query) + c * coverage) / (a + b + c)
    a = share of the query's letters in scripts that the model has learnt
    b = BETA * (CEILING - flatness) ** SLOPE
    c = GAMMA * (CEILING - flatness) ** SLOPE
    score = evidence / (evidence + HALF)

S. Bruch, S. Gai and A. Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", ACM TOIS 2023, show that a combination of
cosine and BM25 beats reciprocal ranks. The weights depend on how flat the BM25 list is: where the fiftieth entry scores nearly as
high as the first, the words tell little, and meaning counts more. The cosine counts by how improbable it is among the cosines of
all chunks (khojd/search/background.py): growing as its square, it decides where an entry is far nearer than notes are by chance,
and leaves the word to the words where nothing is.

A model gives every text a vector, one in a script that it never learnt, too; such a vector says little (khojd/embed/scripts.py).

Coverage is how much of the query an entry has: the idf of its terms that stand there, and of its pairs of neighbouring terms that
stand side by side there, over the idf of all. It is coordination level matching (entries by how many of the query's terms they
have, known since the Cranfield tests of the 1960s) weighted by idf. Unlike BM25 over its maximum it tells when even the best of the
list has but a part of the query.

scripts/fit_fusion.py fits the constants on judged collections; docs/ranking.md has the figures.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import pow
from statistics import median
from typing import NamedTuple

from khojd.search.background import Background
from khojd.search.features import flatness

FEATURE_DEPTH = 100  # candidates of each list that are at least fetched, so that the features mean the same for every profile
RECIPROCAL_RANK_K = 60

NATS = 10.0  # surprise that counts as much as the highest BM25 would with b = 1
BETA = 1.2
GAMMA = 2.5
SLOPE = 1.5
CEILING = 1.05  # above the highest flatness there is: words never count nothing
HALF = 0.5  # evidence of the score 0.5

READ = 0.5  # share of a text that a model reads below which what is found for it is found by words


class Weights(NamedTuple):
    """Shares of the three kinds of evidence; they add up to 1. Without a background one kind stands alone, as it is."""

    cosine: float
    bm25: float
    coverage: float
    background: Background | None = None

    def near(self, cosine: float) -> float:
        """A cosine as evidence."""
        return cosine if self.background is None else self.background.surprise(cosine) / NATS

    def score(self, evidence: float) -> float:
        """The score that stands for the evidence: from 0 to below 1 with a background."""
        return evidence if self.background is None else evidence / (evidence + HALF)

    def moved(self, score: float, before: float, after: float) -> float:
        """The fused score of an entry if its cosine were `after` instead of `before`."""
        evidence = score if self.background is None else HALF * score / (1.0 - score)
        return self.score(evidence + self.cosine * (self.near(after) - self.near(before)))


WORDS_ALONE = Weights(0.0, 1.0, 0.0)
MEANING_ALONE = Weights(1.0, 0.0, 0.0)


def weigh(bm25: Sequence[float], cosines: Sequence[float], background: Background, reads: float = 1.0) -> Weights:
    """The weights for a query. Both lists best first. An empty list has no say.

    `reads`: share of the query that the model can read, 0 to 1. What it cannot read has no say in the cosine.
    """
    if not bm25:
        return MEANING_ALONE
    if not cosines:
        return WORDS_ALONE
    peak = pow(CEILING - flatness(bm25), SLOPE)
    b, c = BETA * peak, GAMMA * peak
    whole = reads + b + c
    return Weights(reads / whole, b / whole, c / whole, background)


def fuse(
    bm25: Mapping[int, float], cosines: Mapping[int, float], coverage: Mapping[int, float], weights: Weights
) -> dict[int, float]:
    """Scores of all candidates of either list, 0 to 1. `bm25` and `coverage` lack entries without any of the query's words.

    An entry that is not embedded yet is taken to be as near as the others that have the query's words.
    """
    top = max(bm25.values(), default=0.0) or 1.0
    near = {one: weights.near(cosine) for one, cosine in cosines.items()}
    unknown = median(known) if (known := [near[one] for one in bm25 if one in near]) else 0.0
    return {
        one: weights.score(
            weights.cosine * near.get(one, unknown)
            + weights.bm25 * bm25.get(one, 0.0) / top
            + weights.coverage * coverage.get(one, 0.0)
        )
        for one in dict.fromkeys((*bm25, *cosines))
    }


def reciprocal_ranks(lists: Iterable[Sequence[int]], k: int = RECIPROCAL_RANK_K) -> dict[int, float]:
    """Reciprocal rank fusion (G. Cormack, C. Clarke, S. Büttcher, SIGIR 2009): the baseline that the evaluation prints."""
    scores: dict[int, float] = {}
    for ranked in lists:
        for rank, one in enumerate(ranked, start=1):
            scores[one] = scores.get(one, 0.0) + 1.0 / (k + rank)
    return scores
