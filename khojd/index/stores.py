"""Opening the stores of an index directory together, and mending what does not read back.

    catalog.db   the truth (SQLite)          set aside and begun anew when it is corrupt; the files are read again
    words/       the words index (tantivy)   built anew from the catalog
    vectors/     the vector store (Chroma)   built anew from the catalog, without the model (Meaning does that)

Two marks stand beside them: `open` while a process has the index, so that the next one knows that it ended uncleanly; `suspect`
when something did not read back while running.
"""

import contextlib
import logging
import shutil
import time
from pathlib import Path
from typing import Self

from khojd.errors import IndexCorrupt, StorageFull
from khojd.index import catalog_queue as queue
from khojd.index.catalog import FILE, Catalog
from khojd.index.words import Words
from khojd.paths import private_dir

log = logging.getLogger(__name__)

OPEN = "open"
SUSPECT = "suspect"
WORDS = "words"
VECTORS = "vectors"
KEPT = 2  # damaged catalogs


class Stores:
    """The open catalog and words index of one directory. `problems` says what was mended, by store."""

    def __init__(self, directory: Path, catalog: Catalog, words: Words, *, unclean: bool, problems: dict[str, str]) -> None:
        self.directory = directory
        self.catalog = catalog
        self.words = words
        self.unclean = unclean
        self.problems = problems

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Open or make them. Raises IndexTooNew, StorageFull; a corrupt store is mended."""
        private_dir(directory)
        problems: dict[str, str] = {}
        catalog = _open_catalog(directory, problems)
        try:
            words = _open_words(directory, catalog, problems)
        except BaseException:
            catalog.close()
            raise
        unclean = (directory / OPEN).exists()
        if not catalog.read_only:
            (directory / OPEN).touch(mode=0o600)
        return cls(directory, catalog, words, unclean=unclean, problems=problems)

    def close(self) -> None:
        self.words.close()
        self.catalog.close()
        if not self.catalog.read_only:
            (self.directory / OPEN).unlink(missing_ok=True)


def mark_suspect(directory: Path) -> None:
    """Let the next start read the whole catalog before it trusts it."""
    with contextlib.suppress(OSError):
        (directory / SUSPECT).touch(mode=0o600)


def set_aside(directory: Path) -> list[Path]:
    """The damaged catalogs that are kept, newest first."""
    return sorted(directory.glob(f"{FILE}.corrupt-*"), reverse=True)


def _open_catalog(directory: Path, problems: dict[str, str]) -> Catalog:
    suspect, file = directory / SUSPECT, directory / FILE
    try:
        if (directory / WORDS).exists() and not (file.exists() and file.stat().st_size):
            raise IndexCorrupt(f"the catalog {file} is gone", path=str(file), store="catalog")
        catalog = Catalog.open(directory)
        if suspect.exists():
            found = catalog.integrity()
            if found:
                catalog.close()
                raise IndexCorrupt(f"the catalog is damaged: {found[0]}", path=str(file), store="catalog")
            suspect.unlink()
        return catalog
    except IndexCorrupt as error:
        aside = directory / f"{FILE}.corrupt-{time.strftime('%Y%m%dT%H%M%S')}"
        log.error("%s; it is kept as %s and the files are read again", error.message, aside.name)
        problems["catalog"] = f"the catalog did not read back; it is kept as {aside} and the files are read again"
        if file.exists():
            file.rename(aside)
        for suffix in ("-wal", "-shm"):
            (directory / (FILE + suffix)).unlink(missing_ok=True)
            for old in set_aside(directory)[KEPT:]:
                old.unlink(missing_ok=True)
        # Derived from the lost catalog, and keyed by its ids.
        shutil.rmtree(directory / WORDS, ignore_errors=True)
        suspect.unlink(missing_ok=True)
        return Catalog.open(directory)


def _open_words(directory: Path, catalog: Catalog, problems: dict[str, str]) -> Words:
    path = directory / WORDS
    if catalog.read_only:
        try:
            return Words.open(path, read_only=True)
        except IndexCorrupt as error:
            message = f"{error.message}, and it cannot be built anew: the index {directory} is read-only"
            raise StorageFull(message, path=str(directory)) from error
    if not path.exists():
        with catalog.transaction() as db:
            forgotten = queue.forget_words(db)
        if forgotten and "catalog" not in problems:
            problems["words"] = "the words index was gone and is built anew from the catalog"
        return Words.create(path)
    try:
        words = Words.open(path)
        if not words.outdated:
            return words
        words.close()
        reason = "the way words are analysed has changed"
    except IndexCorrupt as error:
        reason = error.message
        problems["words"] = f"the words index did not read back and is built anew from the catalog: {reason}"
    log.warning("building the words index anew: %s", reason)
    with catalog.transaction() as db:
        queue.forget_words(db)
    return Words.create(path)
