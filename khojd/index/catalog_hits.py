"""Reading entries for answers."""

import sqlite3
from collections.abc import Sequence

import msgspec

from khojd.index.catalog_queue import id_list
from khojd.index.rows import HitRow, SectionRow

_headings = msgspec.json.Decoder(tuple[str, ...]).decode

_HITS = """
SELECT e.id, d.id, d.path, d.folder, d.format, d.title, d.language, d.overlay, d.mtime_ns, e.position, e.headings, e.start, e.end,
       e.start_line, e.start_column, e.end_line, e.end_column, e.segments, e.text, e.day
FROM json_each(?) wanted JOIN entries e ON e.id = wanted.value JOIN seen d ON d.id = e.document_id"""
_SECTIONS = """
SELECT s.entry_id, s.id, s.position, s.parent, s.level, s.heading, s.start, s.end, s.line, s.todo, s.priority
FROM json_each(?) wanted JOIN sections s ON s.entry_id = wanted.value ORDER BY s.entry_id, s.position"""
_TAGS = """
SELECT v.section_id, v.value FROM json_each(?) wanted
JOIN section_values v ON v.section_id = wanted.value AND v.kind = 'tag' ORDER BY v.section_id, v.place"""


def hit_rows(db: sqlite3.Connection, entry_ids: Sequence[int]) -> dict[int, HitRow]:
    """What answers need of these entries, by id. Entries that are gone, or that the viewer does not see, are left out."""
    ids = id_list(entry_ids)
    rows = db.execute(_SECTIONS, (ids,)).fetchall()
    tags: dict[int, list[str]] = {}
    for section_id, tag in db.execute(_TAGS, (id_list(row[1] for row in rows),)):
        tags.setdefault(section_id, []).append(tag)
    sections: dict[int, list[SectionRow]] = {}
    for entry_id, *rest in rows:
        sections.setdefault(entry_id, []).append(SectionRow(*(*rest, tuple(tags.get(rest[0], ())))))
    found = {}
    for row in db.execute(_HITS, (ids,)):
        entry_id, overlay, mtime_ns, headings = row[0], row[7], row[8], row[10]
        values = (
            *row[:7],
            bool(overlay),
            mtime_ns / 1e9,
            row[9],
            _headings(headings),
            *row[11:],
            tuple(sections.get(entry_id, ())),
        )
        found[entry_id] = HitRow(*values)
    return found


def entries_at(db: sqlite3.Connection, path: str, start_line: int, end_line: int) -> list[int]:
    """Ids of the visible entries of a file (or of the buffer standing in for it) that touch the lines, both ends included."""
    sql = """SELECT e.id FROM seen d JOIN entries e ON e.document_id = d.id
             WHERE d.path = ? AND e.start_line <= ? AND e.end_line >= ? ORDER BY e.position"""
    return [row[0] for row in db.execute(sql, (path, end_line, start_line))]
