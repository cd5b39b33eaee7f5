"""Sections to entries: small subtrees stay together, large ones are split at their headings.

A subtree whose text and context prefix fit the budget is one entry that starts at its own heading. Otherwise the heading with its
own body is an entry, and each child subtree is treated the same way. Siblings are never merged. The text before the first heading
stands alone. Sections without a heading (the paragraphs of a plain text) are joined with their neighbours as far as the budget
goes.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b

import msgspec

from khojd.content.headings import HeadingPaths
from khojd.content.model import ContentSettings, Entry, Parsed, Section, Segment, Span

Counter = Callable[[str], int]

SLICE = 8  # code points per token of the budget that are looked at in one go; beyond the budget nothing is

# A word by any tokenizer's measure: it starts with a letter or digit and ends at a space, so it has one token at least.
_WORD = re.compile(r"\w[^ \t\r\n]*")

_encode = msgspec.msgpack.Encoder(order="deterministic").encode


def form_entries(text: str, parsed: Parsed, settings: ContentSettings, count: Counter) -> tuple[Entry, ...]:
    """The entries of a file in the order they stand.

    `count` gives the tokens of a text, at least one for each word. It is called on whole lines, whose counts are added up, and only
    where the number of words does not decide. Time and memory are linear in the size of the file. A file that holds nothing but a
    title or metadata has one entry without text.
    """
    return _Former(text, parsed, settings, count).form()


class _Former:
    def __init__(self, text: str, parsed: Parsed, settings: ContentSettings, count: Counter) -> None:
        self.text = text
        self.title = parsed.title
        self.sections = parsed.sections
        self.budget = settings.entry_tokens
        self.count = count
        self.paths = HeadingPaths(parsed.sections)
        self.ends = _subtree_ends(parsed.sections)
        self.least = self._least_tokens()
        self.tokens: dict[Span, int] = {}
        self.prefix_tokens: dict[str, int] = {}

    def form(self) -> tuple[Entry, ...]:
        entries: list[Entry] = []
        position = 0
        while position < len(self.sections):
            section = self.sections[position]
            following = position + 1
            if section.excluded:
                following = self.ends[position]
            elif section.parent < 0:
                if root := self._entry((position,)):
                    entries.append(root)
            elif section.heading_segment is None:
                following = self._run_end(position)
                if run := self._entry(range(position, following)):
                    entries.append(run)
            elif self._fits(position):
                following = self.ends[position]
                covered = tuple(index for index in range(position, following) if not self.sections[index].excluded)
                entries.append(self._subtree(covered))
            else:
                entries.append(self._subtree((position,)))
            position = following
        if not entries and self.sections and not self.sections[0].excluded and self._says_something():
            entries.append(self._bare(self.sections[0]))
        return tuple(entries)

    def _least_tokens(self) -> list[int]:
        """Per section a number of tokens that it has at least with all that is below it, held at just over the budget."""
        over = self.budget + 1
        least = [0] * len(self.sections)
        for position in range(len(self.sections) - 1, 0, -1):
            section = self.sections[position]
            alone = self.ends[position] == position + 1 and section.parent == 0
            if section.excluded or alone or section.heading_segment is None:
                continue  # no decision depends on it
            for piece in section.segments:
                if least[position] > self.budget:
                    break
                least[position] += len(_WORD.findall(self.text, piece.start, min(piece.end, piece.start + self.budget * SLICE)))
            if section.parent > 0:
                below = least[position] + len(_WORD.findall(section.heading))
                least[section.parent] = min(least[section.parent] + below, over)
        return least

    def _fits(self, position: int) -> bool:
        """Whether a heading's subtree, with its context, is within the budget. (Alone, it is one entry either way.)"""
        following = self.ends[position]
        if following == position + 1:
            return True
        if self.least[position] > self.budget:
            return False
        total = self._prefix(position)
        for index in range(position, following):
            section = self.sections[index]
            if section.excluded:
                continue
            if index > position and section.heading_segment is not None:
                total += self._tokens(section.heading_segment)
            for segment in section.segments:
                total += self._tokens(segment)
                if total > self.budget:
                    return False
            if total > self.budget:
                return False
        return True

    def _tokens(self, segment: Segment) -> int:
        """Tokens of the segment, or a number over the budget as soon as it is known to be over."""
        span = Span(segment.start, segment.end)
        if (known := self.tokens.get(span)) is not None:
            return known
        total, start, size = 0, segment.start, self.budget * SLICE
        while start < segment.end and total <= self.budget:
            stop = segment.end
            if stop - start > size:
                # Whole lines, or as much as is there in one line: cutting a word could only make it more tokens.
                line_end = self.text.find("\n", start + size, start + 2 * size) + 1
                stop = min(line_end or start + 2 * size, stop)
            total += self.count(self.text[start:stop])
            start = stop
        self.tokens[span] = total
        return total

    def _prefix(self, position: int) -> int:
        """Tokens of the context prefix. A chunk gives it at most half of its room, so it counts as no more here."""
        total = 0
        for line in (self.title, *self.paths.of(position)):
            if line not in self.prefix_tokens:
                self.prefix_tokens[line] = self.count(line)
            total += self.prefix_tokens[line]
        return min(total, self.budget // 2)

    def _run_end(self, first: int) -> int:
        """Where the run of sections without a heading that fits the budget and starts at `first` ends."""
        total = self._prefix(first) + self._body(first)
        position = first + 1
        while position < len(self.sections):
            section = self.sections[position]
            if section.heading_segment is not None or section.excluded or section.parent != self.sections[first].parent:
                break
            total += self._body(position)
            if total > self.budget:
                break
            position += 1
        return position

    def _body(self, position: int) -> int:
        return sum(self._tokens(segment) for segment in self.sections[position].segments)

    def _entry(self, covered: Sequence[int]) -> Entry | None:
        """An entry without a heading of its own, None where it has no text."""
        segments = _joined(segment for index in covered for segment in self.sections[index].segments)
        text = self._content(segments)
        if not text or text.isspace():
            return None
        end = segments[-1].start + len(self.text[segments[-1].start : segments[-1].end].rstrip())
        span = Span(segments[0].start, end)
        return self._made(tuple(covered), span, segments, text)

    def _subtree(self, covered: tuple[int, ...]) -> Entry:
        """The entry of a heading with its body and, where `covered` has more, what is below it."""
        own = self.sections[covered[0]]
        pieces = list(own.segments)
        for index in covered[1:]:
            section = self.sections[index]
            if section.heading_segment is not None:
                pieces.append(section.heading_segment)
            pieces.extend(section.segments)
        segments = _joined(pieces)
        text = self._content(segments)
        if text.isspace():
            segments, text = (), ""
        end = self._last(covered)
        return self._made(covered, Span(own.span.start, end), segments, text)

    def _last(self, covered: tuple[int, ...]) -> int:
        """Where the last section's own part ends, without trailing blank lines."""
        last = covered[-1]
        section = self.sections[last]
        end = section.span.end
        if last + 1 < self.ends[last]:
            end = self.sections[last + 1].span.start
        start = section.span.start
        return start + len(self.text[start:end].rstrip())

    def _bare(self, root: Section) -> Entry:
        return self._made((0,), Span(root.span.start, root.span.start), (), "")

    def _says_something(self) -> bool:
        root = self.sections[0]
        return bool(self.title or root.tags or root.properties)

    def _content(self, segments: Sequence[Segment]) -> str:
        return "".join([self.text[segment.start : segment.end] for segment in segments])

    def _made(self, covered: tuple[int, ...], span: Span, segments: tuple[Segment, ...], text: str) -> Entry:
        headings = self.paths.of(covered[0])
        metadata = [
            (s.heading, s.todo, s.priority, s.tags, s.properties, s.dates, s.ids)
            for s in (self.sections[index] for index in covered)
        ]
        key = blake2b(_encode((self.title, headings, text, metadata)), digest_size=16).digest()
        return Entry(sections=covered, headings=headings, span=span, segments=segments, text=text, key=key)


def _subtree_ends(sections: Sequence[Section]) -> list[int]:
    """Per section the index after its last descendant."""
    ends = list(range(1, len(sections) + 1))
    for position in range(len(sections) - 1, 0, -1):
        parent = sections[position].parent
        if parent >= 0:
            ends[parent] = max(ends[parent], ends[position])
    return ends


def _joined(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """The segments, those that touch made one."""
    joined: list[Segment] = []
    for segment in segments:
        if joined and joined[-1].end == segment.start:
            last = joined[-1]
            joined[-1] = Segment(last.start, segment.end, last.line, last.column)
        elif segment.end > segment.start:
            joined.append(segment)
    return tuple(joined)
