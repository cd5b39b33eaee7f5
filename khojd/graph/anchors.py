"""New names for places that have none: an Org ID, a Markdown block id."""

import re
import uuid
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import NamedTuple

from khojd.content import org_properties
from khojd.content.model import Segment
from khojd.graph.sheet import Sheet

_PLANNING = re.compile(r"[ \t]*(?:(?:SCHEDULED|DEADLINE|CLOSED):[ \t]*[<\[][^\r\n]*)(?:\r\n?|\n|\Z)")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})[\r\n]*")
_OPAQUE = ("code", "frontmatter", "table", "comment", "drawer")


class Insertion(NamedTuple):
    """`text` to put in at `offset`."""

    offset: int
    text: str


class Block(NamedTuple):
    """A paragraph or list item: [start, end) without line ends, and its block id, "" when it has none."""

    start: int
    end: int
    identity: str


def new_id() -> str:
    """An id for an Org heading, as org-id makes them."""
    return str(uuid.uuid4())


def org_id(sheet: Sheet, section: int, identity: str) -> Insertion:
    """What gives a section the property ID: a line in its drawer, or a drawer, as far in as Org would have it."""
    own = sheet.sections[section]
    text, newline = sheet.text, sheet.newline
    if own.heading_segment is None:
        at = org_properties.file_drawer_start(text, len(text)) if text[:1] == ":" else 0
    else:
        at = own.heading_segment.end
        if planning := _PLANNING.match(text, at):
            at = planning.end()
    head = "" if not at or text[at - 1] in "\r\n" else newline
    if org_properties.read_drawer(text, at, len(text)) is not None:
        opening = sheet.lines.line(at)
        indent = _indent(sheet.line_text(opening))
        return Insertion(sheet.lines.starts[opening + 1], f"{indent}{_property(identity)}{newline}")
    near = [sheet.line_text(line) for line in (sheet.lines.line(at) - 1, sheet.lines.line(at)) if 0 <= line < len(sheet.lines)]
    # org-adapt-indentation puts what belongs to a heading below its first letter.
    adapted = " " * (own.level + 1)
    indent = adapted if own.level and any(_indent(line) == adapted for line in near if line.strip()) else ""
    return Insertion(at, f"{head}{indent}:PROPERTIES:{newline}{indent}{_property(identity)}{newline}{indent}:END:{newline}")


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _property(identity: str) -> str:
    return f":ID:       {identity}"  # the width is org-property-format's


def block_id(sheet: Sheet, block: Block) -> tuple[str, Insertion]:
    """A new id for a block, made from its text, so that asking twice gives the same; and what puts it there."""
    taken = {anchor.name for anchor in sheet.anchors}
    text = sheet.text[block.start : block.end]
    for salt in range(len(taken) + 1):
        name = blake2b(f"{salt}{text}".encode("utf-8", "surrogatepass"), digest_size=3).hexdigest()
        if name not in taken:
            break
    return name, Insertion(block.end, f" ^{name}")


def blocks(sheet: Sheet) -> Iterator[Block]:
    """The paragraphs and list items of a Markdown note; code, tables, front matter, headings and rules are none."""
    known = sorted((anchor.start, anchor.name) for anchor in sheet.anchors if anchor.kind == "block")
    opaque = _joined((mark.start, mark.end) for mark in sheet.marks if mark.kind in _OPAQUE)
    headings = {line for one in sheet.sections if one.heading_segment for line in _lines(sheet, one.heading_segment)}
    start = -1
    for line in range(len(sheet.lines) + 1):
        first = sheet.lines.starts[line] if line < len(sheet.lines) else len(sheet.text)
        text = sheet.line_text(line) if line < len(sheet.lines) else ""
        ends = not text.strip() or line in headings or _within(opaque, first) or _RULE.fullmatch(text) is not None
        item = re.match(r"[ \t]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]", text) is not None
        if start >= 0 and (ends or item):
            end = sheet.lines.end(line - 1)
            at = bisect_left(known, (start, ""))
            yield Block(start, end, known[at][1] if at < len(known) and known[at][0] < end else "")
            start = -1
        if start < 0 and not ends:
            start = first


def _lines(sheet: Sheet, heading: Segment) -> range:
    """The lines of a heading: one that is underlined has several."""
    return range(heading.line, sheet.lines.line(max(heading.end - 1, heading.start)) + 1)


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ranges in order, those that overlap made one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _within(spans: list[tuple[int, int]], offset: int) -> bool:
    index = bisect_right(spans, offset, key=lambda span: span[0]) - 1
    return index >= 0 and offset < spans[index][1]
