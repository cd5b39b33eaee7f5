"""Tables of GitHub Flavored Markdown, with their cells padded to the columns' widths.

What a table says stays as it is: cells are neither lost nor cut otherwise than GFM cuts them. A row without a border, which GFM
takes in but people write as a paragraph, and one that can be read in two ways because of a pipe in inline code, stay as written.
Syntax: https://github.github.com/gfm/#tables-extension-
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from markdown_it.token import Token
from msgspec import Struct

from khojd.content.markdown_marks import code_spans
from khojd.layout import containers
from khojd.layout.containers import Open
from khojd.layout.scope import Scope
from khojd.layout.width import width

MIN_WIDTH = 3  # of a column: what every reader takes for a line of dashes
MAX_GROWTH, SMALL = 10, 20_000  # a table that would take more characters than times its own and these stays as it is

_BORDER = re.compile(r"(?<!\\)\|")
_COMMENTS = (("<!--", "-->"), ("%%", "%%"))
_DASHES = re.compile(r"[ \t]*:?-+:?[ \t]*")


class _Row(Struct):
    number: int
    start: int  # where its text starts in its line
    cells: list[str]
    leading: bool
    trailing: bool
    missing: int = 0  # cells to add


def align(lines: Sequence[str], tokens: list[Token], scope: Scope) -> dict[int, str]:
    """New texts of lines, by their numbers. `tokens` are markdown-it's of the same lines."""
    found: dict[int, str] = {}
    for token, around in containers.walk(tokens):
        if token.type == "table_open" and token.map and scope.admits(token.map[0], token.map[1], range(*token.map)):
            found.update(_table(lines, token.map[0], token.map[1], around))
    return found


def _table(lines: Sequence[str], first: int, last: int, around: Open) -> dict[int, str]:
    dashes = _cut(lines[first + 1], first + 1, around)
    if dashes is None or not all(map(_DASHES.fullmatch, dashes.cells)):
        return {}
    columns = len(dashes.cells)
    rows = [row for number in (first, *range(first + 2, last)) if (row := _cut(lines[number], number, around, columns)) is not None]
    if not rows or not (dashes.leading or dashes.trailing or columns > 1):
        return {}
    leading = dashes.leading or any(row.leading for row in rows)
    trailing = dashes.trailing or any(row.trailing or row.missing for row in rows)
    widths = [MIN_WIDTH] * max(columns, *(len(row.cells) for row in rows))
    for row in rows:
        for index, cell in enumerate(row.cells):
            widths[index] = max(widths[index], width(cell))
    if not _fits(lines[first:last], rows, widths):
        return {}
    sides = [_side(cell) for cell in dashes.cells] + [""] * (len(widths) - columns)
    indents = _Indents(lines, rows[0] if rows[0].number == first else dashes, around)
    found = {}
    for row in rows:
        row.cells += [""] * row.missing
        cells = [_padded(cell, size, side) for cell, size, side in zip(row.cells, widths, sides, strict=False)]
        if not leading:
            cells[0] = _padded(row.cells[0], widths[0], "")  # blanks before it could make it code
        found[row.number] = indents.of(row) + _joined(cells, leading, trailing)
    spaced = any(cell != cell.strip(" \t") for cell in dashes.cells) or not (leading and trailing)
    rules = [_rule(size if spaced else size + 2, side) for size, side in zip(widths[:columns], sides, strict=False)]
    found[dashes.number] = indents.of(dashes) + (_joined(rules, leading, trailing) if spaced else "|" + "|".join(rules) + "|")
    return found


def _cut(line: str, number: int, around: Open, columns: int = 0) -> _Row | None:
    """A row; None for one that stays as it is. `columns` are the table's, 0 for its line of dashes."""
    start = containers.prefix(line, number, around)
    if start is None:
        return None
    text = line[start:].rstrip(" \t")
    borders = [found.start() for found in _BORDER.finditer(text)]
    cells, leading, trailing = _split(text, borders)
    if not columns:
        return _Row(number, start, cells, leading, trailing)
    if not borders:
        return None
    missing = max(columns - len(cells), 0)
    opaque = sorted([*code_spans(text), *_comments(text)])
    shown = [at for at in borders if not _within(opaque, at)]
    if len(shown) < len(borders):
        if len(cells) <= columns:
            return None
        cells, leading, trailing = _split(text, shown)
    return _Row(number, start, [cell.strip(" \t") for cell in cells], leading, trailing, missing)


def _comments(text: str) -> Iterator[tuple[int, int]]:
    for opening, closing in _COMMENTS:
        start = text.find(opening)
        while start >= 0 and (close := text.find(closing, start + len(opening))) >= 0:
            yield start, close + len(closing)
            start = text.find(opening, close + len(closing))


def _within(spans: list[tuple[int, int]], at: int) -> bool:
    index = bisect_right(spans, (at, at)) - 1
    return index >= 0 and spans[index][0] <= at < spans[index][1]


def _split(text: str, borders: list[int]) -> tuple[list[str], bool, bool]:
    """The cells between borders, and whether there is one before the first cell and one after the last."""
    cells = [text[low:high] for low, high in zip([0, *(at + 1 for at in borders)], [*borders, len(text)], strict=True)]
    leading = bool(borders) and borders[0] == 0
    trailing = len(borders) > leading and borders[-1] == len(text) - 1
    return cells[leading : len(cells) - trailing], leading, trailing


def _fits(lines: Sequence[str], rows: list[_Row], widths: list[int]) -> bool:
    sums = list(accumulate(widths, initial=0))
    new = sum(sums[size] + 3 * size for size in (len(row.cells) + row.missing for row in rows))
    return new <= SMALL + MAX_GROWTH * sum(map(len, lines))


def _side(cell: str) -> str:
    """How a column is aligned, by its cell in the line of dashes: `l`, `r`, `c`, or "" where it does not say."""
    cell = cell.strip(" \t")
    left, right = cell.startswith(":"), cell.endswith(":")
    return "c" if left and right else "l" if left else "r" if right else ""


def _rule(size: int, side: str) -> str:
    left, right = ":" if side in ("l", "c") else "", ":" if side in ("r", "c") else ""
    return left + "-" * (size - len(left) - len(right)) + right


def _padded(cell: str, size: int, side: str) -> str:
    spaces = size - width(cell)
    before = spaces if side == "r" else spaces // 2 if side == "c" else 0
    return " " * before + cell + " " * (spaces - before)


def _joined(cells: list[str], leading: bool, trailing: bool) -> str:
    row = " | ".join(cells)
    return ("| " if leading else "") + (row + " |" if trailing else row.rstrip(" "))


class _Indents:
    """What stands before the rows: their own, brought to the column of the first where blanks alone do that."""

    def __init__(self, lines: Sequence[str], first: _Row, around: Open) -> None:
        self.lines = lines
        self.column = containers.column(lines[first.number], first.start)
        self.quoted = any(container.kind == "quote" for container in around)

    def of(self, row: _Row) -> str:
        line = self.lines[row.number]
        own = line[: row.start]
        signs = own.rstrip(" \t")
        if containers.column(line, row.start) == self.column or (signs and "\t" in own[len(signs) :]):
            return own
        if signs and not self.quoted:
            return own  # the first row, after the marker of its list item
        return signs + " " * (self.column - containers.column(line, len(signs))) if len(signs) < self.column else own
