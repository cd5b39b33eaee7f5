"""One note's text with what stands in it, read now: what an editor shows, not what the index has."""

import re
from bisect import bisect_right
from pathlib import Path

from khojd.content import decode, frontmatter, markdown_outline, marks, org_lines, registry
from khojd.content.lines import LineIndex
from khojd.content.model import Anchor, ContentSettings, Link, Mark, Parsed, Section
from khojd.errors import ContentError, NotFound, SkippedContent
from khojd.graph.lazy import lazy
from khojd.index.reader import content_hash

_HEADING = re.compile(r"[\r\n]\*{1,14} ")
_HEADING_LINE = re.compile(r"(?:#{1,6}|\*+)[ \t]+(.*)")
_NEAR = 200  # lines


class Sheet:
    """A note as it stands in an editor or on disk. Everything is worked out when it is first asked for, and kept.

    Offsets are code points of `text`. For one thread at a time.
    """

    def __init__(self, path: str, text: str, settings: ContentSettings, *, version: int | None = None, digest: bytes = b"") -> None:
        self.path = path
        self.text = text
        self.settings = settings
        self.version = version  # the editor's; None for the file on disk
        self.digest = digest  # of the bytes on disk, as the catalog has it; b"" for an editor's text

    @property
    def format(self) -> str:
        """`org`, `markdown` or `text`."""
        return registry.processor(self.path).format

    @lazy
    def lines(self) -> LineIndex:
        return LineIndex(self.text)

    @lazy
    def parsed(self) -> Parsed:
        """Sections, links and anchors. Never fails: a text that its processor cannot read has its root section alone."""
        return registry.parse(self.path, decode.clean(self.text)[0], self.settings)

    @lazy
    def marks(self) -> tuple[Mark, ...]:
        return marks.read(self.path, self.text, self.parsed, self.settings)

    @lazy
    def _section_starts(self) -> list[int]:
        return [section.span.start for section in self.parsed.sections]

    @lazy
    def newline(self) -> str:
        """The line end that new lines get here."""
        return "\r\n" if "\r\n" in self.text else "\n"

    @property
    def sections(self) -> tuple[Section, ...]:
        return self.parsed.sections

    @property
    def links(self) -> tuple[Link, ...]:
        return self.parsed.links

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        return self.parsed.anchors

    @lazy
    def front_matter_end(self) -> int:
        """Where the front matter of a Markdown note ends, 0 when there is none."""
        return frontmatter.read(self.text).end if self.format == "markdown" else 0

    @property
    def is_parsed(self) -> bool:
        """Whether sections and links were worked out already."""
        return "parsed" in self.__dict__

    @property
    def has_marks(self) -> bool:
        """Whether the marks were worked out already."""
        return "marks" in self.__dict__

    @property
    def abbreviations(self) -> dict[str, str]:
        """Org's link abbreviations; a text without any is not parsed for it."""
        if not self.is_parsed and (self.format != "org" or "#+link" not in self.text.lower()):
            return {}
        return dict(self.parsed.abbreviations)

    def in_code(self, offset: int) -> bool:
        """Whether `offset` is in a code block, or in another block that is taken literally. No more is read than decides it."""
        if self.format == "org":
            start, end = self._around(offset)
            passages = org_lines.read_passages(self.text[start:end])
            blocks = (one for one in passages if one.kind == "block" and one.name.lower() in org_lines.LITERAL_BLOCKS)
            return any(start + one.start <= offset <= start + one.end for one in blocks)
        if self.format != "markdown" or offset < self.front_matter_end:
            return False
        start, line = self.front_matter_end, self.lines.line(offset)
        count = line - (self.lines.line(start) if start else 0) + 1
        return markdown_outline.read(self.text[start : self.lines.end(line)], count).kinds[-1] == markdown_outline.OPAQUE

    def _around(self, offset: int) -> tuple[int, int]:
        """The text of Org between two headings, which end every block; those that may be inline tasks do not count."""
        start = 0
        for found in _HEADING.finditer(self.text, 0, self.lines.end(self.lines.line(offset))):
            start = found.start() + 1
        below = _HEADING.search(self.text, offset)
        return start, below.start() + 1 if below is not None else len(self.text)

    def heading_above(self, offset: int) -> str:
        """The heading under which `offset` stands; of a text that is not parsed a line near by that looks like one."""
        if self.is_parsed:
            return self.sections[self.section_at(offset)].heading
        line = self.lines.line(offset)
        for number in range(line, max(line - _NEAR, -1), -1):
            if found := _HEADING_LINE.match(self.line_text(number)):
                return found[1]
        return ""

    def section_at(self, offset: int) -> int:
        """Index of the innermost section that holds `offset`."""
        return max(bisect_right(self._section_starts, offset) - 1, 0)

    def heading_at(self, offset: int) -> int | None:
        """Index of the section in whose heading's line `offset` is."""
        index = self.section_at(offset)
        segment = self.sections[index].heading_segment
        return index if segment is not None and offset <= self._line_end(segment.end) else None

    def link_at(self, offset: int) -> Link | None:
        """The innermost link that holds `offset` (its end counts, as a cursor stands between characters)."""
        found = [link for link in self.links if link.start <= offset <= link.end]
        return min(found, key=lambda link: link.end - link.start, default=None)

    def anchor_at(self, offset: int) -> Anchor | None:
        return next((anchor for anchor in self.anchors if anchor.start <= offset <= anchor.end), None)

    def mark_at(self, offset: int, kind: str) -> Mark | None:
        """The mark of that kind that holds `offset`, its end included; a tag's `#` or colon belongs to it here."""
        sign = 1 if kind == "tag" and self.text[offset : offset + 1] in ("#", ":") else 0
        found = [mark for mark in self.marks if mark.kind == kind and mark.start - sign <= offset <= mark.end]
        return next((mark for mark in found if mark.start <= offset), found[0] if found else None)

    def line_text(self, line: int) -> str:
        """A line without its line end."""
        return self.text[self.lines.starts[line] : self.lines.end(line)]

    def _line_end(self, end: int) -> int:
        while end and self.text[end - 1] in "\r\n":
            end -= 1
        return end


def from_disk(path: str, settings: ContentSettings) -> Sheet:
    """The file as it is now, read as the index reads it, not parsed yet. Raises NotFound, which names it."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(settings.max_file_bytes + 1)
    except OSError as error:
        raise NotFound(f"{path} is neither open nor can it be read: {(error.strerror or str(error)).lower()}", path=path) from None
    if len(data) > settings.max_file_bytes:
        raise NotFound(f"{path} is larger than content.max_file_bytes ({settings.max_file_bytes} bytes)", path=path)
    try:
        return Sheet(path, decode.decode(data).text, settings, digest=content_hash(data))
    except (SkippedContent, ContentError) as error:
        raise NotFound(f"{path} cannot be read as a note: {error.message}", path=path) from None
