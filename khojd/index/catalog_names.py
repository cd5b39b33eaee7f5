"""What notes and headings are called besides their titles, and what notes say they are about: words that a person searches for."""

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from khojd.content.aliases import KEYS, aliases

ABOUT = frozenset(("description", "summary", "desc", "abstract"))


class Called(NamedTuple):
    """The other names of a note, and its description."""

    names: tuple[str, ...] = ()
    about: str = ""


NOTHING = Called()

# The plus signs keep SQLite from going through all values of a key in the catalog to find those of a section.
_ROOTS = """
SELECT s.document_id, v.key, v.value FROM json_each(?) wanted
CROSS JOIN sections s ON s.document_id = wanted.value AND s.position = 0
CROSS JOIN section_values v ON v.section_id = s.id AND +v.kind = 'prop' AND +v.folded_key IN (SELECT value FROM json_each(?))
ORDER BY s.id, v.place"""
_OWN = """
SELECT s.entry_id, v.key, v.value FROM json_each(?) wanted
CROSS JOIN sections s ON s.entry_id = wanted.value
CROSS JOIN section_values v ON v.section_id = s.id AND +v.kind = 'prop' AND +v.folded_key IN (SELECT value FROM json_each(?))
ORDER BY s.id, v.place"""


def called(properties: Iterable[tuple[str, str]]) -> Called:
    """What a root section's properties say of its note."""
    pairs = tuple(properties)
    return Called(aliases(pairs), "\n".join(value for key, value in pairs if key.casefold() in ABOUT))


def notes_called(db: sqlite3.Connection, document_ids: Iterable[int]) -> dict[int, Called]:
    """Those of these documents that have other names or a description."""
    return {document_id: called(pairs) for document_id, pairs in _pairs(db, _ROOTS, document_ids, KEYS | ABOUT).items()}


def entry_names(db: sqlite3.Connection, entry_ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """The other names of the headings in these entries, and of the note where its sections inherit them."""
    return {entry_id: aliases(pairs) for entry_id, pairs in _pairs(db, _OWN, entry_ids, KEYS).items()}


def _pairs(db: sqlite3.Connection, sql: str, ids: Iterable[int], keys: Iterable[str]) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = {}
    for one, key, value in db.execute(sql, (_json(ids), _json(keys))):
        found.setdefault(one, []).append((key, value))
    return found


def _json(values: Iterable[object]) -> str:
    return msgspec.json.encode(list(values)).decode()
