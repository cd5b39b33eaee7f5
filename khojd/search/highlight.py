"""Which parts of a text match the words of a query."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import log1p

from msgspec import Struct
from msgspec.structs import replace

from khojd.index import analysis
from khojd.index.analysis import Beginning, Token
from khojd.index.words_query import WordsQuery

_CHANGED = ("die", "lie", "tie", "di", "li", "ti")  # stems, and beginnings of stems, of words with a y in the place of ie
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")

Analyze = Callable[[str], Sequence[Token]]


class Terms(Struct, frozen=True):
    """The terms a query looks for (stems, pairs of characters), each with what it counts in the choice of a passage.

    `openings` match every term that begins with one: single characters of unspaced scripts, and a word that is still being typed.
    Words of ASCII text that begin with one of `likely` may have one of the terms; all others need no analysis.
    """

    weights: dict[str, float]
    openings: tuple[str, ...] = ()
    likely: tuple[str, ...] = ()

    def match(self, term: str) -> str:
        """The query's term that `term` matches, "" for none."""
        if term in self.weights:
            return term
        return next((opening for opening in self.openings if term.startswith(opening)), "")

    def find(self, text: str, analyze: Analyze) -> Iterator[tuple[int, int, str]]:
        """Start, end and the query's term of each word of `text` that matches."""
        if text.isascii():
            for start, word in self._likely_words(text):
                for term in analysis.word_terms(word):
                    if found := self.match(term):
                        yield start, start + len(word), found
            return
        for token in analyze(text):
            if found := self.match(token.term):
                yield token.start, token.end, found

    def _likely_words(self, text: str) -> Iterator[tuple[int, str]]:
        # Looked for one by one: a pattern of all of them takes longer to compile than ten hits to be read.
        lowered = text.lower()
        starts = []
        for opening in self.likely:
            at = lowered.find(opening)
            while at >= 0:
                if at == 0 or not lowered[at - 1].isalnum():
                    starts.append(at)
                at = lowered.find(opening, at + 1)
        for start in sorted(starts):
            yield start, _ASCII_WORD.match(text, start)[0]  # type: ignore[index]  # it begins with an opening


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


def weighted_terms(asked: WordsQuery) -> Terms:
    """The terms of a query to look for in passages; rare ones count more."""
    plain = query_terms(asked.query, {}, asked.beginning)
    most = log1p(asked.entries + 1)
    # 1 for a term of no entry, near 0 for one that is everywhere.
    weights = {term: max(0.05, 1.0 - log1p(count) / most) for term, count in asked.frequencies(plain.weights).items()}
    return replace(plain, weights=weights)


def _likely(terms: Sequence[str]) -> tuple[str, ...]:
    # The English stemmer changes no more than the last letter of what it keeps of a word; but dying, lying and tying.
    opening = {term[:1] if term in _CHANGED else term[: max(2, len(term) - 1)] for term in terms if term.isascii()}
    # Of two of which one begins with the other, the shorter finds the words of both.
    return tuple(one for one in opening if not any(one != other and one.startswith(other) for other in opening))


def merged(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Ranges in order, those that touch or overlap joined: the pairs of an unspaced word overlap."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)
