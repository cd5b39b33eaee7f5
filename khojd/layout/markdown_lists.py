"""Ordered lists of Markdown, numbered on from their first number.

A list whose items all have one number is written so on purpose and stays. Where a marker becomes longer or shorter, what follows in
its item moves along with it. Syntax: https://spec.commonmark.org/0.31.2/#list-items
"""

from collections.abc import Sequence

from markdown_it.token import Token
from msgspec import Struct

from khojd.layout import containers
from khojd.layout.containers import Container
from khojd.layout.scope import Scope

MAX_NUMBER = 999_999_999  # CommonMark's nine digits
_MAX_BLANKS = 4  # after a marker; more are code


class _Item(Struct):
    container: Container
    number: str
    new: str
    blanks: int = 0  # columns between the marker and the text
    slack: int | None = None  # how far right of the item's own text the lines stand that follow in it; None without such lines
    shift: int = 0  # of these lines


Items = dict[int, _Item]  # by the identity of their containers


def renumber(lines: Sequence[str], tokens: list[Token], scope: Scope, *, strict: bool) -> dict[int, str]:
    """New texts of lines, by their numbers. `tokens` are markdown-it's of the same lines.

    With `strict` all that follows in an item moves with its marker, else only what is in line with the item's own text.
    """
    found, opened = _lists(tokens)
    lists = [
        items
        for items in found
        if scope.admits(items[0].container.first, items[-1].container.last, (item.container.first for item in items))
    ]
    changed: Items = {}
    for items in lists:
        _number(items)
        if any(item.number != item.new for item in items):
            changed.update((id(item.container), item) for item in items)
    if not changed:
        return {}
    rewriter = _Rewriter(lines, opened, changed)
    rewriter.sweep()
    for items in lists:
        _shift(items, strict=strict)
    return rewriter.sweep()


def _lists(tokens: list[Token]) -> tuple[list[list[_Item]], list[Container]]:
    """The ordered lists with their items, and all containers, both in the order in which they begin."""
    lists: list[list[_Item]] = []
    around: list[list[_Item]] = []
    opened: list[Container] = []
    for token, inside in containers.walk(tokens):
        if token.type == "ordered_list_open":
            around.append([])
            lists.append(around[-1])
        elif token.type == "ordered_list_close":
            around.pop()
        elif token.type in containers.KINDS:
            opened.append(inside[-1])
            if token.info:  # of an ordered list's item its number
                around[-1].append(_Item(inside[-1], token.info, token.info))
    return lists, opened


def _number(items: list[_Item]) -> None:
    numbers = [int(item.number) for item in items]
    if len(set(numbers)) == 1 or numbers[0] + len(items) - 1 > MAX_NUMBER:
        return
    digits = len(items[0].number) if items[0].number.startswith("0") and len(items[0].number) > 1 else 1
    for value, item in enumerate(items, numbers[0]):
        if int(item.number) != value:
            item.new = str(value).zfill(digits)


def _shift(items: list[_Item], *, strict: bool) -> None:
    aligned = len({len(item.number) for item in items}) > 1 and len({item.container.content for item in items}) == 1
    for item in items:
        longer = len(item.new) - len(item.number)
        if not strict and aligned and 1 <= item.blanks - longer <= _MAX_BLANKS:
            item.blanks -= longer  # the text keeps its column
        elif longer and (strict or item.slack is None or item.slack == 0 or item.slack < longer):
            item.shift = longer


class _Rewriter:
    """Goes through the lines with the containers that are open on them."""

    def __init__(self, lines: Sequence[str], opened: list[Container], items: Items) -> None:
        self.lines = lines
        self.opened = opened
        self.items = items
        self.measured = False

    def sweep(self) -> dict[int, str]:
        """The first time the items are measured; the second time gives the new lines."""
        found: dict[int, str] = {}
        around: list[Container] = []
        following = 0
        starts = sorted({line for item in self.items.values() for line in range(item.container.first, item.container.last)})
        for number in starts:
            while following < len(self.opened) and self.opened[following].first <= number:
                around.append(self.opened[following])
                following += 1
            around = [container for container in around if container.last > number]
            new = self.rewrite(self.lines[number], number, around)
            if new != self.lines[number]:
                found[number] = new
        self.measured = True
        return found

    def rewrite(self, line: str, number: int, around: list[Container]) -> str:
        pieces: list[str] = []
        at = shift = 0  # shift: of the blanks at `at`
        for container in around:
            start = containers.blank_end(line, at)
            item = self.items.get(id(container))
            if container.kind == "quote":
                if not line.startswith(">", start):
                    break
                pieces.append(_moved(line[at:start], shift) + ">")
                at, shift = start + 1, 0
            elif container.first < number:
                if start == len(line) or containers.column(line, start) < container.content:
                    break
                if item is not None:
                    slack = containers.column(line, start) - container.content
                    item.slack = slack if item.slack is None else min(item.slack, slack)
                    shift += item.shift
            else:
                end = (containers.marker if container.kind == "item" else containers.label)(line, start)
                if end is None:
                    break
                blanks = self.enter(line, end, container, item)
                sign = line[start:end] if item is None else item.new + line[end - 1]
                pieces.append(_moved(line[at:start], shift) + sign)
                at, shift = end, 0
                if item is not None and containers.blank_end(line, end) < len(line):
                    shift = item.blanks - blanks
        return "".join(pieces) + _moved(line[at : containers.blank_end(line, at)], shift) + line[containers.blank_end(line, at) :]

    def enter(self, line: str, end: int, container: Container, item: _Item | None) -> int:
        """Note at which column the text of an item begins whose marker ends at `end`; how many columns are between them."""
        text = containers.blank_end(line, end)
        blanks = containers.column(line, text) - containers.column(line, end)
        if text == len(line) or blanks > _MAX_BLANKS:
            blanks = 1
        if not self.measured:
            container.content = containers.column(line, end) + blanks if container.kind == "item" else 0
            if item is not None:
                item.blanks = blanks
        return blanks


def _moved(blanks: str, shift: int) -> str:
    """Leading blanks with `shift` spaces more or, where there are as many spaces, less."""
    if shift >= 0:
        return " " * shift + blanks
    return blanks[-shift:] if blanks.startswith(" " * -shift) else blanks
