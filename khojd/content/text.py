"""Plain text: paragraphs, with their lines.

Every text that no other processor reads comes here. It has no headings, so the root is empty and its children are runs of
paragraphs small enough that the entries module can join them up to its budget. A paragraph longer than an entry (a log, a table) is
cut at lines.
"""

from collections.abc import Iterator
from itertools import pairwise

from khojd.content.lines import LineIndex
from khojd.content.model import ContentSettings, Parsed, Section, Segment, Span

_LONG = 4  # a paragraph over this many code points per token of the budget is cut at its lines


def parse(text: str, settings: ContentSettings) -> Parsed:
    """The paragraphs of a text, as sections without a heading under an empty root. A text of one run is the root itself."""
    lines = LineIndex(text)
    runs = _runs(text, lines, settings.entry_tokens)
    whole = Span(0, len(text))
    if len(runs) <= 1:
        return Parsed(title="", sections=(Section(-1, 0, "", whole, None, tuple(_segment(lines, *run) for run in runs)),))
    root = Section(parent=-1, level=0, heading="", span=whole, heading_segment=None, segments=())
    sections = [
        Section(parent=0, level=1, heading="", span=Span(start, end), heading_segment=None, segments=(_segment(lines, start, end),))
        for start, end in runs
    ]
    return Parsed(title="", sections=(root, *sections))


def _segment(lines: LineIndex, start: int, end: int) -> Segment:
    return Segment(start, end, *lines.place(start))


def _runs(text: str, lines: LineIndex, size: int) -> list[tuple[int, int]]:
    """Runs of paragraphs of up to `size` code points, from the first line of one to the start of the next."""
    starts: list[int] = []
    for start, end in _paragraphs(text, lines):
        starts.append(start)
        if end - start > size * _LONG:
            starts.extend(_line_starts(lines, start, end, size))
    runs: list[tuple[int, int]] = []
    for start, end in pairwise([*starts, len(text)]):
        if runs and end - runs[-1][0] <= size:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def _paragraphs(text: str, lines: LineIndex) -> Iterator[tuple[int, int]]:
    """Ranges of lines between blank ones."""
    first: int | None = None
    for start, end in pairwise([*lines.starts, len(text)]):
        if not text[start:end].strip():
            if first is not None:
                yield first, start
            first = None
        elif first is None:
            first = start
    if first is not None:
        yield first, len(text)


def _line_starts(lines: LineIndex, start: int, end: int, size: int) -> list[int]:
    """Starts of lines that cut a long paragraph into runs of up to `size` code points where its lines allow."""
    cuts: list[int] = []
    low = start
    line = lines.line(start) + 1
    while line < len(lines) and lines.starts[line] < end:
        following = lines.starts[line + 1] if line + 1 < len(lines) else end
        if min(following, end) - low > size:
            low = lines.starts[line]
            cuts.append(low)
        line += 1
    return cuts
