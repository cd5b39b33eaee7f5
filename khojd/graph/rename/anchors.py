"""A block id, an Org id or target, or the name of a block that becomes another one: the links to it follow."""

import re

from khojd.content import names, targets
from khojd.content.model import Anchor, ContentSettings
from khojd.content.targets import Target
from khojd.errors import EditError
from khojd.graph.graph import Graph
from khojd.graph.model import Note, Place, Reference
from khojd.graph.rename.plan import Change, Plan, Texts, settled
from khojd.graph.sheet import Sheet
from khojd.graph.spelling import Dress

_ALLOWED = {
    "block": (re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*"), "letters, digits and hyphens"),
    "id": (re.compile(r"[^\s\[\](){}:]+"), "any characters but white space, brackets and colons"),
    "custom_id": (re.compile(r"[^\s\[\](){}#]+"), "any characters but white space, brackets and #"),
    "target": (
        re.compile(r"[^<>\[\]\s](?:[^<>\[\]\r\n]*[^<>\[\]\s])?"),
        "any characters on one line but brackets",
    ),
    "name": (re.compile(r"[^\[\]\s](?:[^\[\]\r\n]*[^\[\]\s])?"), "any characters on one line but square brackets"),
}
_CALLED = {
    "block": "a block id",
    "id": "an id",
    "custom_id": "a custom id",
    "target": "a target",
    "name": "the name of a block",
}


def renamed(graph: Graph, note: Note, anchor: Anchor, name: str, settings: ContentSettings) -> Plan:
    """What changes when `anchor` of a note becomes `name`. Raises EditError where it cannot."""
    texts = Texts(graph, settings)
    sheet = texts.sheet(note.path)
    _check(graph, sheet, anchor, name)
    if anchor.name == name:
        return Plan(())
    graph = graph.over({**graph.sheets, note.path: sheet})
    whole = Place(note.path, "note", note=note)
    graph, references = settled(graph, texts, lambda one: one.backlinks(whole), lambda found: (one.note for one in found))
    changes = {(note.path, anchor.start, anchor.end): Change(sheet, anchor.start, anchor.end, name)}
    for reference in references:
        change = _change(graph, reference, anchor, name, texts.sheet(reference.note.path))
        if change is not None:
            changes[reference.note.path, change.start, change.end] = change
    return Plan(tuple(changes.values()))


def _check(graph: Graph, sheet: Sheet, anchor: Anchor, name: str) -> None:
    if anchor.kind == "radio":
        raise EditError(
            f"<<<{anchor.name}>>> is linked from wherever its words stand in the text: replace them there instead", path=sheet.path
        )
    called = _CALLED[anchor.kind]
    allowed, described = _ALLOWED[anchor.kind]
    if not allowed.fullmatch(name):
        raise EditError(f"{name!r} cannot be {called}: it may have {described}", path=sheet.path, name=name)
    same = {"target", "name"} if anchor.kind in ("target", "name") else {anchor.kind}
    folded = names.fold(name)
    for other in sheet.anchors:
        if other.kind in same and names.fold(other.name) == folded and other.start != anchor.start:
            line = sheet.lines.line(other.start) + 1
            raise EditError(f"{sheet.path} has {called} {name!r} already, in line {line}", path=sheet.path, name=name)
    if anchor.kind == "id" and folded != names.fold(anchor.name):
        taken = graph.follow(Target("id", name), sheet.path)
        if taken.places:
            raise EditError(f"the id {name!r} is taken by a heading of {taken.places[0].path}", path=sheet.path, name=name)


def _change(graph: Graph, reference: Reference, anchor: Anchor, name: str, sheet: Sheet) -> Change | None:
    link, target, place = reference.link, reference.target, reference.place
    spans = targets.spans(link, target)
    span = None
    if target.kind == "id" and anchor.kind in ("id", "block") and names.fold(target.path) == names.fold(anchor.name):
        span = spans.path
    elif place is not None and place.start == anchor.start and place.kind in ("block", "id", "target") and target.anchor:
        span = spans.anchor[-1] if spans.anchor else None
    if span is None:
        return None
    written = Dress(link.kind, sheet.text[span.start : span.end]).dressed(name)
    if written is None:
        raise EditError(f"{name!r} cannot stand in the link {sheet.text[link.start : link.end]!r} of {sheet.path}", path=sheet.path)
    unsure = target.kind == "id" and len(graph.follow(Target("id", anchor.name), sheet.path).places) > 1
    return Change(sheet, span.start, span.end, written, unsure)
