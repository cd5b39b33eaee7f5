"""Org tables, aligned as Emacs does it (`org-table-align` of Org 9.5, its defaults).

Columns of numbers go to the right, others to the left, `<l>`, `<c>` and `<r>` say otherwise; nothing is shortened. Of a link only
the part that Org shows takes room.
"""

import re
from collections.abc import Iterator, Sequence

from khojd.layout.markdown_tables import MAX_GROWTH, SMALL
from khojd.layout.width import width

_RULE = re.compile(r"[ \t]*\|-")
_SAFE_RULE = re.compile(r"[ \t]*\|-[-+| \t:]*")  # Org would drop what else such a line holds
_COOKIE = re.compile(r"<([lrc])[0-9]*>")
_TARGET = re.compile(r"\[\[((?:[^\]\[\\]|\\.)+)\]")
# What Org takes for a number, `org-table-number-regexp` by default.
_NUMBER = re.compile(
    r"[<>]?[-+^.0-9]*[0-9][-+^.0-9eEdDx()%:]*|[<>]?[-+]?0x[0-9a-f.]+|[<>]?[-+]?[0-9]+#[0-9a-z.]+|nan|[-+u]?inf", re.IGNORECASE
)
_SHARE = 0.5  # of a column's cells that must be numbers to align it to the right, `org-table-number-fraction`
Column = tuple[int, str]


def align(lines: Sequence[str]) -> list[str]:
    """The adjacent lines of one table, without its formulas. One in which something would be lost is given back as it is."""
    rules = [_RULE.match(line) is not None for line in lines]
    if any(rule and not _SAFE_RULE.fullmatch(line) for line, rule in zip(lines, rules, strict=True)):
        return list(lines)
    rows = [[] if rule else _cells(line) for line, rule in zip(lines, rules, strict=True)]
    if not _fits(lines, 4 * max(map(len, rows))):
        return list(lines)
    columns = list(_columns([row for row, rule in zip(rows, rules, strict=True) if not rule]))
    if all(rules):
        columns = [(1, "l")] * (lines[0].count("+") + 1)
    if not columns or not _fits(lines, sum(wide + 3 for wide, _ in columns)):
        return list(lines)
    indent = lines[0][: lines[0].index("|")]
    dashes = "+".join("-" * (wide + 2) for wide, _ in columns)
    empty = [""] * len(columns)
    return [
        f"{indent}|{dashes if rule else '|'.join(map(_padded, (row + empty)[: len(columns)], columns))}|"
        for row, rule in zip(rows, rules, strict=True)
    ]


def _fits(lines: Sequence[str], size: int) -> bool:
    return size * len(lines) <= SMALL + MAX_GROWTH * sum(map(len, lines))


def _cells(line: str) -> list[str]:
    cells = [cell.strip(" \t") for cell in line.split("|")[1:]]
    return cells[:-1] if not cells[-1] else cells


def _columns(rows: list[list[str]]) -> Iterator[Column]:
    """Width and side of each column."""
    for index in range(max(map(len, rows), default=0)):
        cells = [row[index] for row in rows if index < len(row) and row[index]]
        cookie = next(filter(None, map(_COOKIE.fullmatch, cells)), None)
        numbers = sum(_NUMBER.fullmatch(cell) is not None for cell in cells)
        side = cookie[1] if cookie else "r" if numbers >= _SHARE * len(cells) else "l"
        yield max(map(_shown, cells), default=1) or 1, side


def _shown(cell: str) -> int:
    """Columns of what Org shows of a cell: of `[[target][text]]` the text, of `[[target]]` the target."""
    if "[[" not in cell:
        return width(cell)
    pieces = []
    at = close = 0
    for found in _TARGET.finditer(cell):
        start, end = found.start(), found.end()
        if start < at:
            continue
        if cell.startswith("]", end):
            pieces += [cell[at:start], found[1]]
            at = end + 1
        elif cell.startswith("[", end):
            if close < end + 2:
                close = cell.find("]]", end + 2)
            if close < 0:
                break
            pieces += [cell[at:start], cell[end + 1 : close]]
            at = close + 2
    return width("".join(pieces) + cell[at:])


def _padded(cell: str, column: Column) -> str:
    wide, side = column
    spaces = wide - _shown(cell)
    before = spaces if side == "r" else spaces // 2 if side == "c" else 0
    return " " * (before + 1) + cell + " " * (spaces - before + 1)
