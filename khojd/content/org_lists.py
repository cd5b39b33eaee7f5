"""The items of Org's plain lists.

An item ends before the next line that is indented no more than its bullet, at a heading, or at two blank lines. Blocks count as a
whole, however their contents are indented. Syntax: https://orgmode.org/worg/org-syntax.html#Plain_Lists_and_Items
"""

import re
from collections.abc import Iterable

from khojd.content.lines import LineIndex
from khojd.content.org_lines import LITERAL_BLOCKS, Passage, Range, line_end

_LINE = re.compile(
    r"(?P<heading>\*+ )|(?P<indent>[ \t]*)(?:(?P<bullet>(?:[-+]|[0-9]+[.)]|(?<=[ \t])\*)(?=[ \t]|$))|(?P<solid>\S))?"
)
_TAB = 8


def find_items(text: str, lines: LineIndex, blocks: Iterable[Passage]) -> list[Range]:
    """Each item with its lines and the items in it, in whole lines without blank ones at its end, in the order they end."""
    return _Reader(text, lines, blocks).read()


class _Reader:
    def __init__(self, text: str, lines: LineIndex, blocks: Iterable[Passage]) -> None:
        self.text = text
        self.lines = lines
        self.items: list[Range] = []
        self.open: list[Range] = []  # indentation and start of each item that may go on
        self.last = 0  # start of the last line that is not blank
        self.literal: dict[int, int] = {}  # first line and last line
        self.begins: set[int] = set()
        self.ends: set[int] = set()
        for block in blocks:
            first, last = lines.line(block.start), lines.line(max(block.start, block.end - 1))
            if block.name.lower() in LITERAL_BLOCKS:
                self.literal[first] = last
            else:
                self.begins.add(first)
                self.ends.add(last)

    def read(self) -> list[Range]:
        outside: list[list[Range]] = []  # the items that were open where each block around began
        blanks = number = 0
        while number < len(self.lines):
            start = self.lines.starts[number]
            line = _LINE.match(self.text, start, self.lines.end(number))
            assert line is not None  # the pattern matches everywhere
            if line["heading"]:
                self.close(-1)
            elif line["bullet"] or line["solid"]:
                if number in self.ends and outside:
                    self.close(-1)
                    self.open = outside.pop()
                else:
                    indent = len(line["indent"].expandtabs(_TAB))
                    self.close(indent)
                    if line["bullet"]:
                        self.open.append((indent, start))
                if number in self.begins:
                    outside.append(self.open)
                    self.open = []
            else:
                blanks += 1
                if blanks > 1:
                    self.close(-1)
                number += 1
                continue
            blanks = 0
            number = self.literal.get(number, number)
            self.last = self.lines.starts[number]
            number += 1
        self.close(-1)
        return self.items

    def close(self, indent: int) -> None:
        """End the items whose bullets stand at `indent` or further right."""
        while self.open and self.open[-1][0] >= indent:
            self.items.append((self.open.pop()[1], line_end(self.text, self.last)))
