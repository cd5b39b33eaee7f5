"""From found entries to hits: ranges, best passage, highlights. Reads the catalog alone, never the files."""

import sqlite3
from collections.abc import Sequence
from datetime import date
from functools import cache

from msgspec import Struct

from khojd.content.segments import file_offset, text_offset
from khojd.index.catalog_hits import hit_rows
from khojd.index.rows import HitRow, SectionRow
from khojd.search.highlight import Analyze, Terms
from khojd.search.snippet import best_passage, text_range
from khojd.search.types import Explanation, Hit, Measure, Place, Range


class Found(Struct, frozen=True):
    """An entry to show; `near` is its best chunk, a range of its text, `section` the position of the section that is meant."""

    entry_id: int
    score: float
    near: tuple[int, int] | None = None
    explanation: Explanation | None = None
    section: int | None = None


def make_hits(db: sqlite3.Connection, found: Sequence[Found], terms: Terms, analyze: Analyze, measure: Measure) -> tuple[Hit, ...]:
    """Hits in the order given. Entries that went away in the meantime are left out."""
    rows = hit_rows(db, list(dict.fromkeys(one.entry_id for one in found)))
    known = cache(analyze)  # the same words come again from hit to hit
    return tuple(_hit(rows[one.entry_id], one, terms, known, measure) for one in found if one.entry_id in rows)


def _hit(row: HitRow, found: Found, terms: Terms, analyze: Analyze, measure: Measure) -> Hit:
    segments = row.segments
    whole = _entry_range(row, measure)
    if row.text.strip():
        passage = best_passage(row.text, terms, analyze, near=found.near or _section_range(row, found.section))
        # A short passage may hold several small sections: it begins with the one that has the first of the query's words.
        at = passage.start + (passage.highlights[0][0] if passage.highlights else 0)
        headings, section = _section_at(row, file_offset(segments, at))
        if section is not None:
            passage = passage.cut_to(text_offset(segments, section.start))
        snippet, highlights = row.text[passage.start : passage.end], passage.highlights
        place = text_range(row.text, segments, passage.start, passage.end, measure)
    else:
        snippet, highlights, place, headings = "", (), whole, row.headings
        section = row.sections[0] if row.sections else None
    return Hit(
        path=row.path,
        format=row.format,
        title=row.title,
        headings=headings,
        range=whole,
        passage=place,
        snippet=snippet,
        highlights=highlights,
        score=found.score,
        todo=section.todo if section else "",
        priority=section.priority if section else "",
        tags=section.tags if section else (),
        date=date.fromordinal(row.day).isoformat() if row.day else "",
        modified=row.modified,
        unsaved=row.unsaved,
        explanation=found.explanation,
    )


def _entry_range(row: HitRow, measure: Measure) -> Range:
    """The catalog's columns count code points; only the end can stand inside a line, the last one of the text or of the heading."""
    column = row.end_column
    if column:
        line = row.text[max(row.text.rfind("\n"), row.text.rfind("\r")) + 1 :] or (row.headings[-1] if row.headings else "")
        column += measure(line) - len(line)
    return Range(Place(row.start_line, row.start_column), Place(row.end_line, column))


def _section_range(row: HitRow, position: int | None) -> tuple[int, int] | None:
    """The part of the entry's text that a section has; None for none, and for a heading without text."""
    section = next((one for one in row.sections if one.position == position), None)
    if section is None:
        return None
    start, end = text_offset(row.segments, section.start), text_offset(row.segments, section.end)
    return (start, end) if start < end else None


def _section_at(row: HitRow, offset: int) -> tuple[tuple[str, ...], SectionRow | None]:
    """The heading path of the innermost section at an offset of the file (a small subtree is one entry), and that section."""
    if not row.sections:
        return row.headings, None
    inside = [section for section in row.sections if section.start <= offset < section.end] or [row.sections[0]]
    section = inside[-1]
    by_position = {one.position: one for one in row.sections}
    below: list[str] = []
    at = section
    while at is not row.sections[0] and at.parent in by_position:
        below.append(at.heading)
        at = by_position[at.parent]
    return (*row.headings, *reversed(below)), section
