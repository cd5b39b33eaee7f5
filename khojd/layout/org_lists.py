"""Ordered lists of Org, numbered from one or from their counters, as `org-list-repair` does it.

A list in which not every item has a number stays as it is. What is in line with an item's own text moves along when its number
becomes longer or shorter, but not where the item holds code: all that is indented more than the number is in the item anyway.
"""

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from khojd.content.lines import LineIndex
from khojd.content.org_lines import Passage
from khojd.content.org_lists import find_items
from khojd.layout.scope import Scope

_BULLET = re.compile(r"([ \t]*)(?:([0-9]+)[.)]|[^ \t]+)([ \t]*)(?:\[@(?:start:)?([0-9]{1,9}|[A-Za-z])\])?")
_MAX_DIGITS = 9
_TAB = 8


class _Item(Struct):
    first: int  # lines [first, last)
    last: int
    indent: str
    number: str  # "" for a bullet
    text: int  # column of its text
    counter: str | None
    shift: int = 0  # of the lines that follow in it


def renumber(lines: Sequence[str], passages: Sequence[Passage], scope: Scope) -> dict[int, str]:
    """New texts of lines, by their numbers. The passages are those of the lines, joined with LF."""
    items = _items(lines, passages)
    numbers: dict[int, str] = {}
    for siblings in _lists(items, lines):
        if scope.admits(siblings[0].first, siblings[-1].last, ()) and all(0 < len(item.number) <= _MAX_DIGITS for item in siblings):
            numbers.update(_numbers(siblings))
    shifts = [0] * len(lines)
    for item in items:
        if new := numbers.get(item.first):
            item.shift = len(new) - len(item.number)
        if item.shift and _in_line(item, lines) and not any(scope.fixed[item.first : item.last]):
            for number in range(item.first + 1, item.last):
                shifts[number] += item.shift
    found: dict[int, str] = {}
    for item in items:
        if new := numbers.get(item.first):
            at = len(item.indent)
            found[item.first] = item.indent + new + lines[item.first][at + len(item.number) :]
    for number, shift in enumerate(shifts):
        if shift and lines[number].strip(" \t"):
            found[number] = _moved(found.get(number, lines[number]), shift)
    return found


def _items(lines: Sequence[str], passages: Sequence[Passage]) -> list[_Item]:
    """The items by their first lines."""
    text = "\n".join(lines)
    index = LineIndex(text)
    items = []
    for start, end in sorted(find_items(text, index, [passage for passage in passages if passage.kind == "block"])):
        first = index.line(start)
        bullet = _BULLET.match(lines[first])
        assert bullet is not None  # what is an item has a bullet
        column = len(lines[first][: bullet.end(3)].expandtabs(_TAB))
        items.append(_Item(first, index.line(end - 1) + 1, bullet[1], bullet[2] or "", column, bullet[4]))
    return items


def _lists(items: list[_Item], lines: Sequence[str]) -> Iterator[list[_Item]]:
    """Items that follow each other at one indentation."""
    open_lists: list[list[_Item]] = []  # at each depth the one that may go on
    for item in items:
        while len(open_lists) > 1 and open_lists[-2][-1].last <= item.first:
            yield open_lists.pop()
        if open_lists and open_lists[-1][-1].last > item.first:
            open_lists.append([item])
        elif open_lists and _follows(item, open_lists[-1][-1], lines):
            open_lists[-1].append(item)
        else:
            if open_lists:
                yield open_lists.pop()
            open_lists.append([item])
    yield from reversed(open_lists)


def _follows(item: _Item, before: _Item, lines: Sequence[str]) -> bool:
    between = lines[before.last : item.first]
    return item.indent == before.indent and len(between) <= 1 and not any(line.strip(" \t") for line in between)


def _numbers(items: list[_Item]) -> Iterator[tuple[int, str]]:
    """First lines of items and their new numbers, where those change."""
    value = 0
    for item in items:
        value = int(item.counter) if item.counter and item.counter.isdigit() else value + 1
        if str(value) != item.number:
            yield item.first, str(value)


def _in_line(item: _Item, lines: Sequence[str]) -> bool:
    """Whether the leftmost line that follows in an item stands below its text, with spaces before it."""
    following = [line for line in lines[item.first + 1 : item.last] if line.strip(" \t")]
    return (
        bool(following)
        and min(len(line) - len(line.lstrip(" ")) for line in following) == item.text
        and not any(line.lstrip(" ").startswith("\t") for line in following)
    )


def _moved(line: str, shift: int) -> str:
    return " " * shift + line if shift > 0 else line[-shift:]
