"""A tag that gets another name, in all notes that have it; those below it (`tag/…`) go with it."""

import re

from khojd.content.markdown_marks import find_tags
from khojd.content.model import ContentSettings, Mark
from khojd.errors import EditError
from khojd.graph import tags
from khojd.graph.graph import Graph
from khojd.graph.rename.plan import Change, Plan, Texts
from khojd.graph.sheet import Sheet

_STRUCTURE = re.compile(r"[,\[\]{}:\"'#|\\]|^[-?&*!>%@`]")
_ORG = re.compile(r"[\w@#%]+")


def renamed(graph: Graph, tag: str, name: str, settings: ContentSettings) -> Plan:
    """What changes when `tag` becomes `name` wherever it stands. Raises EditError where a note cannot have that name as a tag."""
    name = name.strip().removeprefix("#").strip()
    if not name.strip("/") or "\n" in name or "\r" in name:
        raise EditError(f"{name!r} cannot be a tag: it is empty or has a line break", name=name)
    texts = Texts(graph, settings)
    paths = {note.path for id in tags.documents(graph.db, tag) if (note := graph.notes.by_id(id)) is not None}
    changes = []
    for path in sorted(paths | set(graph.sheets)):
        sheet = texts.sheet(path)
        ids = {anchor.start for anchor in sheet.anchors}  # `{#id}` looks like one
        for mark in sheet.marks if tags.may_stand(sheet.text, (tag.casefold(),)) else ():
            if (
                mark.kind == "tag"
                and mark.start not in ids
                and has(mark.value, tag)
                and (change := _change(sheet, mark, tag, name)) is not None
            ):
                changes.append(change)
    return Plan(tuple(changes))


def has(value: str, tag: str) -> bool:
    """Whether a tag is `tag` or below it."""
    return (value + "/").casefold().startswith(tag.casefold() + "/")


def taken(graph: Graph, tag: str, name: str) -> bool:
    """Whether there is another tag `name`, which would become one with `tag`."""
    return name.casefold() != tag.casefold() and bool(tags.documents(graph.db, name.removeprefix("#"), nested=False))


def _change(sheet: Sheet, mark: Mark, tag: str, name: str) -> Change | None:
    end = mark.start + len(tag)
    if sheet.text[mark.start : end].casefold() != tag.casefold():
        return None  # written otherwise than it counts
    whole = name + sheet.text[end : mark.end]
    before = sheet.text[max(mark.start - 2, 0) : mark.start]
    line = sheet.lines.line(mark.start) + 1

    def refused(reason: str) -> EditError:
        return EditError(f"{name!r} cannot be a tag in line {line} of {sheet.path}: {reason}", path=sheet.path, name=name)

    if sheet.format == "org":
        if not _ORG.fullmatch(whole):
            raise refused("Org's tags have letters, digits, _, @, # and %")
    elif before.endswith("[["):
        if re.search(r"[\[\]]", whole):
            raise refused("it has brackets")
    elif not before.endswith("#"):
        spaced = any(char.isspace() for char in sheet.text[mark.start : mark.end])
        if _STRUCTURE.search(whole) or (any(char.isspace() for char in whole) and not spaced):
            raise refused("it has white space, or characters that mean something else there")
    elif [found for _, found in find_tags("#" + whole)] != [whole]:
        raise refused("it has a character that ends a tag, or is a number")
    return Change(sheet, mark.start, end, name)
