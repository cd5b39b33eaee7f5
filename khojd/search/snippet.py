"""The best passage of an entry: whole sentences and lines where they fit, around the words of the query."""

import re
from collections.abc import Callable

from msgspec import Struct

from khojd.content.boundaries import cut_before, is_character_edge, sentences
from khojd.content.model import Segment
from khojd.search.highlight import Analyze, Terms, merged
from khojd.search.types import Place, Range

SNIPPET_CHARACTERS = 300
REGION_CHARACTERS = 4_000  # of a longer text only this much is analysed
_LEAST = 60  # a cut leaves at least this much
_LINE_END = re.compile(r"\r\n?|\n")
_BLANK = re.compile(r"\s*")


class Passage(Struct, frozen=True):
    """A range of the entry's text, and the query's words in it as ranges counted from `start`."""

    start: int
    end: int
    highlights: tuple[tuple[int, int], ...] = ()

    def cut_to(self, start: int) -> "Passage":
        """The passage from `start` on, where it begins before that; highlights before `start` are left out."""
        shift = start - self.start
        if not 0 < shift < self.end - self.start:
            return self
        return Passage(start, self.end, tuple((a - shift, b - shift) for a, b in self.highlights if a >= shift))


def best_passage(
    text: str, terms: Terms, analyze: Analyze, *, near: tuple[int, int] | None = None, limit: int = SNIPPET_CHARACTERS
) -> Passage:
    """The passage of at most `limit` characters with the most of the query's words; within `near` (the best chunk) where given.

    Without a word of the query the passage is the beginning of `near`. No user-perceived character is cut.
    """
    low, high = _region(text, terms, near or (0, len(text)))
    hits = [(start + low, end + low, term) for start, end, term in terms.find(text[low:high], analyze)]
    if not hits:
        return _fitted(text, low, high, limit)
    start, end = _window(text, (low, high), hits, terms, limit)
    passage = _fitted(text, start, end, limit)
    inside = [(a - passage.start, b - passage.start) for a, b, _ in hits if a >= passage.start and b <= passage.end]
    return Passage(passage.start, passage.end, merged(inside))


def place(text: str, segments: tuple[Segment, ...], offset: int, measure: Callable[[str], int], *, end: bool = False) -> Place:
    """Where an offset of the entry's text stands in the file. An `end` belongs to the segment before it."""
    before = 0
    for segment in segments:
        length = segment.end - segment.start
        inside = offset - before
        if inside < length or (inside == length and (end or segment is segments[-1])):
            return _within(text[before:offset], segment, measure)
        before += length
    return Place(0, 0)


def text_range(text: str, segments: tuple[Segment, ...], start: int, end: int, measure: Callable[[str], int]) -> Range:
    """The range in the file of a range of the entry's text."""
    return Range(place(text, segments, start, measure), place(text, segments, end, measure, end=end > start))


def _within(before: str, segment: Segment, measure: Callable[[str], int]) -> Place:
    last = 0
    lines = 0
    for match in _LINE_END.finditer(before):
        last, lines = match.end(), lines + 1
    column = measure(before[last:])
    return Place(segment.line + lines, column if lines else segment.column + column)


def _region(text: str, terms: Terms, near: tuple[int, int]) -> tuple[int, int]:
    """Where to look: all of `near`, or of a long one the part in which most of the query's words occur, roughly."""
    low, high = near
    if high - low <= REGION_CHARACTERS or not terms.weights:
        return low, min(high, low + REGION_CHARACTERS)
    # A stem is mostly the beginning of its word.
    stems = re.compile("|".join(re.escape(term.rstrip("iy") or term) for term in terms.weights), re.IGNORECASE)
    places = [(match.start(), match[0].casefold()) for match in stems.finditer(text, low, high)]
    best, start, at = 0, low, 0
    for index, (offset, _) in enumerate(places):
        while offset - places[at][0] > REGION_CHARACTERS // 2:
            at += 1
        # Distinct words first; the window of places is short, so counting them anew is cheap enough.
        distinct = len({word for _, word in places[at : index + 1][-64:]})
        if distinct > best:
            best, start = distinct, places[at][0]
    start = max(low, start - REGION_CHARACTERS // 8)
    return start, min(high, start + REGION_CHARACTERS)


def _window(text: str, region: tuple[int, int], hits: list[tuple[int, int, str]], terms: Terms, limit: int) -> tuple[int, int]:
    """Consecutive sentences within `limit` that hold the most words; the first such window."""
    low, high = region
    starts = [start for start, _ in sentences(text, low, high)]
    edges = [*starts, high]
    best, chosen = -1.0, (low, high)
    for first, start in enumerate(starts):
        last = first + 1
        while last < len(starts) and edges[last + 1] - start <= limit:
            last += 1
        end = edges[last]
        if end - start > limit:
            # One long sentence: begin shortly before each of its words.
            options = [(max(start, a - limit // 4), end) for a, _, _ in hits if start <= a < end] or [(start, end)]
        else:
            options = [(start, end)]
        for option in options:
            score = _score(hits, option[0], min(option[1], option[0] + limit), terms)
            if score > best:
                best, chosen = score, option
    return chosen


def _score(hits: list[tuple[int, int, str]], start: int, end: int, terms: Terms) -> float:
    """Each word counts once in full, and a little each time again; an early window wins over an equal later one."""
    score = 0.0
    seen: set[str] = set()
    for a, b, term in hits:
        if a >= start and b <= end:
            score += terms.weights[term] * (0.1 if term in seen else 1.0)
            seen.add(term)
    return score


def _fitted(text: str, start: int, end: int, limit: int) -> Passage:
    """`text[start:end]` without blanks at its ends, at most `limit` characters, cut between words."""
    if start and not text[start - 1].isspace():
        start = _forward(text, start, min(end, start + limit // 4))
    blank = _BLANK.match(text, start, end)
    start = blank.end() if blank else start
    if end - start > limit:
        end, _ = cut_before(text, start + min(_LEAST, limit - 1), start + limit)
    while end > start and text[end - 1].isspace():
        end -= 1
    return Passage(start, end)


def _forward(text: str, start: int, end: int) -> int:
    """The first place from `start` on where a word begins; where there is none before `end`, where a character begins."""
    previous = text[start - 1]
    if not (previous.isalnum() and text[start : start + 1].isalnum()) and is_character_edge(text, start):
        return start
    for offset in range(start, end):
        if text[offset].isspace():
            return offset
    return next((offset for offset in range(start, end) if is_character_edge(text, offset)), start)
