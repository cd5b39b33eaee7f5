"""Judged collections in BEIR's layout: `corpus.jsonl`, `queries.jsonl`, `qrels.tsv` (or `qrels/test.tsv`).

Layout: N. Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval Models", 2021.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct, field

from khojd.errors import ContentError, NotFound

_CORPUS = "corpus.jsonl"
_QUERIES = "queries.jsonl"
_QRELS = ("qrels.tsv", "qrels/test.tsv")


class Record(Struct, frozen=True):
    """A document or a query. Other keys of the line are ignored."""

    id: str = field(name="_id")
    text: str = ""
    title: str = ""


class Collection(Struct, frozen=True):
    """`qrels` maps query id to document id to grade (0: judged and not relevant)."""

    name: str
    documents: tuple[Record, ...]
    queries: tuple[Record, ...]
    qrels: Mapping[str, Mapping[str, int]]

    def judged(self) -> tuple[Record, ...]:
        """The queries with at least one relevant document, in file order; the others cannot be measured."""
        return tuple(q for q in self.queries if any(grade > 0 for grade in self.qrels.get(q.id, {}).values()))


def load_collection(directory: Path) -> Collection:
    """Read a collection. Raises NotFound for a missing part, ContentError for a line that cannot be read."""
    if not directory.is_dir():
        raise NotFound(f"{directory} is not a folder; give the folder that holds {_CORPUS}", path=str(directory))
    documents = tuple(_records(directory / _CORPUS))
    queries = tuple(_records(directory / _QUERIES))
    for name, records in ((_CORPUS, documents), (_QUERIES, queries)):
        if len({record.id for record in records}) != len(records):
            raise ContentError(f"{directory / name}: an _id occurs twice", path=str(directory / name))
    qrels = next((directory / name for name in _QRELS if (directory / name).is_file()), directory / _QRELS[0])
    return Collection(directory.name, documents, queries, _judgements(qrels))


def _records(path: Path) -> Iterator[Record]:
    decoder = msgspec.json.Decoder(Record)
    for number, line in _lines(path):
        try:
            yield decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ContentError(f"{path}, line {number}: {error}", path=str(path), line=number) from error


def _judgements(path: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for number, line in _lines(path):
        parts = line.rstrip("\r").split("\t")
        if number == 1 and parts[-1] == "score":
            continue
        try:
            query, document, grade = parts
            found.setdefault(query, {})[document] = int(grade)
        except ValueError as error:
            message = f"{path}, line {number}: expected query-id, corpus-id and an integer score, separated by tabs"
            raise ContentError(message, path=str(path), line=number) from error
    return found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, with their numbers from 1."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}", path=str(path)) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContentError(f"{path} is not UTF-8: {error.reason} at byte {error.start}", path=str(path)) from error
    # Not splitlines(): JSON strings may hold U+2028 and the like.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line
