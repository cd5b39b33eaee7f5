"""How near the notes are to a query by chance: what its cosines are measured against.

A cosine says little by itself: of one query the nearest of all entries has 0.4, of another everything has 0.4, and every model has
its own range. What counts is how improbable a cosine is among those of all chunks, taken as normally distributed: the negative
logarithm of the probability to meet one as high by chance, in nats. Words are weighted in the same way (idf is such a logarithm of
the probability of a term; G. Amati and C. J. van Rijsbergen, "Probabilistic models of information retrieval based on measuring the
divergence from randomness", ACM TOIS 2002). Scores normalised by their distribution are known from the merging of lists (A.
Arampatzis and S. Robertson, "Modeling score distributions in information retrieval", Information Retrieval 2011).
"""

import sqlite3
from math import erfc, log, pi, sqrt
from typing import NamedTuple

import numpy as np

from khojd.embed.protocol import Vectors
from khojd.index.catalog_vectors import active_model, last_chunk, vectors_sample

SAMPLE = 500  # vectors that stand for all
CHANGED = 0.1  # share of new chunks after which the sample is taken anew

# Few notes do not tell the distribution: the usual one of the bundled model counts as so many vectors.
_PRIOR_SIZE = 100
_PRIOR_MEAN = 0.1
_PRIOR_DEVIATION = 0.1
_FAR = 30.0  # deviations above which erfc nears the smallest numbers there are


class Background(NamedTuple):
    """Mean and standard deviation of a query's cosines over all chunks."""

    mean: float
    deviation: float

    def surprise(self, cosine: float) -> float:
        """How improbable a cosine as high is by chance, in nats: 0.7 for the mean, more the higher it is; never negative."""
        z = (cosine - self.mean) / self.deviation
        if z > _FAR:
            return 0.5 * z * z + log(z * sqrt(2.0 * pi))
        return -log(0.5 * erfc(z / sqrt(2.0)))


class Sample:
    """Some of the vectors of the active model, kept until many more are there. Safe in threads."""

    def __init__(self) -> None:
        self._taken: tuple[int, int, Vectors] | None = None  # model, last chunk, vectors

    def background(self, db: sqlite3.Connection, vector: Vectors) -> Background:
        """That of the query with this vector."""
        known = self._vectors(db)
        cosines = known @ vector if len(known) else np.full(1, _PRIOR_MEAN, np.float32)
        size = len(known) + _PRIOR_SIZE
        mean = (float(cosines.mean()) * len(known) + _PRIOR_MEAN * _PRIOR_SIZE) / size
        variance = (float(cosines.var()) * len(known) + _PRIOR_DEVIATION**2 * _PRIOR_SIZE) / size
        return Background(mean, sqrt(variance))

    def _vectors(self, db: sqlite3.Connection) -> Vectors:
        model, last = active_model(db) or 0, last_chunk(db)
        taken = self._taken
        if taken is None or taken[0] != model or abs(last - taken[1]) > CHANGED * taken[1]:
            taken = self._taken = (model, last, vectors_sample(db, SAMPLE))
        return taken[2]
