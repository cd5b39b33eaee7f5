"""Names that are spelled nearly as one that leads nowhere."""

import sqlite3
from collections.abc import Iterable, Sequence
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
        "SELECT n.key, d.id, d.path FROM note_names n JOIN documents d ON d.id = n.document_id"
        " WHERE length(n.key) BETWEEN ? AND ? AND d.visible = 1 AND d.state = 'indexed'",
        (len(wanted) // 2, 3 * len(wanted)),
    )
    pairs = _pairs(wanted)
    rough = [(_overlap(pairs, key), key, document_id, path) for key, document_id, path in rows]
    rough.sort(key=lambda row: (-row[0], len(row[1]), row[3]))
    found: dict[int, Near] = {}
    for _, key, document_id, path in rough[:_LOOKED_AT]:
        near = Near(document_id, path, likeness(wanted, key))
        if near.likeness >= ALIKE and (document_id not in found or found[document_id].likeness < near.likeness):
            found[document_id] = near
    return sorted(found.values(), key=lambda near: (-near.likeness, near.path))[:limit]


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


def _overlap(pairs: set[str], key: Sequence[str]) -> float:
    own = _pairs(str(key))
    return 2 * len(pairs & own) / (len(pairs) + len(own))
