"""Re-ranking the top of a list by models that look at query and passage more closely."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Protocol

import numpy as np

from khojd.embed.protocol import Embedder, Vectors

DEPTH = 20  # hits that are re-ranked
SHARE = 0.5  # of the re-ranker's score in the blend
_KEPT_PASSAGES = 512  # token vectors kept: about 60 MB when every passage is as long as the model allows


class Reranker(Protocol):
    """Scores texts for a query; higher is better, on any scale."""

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """One score per text, in the order given. Raises ModelError."""


class MaxSim:
    """Late interaction over an embedding model's token vectors: each token of the query counts its best match in the passage.

    O. Khattab and M. Zaharia, "ColBERT", SIGIR 2020; here with a model that was not trained for it. Thread-safe.
    """

    def __init__(self, embedder: Embedder, kept: int = _KEPT_PASSAGES) -> None:
        self._embedder = embedder
        self._kept = kept
        self._lock = Lock()
        self._passages: OrderedDict[str, Vectors] = OrderedDict()

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Mean over the query's tokens of the best cosine, -1 to 1; 0 where a side has no token. Raises ModelError."""
        wanted = self._embedder.token_vectors([query])[0]
        return [
            float((wanted @ tokens.T).max(axis=1).mean()) if len(wanted) and len(tokens) else 0.0 for tokens in self._tokens(texts)
        ]

    def _tokens(self, texts: Sequence[str]) -> list[Vectors]:
        with self._lock:
            known = {text: self._passages[text] for text in texts if text in self._passages}
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            # Half precision halves the memory and moves a cosine by less than 0.001.
            known.update((t, v.astype(np.float16)) for t, v in zip(missing, self._embedder.token_vectors(missing), strict=True))
        with self._lock:
            for text in texts:
                self._passages[text] = known[text]
                self._passages.move_to_end(text)
            while len(self._passages) > self._kept:
                self._passages.popitem(last=False)
        return [known[text].astype(np.float32) for text in texts]


def blend(scores: Sequence[float], reranked: Sequence[float], share: float = SHARE) -> list[float]:
    """Both scores brought to 0 to 1 over the list and mixed, then laid over the range of `scores`: what follows stays below."""
    if not scores:
        return []
    low, high = min(scores), max(scores)
    mixed = [(1.0 - share) * a + share * b for a, b in zip(_unit(scores), _unit(reranked), strict=True)]
    return [low + (high - low) * value for value in mixed]


def _unit(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    return [(value - low) / (high - low) if high > low else 1.0 for value in values]
