"""What is wrong with a note, as far as its text and the link graph tell."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Literal

from msgspec import Struct

from khojd.content import names, org, registry
from khojd.content.dates import filename_date
from khojd.content.model import Link
from khojd.content.org_headline import keyword_like
from khojd.graph import labels
from khojd.graph.graph import Graph
from khojd.graph.model import Place, Resolution
from khojd.graph.sheet import Sheet

Code = Literal[
    "broken-link",
    "broken-anchor",
    "ambiguous-link",
    "duplicate-id",
    "broken-front-matter",
    "unknown-todo",
    "near-duplicate",
    "orphan",
]
CODES: tuple[Code, ...] = Code.__args__  # type: ignore[attr-defined]

_IGNORE = re.compile(r"(?:<!--|%%|^[ \t]*#)[ \t]*khojd-ignore(?::[ \t]*([\w\-, ]*))?", re.MULTILINE)
_LINE = re.compile(r"\(line ([0-9]+)")


class Problem(Struct, frozen=True):
    """`start` and `end` are offsets of the text. `places` are other places that matter: candidates, the same id elsewhere.

    `target` is what a quick fix needs: a broken link's target as written, the nearest keyword.
    """

    code: Code
    start: int
    end: int
    message: str
    places: tuple[Place, ...] = ()
    target: str = ""


def ignored(text: str) -> frozenset[str]:
    """The codes that a comment `khojd-ignore: code, code` in the note switches off for it; all of them without a list."""
    found: set[str] = set()
    for match in _IGNORE.finditer(text):
        listed = {code for code in (match[1] or "").replace(",", " ").split() if code in CODES}
        found |= listed or set(CODES)
    return frozenset(found)


def find(graph: Graph, sheet: Sheet, wanted: Callable[[Code], bool], within: tuple[int, int] | None = None) -> list[Problem]:
    """The problems of a note in the order of its text, or those alone that touch the range `within`.

    Near duplicates are not among them: those are found by meaning.
    """
    without = ignored(sheet.text) if "khojd-ignore" in sheet.text else frozenset()
    low, high = within or (0, len(sheet.text))
    looks = (_front_matter, _keywords, *((_orphan,) if low <= sheet.lines.end(0) else ()))
    others = (problem for look in looks for problem in look(graph, sheet) if problem.start <= high and low <= problem.end)
    all_of_them = chain(_links(graph, sheet, low, high), _labels(sheet, low, high), _ids(graph, sheet, low, high), others)
    found = (one for one in all_of_them if one.code not in without and wanted(one.code))
    return sorted(found, key=lambda problem: (problem.start, problem.end))


def _links(graph: Graph, sheet: Sheet, low: int, high: int) -> Iterator[Problem]:
    seen: set[tuple[int, str]] = set()  # a definition and its uses have one target
    for link in sheet.links:
        if link.start > high or link.end < low:
            continue
        if (link.target_start, link.target) in seen or link.target.startswith(("http:", "https:", "mailto:")):
            continue
        seen.add((link.target_start, link.target))
        problem = _link(link, graph.resolve(sheet, link))
        if problem is not None:
            yield problem


def _labels(sheet: Sheet, low: int, high: int) -> Iterator[Problem]:
    for label in labels.undefined(sheet):
        if label.first <= high and low <= label.last:
            name = sheet.text[label.start : label.end]
            said = f"There is no footnote {_cut(name)}" if label.key[0] == "^" else f"There is no definition of [{_cut(name)}]"
            yield Problem("broken-link", label.start, label.end, said, target=f"[{'^' if label.key[0] == '^' else ''}{name}]: ")


def _link(link: Link, found: Resolution) -> Problem | None:
    start, end = (link.target_start, link.target_end) if link.target_end > link.target_start else (link.start, link.end)
    shown = _cut(link.target)
    if found.status in ("no-note", "refused"):
        kind = "file" if link.kind == "image" else "note"
        said = found.reason[:1].upper() + found.reason[1:200] or f"There is no {kind} {shown!r}"
        return Problem("broken-link", start, end, said, target=link.target)
    if found.status == "no-anchor":
        note = "This note" if found.target.kind == "here" else names.stem(found.places[0].path)
        anchor = _cut(found.target.anchor)
        kind = {"block": "block", "custom_id": "CUSTOM_ID", "any": "target or heading"}.get(found.target.anchor_kind, "heading")
        return Problem("broken-anchor", start, end, f"{note} has no {kind} {anchor!r}", found.places, link.target)
    if found.status == "ambiguous":
        return Problem("ambiguous-link", start, end, f"{shown!r}: {found.reason}", found.places, link.target)
    return None


def _cut(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "…"


def _ids(graph: Graph, sheet: Sheet, low: int, high: int) -> Iterator[Problem]:
    """Ids that stand twice: Org's and Logseq's anywhere, others in this note."""
    counts = Counter((anchor.kind, anchor.name.casefold()) for anchor in sheet.anchors)
    for anchor in sheet.anchors:
        if anchor.kind == "radio" or anchor.start > high or anchor.end < low:
            continue
        places: tuple[Place, ...] = ()
        if anchor.kind == "id" or (anchor.kind == "block" and "-" in anchor.name and len(anchor.name) == 36):
            places = tuple(place for place in graph.places_with_id(anchor.name) if place.path != sheet.path)
        if places:
            yield Problem("duplicate-id", anchor.start, anchor.end, f"The id {anchor.name!r} stands elsewhere, too", places)
        elif counts[anchor.kind, anchor.name.casefold()] > 1:
            yield Problem("duplicate-id", anchor.start, anchor.end, f"The id {anchor.name!r} stands twice in this note")


def _front_matter(graph: Graph, sheet: Sheet) -> Iterator[Problem]:
    del graph
    for note in sheet.parsed.notes:
        if note.startswith("front matter"):
            said = _LINE.search(note)
            line = min(int(said[1]) - 1, len(sheet.lines) - 1) if said else 0
            yield Problem("broken-front-matter", sheet.lines.starts[line], sheet.lines.end(line), note[0].upper() + note[1:])


def _keywords(graph: Graph, sheet: Sheet) -> Iterator[Problem]:
    if sheet.format != "org":
        return
    del graph
    known = frozenset().union(*org.keywords(sheet.text, sheet.settings))
    for section in sheet.sections:
        segment = section.heading_segment
        if segment is None:
            continue
        start = segment.start + section.level
        word = keyword_like(sheet.text[start : segment.end].rstrip("\r\n"), known)
        if word:
            start = sheet.text.index(word, start)
            message = f"{word} looks like a TODO keyword, but neither #+TODO nor content.todo_keywords has it"
            yield Problem("unknown-todo", start, start + len(word), message, target=word)


def _orphan(graph: Graph, sheet: Sheet) -> Iterator[Problem]:
    """A note that neither links to another nor is linked to. A day's note needs no links: its date leads there."""
    if registry.processor(sheet.path).format == "text" or not sheet.text.strip() or not graph.notes.root(sheet.path):
        return
    if filename_date(names.stem(sheet.path)) is not None:
        return
    for link in sheet.links:
        found = graph.resolve(sheet, link)
        if any(place.path != sheet.path for place in found.places):
            return
    note = graph.notes.at(sheet.path)
    if (
        note is None
        or note.unread
        or any(one.note.path != sheet.path for one in graph.each_backlink(Place(sheet.path, "note", note=note)))
    ):
        return
    first = next((one.heading_segment.start for one in sheet.sections if one.heading_segment), 0)
    yield Problem("orphan", first, sheet.lines.end(sheet.lines.line(first)), "No note links here, and this note links to none")
