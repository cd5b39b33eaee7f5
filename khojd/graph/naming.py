"""The name of a note among the words at a place of a text."""

from typing import NamedTuple

from khojd.content import names
from khojd.graph.graph import Graph
from khojd.graph.mentions import SHORTEST, Code, inside_link
from khojd.graph.model import Note
from khojd.graph.sheet import Sheet

_WORDS = 10  # before and after the place
_OPAQUE = ("code", "frontmatter", "comment", "drawer", "property", "keyword", "tag")


class Naming(NamedTuple):
    """[start, end) of the text is a name of each of `notes`."""

    start: int
    end: int
    notes: tuple[Note, ...]


def at(graph: Graph, sheet: Sheet, start: int, end: int) -> Naming | None:
    """The longest name of a note among the words around [start, end) of a line; None in code, links, headings and metadata."""
    if not can_link(sheet, start, end) or sheet.heading_at(start):
        return None
    line = sheet.lines.line(start)
    first, last = sheet.lines.starts[line], sheet.lines.end(line)
    if end > last:
        return None
    edges = _edges(sheet.text[first:last])
    starts = [first + low for low, _ in edges if first + low <= start][-_WORDS:]
    ends = [first + high for _, high in edges if first + high >= end][:_WORDS]
    spans = sorted(((low, high) for low in starts for high in ends if low < high), key=lambda span: span[0] - span[1])
    keys = {span: names.fold(sheet.text[span[0] : span[1]]) for span in spans}
    wanted = {key for key in keys.values() if len(key) >= SHORTEST and any(char.isalpha() for char in key)}
    if not wanted:
        return None
    known: dict[str, dict[int, Note]] = {}
    for _, name, note in graph.notes.named(*sorted(wanted)):
        if note.indexed and note.path != sheet.path:
            known.setdefault(names.fold(name), {})[note.id] = note
    for low, high in spans:
        found = known.get(keys[low, high])
        if found and not inside_link(sheet.links, low, high):
            return Naming(low, high, tuple(sorted(found.values(), key=lambda note: note.path)))
    return None


def can_link(sheet: Sheet, start: int, end: int) -> bool:
    """Whether a link can stand at [start, end): a part of the prose that is no link yet."""
    if any(mark.kind in _OPAQUE and mark.start < max(end, start + 1) and start < mark.end for mark in sheet.marks):
        return False
    return not inside_link(sheet.links, start, max(end, start + 1)) and not Code(sheet.text).holds(start)


def _edges(text: str) -> list[tuple[int, int]]:
    """The words of a line; each character is one where words are not parted by spaces."""
    found: list[tuple[int, int]] = []
    for index, char in enumerate(text):
        if not (char.isalnum() or char == "_"):
            continue
        if found and found[-1][1] == index and _spaced(char) and _spaced(text[index - 1]):
            found[-1] = (found[-1][0], index + 1)
        else:
            found.append((index, index + 1))
    return found


def _spaced(char: str) -> bool:
    return not ("\u0e00" <= char <= "\u109f" or "\u2e80" <= char <= "\ud7ff" or char >= "\U00020000")
