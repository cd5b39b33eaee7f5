"""The words index: BM25 over text, title, headings, tags and file name of every entry (tantivy).

Derived from the catalog. One thread writes; any thread searches and sees the last commit. A query is a bag of terms, never syntax.
"""

import json
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import tantivy

from khojd.errors import IndexCorrupt, StorageFull, StoreError
from khojd.index import analysis
from khojd.index.analysis import Token
from khojd.index.rows import WordsRow
from khojd.index.scratch import scratch
from khojd.index.words_query import BOOSTS, WordsQuery, corrupt, phrase_query, reading, run, term_query
from khojd.paths import private_dir

HEAP_BYTES = 60_000_000  # tantivy's budget while writing; it is given back at each commit
THREADS = 1  # each makes segments of its own, and every search looks through all of them
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
            raise corrupt(directory, error) from error
        with reading(directory):
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

    def ask(self, query: str) -> WordsQuery:
        """The query as it stands to the last commit."""
        with reading(self.directory):
            return WordsQuery(self.directory, self._index.searcher(), self._schema, query)

    def phrase(self, words: str) -> set[int]:
        """Entries that may contain the words in this order in one field: all that do, and some that do not.

        The caller verifies. Words without any term (punctuation) may be in every entry.
        """
        with reading(self.directory):
            searcher = self._index.searcher()
            if searcher.num_docs == 0:
                return set()
            terms = analysis.analyzer().analyze(analysis.fold(words))
            # The last character of an unspaced run may go on as a pair in the text.
            open_end = terms.pop() if terms and len(terms[-1]) == 1 and analysis.unspaced(terms[-1]) else ""
            if terms:
                fields = [phrase_query(self._schema, field, terms) for field in BOOSTS]
            elif open_end:
                fields = [
                    term_query(self._schema, field, term)
                    for field in BOOSTS
                    for term, _ in searcher.terms_with_prefix(field, open_end)
                ]
            else:
                fields = [tantivy.Query.all_query()]
            query = tantivy.Query.boolean_query([(tantivy.Occur.Should, field) for field in fields])
            return {entry_id for entry_id, _ in run(searcher, tantivy.Query.const_score_query(query, 1.0), searcher.num_docs)}

    def analyze(self, text: str) -> list[Token]:
        """The terms of a text with their ranges, for highlights."""
        return list(analysis.tokens(text))

    def frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """In how many bodies each term (as `analyze` gives it) stands."""
        with reading(self.directory):
            searcher = self._index.searcher()
            return {term: int(searcher.doc_freq("body", term)) for term in terms}

    def count(self) -> int:
        """Entries in the index."""
        with reading(self.directory):
            return int(self._index.searcher().num_docs)

    def close(self) -> None:
        """Give the writer back; what was not committed is lost."""
        with self._writing:
            self._writer = None
            if self._mirror is not None:
                self._mirror.cleanup()

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


@contextmanager
def _writing(directory: Path) -> Iterator[None]:
    try:
        with reading(directory):
            yield
    except IndexCorrupt as error:
        if any(sign in error.message for sign in _FULL):
            raise StorageFull(f"the words index {directory} cannot be written ({error.__cause__})", path=str(directory)) from error
        raise
