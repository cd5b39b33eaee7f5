"""Everything that changes the catalog and the words index, on one thread, in the order that a crash forgives.

A change is one SQLite transaction (document and entries; words and vectors pending), then a commit of the words index, then the
mark in the catalog. Whatever is cut off in between is pending, and is done again at the next start.
"""

import logging
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath

from khojd.content import registry
from khojd.content.decode import decode
from khojd.content.model import ContentSettings, Document
from khojd.errors import ContentError, SkippedContent
from khojd.index import catalog_documents as documents
from khojd.index import catalog_folders as folders
from khojd.index import catalog_queue as queue
from khojd.index.catalog import Catalog
from khojd.index.document_rows import rows_of
from khojd.index.reader import Job, Reading, content_hash, read, too_large
from khojd.index.rows import FileStat, KnownFile
from khojd.index.status import FileState
from khojd.index.words import Words
from khojd.sources import scan
from khojd.sources.buffers import Buffer

log = logging.getLogger(__name__)

WORDS_AT_ONCE = 4000


class Tally:
    """Counts of one run, in files."""

    def __init__(self) -> None:
        self.added = self.changed = self.renamed = self.removed = self.unchanged = self.skipped = self.failed = 0


class Writer:
    """Writes readings, buffers and removals. Not thread-safe: it lives on one thread."""

    def __init__(self, catalog: Catalog, words: Words, settings: ContentSettings) -> None:
        self.catalog = catalog
        self.words = words
        self.configure(settings)
        self._highest = sys.maxsize  # the largest id the words index may hold; unknown until the first flush is through

    def configure(self, settings: ContentSettings) -> None:
        """Use other content settings from now on; documents read with others are read again at the next look."""
        self.settings = settings
        self.fingerprint = registry.fingerprint(settings)

    def recover(self) -> None:
        """After a start: forget buffers of editors that are gone, finish the words that were cut off."""
        with self.catalog.transaction() as db:
            documents.clear_overlays(db)
        self.flush()

    def announce(self, facts: Iterable[scan.FileStat], folder: str) -> None:
        """Enter new files as pending, so that each has a state from the moment it was seen."""
        with self.catalog.transaction() as db:
            for fact in facts:
                documents.set_state(db, self._stat(fact, folder), "pending", "waiting to be read")

    def apply(self, readings: Iterable[Reading], owners: Mapping[str, str], gone: dict[str, KnownFile], tally: Tally) -> list[str]:
        """Write what was read; returns paths that changed meanwhile and must be read again.

        `owners` gives each path's folder; from the vanished files `gone` a new file with the same content takes over its entries:
        that is a rename.
        """
        again: list[str] = []
        vanished: dict[bytes, list[str]] = {}
        for path, lost in gone.items():
            vanished.setdefault(lost.hash, []).append(path)
        with self.catalog.transaction() as db:
            for reading in readings:
                folder = owners[reading.path]
                now = scan.look(reading.path)
                if not reading.gone and now is not None and not now.problem and not reading.fact.problem and now != reading.fact:
                    again.append(reading.path)  # a newer reading may already be stored: do not put the older one over it
                    continue
                known = folders.known_file(db, reading.path)
                stat = self._stat(reading.fact, folder, reading.hash)
                if reading.gone or (now is None and reading.fact.nameable):
                    if known is not None:
                        documents.remove_document(db, known.id)
                        tally.removed += 1
                elif reading.unchanged:
                    if known is None or known.hash != reading.hash or known.state not in ("indexed", "pending"):
                        again.append(reading.path)  # another run has removed or replaced what it was compared with
                        continue
                    documents.touch(db, known.id, size=stat.size, mtime_ns=stat.mtime_ns, inode=stat.inode)
                    folders.show_file(db, known.id)
                    tally.unchanged += 1
                elif reading.document is None:
                    documents.set_state(db, stat, reading.state, reading.reason)
                    if reading.state == "failed":
                        tally.failed += 1
                    else:
                        tally.skipped += 1
                else:
                    if known is None or known.state == "pending":
                        source = self._renamed_from(db, reading, gone, vanished.get(reading.hash, ()))
                        if source is not None:
                            documents.rename_document(db, gone.pop(source).id, stat.path, folder)
                            tally.renamed += 1
                        else:
                            tally.added += 1
                    else:
                        tally.changed += 1
                    documents.store_document(db, stat, reading.document)
        return again

    def remove(self, paths: Iterable[str], *, there: Callable[[str], bool] = lambda path: False) -> tuple[int, list[str]]:
        """Withdraw files that are gone. Returns how many were, and the paths which are `there` again meanwhile and stay."""
        removed = 0
        back: list[str] = []
        with self.catalog.transaction() as db:
            for path in paths:
                known = folders.known_file(db, path)
                if there(path):
                    back.append(path)
                elif known is not None:
                    documents.remove_document(db, known.id)
                    removed += 1
        return removed, back

    def buffer(self, path: str, folder: str, buffer: Buffer | None, overlay: int) -> str:
        """Let a buffer stand in for its file as an overlay, or the file again when there is none or it has the same text; flushes.

        A text that is not read (too large, or its format's processor failed) has this as its state; then the file as it is on
        disk answers. Returns why the processor failed, else "".
        """
        if buffer is not None and self._saved(buffer):
            buffer = None
        refused = ""
        if buffer is None:
            self._refresh(path, folder)
            self._drop(path, overlay)
        else:
            data = buffer.text.encode("utf-8", "replace")
            stat = FileStat(
                path=path,
                folder=folder,
                size=len(data),
                mtime_ns=time.time_ns(),
                hash=content_hash(data),
                fingerprint=self.fingerprint,
                overlay=overlay,
            )
            try:
                rows = rows_of(self._parsed(path, buffer.text, len(data)))
            except SkippedContent as error:
                self._not_read(stat, "skipped", error.message)
            except ContentError as error:
                refused = error.message
                self._not_read(stat, "failed", refused)
            else:
                with self.catalog.transaction() as db:
                    documents.store_document(db, stat, rows)
        self.flush()
        return refused

    def drop_buffer(self, path: str, overlay: int) -> None:
        """Forget a buffer whose file is no note, or no more; flushes."""
        if self._drop(path, overlay):
            self.flush()

    def _drop(self, path: str, overlay: int) -> bool:
        known = documents.document_id(self.catalog.reader(), path, overlay=overlay)
        if known is not None:
            with self.catalog.transaction() as db:
                documents.remove_document(db, known)
        return known is not None

    def _parsed(self, path: str, text: str, size: int) -> Document:
        if reason := registry.skip_reason(path) or too_large(size, self.settings):
            raise SkippedContent(reason, file=path)
        return registry.read_text(path, text, self.settings)

    def _not_read(self, stat: FileStat, state: FileState, reason: str) -> None:
        with self.catalog.transaction() as db:
            documents.set_state(db, stat, state, reason)

    def hide_folder(self, folder: str, reason: str) -> None:
        """Take a folder's files out of search without forgetting them: it may come back (a drive, a branch)."""
        with self.catalog.transaction() as db:
            folders.hide_folder(db, folder, reason)

    def hide_others(self, configured: list[str]) -> None:
        """Leave out of search the files of folders that are not configured (any more); they wait for their folder."""
        for folder in folders.other_folders(self.catalog.reader(), configured):
            self.hide_folder(folder, f"the folder {folder} is not configured")

    def remove_folder(self, folder: str) -> None:
        """Forget a folder's files."""
        self.remove(list(folders.known_below(self.catalog.reader(), folder)))

    def flush(self) -> int:
        """Bring the words index in line with the catalog. Returns how many entries became searchable."""
        done = 0
        while True:
            reader = self.catalog.reader()
            rows = queue.words_pending(reader, WORDS_AT_ONCE)
            dead = queue.tombstones(reader, WORDS_AT_ONCE)
            if not rows and not dead:
                if self._highest == sys.maxsize:
                    self._highest = queue.highest_entry(reader)
                return done
            ids = [row.entry_id for row in rows]
            # After a crash, and after a rename, the index may hold an older copy. Ids only grow, so what is new has none.
            self.words.delete([*dead, *(entry_id for entry_id in ids if entry_id <= self._highest)])
            self.words.add(rows)
            self.words.commit()
            with self.catalog.transaction() as db:
                queue.mark_words(db, ids)
                queue.clear_tombstones(db, dead)
            done += len(ids)
            self._highest = max([self._highest, *ids])

    def _stat(self, fact: scan.FileStat, folder: str, digest: bytes = b"") -> FileStat:
        return FileStat(
            path=fact.path,
            folder=folder,
            size=fact.size,
            mtime_ns=fact.mtime_ns,
            inode=fact.inode,
            hash=digest,
            fingerprint=self.fingerprint,
        )

    def _renamed_from(
        self, db: sqlite3.Connection, reading: Reading, gone: dict[str, KnownFile], candidates: Iterable[str]
    ) -> str | None:
        """Which of the vanished `candidates`, of the same content, the new file is."""
        for path in candidates:
            known = gone.get(path)
            if known is not None and known.state == "indexed" and PurePath(path).suffix == PurePath(reading.path).suffix:
                now = folders.known_file(db, path)
                if now is not None and now.id == known.id:
                    return path
                del gone[path]  # another run has already moved or removed it
        return None

    def _saved(self, buffer: Buffer) -> bool:
        """Whether the file on disk has the buffer's text; editors keep line ends of their own."""
        try:
            with open(buffer.path, "rb") as file:  # noqa: PTH123
                text = decode(file.read(self.settings.max_file_bytes)).text
        except (OSError, ContentError, SkippedContent):
            return False
        return _unix(text) == _unix(buffer.text)

    def _refresh(self, path: str, folder: str) -> None:
        """Read the file itself if it is not what the catalog has."""
        known = folders.known_file(self.catalog.reader(), path)
        usable = known is not None and known.state == "indexed" and known.fingerprint == self.fingerprint
        reading = read(Job(path, known.hash if known is not None and usable else b""), self.settings)
        if known is not None and reading.unchanged and reading.fact.same_as(known.size, known.mtime_ns, known.inode):
            return  # the usual case of a file that is opened: nothing to write
        self.apply([reading], {path: folder}, {}, Tally())


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
