"""The quotes, list items and footnotes around the lines of a Markdown text, and what of each line belongs to them."""

import re
from collections.abc import Iterator

from markdown_it.token import Token
from msgspec import Struct

KINDS = {"blockquote_open": "quote", "list_item_open": "item", "footnote_reference_open": "footnote"}
_MARKER = re.compile(r"(?:[-+*]|[0-9]{1,9}[.)])(?=[ \t]|$)")
_LABEL = re.compile(r"\[\^[^\] ]+\]:")
_TAB = 4


class Container(Struct):
    """One open block that others stand in. Lines [first, last); `content` is the column at which its own text starts."""

    kind: str
    first: int
    last: int
    content: int = 0


Open = tuple[Container, ...]


def walk(tokens: list[Token]) -> Iterator[tuple[Token, Open]]:
    """Each token with the containers it stands in, outermost first; one that opens a container stands in that."""
    around: list[Container] = []
    for token in tokens:
        if token.type in KINDS:
            first, last = token.map or (0, 0)
            around.append(Container(KINDS[token.type], first, last))
        yield token, tuple(around)
        if token.nesting < 0 and token.type.replace("_close", "_open") in KINDS:
            around.pop()


def column(line: str, at: int) -> int:
    """The column of a code point, with tab stops of four."""
    if "\t" not in line:
        return at
    found = 0
    for char in line[:at]:
        found += _TAB - found % _TAB if char == "\t" else 1
    return found


def marker(line: str, at: int) -> int | None:
    """Where the list marker at `at` ends; None when there is none."""
    found = _MARKER.match(line, at)
    return found.end() if found else None


def label(line: str, at: int) -> int | None:
    """Where the footnote's label at `at` ends; None when there is none."""
    found = _LABEL.match(line, at)
    return found.end() if found else None


def blank_end(line: str, at: int) -> int:
    while at < len(line) and line[at] in " \t":
        at += 1
    return at


def prefix(line: str, number: int, around: Open) -> int | None:
    """Where the text starts on line `number`, after the signs of its containers and blanks; None for a line that lacks some."""
    at = 0
    for container in around:
        end: int | None = at
        start = blank_end(line, at)
        if container.kind == "quote":
            end = start + 1 if line.startswith(">", start) else None
        elif container.first == number:
            end = (marker if container.kind == "item" else label)(line, start)
        if end is None:
            return None
        at = end
    return blank_end(line, at)
