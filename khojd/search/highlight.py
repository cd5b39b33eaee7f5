"""Which parts of a text match the words of a query."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from khojd.index import analysis
from khojd.index.analysis import Beginning, Token

Analyze = Callable[[str], Sequence[Token]]


class Terms(Struct, frozen=True):
    """The terms a query looks for (stems, pairs of characters), each with what it counts in the choice of a passage.

    `openings` match every term that begins with one: single characters of unspaced scripts, and a word that is still being typed.
    `likely` finds the words of ASCII text that may have one of the terms, all others need no analysis.
    """

    weights: dict[str, float]
    openings: tuple[str, ...] = ()
    likely: re.Pattern[str] | None = None

    def match(self, term: str) -> str:
        """The query's term that `term` matches, "" for none."""
        if term in self.weights:
            return term
        return next((opening for opening in self.openings if term.startswith(opening)), "")

    def find(self, text: str, analyze: Analyze) -> Iterator[tuple[int, int, str]]:
        """Start, end and the query's term of each word of `text` that matches."""
        if self.likely is not None and text.isascii():
            for word in self.likely.finditer(text):
                for term in analysis.word_terms(word[0]):
                    if found := self.match(term):
                        yield word.start(), word.end(), found
            return
        for token in analyze(text):
            if found := self.match(token.term):
                yield token.start, token.end, found


def query_terms(query: str, weights: Mapping[str, float], beginning: Beginning | None = None) -> Terms:
    """The terms of `query` that matter: function words only where there are no others. Unknown ones in `weights` count 1.

    `beginning`: the last word where it stands for those that begin with it.
    """
    terms = dict.fromkeys(analysis.terms(query))
    kept = [term for term in terms if term not in analysis.STOPWORDS] or list(terms)
    openings = tuple(term for term in kept if len(term) == 1 and analysis.unspaced(term))
    if beginning is not None:
        kept = [*(term for term in kept if term != beginning.term), *beginning.stems, beginning.prefix]
        openings = (*openings, beginning.prefix)
    return Terms({term: weights.get(term, 1.0) for term in kept}, openings, _likely(kept))


def _likely(terms: Sequence[str]) -> re.Pattern[str] | None:
    # The English stemmer changes no more than the last letter of what it keeps of a word; but dying, lying and tying.
    opening = {term[:1] if term in ("die", "lie", "tie") else term[: max(2, len(term) - 1)] for term in terms if term.isascii()}
    if not opening:
        return None
    return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(sorted(map(re.escape, opening)))})[A-Za-z0-9]*", re.IGNORECASE)


def merged(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Ranges in order, those that touch or overlap joined: the pairs of an unspaced word overlap."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)
