"""What the index says about itself. Times are seconds since the epoch."""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

FileState = Literal["indexed", "pending", "skipped", "failed"]


class Progress(Struct, frozen=True):
    """How far an index run is, in files; while embedding, in entries."""

    what: Literal["scanning", "reading", "embedding"]
    done: int
    total: int

    @property
    def left(self) -> int:
        return self.total - self.done


class UpdateReport(Struct, frozen=True):
    """What an index run did, in files."""

    added: int = 0
    changed: int = 0
    renamed: int = 0
    removed: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    took_ms: float = 0.0
    cancelled: bool = False

    def after(self, first: "UpdateReport") -> "UpdateReport":
        """Both as one run, of which this was the second half: what the first one read is unchanged in it."""
        done = {name: getattr(first, name) + getattr(self, name) for name in ("added", "changed", "renamed", "removed")}
        unchanged = max(0, self.unchanged - first.added - first.changed - first.renamed)
        return replace(self, **done, unchanged=unchanged, took_ms=first.took_ms + self.took_ms)


class FolderStatus(Struct, frozen=True):
    """A configured folder. `problem` says why it is not being read, "" when all is well."""

    path: str
    files: int
    watching: Literal["events", "polling", "off"]
    problem: str = ""


class IndexStatus(Struct, frozen=True):
    """The state of the whole index."""

    indexed: int  # files by state
    pending: int
    skipped: int
    failed: int
    entries: int
    words_pending: int  # entries not yet found by words
    vectors_pending: int  # entries not yet found by meaning
    queue: int  # files waiting to be read
    paused: bool
    running: Progress | None
    files_per_second: float  # of the last run
    entries_per_second: float  # embedded, of the last run
    model: str  # serving queries; "" when meaning is off
    model_target: str  # being filled when it differs from `model`
    model_problem: str  # why meaning is not available, ""
    embedded: int  # texts for which the model was run since the start
    cache_hits: int  # of the query cache
    cache_misses: int
    catalog_bytes: int
    words_bytes: int
    vectors_bytes: int
    buffers: int  # unsaved buffers that stand in for files
    folders: tuple[FolderStatus, ...]
    problems: tuple[str, ...]  # e.g. a store that was rebuilt, a disk that is full


class FileStatus(Struct, frozen=True):
    """One file."""

    path: str
    state: FileState
    reason: str
    since: float  # when it got this state
    modified: float  # file time
    entries: int
    entries_pending: int  # not yet embedded
    format: str
    language: str
    encoding: str
    unsaved: bool
    notes: tuple[str, ...]
