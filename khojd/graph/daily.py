"""How the daily notes that are there are named and placed: `2024-05-01.md`, `journals/2024_05_01.org`, `daily.2024.05.01.md`."""

from __future__ import annotations

import posixpath
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from khojd.content import names

if TYPE_CHECKING:
    from khojd.graph.graph import Graph

SAMPLE = 400  # of the latest notes with a day in their names

_STEMS = ("%Y-%m-%d", "%Y_%m_%d", "%Y.%m.%d", "%Y%m%d")
_FOLDERS = ("%Y", "%m", "%Y-%m", "%Y_%m", "%d", "%m-%B", "%B")


def habit(graph: Graph, root: str) -> str | None:
    """The pattern of most daily notes of a folder as a template has it: `journals/{date:%Y_%m_%d}.md`. None without any.

    A file counts whose name ends in the day; what stands before must be the same in two notes at least.
    """
    rows = graph.db.execute(
        "SELECT DISTINCT d.path, t.start FROM section_dates t JOIN sections s ON s.id = t.section_id AND s.position = 0"
        " JOIN seen d ON d.id = s.document_id"
        " WHERE t.kind = 'filename' AND t.end = t.start + 1 AND d.path > ? AND d.path < ?"
        " ORDER BY t.start DESC LIMIT ?",
        (root + "/", root + "0", SAMPLE),  # "0" follows "/"
    )
    counted: Counter[tuple[str, bool]] = Counter()
    for path, day in rows:
        found = _pattern(path[len(root) + 1 :], date.fromordinal(day))
        if found is not None:
            counted[found] += 1
    for (pattern, bare), count in counted.most_common():
        if bare or count > 1:
            return pattern
    return None


def of_day(graph: Graph, root: str, day: date) -> str | None:
    """The path of the note whose name is this day and nothing else."""
    ordinal = day.toordinal()
    found = [note.path for note in graph.notes.daily(ordinal, ordinal + 1) if note.path.startswith(root + "/")]
    bare = [path for path in found if (pattern := _pattern(path[len(root) + 1 :], day)) is not None and pattern[1]]
    return bare[0] if bare else None


def _pattern(path: str, day: date) -> tuple[str, bool] | None:
    """The pattern of a path below its folder, and whether the name is the day alone; None where it is no daily note's."""
    directory, name = posixpath.split(path)
    stem = names.stem(name)
    suffix = name[len(stem) :]
    form = next((form for form in _STEMS if stem.endswith(day.strftime(form))), None)
    if form is None:
        return None
    before = stem[: -len(day.strftime(form))]
    if before[-1:].isdigit() or (before and before[-1].isalnum()):
        return None
    parts = [_folder(part, day) for part in directory.split("/")] if directory else []
    return "/".join([*parts, f"{_literal(before)}{{date:{form}}}{_literal(suffix)}"]), not before


def _folder(part: str, day: date) -> str:
    form = next((form for form in _FOLDERS if part == day.strftime(form)), None)
    return f"{{date:{form}}}" if form else _literal(part)


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
