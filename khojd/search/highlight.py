"""Which parts of a text match the words of a query."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from khojd.index import analysis
from khojd.index.analysis import Token

Analyze = Callable[[str], Sequence[Token]]


class Terms(Struct, frozen=True):
    """The terms a query looks for (stems, pairs of characters), each with what it counts in the choice of a passage.

    `openings` are single characters of unspaced scripts: they match every term that begins with one.
    """

    weights: dict[str, float]
    openings: tuple[str, ...] = ()

    def match(self, term: str) -> str:
        """The query's term that `term` matches, "" for none."""
        if term in self.weights:
            return term
        return next((opening for opening in self.openings if term.startswith(opening)), "")

    def in_text(self, tokens: Iterable[Token]) -> Iterator[tuple[Token, str]]:
        """The tokens that match, each with the query's term."""
        for token in tokens:
            if found := self.match(token.term):
                yield token, found


def query_terms(query: str, weights: Mapping[str, float]) -> Terms:
    """The terms of `query` that matter: function words only where there are no others. Unknown ones in `weights` count 1."""
    terms = dict.fromkeys(analysis.terms(query))
    kept = [term for term in terms if term not in analysis.STOPWORDS] or list(terms)
    openings = tuple(term for term in kept if len(term) == 1 and analysis.unspaced(term))
    return Terms({term: weights.get(term, 1.0) for term in kept}, openings)


def merged(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Ranges in order, those that touch or overlap joined: the pairs of an unspaced word overlap."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)
