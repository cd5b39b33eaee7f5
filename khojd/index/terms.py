"""The terms of a query, and which terms of a words index each of them stands for."""

from collections import Counter
from typing import Any

import tantivy

from khojd.index import analysis
from khojd.index.analysis import Beginning

MOST_TERMS = 256  # of a query; of a longer one the rarest count
MOST_EXTENSIONS = 64  # terms that a beginning stands for, the most frequent ones
FEW = 20  # entries of which each may be one that was removed
WHOLE = ("body", "name")  # the fields that hold all there is of an entry


class QueryTerms:
    """The terms of a query that count, and how often it has each (`counts`).

    `beginning`: the last word, when no entry has it and it may become a longer one. It stands for the words that begin with it, so
    that a query finds something while it is typed. What is a word by itself stands for itself alone: the ranking of a query that
    is complete stays as it is.
    """

    def __init__(self, searcher: Any, schema: Any, query: str) -> None:
        self._searcher = searcher
        self._schema = schema
        found = analysis.terms(query)
        counts = Counter(found)
        self.counts = {term: count for term, count in counts.items() if term not in analysis.STOPWORDS} or dict(counts)
        if len(self.counts) > MOST_TERMS:
            rarest = sorted(self.counts, key=lambda term: (searcher.doc_freq("body", term) or searcher.num_docs + 1, term))
            self.counts = {term: self.counts[term] for term in rarest[:MOST_TERMS]}
        self.beginning = self._beginning(query, found[-1]) if found and found[-1] in self.counts else None

    def variants(self, field: str, term: str) -> list[str]:
        """The terms of a field of the index that a term of the query stands for, itself where it is there or not."""
        if self.beginning is not None and term == self.beginning.term:
            stems = [stem for stem in self.beginning.stems if self._searcher.doc_freq(field, stem)]
            return [*self._extensions(field, self.beginning.prefix), *stems]
        if len(term) == 1 and analysis.unspaced(term):
            return self._extensions(field, term)
        return [term]

    def _beginning(self, query: str, last: str) -> Beginning | None:
        if not analysis.open_end(query) or any(self._stands(field, last) for field in WHOLE):
            return None
        found = analysis.beginning(query)
        return found if found is not None and found.term == last else None

    def _stands(self, field: str, term: str) -> bool:
        """Whether an entry has the term. The index counts those of removed entries for a while, and so all words half typed."""
        having = self._searcher.doc_freq(field, term)
        if not 0 < having < FEW:
            return bool(having)
        query = tantivy.Query.term_query(self._schema, field, term, "basic")
        return bool(self._searcher.search(query, 1, count=False).hits)

    def _extensions(self, field: str, prefix: str) -> list[str]:
        return [found for found, _ in self._searcher.terms_with_prefix(field, prefix, limit=MOST_EXTENSIONS)]
