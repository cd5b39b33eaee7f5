"""What changed between two versions of a text that differ only within their lines, as small replacements."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from khojd.content.lines import LineIndex

_SPACE = " \t"


class Edit(Struct, frozen=True, array_like=True):
    """Put `text` in place of the code points [start, end). Edits of a text are in order and apart from each other."""

    start: int
    end: int
    text: str


def between(lines: LineIndex, before: Sequence[str], after: Sequence[str]) -> list[Edit]:
    """The edits that make `before` into `after`, which are the same number of lines, without their line ends."""
    found: list[Edit] = []
    for start, old, new in zip(lines.starts, before, after, strict=True):
        if old != new:
            found += (Edit(start + low, start + high, text) for low, high, text in _within(old, new))
    return found


def _within(old: str, new: str) -> Iterator[tuple[int, int, str]]:
    """Runs of blanks that differ one by one; from the first other difference on, one edit."""
    i = j = 0
    while i < len(old) or j < len(new):
        blank_i, blank_j = _blank_end(old, i), _blank_end(new, j)
        if blank_i >= len(old) or blank_j >= len(new):
            same_rest = blank_i >= len(old) and blank_j >= len(new)
        else:
            same_rest = old[blank_i] == new[blank_j]
        if not same_rest:
            yield from _trimmed(old, range(i, len(old)), new, range(j, len(new)))
            return
        yield from _trimmed(old, range(i, blank_i), new, range(j, blank_j))
        i, j = blank_i + 1, blank_j + 1


def _trimmed(old: str, before: range, new: str, after: range) -> Iterator[tuple[int, int, str]]:
    """One edit that makes a range of `old` into one of `new`, without what both start or end with."""
    i, stop, j, last = before.start, before.stop, after.start, after.stop
    while stop > i and last > j and old[stop - 1] == new[last - 1]:
        stop, last = stop - 1, last - 1
    while i < stop and j < last and old[i] == new[j]:
        i, j = i + 1, j + 1
    if i < stop or j < last:
        yield i, stop, new[j:last]


def _blank_end(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at
