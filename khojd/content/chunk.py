"""Entries to chunks: ranges of an entry's text that a model takes in whole, together with the context each of them carries.

A text is cut at paragraphs; a paragraph that is too long at sentences and lines; those at words; a word at characters. The pieces
are then packed: each step cuts at the strongest boundary near the size that makes the remaining chunks even, so that no small rest
is left over. Counting is what costs, so each piece is counted once, long runs of words in pieces of about an eighth of the budget,
and each chunk once more as the model will see it.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from math import ceil
from typing import NamedTuple

from khojd.content.boundaries import HEADING, cut_before, paragraphs, sentences
from khojd.content.model import Span

Counter = Callable[[str], int]

CHARACTERS_PER_TOKEN = 32  # a chunk is no longer than this times its tokens, whatever a tokenizer makes of a very long "word"
_PIECES = 8  # pieces the budget is divided into where only words are left to cut at
_SEPARATOR = "\n\n"


class Piece(NamedTuple):
    """A range that fits the budget, its cost, and how good it is to cut before it."""

    start: int
    end: int
    tokens: int
    strength: int


def context(title: str, headings: Sequence[str], *, count: Counter | None = None, max_tokens: int = 0) -> str:
    """What a chunk carries besides its text: the explicit title and the heading path, one a line.

    With `count` and `max_tokens` it takes no more than half of `max_tokens`: headings are left out from the top (the title first),
    and the nearest one is shortened when it alone is too long.
    """
    lines: list[str] = []
    for written in (title, *headings):
        line = " ".join(written.split())
        if line and (not lines or lines[-1].casefold() != line.casefold()):
            lines.append(line)
    if count is None:
        return "\n".join(lines)
    room = max_tokens // 2
    while lines and count("\n".join(lines) + _SEPARATOR) > room:
        if len(lines) == 1:
            return _shortened(lines[0], count, room)
        del lines[0]
    return "\n".join(lines)


def compiled(prefix: str, text: str) -> str:
    """What the model sees of a chunk: its context, a blank line, its text."""
    return f"{prefix}{_SEPARATOR}{text}" if prefix and text else prefix or text


def split(text: str, *, prefix: str, count: Counter, max_tokens: int) -> list[Span]:
    """Ranges of `text` in order, without overlap, which cover all that is not blank.

    `count(compiled(prefix, text[start:end])) <= max_tokens` holds for each, unless one character alone is more. A text that is
    blank has one empty range when there is a prefix, so that a heading alone is embedded too. Raises ValueError when the prefix
    leaves no room: `context` with `count` and `max_tokens` gives one that does.
    """
    if not text or text.isspace():
        return [Span(0, 0)] if prefix else []
    budget = max_tokens - (count(prefix + _SEPARATOR) if prefix else 0)
    if budget < 1:
        raise ValueError(f"the context takes all of {max_tokens} tokens; shorten it with context(count=…, max_tokens=…)")
    return _Splitter(text, prefix, count, max_tokens, budget).spans()


def _shortened(line: str, count: Counter, room: int) -> str:
    low, high = 0, min(len(line), room * CHARACTERS_PER_TOKEN)
    while low < high:
        middle = (low + high + 1) // 2
        if count(line[:middle] + _SEPARATOR) <= room:
            low = middle
        else:
            high = middle - 1
    return line[:low].rstrip()


class _Splitter:
    def __init__(self, text: str, prefix: str, count: Counter, max_tokens: int, budget: int) -> None:
        self.text = text
        self.prefix = prefix
        self.count = count
        self.max_tokens = max_tokens
        self.budget = budget
        self.longest = max_tokens * CHARACTERS_PER_TOKEN

    def spans(self) -> list[Span]:
        start, end = self._stripped(0, len(self.text))
        if self._fits(start, end):
            return [Span(start, end)]
        pieces = self._pieces()
        spans: list[Span] = []
        for first, last in _packed(pieces, self.budget, self.longest):
            self._append(spans, pieces[first].start, pieces[last - 1].end)
        return spans

    def _append(self, spans: list[Span], start: int, end: int) -> None:
        """Add the range, halved as often as needed: counts of pieces need not add up to the count of the whole."""
        waiting = [(start, end)]
        while waiting:
            start, end = self._stripped(*waiting.pop())
            if start == end:
                continue
            if end - start == 1 or self._fits(start, end):
                spans.append(Span(start, end))
                continue
            cut, _ = cut_before(self.text, start + (end - start) // 4, start + (end - start + 1) // 2)
            waiting += [(cut, end), (start, cut)]

    def _fits(self, start: int, end: int) -> bool:
        return end - start <= self.longest and self.count(compiled(self.prefix, self.text[start:end])) <= self.max_tokens

    def _stripped(self, start: int, end: int) -> tuple[int, int]:
        piece = self.text[start:end]
        inner = piece.strip()
        if not inner:
            return start, start
        start += len(piece) - len(piece.lstrip())
        return start, start + len(inner)

    def _pieces(self) -> list[Piece]:
        pieces: list[Piece] = []
        starts = paragraphs(self.text)
        for (start, strength), end in zip(starts, [*(start for start, _ in starts[1:]), len(self.text)], strict=True):
            tokens = self._tokens(start, end)
            if tokens is not None:
                pieces.append(Piece(start, end, tokens, strength))
            else:
                self._add_sentences(pieces, start, end, strength)
        return pieces

    def _tokens(self, start: int, end: int) -> int | None:
        """The tokens of a range, None when it is over the budget."""
        if end - start > self.longest:
            return None
        tokens = self.count(self.text[start:end])
        return tokens if tokens <= self.budget else None

    def _add_sentences(self, pieces: list[Piece], start: int, end: int, strength: int) -> None:
        starts = sentences(self.text, start, end)
        for (low, own), high in zip(starts, [*(first for first, _ in starts[1:]), end], strict=True):
            tokens = self._tokens(low, high)
            cut = own if low > start else strength
            if tokens is not None:
                pieces.append(Piece(low, high, tokens, cut))
            else:
                self._add_words(pieces, low, high, cut)

    def _add_words(self, pieces: list[Piece], start: int, end: int, strength: int) -> None:
        """Pieces of about an eighth of the budget, cut between words where there are any."""
        sample = self.text[start : min(start + self.longest, end)]
        size = max(len(sample) * self.budget // (max(self.count(sample), 1) * _PIECES), 1)
        size = min(size, max(self.longest // _PIECES, 1))
        while start < end:
            high = min(start + size, end)
            cut, following = cut_before(self.text, start + size // 2, high) if high < end else (end, 0)
            tokens = self._tokens(start, cut)
            if tokens is None and cut - start > 1:
                size = max((cut - start) // 2, 1)
                continue
            pieces.append(Piece(start, cut, self.budget if tokens is None else tokens, strength))
            start, strength = cut, following


def _packed(pieces: Sequence[Piece], budget: int, longest: int) -> list[tuple[int, int]]:
    """Ranges of pieces, each within `budget` tokens and `longest` code points, as even as strong cuts allow."""
    sums = list(accumulate((piece.tokens for piece in pieces), initial=0))
    total = sums[-1]
    packed = []
    first = 0
    while first < len(pieces):
        rest = total - sums[first]
        target = rest / max(ceil(rest / budget), ceil((pieces[-1].end - pieces[first].start) / longest))
        best, best_value = first + 1, -1.0
        last = first + 1
        while last <= len(pieces):
            taken = sums[last] - sums[first]
            if last > first + 1 and (taken > budget or pieces[last - 1].end - pieces[first].start > longest):
                break
            strength = pieces[last].strength if last < len(pieces) else HEADING + 1
            # A stronger cut is worth a chunk that is further from even, but not a very small one.
            value = (1 + strength) * (1 - min(abs(taken - target) / budget, 1.0)) if taken else 0.0
            if value >= best_value:
                best, best_value = last, value
            last += 1
        packed.append((first, best))
        first = best
    return packed
