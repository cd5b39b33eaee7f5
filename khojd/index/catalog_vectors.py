"""Models, chunks and vectors in the catalog. A vector's blob is its components as little-endian float16."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from khojd.index.catalog_queue import id_list
from khojd.index.rows import ChunkRow

PARAMETERS = 500  # per statement

_CHUNKS_OF_ENTRIES = """
SELECT c.entry_id, c.start, c.end, c.hash FROM chunks c
WHERE c.model_id = ? AND c.entry_id IN (SELECT value FROM json_each(?)) ORDER BY c.entry_id, c.start"""

_VECTORS_OF_ENTRIES = """
SELECT c.entry_id, c.start, c.end, c.hash, v.vector FROM chunks c JOIN vectors v ON v.hash = c.hash
WHERE c.model_id = ? AND c.entry_id IN (SELECT value FROM json_each(?)) ORDER BY c.entry_id, c.start"""


def model_id(db: sqlite3.Connection, fingerprint: str, dimensions: int) -> int:
    """The id of the model with this fingerprint; it is added when it is new (then `db` must be in a transaction)."""
    row = db.execute("SELECT id FROM models WHERE fingerprint = ?", (fingerprint,)).fetchone()
    if row is not None:
        return int(row[0])
    return db.execute("INSERT INTO models (fingerprint, dimensions) VALUES (?, ?)", (fingerprint, dimensions)).lastrowid or 0


def model(db: sqlite3.Connection, model_id: int) -> tuple[str, int] | None:
    """Fingerprint and dimensions of a model."""
    row = db.execute("SELECT fingerprint, dimensions FROM models WHERE id = ?", (model_id,)).fetchone()
    return None if row is None else (str(row[0]), int(row[1]))


def active_model(db: sqlite3.Connection) -> int | None:
    """The id of the model that serves queries."""
    value = meta(db, "active_model")
    return int(value) if value else None


def set_active_model(db: sqlite3.Connection, model_id: int | None) -> None:
    set_meta(db, "active_model", "" if model_id is None else str(model_id))


def drop_model(db: sqlite3.Connection, model_id: int) -> None:
    """Remove a model with its chunks and vectors; entries embedded with it wait again."""
    db.execute("UPDATE entries SET vectors = 0 WHERE vectors = ?", (model_id,))
    db.execute("DELETE FROM chunks WHERE model_id = ?", (model_id,))
    db.execute("DELETE FROM vectors WHERE model_id = ?", (model_id,))
    db.execute("DELETE FROM models WHERE id = ?", (model_id,))


def models(db: sqlite3.Connection) -> dict[int, str]:
    """Fingerprints by id."""
    return dict(db.execute("SELECT id, fingerprint FROM models"))


def meta(db: sqlite3.Connection, key: str) -> str:
    """A value of the `meta` table, "" when it is not set."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return "" if row is None else str(row[0])


def set_meta(db: sqlite3.Connection, key: str, value: str) -> None:
    db.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value))


def store_chunks(db: sqlite3.Connection, model_id: int, entry_id: int, chunks: Iterable[tuple[int, int, bytes]]) -> None:
    """Make (start, end, hash) the chunks of the entry for this model."""
    db.execute("DELETE FROM chunks WHERE entry_id = ? AND model_id = ?", (entry_id, model_id))
    # The entry may be gone by now: it was read before its text was embedded.
    db.executemany(
        "INSERT INTO chunks (entry_id, model_id, start, end, hash) SELECT id, ?, ?, ?, ? FROM entries WHERE id = ?",
        ((model_id, start, end, hash_, entry_id) for start, end, hash_ in chunks),
    )


def missing_vectors(db: sqlite3.Connection, hashes: Iterable[bytes]) -> list[bytes]:
    """Those of `hashes` that the catalog has no vector for, without duplicates, in order."""
    wanted = list(dict.fromkeys(hashes))
    known: set[bytes] = set()
    for part in _parts(wanted):
        known.update(row[0] for row in db.execute(f"SELECT hash FROM vectors WHERE hash IN ({_marks(part)})", part))
    return [hash_ for hash_ in wanted if hash_ not in known]


def store_vectors(db: sqlite3.Connection, model_id: int, vectors: Iterable[tuple[bytes, bytes]]) -> None:
    """Add (hash, float16 blob) pairs; they wait for Chroma. What is already there stays."""
    db.executemany(
        "INSERT OR IGNORE INTO vectors (hash, model_id, vector) VALUES (?, ?, ?)",
        ((hash_, model_id, blob) for hash_, blob in vectors),
    )


def vectors_to_store(db: sqlite3.Connection, model_id: int, limit: int) -> list[tuple[bytes, bytes]]:
    """(hash, blob) pairs of the model that Chroma lacks."""
    return db.execute("SELECT hash, vector FROM vectors WHERE stored = 0 AND model_id = ? LIMIT ?", (model_id, limit)).fetchall()


def count_to_store(db: sqlite3.Connection, model_id: int) -> int:
    """How many vectors of the model Chroma lacks."""
    return int(db.execute("SELECT count(*) FROM vectors WHERE stored = 0 AND model_id = ?", (model_id,)).fetchone()[0])


def mark_stored(db: sqlite3.Connection, hashes: Iterable[bytes]) -> None:
    """Record that Chroma has these vectors."""
    db.executemany("UPDATE vectors SET stored = 1 WHERE hash = ?", ((hash_,) for hash_ in hashes))


def forget_stored_hashes(db: sqlite3.Connection, hashes: Iterable[bytes]) -> int:
    """Let these vectors wait for Chroma, which lost them; returns how many did not wait yet."""
    return db.executemany("UPDATE vectors SET stored = 0 WHERE hash = ? AND stored = 1", ((hash_,) for hash_ in hashes)).rowcount


def orphan_vectors(db: sqlite3.Connection, limit: int) -> list[bytes]:
    """Vectors of no chunk. They leave Chroma first and the catalog (`delete_vectors`) next."""
    sql = "SELECT hash FROM vectors v WHERE NOT EXISTS (SELECT 1 FROM chunks c WHERE c.hash = v.hash) LIMIT ?"
    return [row[0] for row in db.execute(sql, (limit,))]


def delete_vectors(db: sqlite3.Connection, hashes: Iterable[bytes]) -> None:
    """Remove vectors that are still of no chunk."""
    db.executemany(
        "DELETE FROM vectors WHERE hash = ?1 AND NOT EXISTS (SELECT 1 FROM chunks WHERE hash = ?1)", ((hash_,) for hash_ in hashes)
    )


def vector_hashes(db: sqlite3.Connection, model_id: int) -> set[bytes]:
    """Hashes of all vectors of a model: what Chroma should hold."""
    return {row[0] for row in db.execute("SELECT hash FROM vectors WHERE model_id = ?", (model_id,))}


def vectors_for(db: sqlite3.Connection, hashes: Iterable[bytes]) -> tuple[list[bytes], NDArray[np.float32]]:
    """The hashes that have a vector, and their vectors: shape (len(hashes), dimensions). All must be of one model."""
    found: list[bytes] = []
    blobs: list[bytes] = []
    for part in _parts(list(dict.fromkeys(hashes))):
        for hash_, blob in db.execute(f"SELECT hash, vector FROM vectors WHERE hash IN ({_marks(part)})", part):
            found.append(hash_)
            blobs.append(blob)
    return found, _matrix(blobs)


def vectors_sample(db: sqlite3.Connection, size: int) -> NDArray[np.float32]:
    """Some vectors of the active model, `size` where there are as many: shape (size, dimensions).

    Those of the lowest hashes, which is as good as drawing them by lot.
    """
    sql = "SELECT vector FROM vectors WHERE model_id = ? ORDER BY hash LIMIT ?"
    return _matrix([row[0] for row in db.execute(sql, (active_model(db), size))])


def last_chunk(db: sqlite3.Connection) -> int:
    """The highest id of a chunk, 0 without any: it grows with what was ever embedded."""
    (last,) = db.execute("SELECT max(id) FROM chunks").fetchone()
    return int(last or 0)


def chunks_with_hashes(db: sqlite3.Connection, hashes: Sequence[bytes]) -> list[ChunkRow]:
    """Chunks of the active model with these hashes, those of hidden documents among them: no entry is read for that."""
    active = active_model(db)
    found: list[ChunkRow] = []
    for part in _parts(hashes) if active is not None else ():
        sql = f"SELECT entry_id, start, end, hash FROM chunks WHERE model_id = ? AND hash IN ({_marks(part)})"
        found += [ChunkRow(*row) for row in db.execute(sql, (active, *part))]
    return found


def chunks_for_entries(db: sqlite3.Connection, ids: Iterable[int]) -> list[ChunkRow]:
    """Chunks of the active model of these entries, in the order of entry and start."""
    return [ChunkRow(*row) for row in db.execute(_CHUNKS_OF_ENTRIES, (active_model(db), id_list(ids)))]


def chunks_with_vectors(db: sqlite3.Connection, ids: Iterable[int]) -> tuple[list[ChunkRow], NDArray[np.float32]]:
    """The same with their vectors: shape (chunks, dimensions)."""
    rows = db.execute(_VECTORS_OF_ENTRIES, (active_model(db), id_list(ids))).fetchall()
    return [ChunkRow(*row[:4]) for row in rows], _matrix([row[4] for row in rows])


def blob(vector: NDArray[np.float32]) -> bytes:
    """A vector as the catalog stores it."""
    return vector.astype("<f2").tobytes()


def _matrix(blobs: Sequence[bytes]) -> NDArray[np.float32]:
    if not blobs:
        return np.empty((0, 0), np.float32)
    return np.frombuffer(b"".join(blobs), "<f2").reshape(len(blobs), -1).astype(np.float32)


def _parts(hashes: Sequence[bytes]) -> Iterator[list[bytes]]:
    rest = iter(hashes)
    while part := list(islice(rest, PARAMETERS)):
        yield part


def _marks(part: Sequence[bytes]) -> str:
    return ",".join("?" * len(part))
