"""The values that pass between the catalog and its callers. Offsets are code points, lines and columns 0-based."""

from typing import Literal

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
    chunks: int
    vectors: int
    pending_words: int
    pending_vectors: int
    tombstones: int
    bytes: int
