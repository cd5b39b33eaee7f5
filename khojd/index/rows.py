"""The values that pass between the catalog and its callers. Offsets are code points, lines and columns 0-based."""

from typing import Final, Literal

import msgspec
from msgspec import Struct

from khojd.content.model import Segment

State = Literal["indexed", "pending", "skipped", "failed"]

_SEGMENTS = msgspec.msgpack.Decoder(tuple[Segment, ...])


class FileStat(Struct, frozen=True):
    """A file as it was read, or an editor's buffer standing in for it: then `overlay` is a number above 0 (sources/buffers.py)."""

    path: str  # absolute
    folder: str  # the configured folder it was found under
    size: int = 0
    mtime_ns: int = 0
    inode: int = 0
    hash: bytes = b""  # blake2b-16 of the bytes
    fingerprint: str = ""  # of the content settings
    overlay: int = 0


# A table's rows as columns: all values of the first, all of the second, and so on. They are read and zipped into rows at less
# cost than rows are.
_Ints = tuple[int, ...]
_Texts = tuple[str, ...]

# Position in the document, range (start and end as offsets, then as line and column of each), packed segments, day; then key,
# headings as JSON, text. The first nine are the entry's place: they change without making it another entry.
EntryRow = tuple[int, int, int, int, int, int, int, bytes, int | None, bytes, str, str]
PLACE: Final = 9


class DocumentRows(Struct, frozen=True, array_like=True, gc=False):
    """A document as the catalog stores it, but for ids: made by document_rows where it is parsed, which may be a worker process."""

    format: str
    language: str
    encoding: str
    title: str
    notes: str  # JSON array
    entries: tuple[EntryRow, ...]
    owners: _Ints  # for each section the entry that it belongs to, as a position, or -1
    sections: tuple[_Ints, _Ints, _Ints, _Texts, _Ints, _Ints, _Ints, _Texts, _Texts]  # position, parent, level, heading, …
    values: tuple[_Ints, _Ints, _Texts, _Texts, _Texts, _Texts, _Texts]  # the section's position, place, kind, key, …
    dates: tuple[_Ints, _Texts, _Ints, _Ints]  # the section's position, kind, start, end
    named: tuple[_Texts, _Ints, _Texts]  # key, kind, name: what it is called besides the name of its file
    names: _Texts  # other names, as `called` gives them
    about: str
    link_keys: _Texts
    links: bytes  # packed; b"" where there are neither links nor anchors
    anchors: bytes  # packed
    abbreviations: str  # JSON object


class Change(Struct, frozen=True):
    """What storing a document did to its entries (ids, in the document's order; `removed` in the old order)."""

    document_id: int
    added: tuple[int, ...] = ()
    kept: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()


class KnownFile(Struct, frozen=True, gc=False):
    """What the catalog knows of a file, enough to tell whether it changed."""

    id: int
    size: int
    mtime_ns: int
    inode: int
    state: str
    hash: bytes
    fingerprint: str


class WordsRow(Struct, frozen=True):
    """An entry for the words index. `name` is the path below its folder, and below it what else the note is called."""

    entry_id: int
    title: str
    headings: tuple[str, ...]
    text: str
    tags: tuple[str, ...]
    name: str
    names: tuple[str, ...] = ()  # other names of its headings, and of the note where it begins
    about: str = ""  # the note's description, where it begins


class PendingEntry(Struct, frozen=True):
    """An entry that waits for its chunks and vectors."""

    id: int
    title: str
    headings: tuple[str, ...]
    text: str


class ChunkRow(Struct, frozen=True, gc=False):
    """A chunk: `start` and `end` are a range of the entry's text, `hash` names its vector."""

    entry_id: int
    start: int
    end: int
    hash: bytes


class SectionRow(Struct, frozen=True):
    """A section of an entry. `position` and `parent` are indices in the document's sections (-1: no parent)."""

    id: int
    position: int
    parent: int
    level: int
    heading: str
    start: int
    end: int
    line: int
    todo: str
    priority: str
    tags: tuple[str, ...] = ()


class HitRow(Struct, frozen=True):
    """An entry with its document, as an answer needs it."""

    entry_id: int
    document_id: int
    path: str
    folder: str
    format: str
    title: str
    language: str
    unsaved: bool
    modified: float  # seconds since the epoch
    position: int  # of the entry in its document
    headings: tuple[str, ...]
    start: int
    end: int
    start_line: int
    start_column: int
    end_line: int
    end_column: int
    packed_segments: bytes
    text: str
    day: int | None  # proleptic Gregorian ordinal
    sections: tuple[SectionRow, ...] = ()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Where the pieces of `text` stand in the file."""
        return _SEGMENTS.decode(self.packed_segments)


class FileRow(Struct, frozen=True):
    """A file's state for `khoj/index/files`. `pending` counts its entries that wait for words or vectors."""

    path: str
    folder: str
    state: State
    reason: str
    state_at: float
    modified: float
    size: int
    entries: int
    pending: int
    format: str
    language: str
    encoding: str
    notes: tuple[str, ...]
    unsaved: bool


class Statistics(Struct, frozen=True):
    """Counts over the whole catalog; `bytes` is the size of its files on disk."""

    documents: dict[str, int]  # by state, buffers not counted
    buffers: int
    entries: int
    pending_words: int
    pending_vectors: int
    bytes: int
