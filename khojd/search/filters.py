"""Filters -> ids of entries, in SQLite.

Positive conditions on sections (tag, todo, priority, property, dates) must hold on one and the same section of an entry; negative
ones on the whole entry. Only entries of documents that the viewer sees are found.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from khojd.search.conditions import ANY, DateIs, File, Filter, Phrase, Property, Values
from khojd.search.paths import Glob
from khojd.search.phrases import contains, normalised

_DATE_KINDS = {
    "date": ("scheduled", "deadline", "closed", "timestamp", "inactive", "text", "frontmatter", "filename"),
    "scheduled": ("scheduled",),
    "deadline": ("deadline",),
    "closed": ("closed",),
}
_FOREVER_NS = 2**62
_EPOCH_DAYS = (600_000, 3_000_000)  # within these ordinals (years 1643 to 8214) every platform has a timestamp


class PhraseIndex(Protocol):
    """What is asked of the words index."""

    def phrase(self, words: str) -> set[int]:
        """Ids of entries that may contain the words one after another."""


class _Clause:
    """SQL with its parameters."""

    def __init__(self, sql: str = "", parameters: Iterable[object] = ()) -> None:
        self.sql = sql
        self.parameters = list(parameters)


def resolve(
    db: sqlite3.Connection, words: PhraseIndex, filters: Sequence[Filter], *, folders: Sequence[str] = ()
) -> set[int] | None:
    """Ids of the entries that all filters let through, under `folders` (absolute paths; () is all).

    None: nothing is restricted beyond what is visible. Days of `modified` are days of local time.
    """
    if not filters and not folders:
        return None
    phrases = [one for one in filters if isinstance(one, Phrase)]
    wanted = [normalised(one.words) for one in phrases if not one.negated]
    clauses = [*_document_clauses(db, filters, folders), *_section_clauses(db, filters)]
    if wanted:
        candidates = set.intersection(*(words.phrase(one.words) for one in phrases if not one.negated))
        clauses.append(_among("e.id", candidates))
    found = _entries(db, clauses)
    if wanted:
        found = {key for key, texts in _texts(db, found) if all(any(contains(text, one) for text in texts) for one in wanted)}
    for one in phrases:
        if one.negated:
            unwanted = normalised(one.words)
            suspects = found & words.phrase(one.words)
            found -= {key for key, texts in _texts(db, suspects) if any(contains(text, unwanted) for text in texts)}
    return found


def first_sections(db: sqlite3.Connection, filters: Sequence[Filter], ids: Collection[int]) -> dict[int, int]:
    """The position of the first section of each entry that is what the filters ask of sections; none where they ask nothing."""
    together, _ = _on_sections(db, filters)
    if not together:
        return {}
    clauses = [*together, _among("s.entry_id", ids)]
    where = " AND ".join(one.sql for one in clauses)
    parameters = [value for one in clauses for value in one.parameters]
    return dict(db.execute(f"SELECT s.entry_id, min(s.position) FROM sections s WHERE {where} GROUP BY s.entry_id", parameters))


def _entries(db: sqlite3.Connection, clauses: Sequence[_Clause]) -> set[int]:
    where = " AND ".join(one.sql for one in clauses) or "1"
    parameters = [value for one in clauses for value in one.parameters]
    rows = db.execute(f"SELECT e.id FROM entries e JOIN seen d ON d.id = e.document_id WHERE {where}", parameters)
    return {row[0] for row in rows}


def _texts(db: sqlite3.Connection, ids: Collection[int]) -> Iterable[tuple[int, list[str]]]:
    """Per entry its text, each heading and the title, normalised."""
    rows = db.execute(
        "SELECT e.id, e.text, e.headings, d.title FROM json_each(?) j JOIN entries e ON e.id = j.value"
        " JOIN documents d ON d.id = e.document_id",
        (json.dumps(list(ids)),),
    )
    for key, text, headings, title in rows:
        yield key, [normalised(text), normalised(title), *map(normalised, json.loads(headings))]


def _among(column: str, ids: Iterable[int], *, negated: bool = False) -> _Clause:
    return _Clause(f"{column} {'NOT ' if negated else ''}IN (SELECT value FROM json_each(?))", [json.dumps(list(ids))])


def _marks(values: Collection[object]) -> str:
    return "(" + ", ".join("?" * len(values)) + ")"


def _document_clauses(db: sqlite3.Connection, filters: Sequence[Filter], folders: Sequence[str]) -> Iterable[_Clause]:
    if folders:
        tops = [top.rstrip("/") for top in folders]
        # A range instead of LIKE: the index on path serves it, and no character of a folder's name is a wildcard. "0" follows "/".
        yield _Clause(
            "(" + " OR ".join("d.path = ? OR (d.path >= ? AND d.path < ?)" for _ in tops) + ")",
            [value for top in tops for value in (top, top + "/", top + "0")],
        )
    globs = [one for one in filters if isinstance(one, File)]
    if positive := [one for one in globs if not one.negated]:
        yield _among("d.id", {key for one in positive for key in _files(db, one)})
    for one in globs:
        if one.negated:
            yield _among("d.id", _files(db, one), negated=True)
    for kind, column in (("type", "d.format"), ("lang", "d.language")):
        of_kind = [one for one in filters if isinstance(one, Values) and one.kind == kind]
        if positive_values := [value for one in of_kind if not one.negated for value in one.values]:
            yield _Clause(f"{column} IN {_marks(positive_values)}", positive_values)
        if negative_values := [value for one in of_kind if one.negated for value in one.values]:
            yield _Clause(f"{column} NOT IN {_marks(negative_values)}", negative_values)
    modified = [one for one in filters if isinstance(one, DateIs) and one.field == "modified"]
    if positive_dates := [one for one in modified if not one.negated]:
        yield _any_of(_changed(low, high) for low, high in _ranges(positive_dates))
    for date in modified:
        if date.negated:
            clause = _changed(date.low, date.high)
            yield _Clause(f"NOT {clause.sql}", clause.parameters)


def _files(db: sqlite3.Connection, one: File) -> set[int]:
    """Documents whose path matches. The index on path is read with a quick sieve, the rest is matched here."""
    glob = Glob(one.glob, ignore_case=one.ignore_case)
    sieve = glob.literal.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    keys = [row[0] for row in db.execute("SELECT id FROM documents WHERE path LIKE ? ESCAPE '\\'", (f"%{sieve}%",))]
    rows = db.execute("SELECT d.id, d.path, d.folder FROM json_each(?) j JOIN documents d ON d.id = j.value", (json.dumps(keys),))
    return {key for key, path, folder in rows if glob.matches(path, folder)}


def _changed(low: int | None, high: int | None) -> _Clause:
    return _Clause("(d.mtime_ns >= ? AND d.mtime_ns < ?)", [_midnight_ns(low, -_FOREVER_NS), _midnight_ns(high, _FOREVER_NS)])


def _midnight_ns(day: int | None, otherwise: int) -> int:
    """The start of a day in local time."""
    if day is None:
        return otherwise
    if not _EPOCH_DAYS[0] < day < _EPOCH_DAYS[1]:
        return -_FOREVER_NS if day <= _EPOCH_DAYS[0] else _FOREVER_NS
    return int(datetime.fromordinal(day).timestamp()) * 1_000_000_000


def _section_clauses(db: sqlite3.Connection, filters: Sequence[Filter]) -> Iterable[_Clause]:
    together, apart = _on_sections(db, filters)
    yield from (_holding([clause], negated=True) for clause in apart)
    if together:
        yield _holding(together, negated=False)


def _on_sections(db: sqlite3.Connection, filters: Sequence[Filter]) -> tuple[list[_Clause], list[_Clause]]:
    """What one section of an entry must be, all of it, and what no section may be."""
    together: list[_Clause] = []
    apart: list[_Clause] = []
    values: dict[str, list[str]] = defaultdict(list)
    dates: dict[str, list[DateIs]] = defaultdict(list)
    for one in filters:
        clause: _Clause | None = None
        if isinstance(one, Property):
            clause = _property(one)
        elif isinstance(one, Values) and one.kind == "tag":
            clause = _any_of(_tag(value) for value in one.values)
        elif isinstance(one, Values) and one.kind in ("todo", "priority"):
            if not one.negated:
                values[one.kind] += one.values
                continue
            clause = _state(db, one.kind, one.values)
        elif isinstance(one, DateIs) and one.field != "modified":
            if not one.negated:
                dates[one.field].append(one)
                continue
            clause = _dated(one.field, one.low, one.high)
        if clause is not None:
            (apart if one.negated else together).append(clause)
    together += [_state(db, kind, of_kind) for kind, of_kind in values.items()]
    together += [_any_of(_dated(field, low, high) for low, high in _ranges(of_field)) for field, of_field in dates.items()]
    return together, apart


def _holding(clauses: Sequence[_Clause], *, negated: bool) -> _Clause:
    """Entries that have a section on which all clauses hold."""
    where = " AND ".join(one.sql for one in clauses)
    return _Clause(
        f"e.id {'NOT ' if negated else ''}IN (SELECT s.entry_id FROM sections s WHERE s.entry_id IS NOT NULL AND {where})",
        [value for one in clauses for value in one.parameters],
    )


def _any_of(clauses: Iterable[_Clause]) -> _Clause:
    every = list(clauses)
    if not every:
        return _Clause("0")
    return _Clause("(" + " OR ".join(one.sql for one in every) + ")", [value for one in every for value in one.parameters])


def _tag(value: str) -> _Clause:
    return _Clause(
        "s.id IN (SELECT section_id FROM section_values WHERE kind = 'tag' AND folded_key = '' AND folded = ?"
        " UNION ALL SELECT section_id FROM section_values WHERE kind = 'tag' AND folded_key = '' AND folded >= ? AND folded < ?)",
        [value, value + "/", value + "0"],
    )


def _property(one: Property) -> _Clause:
    sql = "s.id IN (SELECT section_id FROM section_values WHERE kind = 'prop' AND folded_key = ?"
    return _Clause(sql + ")", [one.key]) if one.value is None else _Clause(sql + " AND folded = ?)", [one.key, one.value])


def _state(db: sqlite3.Connection, column: str, values: Collection[str]) -> _Clause:
    """`todo` or `priority`. The index keeps them as written, so the few that differ are read first, one step each."""
    if ANY in values:
        return _Clause(f"s.{column} <> ''")
    rows = db.execute(
        f"WITH RECURSIVE seen (value) AS (SELECT min({column}) FROM sections WHERE {column} <> '' UNION ALL SELECT"
        f" (SELECT min({column}) FROM sections WHERE {column} <> '' AND {column} > seen.value) FROM seen WHERE value IS NOT NULL)"
        " SELECT value FROM seen WHERE value IS NOT NULL"
    )
    written = [row[0] for row in rows if row[0].casefold() in values]
    return _Clause(f"(s.{column} <> '' AND s.{column} IN {_marks(written)})", written)


def _ranges(dates: Sequence[DateIs]) -> list[tuple[int | None, int | None]]:
    """Several conditions on one field: those with `:` are alternatives, the comparisons narrow each of them.

    All hold on one and the same date, so that date>=2024 date<2025 is not satisfied by a date before and one after.
    """
    low = max((one.low for one in dates if one.operator != ":" and one.low is not None), default=None)
    high = min((one.high for one in dates if one.operator != ":" and one.high is not None), default=None)
    choices = [(one.low, one.high) for one in dates if one.operator == ":"] or [(None, None)]
    ranges = []
    for first, last in choices:
        lower = low if first is None else first if low is None else max(low, first)
        upper = high if last is None else last if high is None else min(high, last)
        if lower is None or upper is None or lower < upper:
            ranges.append((lower, upper))
    return ranges


def _dated(field: str, low: int | None, high: int | None) -> _Clause:
    """Sections with a date that lies wholly in [low, high); a month that is written as such is all its days."""
    kinds = _DATE_KINDS[field]
    bounds, parameters = "", []
    if low is not None:
        bounds += " AND x.start >= ?"
        parameters.append(low)
    if high is not None:
        bounds += " AND x.start < ? AND x.end <= ?"  # the first for the index
        parameters += [high, high]
    sql = f"s.id IN (SELECT x.section_id FROM section_dates x WHERE x.kind IN {_marks(kinds)}{bounds}"
    return _Clause(sql + ")", [*kinds, *parameters])
