"""The state of the index and of its files, put together for people and editors."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from khojd.index import catalog_folders, catalog_status
from khojd.index.catalog import Catalog
from khojd.index.filler import Filler
from khojd.index.indexer import Indexer
from khojd.index.status import FileStatus, FolderStatus, IndexStatus
from khojd.index.stores import VECTORS, WORDS, Stores

Watching = Literal["events", "polling", "off"]


def overview(
    stores: Stores, indexer: Indexer, filler: Filler, folders: Sequence[tuple[str, Watching, str]], problems: tuple[str, ...]
) -> IndexStatus:
    """The state of the whole index. Reads counts from the catalog: call it on a thread."""
    db = stores.catalog.reader()
    target, serving, cache = filler.target, filler.serving, filler.cache
    if target is not None and target.rebuilt:
        problems += (f"the vector store is built anew from the catalog: {target.rebuilt}",)
    counts = catalog_status.statistics(db, target.model_id if target is not None else None)
    return IndexStatus(
        indexed=counts.documents["indexed"],
        pending=counts.documents["pending"],
        skipped=counts.documents["skipped"],
        failed=counts.documents["failed"],
        entries=counts.entries,
        words_pending=counts.pending_words,
        vectors_pending=counts.pending_vectors,
        queue=indexer.queue,
        paused=indexer.paused,
        running=indexer.running or filler.running,
        files_per_second=indexer.files_per_second,
        entries_per_second=filler.entries_per_second,
        model=serving.embedder.id if serving is not None else "",
        model_target=target.embedder.id if target is not None else "",
        model_problem=filler.problem,
        embedded=target.embedded if target is not None else 0,
        cache_hits=cache.hits if cache is not None else 0,
        cache_misses=cache.misses if cache is not None else 0,
        catalog_bytes=counts.bytes,
        words_bytes=size_of(stores.directory / WORDS),
        vectors_bytes=size_of(stores.directory / VECTORS),
        buffers=counts.buffers,
        folders=tuple(FolderStatus(root, catalog_folders.count(db, root), mode, problem) for root, mode, problem in folders),
        problems=problems,
    )


def files(catalog: Catalog, *, states: tuple[str, ...], prefix: str, limit: int, offset: int) -> tuple[FileStatus, ...]:
    """Files with their states, in the order of their paths. `prefix` is a path they are at or below; `limit` 0 is all."""
    rows = catalog_status.file_rows(catalog.reader(), states=states, under=prefix, limit=limit or -1, offset=offset)
    return tuple(
        FileStatus(
            path=row.path,
            state=row.state,
            reason=row.reason,
            since=row.state_at,
            modified=row.modified,
            entries=row.entries,
            entries_pending=row.pending,
            format=row.format,
            language=row.language,
            encoding=row.encoding,
            unsaved=row.unsaved,
            notes=row.notes,
        )
        for row in rows
    )


def size_of(directory: Path) -> int:
    """Bytes of the files below a directory; those that vanish meanwhile count nothing, as do directories."""
    total = 0
    for base, _, names in os.walk(directory):  # Path.rglob raises in a directory that has just been removed
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(base) / name).stat().st_size
    return total
