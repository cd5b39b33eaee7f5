"""The stores: the catalog is read whole and the two derived indexes are counted against it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from khojd import paths
from khojd.config import Config, Embedding
from khojd.daemon.address import index_dir
from khojd.daemon.client import Client
from khojd.daemon.lock import Lock, others
from khojd.doctor import languages
from khojd.doctor.check import Check
from khojd.errors import IndexTooNew, KhojdError, StorageFull, StoreError
from khojd.index import catalog_vectors
from khojd.index.catalog import FILE, Catalog, errors, writable
from khojd.index.catalog_queue import tombstones
from khojd.index.catalog_status import count_vectors, statistics
from khojd.index.stores import OPEN, VECTORS, WORDS, set_aside
from khojd.server.types import IndexStatus, NoParams

_REBUILD = "start the daemon (`khojd status`): it builds this anew"
_RESTART = "stop and start the daemon (`khojd stop`, `khojd status`): it keeps the damaged file and reads the notes again"

_WRITABLE = "free some space there, or see that the directory and its disk can be written; nothing is lost"
_HELD = "close the other program; what khojd itself runs is told by the line on the daemon"
_BY_ALL = "searches by meaning compare with every vector of the catalog, which takes longer"


def examine(config: Config, session: Client | None) -> Iterator[Check]:
    """`session` is the daemon that has the index, if one runs."""
    directory = index_dir(paths.config_file())
    if not (directory / FILE).exists():
        if some := _others(directory):
            message = f"{directory} holds files that are not khojd's, e.g. {some[0]}, and is not made an index"
            yield Check("index", "fail", message, "set index.path, or --index, to a directory of its own")
            return
        yield Check("index", "ok", f"{directory} holds no index yet; it is made when the daemon starts")
        return
    if not writable(directory):
        yield Check("index", "warn", f"{directory} cannot be written: it answers as it is, and takes no changes in", _WRITABLE)
    if damaged := set_aside(directory):
        names, size = ", ".join(file.name for file in damaged), sum(file.stat().st_size for file in damaged)
        message = f"damaged catalogs, from which the index was built anew, are kept in {directory}: {names} ({size / 1e6:.1f} MB)"
        yield Check("index", "warn", message, "remove them, unless you want to find out what went wrong")
    if session is not None:
        yield from _beside(session, directory, config.embedding)
        return
    try:
        lock = Lock.take(directory)
        if lock is None:
            message = "words and vectors are not examined: a daemon that cannot be reached has them"
            yield Check("index", "warn", message, "wait a moment if it is starting or leaving")
            yield from _catalog(directory, config.embedding)
            return
        try:
            yield from _alone(directory, config.embedding)
        finally:
            lock.release()
    except KhojdError as error:
        yield Check("index", "fail", error.message, f"see that {directory} can be read, or set index.path")


def _others(directory: Path) -> list[str]:
    try:
        return others(directory)
    except OSError:  # not there, or not to be read: what starts the daemon says so
        return []


def _beside(session: Client, directory: Path, settings: Embedding) -> Iterator[Check]:
    try:
        status = session.call("khoj/index/status", NoParams(), IndexStatus)
    except KhojdError as error:
        yield Check("index", "fail", f"the daemon cannot tell its state: {error.message}", "look at its log")
        yield from _catalog(directory, settings)
        return
    yield from _catalog(directory, settings)
    for problem in status.problems:
        yield Check("index", "warn", problem, "see the daemon's log" if writable(directory) else _WRITABLE)
    waiting = f"; {status.words_pending:,} entries wait to be found by words" if status.words_pending else ""
    yield Check("words", "ok", f"served by the daemon, not counted against the catalog{waiting}")
    if status.model_problem and status.model and not writable(directory):
        yield Check("vectors", "warn", f"{status.model_problem}; {_BY_ALL}", _WRITABLE)
    elif status.model_problem:
        yield Check("vectors", "fail", status.model_problem, "the lines on the model say more")
    else:
        waiting = f"; {status.vectors_pending:,} entries wait to be found by meaning" if status.vectors_pending else ""
        yield Check("vectors", "ok", f"served by the daemon, not counted against the catalog{waiting}")


def _alone(directory: Path, settings: Embedding) -> Iterator[Check]:
    broken = False
    for check in _catalog(directory, settings):
        broken = broken or check.state == "fail"
        yield check
    if (directory / OPEN).exists():
        yield Check("index", "warn", "the last daemon did not end cleanly", "none needed: the next start resumes and repairs")
    if broken:
        return
    catalog = Catalog.examine(directory)
    try:
        with errors(catalog.path):
            yield _words(directory, catalog)
            yield _vectors(directory, catalog)
    finally:
        catalog.close()


def _catalog(directory: Path, settings: Embedding) -> Iterator[Check]:
    try:
        catalog = Catalog.examine(directory)
    except IndexTooNew as error:
        yield Check("catalog", "fail", error.message, "update khojd, or set index.path to another directory")
        return
    except (KhojdError, sqlite3.Error) as error:
        yield Check("catalog", "fail", str(error), _remedy(error))
        return
    try:
        if found := catalog.integrity():
            yield Check("catalog", "fail", f"{catalog.path}: {'; '.join(found)}", _RESTART)
            return
        with errors(catalog.path):
            counts, vectors = statistics(catalog.reader()), count_vectors(catalog.reader())
            unread = languages.examine(catalog.reader(), settings)
    except (KhojdError, sqlite3.Error) as error:
        yield Check("catalog", "fail", str(error), _remedy(error))
        return
    finally:
        catalog.close()
    states = counts.documents
    message = f"{catalog.path} is sound: {states['indexed']:,} files, {counts.entries:,} entries, {vectors:,} vectors"
    yield Check("catalog", "ok", message)
    if failed := states["failed"]:
        said = "1 file could not be read" if failed == 1 else f"{failed:,} files could not be read"
        yield Check("files", "warn", said, "khojd status --files --state failed")
    if unread is not None:
        yield unread


def _remedy(error: Exception) -> str:
    return _WRITABLE if isinstance(error, StorageFull) else _HELD if type(error) is StoreError else _RESTART


def _words(directory: Path, catalog: Catalog) -> Check:
    from khojd.index.words import Words

    counts, dead = statistics(catalog.reader()), len(tombstones(catalog.reader()))
    wanted = counts.entries - counts.pending_words
    try:
        words = Words.open(directory / WORDS, read_only=not writable(directory))
        try:
            found, outdated = words.count(), words.outdated
        finally:
            words.close()
    except KhojdError as error:
        return Check("words", "fail", error.message, _REBUILD)
    if outdated:
        return Check("words", "warn", "made by another version of khojd", _REBUILD)
    if not wanted <= found <= counts.entries + dead:
        return Check(
            "words", "fail", f"{found:,} entries, where the catalog has {wanted:,}", f"remove {directory / WORDS}, then {_REBUILD}"
        )
    return Check("words", "ok", f"{found:,} entries, as in the catalog")


def _vectors(directory: Path, catalog: Catalog) -> Check:
    from khojd.index.vectors import VectorStore

    db = catalog.reader()
    active = catalog_vectors.active_model(db)
    model = catalog_vectors.model(db, active) if active is not None else None
    if active is None or model is None:
        return Check("vectors", "ok", "none yet")
    (waiting,) = db.execute("SELECT count(*) FROM entries WHERE vectors <> ?", (active,)).fetchone()
    wanted = len(catalog_vectors.vector_hashes(db, active))
    if not (directory / VECTORS).exists():
        return Check("vectors", "warn", f"the store is not there, where the catalog has {wanted:,} vectors", _REBUILD)
    if not writable(directory):
        return Check("vectors", "warn", f"the store does not open; {_BY_ALL}", _WRITABLE)
    try:
        store = VectorStore.open(directory / VECTORS, *model)
        try:
            found = store.count()
        finally:
            store.close()
    except KhojdError as error:
        return Check("vectors", "fail", error.message, _REBUILD)
    if found != wanted and not waiting:
        return Check("vectors", "warn", f"{found:,} vectors, where the catalog has {wanted:,}", _REBUILD)
    pending = f"; {waiting:,} entries wait to be embedded" if waiting else ", as in the catalog"
    return Check("vectors", "ok", f"{found:,} of {model[0]}{pending}")
