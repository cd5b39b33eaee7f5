"""The layout of an Org text: its tables and ordered lists."""

import re
from collections.abc import Iterator, Sequence

from khojd.content.lines import LineIndex
from khojd.content.org_lines import LITERAL_BLOCKS, Passage, read_passages
from khojd.layout import org_lists, org_tables
from khojd.layout.scope import Scope

_ROW = re.compile(r"[ \t]*\|")
_DRAWN = re.compile(r"[ \t]*\+-[-+]")  # the border of a table.el table, which has its own rules


def lay_out(lines: Sequence[str], scope: Scope) -> list[str]:
    """The lines, without their line ends, as many, in their new form. Code and comments are fixed lines of the scope."""
    text = "\n".join(lines)
    index = LineIndex(text)
    passages = list(read_passages(text))
    scope = Scope(scope.low, scope.high, _literal(index, passages, scope.fixed))
    found = list(lines)
    for first, last in _tables(lines, scope.fixed):
        if scope.admits(first, last, ()):
            found[first:last] = org_tables.align(lines[first:last])
    if found != lines:  # a row that was indented otherwise may have come into an item
        passages = list(read_passages("\n".join(found)))
    renumbered = org_lists.renumber(found, passages, scope)
    for number, line in renumbered.items():
        found[number] = line
    return found


def _literal(index: LineIndex, passages: Sequence[Passage], fixed: bytearray) -> bytearray:
    """`fixed`, and the lines of blocks that are text as it is written."""
    literal = bytearray(fixed)
    for passage in passages:
        if passage.kind == "block" and passage.name.lower() in LITERAL_BLOCKS:
            first, last = index.line(passage.start), index.line(max(passage.end - 1, passage.start)) + 1
            literal[first:last] = b"\1" * (last - first)
    return literal


def _tables(lines: Sequence[str], literal: bytearray) -> Iterator[tuple[int, int]]:
    """Lines [first, last) of each table, without its formulas."""
    number = 0
    while number < len(lines):
        first = number
        while number < len(lines) and not literal[number] and _ROW.match(lines[number]):
            number += 1
        if number > first and not any(
            _DRAWN.match(line) for line in (*lines[max(first - 1, 0) : first], *lines[number : number + 1])
        ):
            yield first, number
        number = max(number, first + 1)
