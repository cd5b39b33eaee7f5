"""Notes that say nearly the same as another one."""

import sqlite3
from collections.abc import Sequence

import numpy as np

from khojd.embed.protocol import Vectors
from khojd.index.catalog import errors
from khojd.search import candidates
from khojd.search.retrieve import Retriever

LEAST_COSINE = 0.96  # of the means of two notes' vectors
LEAST_CHARACTERS = 200  # shorter notes are alike by chance
_NEAREST = 40  # vectors that are looked at for candidates
_CANDIDATES = 5
_MOST_ENTRIES = 500  # of a note; a longer one has no near duplicate that is worth a remark

_ENTRIES = """
SELECT e.id, length(e.text) FROM entries e JOIN documents d ON d.id = e.document_id
WHERE d.path = ? AND d.visible = 1 ORDER BY e.position LIMIT ?"""
_OWNERS = """
SELECT DISTINCT d.path FROM chunks c JOIN entries e ON e.id = c.entry_id JOIN documents d ON d.id = e.document_id
WHERE c.hash = ? AND d.visible = 1"""


def near_duplicates(retriever: Retriever, path: str) -> list[tuple[str, float]]:
    """Paths of notes of about the same length whose mean vector is within `LEAST_COSINE` of that of the note at `path`, best first.

    Empty where there is no model, while the note is not embedded, and for short notes.
    """
    if retriever.vectors is None:
        return []
    db = retriever.catalog.reader()
    with errors(retriever.catalog.path):
        own = _note(db, path)
        if own is None:
            return []
        mean, length = own
        paths: dict[str, None] = {}
        for digest, _ in retriever.vectors.query(mean, _NEAREST):
            for (owner,) in db.execute(_OWNERS, (digest,)):
                paths.setdefault(owner)
        paths.pop(path, None)
        found = []
        for other in list(paths)[:_CANDIDATES]:
            its = _note(db, other)
            if its is not None and 0.5 <= its[1] / length <= 2.0:
                cosine = float(mean @ its[0])
                if cosine >= LEAST_COSINE:
                    found.append((other, cosine))
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))


def _note(db: sqlite3.Connection, path: str) -> tuple[Vectors, int] | None:
    """The mean vector of a note, its entries weighted by their length, and its length in characters."""
    rows: Sequence[tuple[int, int]] = db.execute(_ENTRIES, (path, _MOST_ENTRIES)).fetchall()
    length = sum(size for _, size in rows)
    if length < LEAST_CHARACTERS or len(rows) == _MOST_ENTRIES:
        return None
    vectors = candidates.entry_vectors(db, [entry_id for entry_id, _ in rows])
    if not vectors:
        return None
    weighted = np.sum([vectors[entry_id] * max(size, 1) for entry_id, size in rows if entry_id in vectors], axis=0)
    unit: Vectors = (weighted / max(float(np.linalg.norm(weighted)), 1e-9)).astype(np.float32)
    return unit, length
