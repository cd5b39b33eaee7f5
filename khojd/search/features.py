"""What the two lists of candidates say about a query, as numbers for the fusion's weight."""

from collections.abc import Sequence

FLATNESS_RANK = 50


def flatness(bm25: Sequence[float]) -> float:
    """BM25 of the fiftieth entry over that of the first, 0 to 1; the list is best first and not empty.

    A shorter list is 0: words that so few entries have tell a lot.
    """
    if bm25[0] <= 0.0:
        return 1.0
    return bm25[FLATNESS_RANK - 1] / bm25[0] if len(bm25) >= FLATNESS_RANK else 0.0
