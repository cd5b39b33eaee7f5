"""What the notes say of a day."""

import sqlite3
from datetime import date

from msgspec import Struct

_OF_THE_NOTE = ("filename", "frontmatter")
PLANNED = ("scheduled", "deadline", "closed")


class Dated(Struct, frozen=True):
    """A section with a date of that day; `kind` as in `DateRef`, the most telling one where there are several."""

    path: str
    heading: str  # "" for a note's own date
    line: int
    kind: str


def of(db: sqlite3.Connection, day: date, limit: int) -> list[Dated]:
    """The notes of a day: those that bear its name, then what is planned for it, then what mentions it; newest files first."""
    ordinal = day.toordinal()
    rows = db.execute(
        "SELECT d.path, s.heading, s.line, t.kind, min(CASE t.kind WHEN 'filename' THEN 0 WHEN 'frontmatter' THEN 1"
        " WHEN 'scheduled' THEN 2 WHEN 'deadline' THEN 2 WHEN 'timestamp' THEN 3 ELSE 4 END) AS rank"
        " FROM section_dates t JOIN sections s ON s.id = t.section_id JOIN seen d ON d.id = s.document_id"
        " WHERE t.kind IN ('filename','frontmatter','scheduled','deadline','closed','timestamp','inactive','text')"
        " AND t.start = ? AND t.end = ? AND (t.kind NOT IN ('filename', 'frontmatter') OR s.position = 0)"
        " GROUP BY s.id ORDER BY rank, d.mtime_ns DESC, s.position LIMIT ?",
        (ordinal, ordinal + 1, 2 * limit),
    )
    found = [Dated(*row[:4]) for row in rows]
    bearing = {one.path for one in found if one.kind in _OF_THE_NOTE}  # the day's own notes, of which one line is enough
    return [one for one in found if one.path not in bearing or one.kind in _OF_THE_NOTE][:limit]
