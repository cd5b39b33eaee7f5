"""Notes that say nearly the same as another one."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from khojd.embed.protocol import Vectors
from khojd.index.catalog import errors
from khojd.index.words import Words
from khojd.search import candidates
from khojd.search.fuse import READ
from khojd.search.retrieve import Retriever

LEAST_COSINE = 0.96  # of the means of two notes' vectors
LEAST_WORDS = 0.8  # of their words in common, where the model cannot read them: to it many such notes are nearly the same
LEAST_CHARACTERS = 200  # shorter notes are alike by chance
_NEAREST = 40  # vectors that are looked at for candidates
_CANDIDATES = 5
_MOST_ENTRIES = 500  # of a note; a longer one has no near duplicate that is worth a remark

_ENTRIES = """
SELECT e.id, e.text FROM entries e JOIN seen d ON d.id = e.document_id
WHERE d.path = ? ORDER BY e.position LIMIT ?"""
_OWNERS = """
SELECT DISTINCT d.path FROM chunks c JOIN entries e ON e.id = c.entry_id JOIN seen d ON d.id = e.document_id
WHERE c.hash = ?"""


class _Note(NamedTuple):
    vector: Vectors  # the mean of its entries', weighted by their length
    text: str


def near_duplicates(retriever: Retriever, path: str, viewer: int = 0) -> list[tuple[str, float]]:
    """Paths of notes of about the same length whose mean vector is within `LEAST_COSINE` of that of the note at `path`, best first.

    Empty where there is no model, while the note is not embedded, and for short notes. Notes in a script that the model has not
    learnt must share their words, too.
    """
    if retriever.vectors is None:
        return []
    db = retriever.catalog.seen_by(viewer)
    with errors(retriever.catalog.path):
        own = _note(db, path)
        if own is None:
            return []
        paths: dict[str, None] = {}
        for digest, _ in retriever.vectors.query(own.vector, _NEAREST):
            for (owner,) in db.execute(_OWNERS, (digest,)):
                paths.setdefault(owner)
        paths.pop(path, None)
        read = retriever.reads(own.text) >= READ
        found = []
        for other in list(paths)[:_CANDIDATES]:
            its = _note(db, other)
            if its is not None and 0.5 <= len(its.text) / len(own.text) <= 2.0:
                cosine = float(own.vector @ its.vector)
                if cosine >= LEAST_COSINE and (read or _common(retriever.words, own.text, its.text) >= LEAST_WORDS):
                    found.append((other, cosine))
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))


def _note(db: sqlite3.Connection, path: str) -> _Note | None:
    """A note that is long enough and not too long to have duplicates, and is embedded."""
    rows: Sequence[tuple[int, str]] = db.execute(_ENTRIES, (path, _MOST_ENTRIES)).fetchall()
    text = "".join(part for _, part in rows)
    if len(text) < LEAST_CHARACTERS or len(rows) == _MOST_ENTRIES:
        return None
    vectors = candidates.entry_vectors(db, [entry_id for entry_id, _ in rows])
    if not vectors:
        return None
    weighted = np.sum([vectors[entry_id] * max(len(part), 1) for entry_id, part in rows if entry_id in vectors], axis=0)
    unit: Vectors = (weighted / max(float(np.linalg.norm(weighted)), 1e-9)).astype(np.float32)
    return _Note(unit, text)


def _common(words: Words, one: str, other: str) -> float:
    """Share of the words of the longer text that both have, 0 to 1."""
    ones, others = (Counter(token.term for token in words.analyze(text)) for text in (one, other))
    return (ones & others).total() / max(ones.total(), others.total(), 1)
