"""Names that are spelled nearly as one that leads nowhere."""

import heapq
import sqlite3
from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import NamedTuple, TypeVar

from khojd.content import names

ALIKE = 0.66  # of SequenceMatcher.ratio, from which a name is near
_LOOKED_AT = 60  # names that are compared with care
_HELD = 4  # characters from which a name that another holds is near it

T = TypeVar("T")


class Near(NamedTuple):
    """A note and how near one of its names is, up to 1."""

    document_id: int
    path: str
    likeness: float


def notes(db: sqlite3.Connection, name: str, limit: int) -> list[Near]:
    """The notes with names nearest to `name`, the last part of a path, the nearest first."""
    wanted = names.key(name)[:200]
    if not wanted:
        return []
    rows = db.execute(
        "SELECT key, document_id FROM note_names WHERE length(key) BETWEEN ? AND ? OR (length(key) <= ? AND instr(key, ?))",
        (len(wanted) * 2 // 3, len(wanted) * 3 // 2 + 1, 3 * len(wanted), wanted if len(wanted) >= _HELD else "\n"),
    )
    pairs = _pairs(wanted)
    rough = heapq.nlargest(_LOOKED_AT, ((_overlap(pairs, key), -len(key), key, document_id) for key, document_id in rows))
    likely: dict[int, float] = {}
    for _, _, key, document_id in rough:
        likely[document_id] = max(likely.get(document_id, 0.0), likeness(wanted, key))
    near = [document_id for document_id, value in likely.items() if value >= ALIKE]
    paths = db.execute(f"SELECT id, path FROM seen WHERE id IN ({','.join('?' * len(near))}) AND state = 'indexed'", near)
    found = [Near(document_id, path, likely[document_id]) for document_id, path in paths]
    return sorted(found, key=lambda one: (-one.likeness, one.path))[:limit]


def among(name: str, candidates: Iterable[tuple[str, T]], limit: int) -> list[tuple[float, T]]:
    """Those of `candidates` (names and what they stand for) that are near `name`, the nearest first."""
    wanted = names.heading_key(name)
    scored = [(likeness(wanted, names.heading_key(other)), item) for other, item in candidates]
    near = [pair for pair in scored if pair[0] >= ALIKE]
    return sorted(near, key=lambda pair: -pair[0])[:limit]


def likeness(one: str, other: str) -> float:
    """0 to 1; a name that holds the other is near it, however much longer it is."""
    ratio = SequenceMatcher(None, one, other, autojunk=False).ratio()
    short, long = sorted((one, other), key=len)
    return max(ratio, ALIKE + ratio / 5) if len(short) >= _HELD and short in long else ratio


def _pairs(text: str) -> set[str]:
    padded = f" {text} "
    return {padded[index : index + 2] for index in range(len(padded) - 1)}


def _overlap(pairs: set[str], key: str) -> float:
    own = _pairs(key)
    return 2 * len(pairs & own) / (len(pairs) + len(own))
