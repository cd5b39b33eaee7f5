"""Which part of a note a passage is: whole entries where they are small, else whole paragraphs around what was found."""

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise, takewhile

from msgspec.structs import replace

from khojd.chat.model import Passage
from khojd.content.boundaries import cut_before, paragraphs

WHOLE = 1200  # characters: an entry up to this goes in whole
AROUND = 900  # characters that a passage of a longer one is widened to
LONGEST = 2400  # characters: neighbours are joined up to this
_MARGIN = 4000  # characters on each side that are looked through for paragraphs
_BLANK = re.compile(r"\s*")


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The range without blank lines at its start and blanks at its end; the indent of its first line stays."""
    blank = _BLANK.match(text, start, end)
    first = blank.end() if blank else start
    line = max(text.rfind("\n", start, first), text.rfind("\r", start, first)) + 1
    while end > first and text[end - 1].isspace():
        end -= 1
    return (max(line, start), end) if end > first else (start, start)


def widened(text: str, inner: tuple[int, int], outer: tuple[int, int]) -> tuple[int, int]:
    """The entry `outer` whole when it is small, else whole paragraphs around `inner`, some AROUND characters long.

    A paragraph that is longer is not cut where it holds `inner`, but for a monster: of that the neighbourhood is taken.
    """
    start, end = outer
    if end - start <= WHOLE:
        return trimmed(text, start, end)
    low, high = max(start, inner[0] - _MARGIN), min(end, inner[1] + _MARGIN)
    edges = [low + at for at, _ in paragraphs(text[low:high])] + [high]
    pieces = list(pairwise(edges))
    inside = [at for at, (a, b) in enumerate(pieces) if b > inner[0] and a < max(inner[1], inner[0] + 1)] or [len(pieces) - 1]
    first, last = inside[0], inside[-1]
    if edges[last + 1] - edges[first] > LONGEST:
        return trimmed(text, *_cut(text, inner, (edges[first], edges[last + 1])))
    while True:
        size = edges[last + 1] - edges[first]
        before = edges[first] - edges[first - 1] if first else AROUND
        after = edges[last + 2] - edges[last + 1] if last + 2 < len(edges) else AROUND
        if min(before, after) + size > AROUND:
            return trimmed(text, edges[first], edges[last + 1])
        if after <= before:
            last += 1
        else:
            first -= 1


def _cut(text: str, inner: tuple[int, int], outer: tuple[int, int]) -> tuple[int, int]:
    """Some AROUND characters of `outer` with all of `inner` (held to LONGEST), cut between words."""
    start, end = outer
    if inner[0] - AROUND // 4 > start:
        start, _ = cut_before(text, inner[0] - AROUND // 4, inner[0])
    last = min(max(inner[1], inner[0] + AROUND), inner[0] + LONGEST)
    if last < end:
        end, _ = cut_before(text, max(inner[0], last - AROUND // 4), last) if last > inner[1] else (last, 0)
    return start, end


def piece(text: str, whole: Passage, start: int, end: int) -> Passage:
    """`whole` with another range of its file, whose text is `text`."""
    return replace(whole, start=start, end=end, text=text[start:end], line=line_of(text, start))


def line_of(text: str, offset: int) -> int:
    """The 0-based line of an offset."""
    if "\r" not in text:
        return text.count("\n", 0, offset)
    return len(re.findall(r"\r\n|\r|\n", text[:offset])) - (text[offset - 1 : offset + 1] == "\r\n")


def joined(texts: Mapping[str, str], passages: Iterable[Passage], *, longest: int = LONGEST) -> list[Passage]:
    """Passages of one note that overlap or follow one another become one, at the place of the better one; best first, as given.

    Overlapping ones are always joined, neighbours only up to `longest` characters. `texts` are the notes' texts by path.
    """
    found: list[Passage] = []
    for new in passages:
        one = new
        at = len(found)
        while (near := next((i for i, other in enumerate(found) if _meet(texts[one.path], other, one, longest)), None)) is not None:
            other = found.pop(near)
            at = min(at, near)
            one = _union(texts[one.path], other, one)
        found.insert(min(at, len(found)), one)
    return found


def _meet(text: str, one: Passage, other: Passage, longest: int) -> bool:
    if one.path != other.path:
        return False
    first, second = (one, other) if one.start <= other.start else (other, one)
    if second.start < first.end:
        return True
    return max(second.end, first.end) - first.start <= longest and not text[first.end : second.start].strip()


def _union(text: str, better: Passage, other: Passage) -> Passage:
    start, end = min(better.start, other.start), max(better.end, other.end)
    if (start, end) == (better.start, better.end):
        return better
    shared = tuple(a for a, b in takewhile(lambda pair: pair[0] == pair[1], zip(better.headings, other.headings, strict=False)))
    return piece(text, replace(better, score=max(better.score, other.score), headings=shared), start, end)
