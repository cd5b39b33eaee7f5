"""Org timestamps and planning lines as half-open ranges of days.

Syntax: https://orgmode.org/worg/org-syntax.html#Timestamps and #Planning. The stamps are found here, where their offsets are
known; orgparse reads their days, once for each distinct day or range.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from orgparse.date import OrgDate

from khojd.content.model import DateRef

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_REST = r"(?:[ \t][^<>\[\]\r\n]*)?"  # day name, time, repeater, warning; no bracket, so an unclosed stamp ends at the next one
_ACTIVE = rf"<({_DAY}){_REST}>(?:--?-?<({_DAY}){_REST}>)?"
_INACTIVE = rf"\[({_DAY}){_REST}\](?:--?-?\[({_DAY}){_REST}\])?"
# Two searches, each for one character, are five times as fast as one for either.
_STAMPS = (("timestamp", re.compile(_ACTIVE)), ("inactive", re.compile(_INACTIVE)))
_PLANNING_LINE = re.compile(r"[ \t]*(?:SCHEDULED|DEADLINE|CLOSED):[^\r\n]*(?:\r\n?|\n|\Z)")
_PLANNED = re.compile(
    rf"[ \t]*(SCHEDULED|DEADLINE|CLOSED):[ \t]*(?:({_ACTIVE}|{_INACTIVE})|<%%[^>\r\n]*>)[ \t]*"
)  # fmt: skip


class Stamp(NamedTuple):
    """A time stamp's range in the text, with its brackets, and its days."""

    start: int
    end: int
    date: DateRef


def find_stamps(text: str) -> list[Stamp]:
    """The active (`timestamp`) and inactive (`inactive`) stamps in the order they stand; impossible days are passed over."""
    found = []
    for kind, pattern in _STAMPS:
        for match in pattern.finditer(text):
            if days := _days(match[1], match[2]):
                found.append(Stamp(*match.span(), DateRef(kind, *days)))
    found.sort()
    return found


def first_day(text: str) -> tuple[int, int] | None:
    """The days of a value that starts with a stamp or a bare ISO day, as in `#+DATE:`; None when it does not."""
    match = re.match(rf"[<\[]?({_DAY})(?![0-9])", text)
    return _days(match[1], None) if match else None


class Planning(NamedTuple):
    """A planning line."""

    dates: tuple[DateRef, ...]
    stop: int  # offset after its last stamp
    end: int  # offset after the line
    bare: bool  # nothing but planning that was understood: the line need not be kept as text


def read_planning(text: str, start: int) -> Planning | None:
    """The planning line at `start` (a line start); None when it does not begin with a planning keyword and a stamp."""
    line = _PLANNING_LINE.match(text, start)
    if line is None:
        return None
    dates: list[DateRef] = []
    stop, understood = start, True
    while planned := _PLANNED.match(text, stop, line.end()):
        keyword, stamp = planned[1].lower(), planned[2]
        refs = [DateRef(keyword, ref.start, ref.end) for _, _, ref in find_stamps(stamp or "")]
        dates += refs
        understood = understood and bool(refs or not stamp)
        stop = planned.end()
    if stop == start:
        return None
    return Planning(tuple(dates), stop, line.end(), understood and not text[stop : line.end()].strip())


@lru_cache(maxsize=16_384)
def _days(first: str, last: str | None) -> tuple[int, int] | None:
    """Half-open range of ordinals, the earlier day first; None when a day never was (`2024-02-30`)."""
    try:
        stamp = OrgDate.list_from_str(f"<{first}>--<{last}>" if last else f"<{first}>")[0]
    except ValueError:
        return None
    start = stamp.start.toordinal()
    end = stamp.end.toordinal() if stamp.has_end() else start
    return min(start, end), max(start, end) + 1
