"""The words index: BM25 over text, title, headings, tags and file name of every entry (tantivy).

Derived from the catalog. One thread writes; any thread searches and sees the last commit. A query is a bag of terms, never syntax.
"""

import heapq
import json
import shutil
import tempfile
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from itertools import pairwise
from math import log1p
from pathlib import Path
from typing import Any, Self

import tantivy

from khojd.errors import IndexCorrupt, StorageFull, StoreError
from khojd.index import analysis
from khojd.index.analysis import Beginning, Token
from khojd.index.rows import WordsRow
from khojd.index.scratch import scratch
from khojd.index.terms import WHOLE, QueryTerms
from khojd.paths import private_dir

# What a term counts in each field. The body holds the title, headings and tags, too: their BM25 as one text and a little on top for
# the title was better on cranfield, cacm, nq-qed and scifact than the sum over separate fields (mean nDCG@10 0.672 and 0.657).
BOOSTS = {"body": 1.0, "title": 0.2, "headings": 0.2, "tags": 0.2, "name": 0.2}
MOST_PAIRS = 16  # of neighbouring terms that coverage looks for; of a longer query the rarest count
SMALL_SET = 1000  # `within` up to this size is looked up, a larger one filters a longer list
HEAP_BYTES = 60_000_000  # tantivy's budget while writing; it is given back at each commit
THREADS = 2
SETTINGS = "khojd.json"

_FULL = ("No space left", "Read-only file system", "Permission denied", "Disk quota")


class Words:
    """The open words index of one directory.

    `outdated` is true when it was made with another analysis: it still answers, but should be created anew from the catalog.
    """

    def __init__(
        self, directory: Path, index: tantivy.Index, *, outdated: bool, mirror: "tempfile.TemporaryDirectory[str] | None" = None
    ) -> None:
        self.directory = directory
        self.outdated = outdated
        self._index = index
        self._mirror = mirror
        self._schema = index.schema
        self._writer: tantivy.IndexWriter | None = None
        self._writing = threading.RLock()

    @classmethod
    def open(cls, directory: Path, *, read_only: bool = False) -> Self:
        """Open the index; `read_only` when its directory cannot be written.

        Raises IndexCorrupt when it is missing or does not read back.
        """
        try:
            settings = json.loads((directory / SETTINGS).read_text("utf-8"))
            made_with = settings["analysis"]
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise _corrupt(directory, error) from error
        with _reading(directory):
            _check_files(directory)
            mirror = _mirrored(directory) if read_only else None
            index = tantivy.Index.open(mirror.name if mirror else str(directory))
            _prepare(index)
            index.searcher().search(tantivy.Query.all_query(), 1)
        return cls(directory, index, outdated=made_with != analysis.FINGERPRINT, mirror=mirror)

    @classmethod
    def create(cls, directory: Path) -> Self:
        """Make an empty index in place of whatever is in `directory`; the catalog's entries are to be added. Raises StorageFull."""
        with _writing(directory):
            if directory.exists():
                shutil.rmtree(directory)
            private_dir(directory).chmod(0o700)
            index = tantivy.Index(_schema(), path=str(directory))
            _prepare(index)
            settings = directory / SETTINGS
            settings.write_text(json.dumps({"analysis": analysis.FINGERPRINT}), "utf-8")
            settings.chmod(0o600)
        return cls(directory, index, outdated=False)

    def add(self, rows: Iterable[WordsRow]) -> None:
        """Add entries that the index does not have; seen after `commit`. Raises StorageFull."""
        with self._write() as writer:
            for row in rows:
                document = tantivy.Document()
                document.add_unsigned("id", row.entry_id)
                titles = "\n".join((row.title, *row.names))
                title, headings, tags = (analysis.fold(text) for text in (titles, "\n".join(row.headings), "\n".join(row.tags)))
                body = "\n".join((title, headings, tags, analysis.fold(row.about), analysis.fold(row.text)))
                for field, text in zip(BOOSTS, (body, title, headings, tags, analysis.fold(row.name)), strict=True):
                    if text:
                        document.add_text(field, text)
                writer.add_document(document)

    def delete(self, ids: Iterable[int]) -> None:
        """Remove entries, whether there or not; seen after `commit`. Raises StorageFull."""
        with self._write() as writer:
            # By query: tantivy-py's deletion by term matches nothing in an unsigned field.
            if unwanted := list(ids):
                writer.delete_documents_by_query(tantivy.Query.term_set_query(self._schema, "id", unwanted))

    def commit(self) -> None:
        """Make what was added and removed durable and visible. Raises StorageFull; then all since the last commit is undone."""
        with self._write() as writer:
            writer.commit()
            self._index.reload()

    def search(
        self, query: str, limit: int, within: Collection[int] | None = None, without: Set[int] = frozenset()
    ) -> list[tuple[int, float]]:
        """(entry id, BM25) of the entries with any of the query's terms, best first; those of `within`, if given, else all but
        `without`.
        """
        if limit < 1 or (within is not None and not within):
            return []
        with _reading(self.directory):
            searcher = self._index.searcher()
            bag = self._bag(searcher, query)
            if bag is None:
                return []
            if within is None and not without:
                return _run(searcher, bag, limit)
            if within is not None and len(within) <= SMALL_SET:
                return _run(searcher, self._restricted(bag, within), limit)
            wanted = None if within is None else within if isinstance(within, set | frozenset) else frozenset(within)
            size = searcher.num_docs - len(without) if wanted is None else len(wanted)
            ask = limit + limit * searcher.num_docs // max(1, size)
            while True:
                found = _run(searcher, bag, ask)
                inside = [hit for hit in found if (hit[0] not in without if wanted is None else hit[0] in wanted)]
                if len(inside) >= limit or len(found) < ask:
                    return inside[:limit]
                ask *= 8

    def scores(self, query: str, ids: Collection[int]) -> dict[int, float]:
        """BM25 of these entries for the query, as `search` gives it; entries without any of its terms are left out."""
        if not ids:
            return {}
        with _reading(self.directory):
            searcher = self._index.searcher()
            bag = self._bag(searcher, query)
            return {} if bag is None else dict(_run(searcher, self._restricted(bag, ids), len(ids)))

    def coverage(self, query: str, ids: Collection[int], *, pairs: bool = True) -> dict[int, float]:
        """How much of the query each of these entries has, 0 to 1: the idf of those of its terms and pairs that stand there over
        that of all.

        idf = ln(1 + (N - df + 0.5) / (df + 0.5)) with df the bodies that have the term, as in BM25; how often it stands anywhere
        does not matter, and a term of no entry counts most. A pair is two different terms that stand together in the query; it
        counts as the commoner of them. Without `pairs` only the terms count. Entries without any of the terms are left out.
        """
        if not ids:
            return {}
        with _reading(self.directory):
            searcher = self._index.searcher()
            idf = {}
            clauses = []
            asked = QueryTerms(searcher, self._schema, query)
            for term in asked.counts:
                variants = {field: asked.variants(field, term) for field in WHOLE}
                having = min(searcher.num_docs, sum(searcher.doc_freq("body", variant) for variant in variants["body"]))
                idf[term] = log1p((searcher.num_docs - having + 0.5) / (having + 0.5))
                either = [(tantivy.Occur.Should, self._term(field, one)) for field in WHOLE for one in variants[field]]
                if either:
                    clauses.append(_counting(tantivy.Query.boolean_query(either), idf[term]))
            if not clauses:
                return {}
            found = dict(_run(searcher, self._restricted(tantivy.Query.boolean_query(clauses), ids), len(ids)))
            total = sum(idf.values())
            neighbours = dict.fromkeys(pairwise(analysis.terms(query))) if pairs else {}
            rarity = {(a, b): min(idf[a], idf[b]) for a, b in neighbours if a != b and a in idf and b in idf}
            clauses = []
            for pair in heapq.nlargest(MOST_PAIRS, rarity, key=lambda pair: rarity[pair]):
                total += rarity[pair]
                # Where two words stand together is looked up for those alone that may have both: tantivy would do so for every
                # entry that has them, whatever else the query asks.
                least = 0.999 * (idf[pair[0]] + idf[pair[1]])
                if may := [entry_id for entry_id, score in found.items() if score >= least]:
                    clauses.append(_counting(self._restricted(self._words_in("body", pair), may), rarity[pair]))
            extra = dict(_run(searcher, tantivy.Query.boolean_query(clauses), len(found))) if clauses else {}
            return {entry_id: min(1.0, (score + extra.get(entry_id, 0.0)) / total) for entry_id, score in found.items()}

    def phrase(self, words: str) -> set[int]:
        """Entries that may contain the words in this order in one field: all that do, and some that do not.

        The caller verifies. Words without any term (punctuation) may be in every entry.
        """
        with _reading(self.directory):
            searcher = self._index.searcher()
            if searcher.num_docs == 0:
                return set()
            terms = analysis.analyzer().analyze(analysis.fold(words))
            # The last character of an unspaced run may go on as a pair in the text.
            open_end = terms.pop() if terms and len(terms[-1]) == 1 and analysis.unspaced(terms[-1]) else ""
            if terms:
                fields = [self._words_in(field, terms) for field in BOOSTS]
            elif open_end:
                fields = [self._term(field, term) for field in BOOSTS for term, _ in searcher.terms_with_prefix(field, open_end)]
            else:
                fields = [tantivy.Query.all_query()]
            query = tantivy.Query.boolean_query([(tantivy.Occur.Should, field) for field in fields])
            return {entry_id for entry_id, _ in _run(searcher, tantivy.Query.const_score_query(query, 1.0), searcher.num_docs)}

    def analyze(self, text: str) -> list[Token]:
        """The terms of a text with their ranges, for highlights."""
        return list(analysis.tokens(text))

    def beginning(self, query: str) -> Beginning | None:
        """The last word of a query when no entry has it, and it may be the beginning of words that are there."""
        with _reading(self.directory):
            return QueryTerms(self._index.searcher(), self._schema, query).beginning

    def frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """In how many bodies each term (as `analyze` gives it) stands."""
        with _reading(self.directory):
            searcher = self._index.searcher()
            return {term: int(searcher.doc_freq("body", term)) for term in terms}

    def count(self) -> int:
        """Entries in the index."""
        with _reading(self.directory):
            return int(self._index.searcher().num_docs)

    def close(self) -> None:
        """Give the writer back; what was not committed is lost."""
        with self._writing:
            self._writer = None
            if self._mirror is not None:
                self._mirror.cleanup()

    def _bag(self, searcher: Any, query: str) -> Any | None:
        clauses = []
        asked = QueryTerms(searcher, self._schema, query)
        for term, count in asked.counts.items():
            for field, boost in BOOSTS.items():
                for variant in asked.variants(field, term):
                    weighted = tantivy.Query.boost_query(self._term(field, variant), boost * count)
                    clauses.append((tantivy.Occur.Should, weighted))
        return tantivy.Query.boolean_query(clauses) if clauses else None

    def _term(self, field: str, term: str) -> Any:
        return tantivy.Query.term_query(self._schema, field, term, "freq")

    def _words_in(self, field: str, terms: Sequence[str]) -> Any:
        if len(terms) == 1:
            return self._term(field, terms[0])
        return tantivy.Query.phrase_query(self._schema, field, list(terms))

    def _restricted(self, query: Any, ids: Collection[int]) -> Any:
        if len(ids) <= SMALL_SET:
            # One query for each id is several times as fast as a set of terms, which tantivy looks up by an automaton.
            each = [(tantivy.Occur.Should, tantivy.Query.term_query(self._schema, "id", one, "basic")) for one in ids]
            members = tantivy.Query.boolean_query(each)
        else:
            members = tantivy.Query.term_set_query(self._schema, "id", list(ids))
        chosen = tantivy.Query.const_score_query(members, 0.0)
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, chosen)])

    @contextmanager
    def _write(self) -> Iterator[Any]:
        with self._writing:
            try:
                with _writing(self.directory):
                    if self._writer is None:
                        self._writer = self._index.writer(HEAP_BYTES, THREADS)
                    yield self._writer
            except StoreError:
                # A writer that failed once fails for ever.
                self._writer = None
                raise


def _counting(query: Any, weight: float) -> tuple[Any, Any]:
    """A clause that adds `weight` to what matches the query."""
    return tantivy.Occur.Should, tantivy.Query.const_score_query(query, weight)


def _schema() -> Any:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("id", indexed=True, fast=True)
    for field in BOOSTS:
        builder.add_text_field(field, tokenizer_name=analysis.TOKENIZER)
    return builder.build()


def _check_files(directory: Path) -> None:
    """tantivy opens positions only when a phrase asks for them, and would fail then."""
    segments = json.loads((directory / "meta.json").read_text("utf-8"))["segments"]
    for segment in segments:
        for suffix in ("term", "idx", "pos", "fast", "fieldnorm", "store"):
            (directory / f"{segment['segment_id'].replace('-', '')}.{suffix}").stat()


def _mirrored(directory: Path) -> "tempfile.TemporaryDirectory[str]":
    """A directory with links to the files of the index: tantivy makes a lock file where it reads, too."""
    mirror = scratch("words")
    for item in directory.iterdir():
        if item.suffix != ".lock":
            (Path(mirror.name) / item.name).symlink_to(item.absolute())
    return mirror


def _prepare(index: Any) -> None:
    index.register_tokenizer(analysis.TOKENIZER, analysis.analyzer())
    # Otherwise a thread looks for commits of other processes all the time; there are none.
    index.config_reader("manual")
    index.reload()


def _run(searcher: Any, query: Any, limit: int) -> list[tuple[int, float]]:
    hits = searcher.search(query, max(1, min(limit, searcher.num_docs)), count=False).hits
    ids = searcher.fast_field_values("id", [address for _, address in hits])
    return [(entry_id, score) for entry_id, (score, _) in zip(ids, hits, strict=True)]


def _corrupt(directory: Path, error: BaseException) -> IndexCorrupt:
    return IndexCorrupt(f"the words index {directory} does not read back ({error})", path=str(directory), store="words")


@contextmanager
def _reading(directory: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, LookupError, OSError) as error:
        raise _corrupt(directory, error) from error
    except BaseException as error:
        # A Rust panic over a damaged file; it does not derive from Exception.
        if type(error).__name__ == "PanicException":
            raise _corrupt(directory, error) from error
        raise


@contextmanager
def _writing(directory: Path) -> Iterator[None]:
    try:
        with _reading(directory):
            yield
    except IndexCorrupt as error:
        if any(sign in error.message for sign in _FULL):
            raise StorageFull(f"the words index {directory} cannot be written ({error.__cause__})", path=str(directory)) from error
        raise
