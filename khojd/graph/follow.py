"""Links to headings and anchors that leave their note: they follow to the new one. Org ids and Logseq's need not."""

import posixpath
from collections.abc import Iterable
from typing import NamedTuple

from khojd.content import targets
from khojd.content.model import Link
from khojd.graph import compose, habit
from khojd.graph.addition import added
from khojd.graph.extract import Cut
from khojd.graph.graph import Graph
from khojd.graph.habit import in_form
from khojd.graph.model import Place, Reference
from khojd.graph.sheet import Sheet


class Change(NamedTuple):
    """Code points [start, end) of the text of `sheet` become `text`."""

    sheet: Sheet
    start: int
    end: int
    text: str


def references(graph: Graph, sheet: Sheet, part: Cut) -> list[Reference]:
    """The links elsewhere, in this note and others, that name a heading or anchor of the part."""
    note = graph.notes.at(sheet.path)
    if note is None:
        return []
    found = []
    for one in graph.backlinks(Place(sheet.path, "note", note=note)):
        leads_in = one.place is not None and one.place.kind != "note" and part.start <= one.place.start < part.end
        inside = one.note.path == sheet.path and part.start <= one.link.start < part.end
        if leads_in and not inside and one.target.kind in ("name", "path", "here"):
            found.append(one)
    return found


def changes(graph: Graph, part: Cut, source: Sheet, target: Sheet, links: Iterable[tuple[Sheet, Link]]) -> list[Change]:
    """What makes `links` lead into the new note, which has the text of `target`. `source` is the note that `part` is cut out of."""
    after, place = added(graph, target)
    found: dict[tuple[str, int], Change] = {}
    for sheet, link in links:
        read = graph.resolve(sheet, link).target
        if read.swapped or (sheet.path == source.path and part.start <= link.target_start < part.end):
            continue
        there = after.outline(target.path, place.note).find(read, target.path, place.note) is not None
        written = _written(after, sheet, link, place, anchored=there)
        if written is not None:
            found[sheet.path, link.target_start] = Change(sheet, link.target_start, link.target_end, written)
    return list(found.values())


def _written(graph: Graph, sheet: Sheet, link: Link, place: Place, *, anchored: bool) -> str | None:
    own = habit.of(graph.db, graph.notes, sheet)
    if link.kind in ("wiki", "embed"):
        path = compose.wiki_target(graph, sheet, place, in_form(own, "wiki"))
        sign = "#"
    elif link.kind in targets.BY_URL:
        path = compose.markdown_target(graph, sheet, place, in_form(own, "markdown"))
        sign = "#"
    elif link.kind == "org":
        relative = posixpath.relpath(place.path, posixpath.dirname(sheet.path))
        path, sign = f"file:{compose.escaped(relative)}", "::"
    else:
        return None
    if path is None or not anchored:
        return path
    target = link.target.strip()
    within = target if sign == "::" and "::" not in target else target.partition(sign)[2]
    return f"{path}{sign}{within}"
