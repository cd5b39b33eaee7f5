"""A query asked of the words index: BM25, and how much of the query an entry has. A query is a bag of terms, never syntax."""

import heapq
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from functools import cached_property
from itertools import pairwise
from math import log1p
from pathlib import Path
from typing import Any

import tantivy

from khojd.errors import IndexCorrupt
from khojd.index import analysis
from khojd.index.analysis import Beginning
from khojd.index.terms import WHOLE, QueryTerms

# What a term counts in each field. The body holds the title, headings and tags, too: their BM25 as one text and a little on top for
# the title was better on cranfield, cacm, nq-qed and scifact than the sum over separate fields (mean nDCG@10 0.672 and 0.657).
BOOSTS = {"body": 1.0, "title": 0.2, "headings": 0.2, "tags": 0.2, "name": 0.2}
MOST_PAIRS = 16  # of neighbouring terms that coverage looks for; of a longer query the rarest count
TERMS_AT_ONCE = 24  # bits that the 32-bit float of a score holds exactly
MOST_NESTED = 8  # queries, one around the other; of more a union is the faster way
SMALL_SET = 1000  # `within` up to this size is looked up, a larger one filters a longer list


class WordsQuery:
    """A query and one commit of the words index: all answers are of that state. Any thread may ask, several at once."""

    def __init__(self, directory: Path, searcher: Any, schema: Any, query: str) -> None:
        self.query = query
        self._directory = directory
        self._searcher = searcher
        self._schema = schema
        self._terms = QueryTerms(searcher, schema, query)
        self._bag = self._weighted()

    @property
    def beginning(self) -> Beginning | None:
        """The last word of the query when no entry has it, and it may be the beginning of words that are there."""
        return self._terms.beginning

    def search(self, limit: int, within: Collection[int] | None = None, without: Set[int] = frozenset()) -> list[tuple[int, float]]:
        """(entry id, BM25) of the entries with any of the query's terms, best first; those of `within`, if given, else all but
        `without`.
        """
        if limit < 1 or not self._bag or (within is not None and not within):
            return []
        with reading(self._directory):
            if within is not None and len(within) <= SMALL_SET:
                return self._sums(self._bag, within, limit)
            bag = _any(self._bag)
            if within is None and not without:
                return run(self._searcher, bag, limit)
            wanted = None if within is None else within if isinstance(within, set | frozenset) else frozenset(within)
            number = self._searcher.num_docs
            size = number - len(without) if wanted is None else len(wanted)
            ask = limit + limit * number // max(1, size)
            while True:
                found = run(self._searcher, bag, ask)
                inside = [hit for hit in found if (hit[0] not in without if wanted is None else hit[0] in wanted)]
                if len(inside) >= limit or len(found) < ask:
                    return inside[:limit]
                ask *= 8

    def scores(self, ids: Collection[int]) -> dict[int, float]:
        """BM25 of these entries, as `search` gives it; entries without any of the query's terms are left out."""
        if not ids or not self._bag:
            return {}
        with reading(self._directory):
            return dict(self._sums(self._bag, ids, len(ids)))

    def coverage(self, ids: Collection[int], *, pairs: bool = True) -> dict[int, float]:
        """How much of the query each of these entries has, 0 to 1: the idf of those of its terms and pairs that stand there over
        that of all.

        How often a term stands anywhere does not matter, and a term of no entry counts most. A pair is two different terms that
        stand together in the query; it counts as the commoner of them. Without `pairs` only the terms count. Entries without any of
        the terms are left out.
        """
        if not ids:
            return {}
        with reading(self._directory):
            idf = self._idf
            rarity = self._pairs if pairs else {}
            total = sum(idf.values()) + sum(rarity.values())
            having = self._having(ids)
            scores = {entry_id: sum(idf[term] for term in terms) for entry_id, terms in having.items()}
            beside = []
            for pair, value in rarity.items():
                # Where two words stand together is looked up for those alone that have both: tantivy would do so for every
                # entry that has them, whatever else the query asks.
                if may := [entry_id for entry_id, terms in having.items() if pair[0] in terms and pair[1] in terms]:
                    beside.append(_counting(self._restricted(phrase_query(self._schema, "body", pair), may), value))
            if beside:
                for entry_id, score in run(self._searcher, _any(beside), len(scores)):
                    scores[entry_id] += score
            return {entry_id: min(1.0, score / total) for entry_id, score in scores.items()}

    def frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """In how many bodies each term (as `Words.analyze` gives it) stands."""
        with reading(self._directory):
            return {term: int(self._searcher.doc_freq("body", term)) for term in terms}

    @property
    def entries(self) -> int:
        """Entries in the index."""
        return int(self._searcher.num_docs)

    @cached_property
    def _idf(self) -> dict[str, float]:
        """ln(1 + (N - df + 0.5) / (df + 0.5)) of each term, with df the bodies that have it, as in BM25."""
        number = self._searcher.num_docs
        idf = {}
        for term in self._terms.counts:
            having = sum(self._searcher.doc_freq("body", variant) for variant in self._terms.variants("body", term))
            idf[term] = log1p((number - min(number, having) + 0.5) / (min(number, having) + 0.5))
        return idf

    @cached_property
    def _pairs(self) -> dict[tuple[str, str], float]:
        """What the rarest neighbours in the query count."""
        idf = self._idf
        neighbours = dict.fromkeys(pairwise(analysis.terms(self.query)))
        rarity = {(a, b): min(idf[a], idf[b]) for a, b in neighbours if a != b and a in idf and b in idf}
        return {pair: rarity[pair] for pair in heapq.nlargest(MOST_PAIRS, rarity, key=lambda pair: rarity[pair])}

    def _having(self, ids: Collection[int]) -> dict[int, tuple[str, ...]]:
        """Which of the query's terms each of these entries has anywhere; entries without any are left out."""
        found: dict[int, tuple[str, ...]] = {}
        terms = list(self._terms.counts)
        for start in range(0, len(terms), TERMS_AT_ONCE):
            part = terms[start : start + TERMS_AT_ONCE]
            # The score is a sum of powers of two, one for each term.
            clauses = [_counting(one, float(1 << place)) for place, term in enumerate(part) if (one := self._anywhere(term))]
            if not clauses:
                continue
            sets: dict[float, tuple[str, ...]] = {}
            for entry_id, score in self._sums(clauses, ids, len(ids)):
                if score not in sets:
                    sets[score] = tuple(term for place, term in enumerate(part) if int(score) >> place & 1)
                found[entry_id] = found.get(entry_id, ()) + sets[score]
        return found

    def _anywhere(self, term: str) -> Any | None:
        """Entries with the term; None without any."""
        either = [term_query(self._schema, field, one) for field in WHOLE for one in self._there(field, term)]
        if len(either) < 2:
            return either[0] if either else None
        return _any(either)

    def _there(self, field: str, term: str) -> list[str]:
        """What stands in the field of what a term of the query stands for."""
        return [one for one in self._terms.variants(field, term) if self._searcher.doc_freq(field, one)]

    def _weighted(self) -> list[Any]:
        """A query for each field and term that is there; BM25 is the sum of their scores."""
        return [
            tantivy.Query.boost_query(term_query(self._schema, field, one), boost * count)
            for term, count in self._terms.counts.items()
            for field, boost in BOOSTS.items()
            for one in self._there(field, term)
        ]

    def _sums(self, queries: Sequence[Any], ids: Collection[int], limit: int) -> list[tuple[int, float]]:
        """(entry id, sum of the scores that the queries give it) of these entries, best first; those above 0."""
        if len(queries) > MOST_NESTED:
            return run(self._searcher, self._restricted(_any(queries), ids), limit)
        # A union computes all that it passes on the way to the next of the ids, as if there were no such bound. A single optional
        # query is skipped through, so there is one for each, around the other.
        nested = self._members(ids)
        for query in queries:
            nested = tantivy.Query.boolean_query([(tantivy.Occur.Must, nested), (tantivy.Occur.Should, query)])
        return [hit for hit in run(self._searcher, nested, limit) if hit[1] > 0.0]

    def _restricted(self, query: Any, ids: Collection[int]) -> Any:
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, self._members(ids))])

    def _members(self, ids: Collection[int]) -> Any:
        """These entries, each with the score 0."""
        if len(ids) > SMALL_SET:
            return tantivy.Query.const_score_query(tantivy.Query.term_set_query(self._schema, "id", list(ids)), 0.0)
        # One query for each id is several times as fast as a set of terms, which tantivy looks up by an automaton.
        each = [tantivy.Query.term_query(self._schema, "id", one, "basic") for one in ids]
        return tantivy.Query.const_score_query(_any(each), 0.0)


def term_query(schema: Any, field: str, term: str) -> Any:
    """Entries with the term in the field."""
    return tantivy.Query.term_query(schema, field, term, "freq")


def phrase_query(schema: Any, field: str, terms: Sequence[str]) -> Any:
    """Entries with the terms side by side in the field."""
    if len(terms) == 1:
        return term_query(schema, field, terms[0])
    return tantivy.Query.phrase_query(schema, field, list(terms))


def run(searcher: Any, query: Any, limit: int) -> list[tuple[int, float]]:
    """(entry id, score) of what matches, best first."""
    hits = searcher.search(query, max(1, min(limit, searcher.num_docs)), count=False).hits
    ids = searcher.fast_field_values("id", [address for _, address in hits])
    return [(entry_id, score) for entry_id, (score, _) in zip(ids, hits, strict=True)]


def corrupt(directory: Path, error: BaseException) -> IndexCorrupt:
    """What to raise when the index in `directory` does not read back."""
    return IndexCorrupt(f"the words index {directory} does not read back ({error})", path=str(directory), store="words")


@contextmanager
def reading(directory: Path) -> Iterator[None]:
    """Raises IndexCorrupt for what tantivy raises over a damaged index."""
    try:
        yield
    except (ValueError, LookupError, OSError) as error:
        raise corrupt(directory, error) from error
    except BaseException as error:
        # A Rust panic over a damaged file; it does not derive from Exception.
        if type(error).__name__ == "PanicException":
            raise corrupt(directory, error) from error
        raise


def _counting(query: Any, weight: float) -> Any:
    """The query with the score `weight` for all that it matches."""
    return tantivy.Query.const_score_query(query, weight)


def _any(queries: Sequence[Any]) -> Any:
    """What matches any of the queries, with the sum of their scores."""
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])
