"""What would put a problem of a note right: other text in place of some of it."""

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from khojd.content import names, org, targets
from khojd.content.model import Anchor, Link
from khojd.content.org_headline import DEFAULT_DONE
from khojd.graph import anchors, compose, nearest
from khojd.graph.graph import Graph
from khojd.graph.habit import Habit, in_form
from khojd.graph.model import Place
from khojd.graph.outline import anchor_place, heading_place
from khojd.graph.problems import Problem
from khojd.graph.sheet import Sheet
from khojd.graph.spelling import Dress

MOST = 3
MOST_CANDIDATES = 10
_LOOKED_AT = 30
_SURE = 0.8
_AHEAD = 0.1  # by which the nearest name must be nearer than the next to be the one that is meant

_TODO_LINE = re.compile(r"[ \t]*#\+(?:seq_|typ_)?todo:(.*)", re.IGNORECASE)
_HEAD_LINE = re.compile(r"[ \t]*#(?:\+\w+:|[ \t]|\Z)")


class Repair(Struct, frozen=True):
    """Code points [start, end) become `text`. `sure`: this is most likely what is wanted."""

    title: str
    start: int
    end: int
    text: str
    sure: bool = False


def of(graph: Graph, sheet: Sheet, problem: Problem, habit: Habit) -> list[Repair]:
    """The repairs of a problem, the likeliest first; none for one that only a person can put right."""
    if problem.code in ("broken-link", "broken-anchor", "ambiguous-link"):
        link = link_of(sheet, problem)
        if link is None:
            return [_defined(sheet, problem)] if problem.target.endswith("]: ") else []
        if "\n" in link.target:
            return []
        if problem.code == "broken-link":
            return list(_nearest(graph, sheet, link, habit))
        look = _anchors if problem.code == "broken-anchor" else _candidates
        return list(look(graph, sheet, link, habit))
    if problem.code == "duplicate-id":
        return list(_ids(sheet, problem))
    return list(_keywords(sheet, problem)) if problem.code == "unknown-todo" else []


def _defined(sheet: Sheet, problem: Problem) -> Repair:
    """What an undefined label or footnote needs, at the end of the note."""
    end = len(sheet.text.rstrip())
    before = sheet.newline * 2 if not sheet.line_text(sheet.lines.line(end)).startswith("[") else sheet.newline
    after = "" if sheet.text[end:] else sheet.newline
    return Repair(f"Add {problem.target.rstrip()}", end, end, before + problem.target + after)


def link_of(sheet: Sheet, problem: Problem) -> Link | None:
    """The link that has the problem, its definition where it has one."""
    spans = (problem.start, problem.end)
    return next((one for one in sheet.links if spans in ((one.target_start, one.target_end), (one.start, one.end))), None)


def _nearest(graph: Graph, sheet: Sheet, link: Link, habit: Habit) -> Iterator[Repair]:
    found = graph.resolve(sheet, link)
    target = found.target
    if link.kind in ("wiki", "embed") and habit.swapped and link.text:
        target = next((one for one in targets.read(link) if one.swapped), target)
    span = targets.spans(link, target).path
    if target.kind not in ("name", "path") or span is None:
        return
    near = [one for one in nearest.notes(graph.db, list(names.spellings(target.path))[-1], _LOOKED_AT) if one.path != sheet.path]
    directory = posixpath.dirname(sheet.path)
    near.sort(key=lambda one: (-one.likeness, posixpath.dirname(one.path) != directory, one.path.count("/"), one.path))
    for position, one in enumerate(near[:MOST]):
        note = graph.notes.by_id(one.document_id)
        place = Place(one.path, "note", note=note)
        written = None if note is None else _path(graph, sheet, link, place, habit)
        if written is not None:
            ahead = position == 0 and all(one.likeness - other.likeness >= _AHEAD for other in near[1:2])
            yield Repair(f"Link to {_name(graph, place)}", span.start, span.end, written, one.likeness >= _SURE and ahead)


def _candidates(graph: Graph, sheet: Sheet, link: Link, habit: Habit) -> Iterator[Repair]:
    found = graph.resolve(sheet, link)
    span = targets.spans(link, found.target).path
    if span is None or found.target.kind not in ("name", "path"):
        return
    for place in found.places[:MOST_CANDIDATES]:
        written = _path(graph, sheet, link, Place(place.path, "note", note=place.note), habit)
        if written is not None and written != sheet.text[span.start : span.end]:
            yield Repair(f"Link to {_name(graph, place)}", span.start, span.end, written)


def _path(graph: Graph, sheet: Sheet, link: Link, place: Place, habit: Habit) -> str | None:
    """A note in a link of this kind: what stands there before a `#` or `::`."""
    if link.kind in ("wiki", "embed"):
        return compose.wiki_target(graph, sheet, place, in_form(habit, "wiki"))
    if link.kind in targets.BY_URL:
        return compose.markdown_target(graph, sheet, place, in_form(habit, "markdown"))
    path = posixpath.relpath(place.path, posixpath.dirname(sheet.path))
    if not link.target.strip().startswith(("file:", "file+")) and not path.startswith("../"):
        path = f"./{path}"
    angled = sheet.text[link.target_start - 1 : link.target_start] == "<"
    return Dress(link.kind, link.target, angled).dressed(path)


def _anchors(graph: Graph, sheet: Sheet, link: Link, habit: Habit) -> Iterator[Repair]:
    """The headings (blocks, ids) of the note that is linked to which are nearly called so."""
    found = graph.resolve(sheet, link)
    spans = targets.spans(link, found.target).anchor
    if not spans or not found.places:
        return
    path, note = found.places[0].path, found.places[0].note
    outline = graph.outline(path, note)
    kind = found.target.anchor_kind
    wanted = found.target.anchor.rsplit("#", 1)[-1] if kind == "heading" else found.target.anchor
    places: list[tuple[str, Place]] = []
    if kind in ("heading", "any"):
        places = [(heading.text, heading_place(heading, path, note)) for heading in outline.headings if heading.text]
    kinds = {"block": ("block",), "custom_id": ("custom_id",), "any": ("target", "radio", "name")}.get(kind, ())
    places += [(anchor.name, anchor_place(anchor, path, note)) for anchor in outline.anchors if anchor.kind in kinds]
    near = nearest.among(wanted, places, MOST + 1)
    for position, (likeness, place) in enumerate(near[:MOST]):
        written = _anchor(graph, sheet, link, place, habit)
        ahead = position == 0 and all(likeness - other >= _AHEAD for other, _ in near[1:])
        yield Repair(f"Link to {place.label}", spans[0].start, spans[-1].end, written, likeness >= _SURE and ahead)


def _anchor(graph: Graph, sheet: Sheet, link: Link, place: Place, habit: Habit) -> str:
    if link.kind in ("wiki", "embed"):
        return compose.wiki_anchor(place).lstrip("#").lstrip("^")
    if link.kind in targets.BY_URL:
        whole = compose.markdown_target(graph, sheet, place, in_form(habit, "markdown"))
        return whole.partition("#")[2].lstrip("^")
    return compose.escaped(place.label)


def _ids(sheet: Sheet, problem: Problem) -> Iterator[Repair]:
    anchor = next((one for one in sheet.anchors if (one.start, one.end) == (problem.start, problem.end)), None)
    if anchor is not None:
        yield Repair("Give it a new id", anchor.start, anchor.end, _new_name(sheet, anchor), sure=True)


def _new_name(sheet: Sheet, anchor: Anchor) -> str:
    if anchor.kind == "id" or len(anchor.name) == 36:
        return anchors.new_id()
    taken = {one.name.casefold() for one in sheet.anchors}
    number = 2
    while f"{anchor.name}-{number}".casefold() in taken:
        number += 1
    return f"{anchor.name}-{number}"


def _keywords(sheet: Sheet, problem: Problem) -> Iterator[Repair]:
    known, done = org.keywords(sheet.text, sheet.settings)
    lines = [(number, found) for number in range(len(sheet.lines)) if (found := _TODO_LINE.match(sheet.line_text(number)))]
    lines = [(number, found) for number, found in lines if not _in_block(sheet, sheet.lines.starts[number])]
    title = f"Add {problem.target} to the TODO keywords of this file"
    if lines:
        number, found = lines[-1]
        value = found[1]
        bar = value.find("|")
        cut = bar if bar >= 0 else len(value.rstrip()) - len(value.split()[-1]) if value.split() else len(value)
        at = sheet.lines.starts[number] + found.start(1) + cut
        lead = "" if sheet.text[at - 1] in " \t" else " "
        yield Repair(title, at, at, f"{lead}{problem.target} ")
    else:
        # The line takes the place of the keywords that Emacs knows otherwise, so those that the file uses must be in it.
        used = dict.fromkeys(section.todo for section in sheet.sections if section.todo)
        open_ones = [word for word in ("TODO", *used, problem.target) if word not in (*done, *DEFAULT_DONE)]
        done_ones = ["DONE", *(word for word in used if word in (*done, *DEFAULT_DONE))]
        newline = sheet.newline
        at, open_line = _head_end(sheet)
        words = f"{' '.join(dict.fromkeys(open_ones))} | {' '.join(dict.fromkeys(done_ones))}"
        yield Repair(title, at, at, f"{newline if open_line else ''}#+TODO: {words}{newline}")
    near = nearest.among(problem.target, [(word, word) for word in sorted(known)], 1)
    for _, word in near:
        yield Repair(f"Write {word}", problem.start, problem.end, word)


def _head_end(sheet: Sheet) -> tuple[int, bool]:
    """Where a setting of the file is put, after its first ones; and whether that line is not ended yet."""
    line, drawer = 0, False
    while line < len(sheet.lines):
        text = sheet.line_text(line)
        drawer = drawer or (line == 0 and text.strip().upper() == ":PROPERTIES:")
        if not drawer and not _HEAD_LINE.match(text):
            break
        if drawer and text.strip().upper() == ":END:":
            drawer = False
        line += 1
    if line >= len(sheet.lines):
        return len(sheet.text), bool(sheet.text) and sheet.text[-1] not in "\r\n"
    return sheet.lines.starts[line], False


def _in_block(sheet: Sheet, offset: int) -> bool:
    return any(mark.kind == "code" and mark.start <= offset < mark.end for mark in sheet.marks)


def _name(graph: Graph, place: Place) -> str:
    """The path below its folder, without its suffix."""
    root = graph.notes.root(place.path)
    return names.without_suffix(place.path[len(root) + 1 :] if root else place.path)
