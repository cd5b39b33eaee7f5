"""What HTML in a Markdown text links to (`<a href>`, `<img src>`), and the names that its tags give to places (`id`, `name`)."""

import re
from bisect import bisect_right
from collections.abc import Sequence

from khojd.content import markdown_marks
from khojd.content.markdown_marks import Source
from khojd.content.markdown_outline import OPAQUE
from khojd.content.model import Link

_NAMED = re.compile(r'<[A-Za-z](?:[^<>\r\n]*?[ \t])??(?:id|name)="([^"<>\s]+)"')
_TAG = re.compile(r"<(a|img)\s((?>(?:[^<>\"']+|\"[^\"<]*\"|'[^'<]*')*))>", re.IGNORECASE)
_HREF = re.compile(r"(?<![^\s])(?:href|src)\s*=\s*(?:\"([^\"\r\n]+)\"|'([^'\r\n]+)')", re.IGNORECASE)
_CLOSE = re.compile(r"</?a[\s>]", re.IGNORECASE)
MAX_TEXT = 1000  # characters between `<a>` and `</a>`


def anchors(source: Source, start: int) -> None:
    """Keep the names that tags give from offset `start` on, each where it stands first; those of headings are kept already."""
    text = source.text
    if '="' not in text or (" id=" not in text and " name=" not in text):
        return
    literal = _Literal(source)
    known = {text[low:high] for low, high, _ in source.anchors}
    for found in _NAMED.finditer(text, start):
        if found[1] not in known and not literal.holds(found.start()):
            known.add(found[1])
            source.anchors.append((*found.span(1), "custom_id"))


def links(source: Source, start: int, heads: Sequence[int]) -> list[Link]:
    """The links of tags from offset `start` on; that of `<a>` ends with its `</a>`. At the offsets `heads` sections start."""
    text = source.text
    if "=" not in text or ("href" not in text and "src" not in text and "HREF" not in text and "SRC" not in text):
        return []
    literal = _Literal(source)
    made = []
    for tag in _TAG.finditer(text, start):
        at, end = tag.span()
        found = _HREF.search(text, *tag.span(2))
        if found is None or (tag[1] in "aA") != (found[0][0] in "hH") or literal.holds(at):
            continue
        low, high = found.span(1) if found[1] else found.span(2)
        shown = (0, 0)
        if tag[1] in "aA":
            close = _CLOSE.search(text, end, end + MAX_TEXT)
            if close is not None and close[0][1] == "/" and text.find("\n\n", end, close.start()) < 0:
                shown, end = (end, close.start()), close.end()
        section = bisect_right(heads, at)
        made.append(Link("html", at, end, text[low:high], low, high, section, text[slice(*shown)], *shown))
    return made


class _Literal:
    """Whether a tag stands in code or a comment. Blocks of HTML are opaque as those of code are, so their first line decides."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.line = (-1, [(0, 0)])  # the last line asked about, and what is literal in it
        self.known = (-1, -1, False)  # a run of opaque lines, and whether it is code or a comment

    def holds(self, at: int) -> bool:
        source = self.source
        number = source.lines.line(at)
        if self.line[0] != number:
            self.line = (number, _literal_spans(source.line(number)))
        spans = self.line[1]
        column = at - source.lines.starts[number]
        index = bisect_right(spans, column, key=lambda span: span[0]) - 1
        if index >= 0 and column < spans[index][1]:
            return True
        if source.kinds[number] != OPAQUE:
            return False
        first, after, literal = self.known
        if not first <= number < after:
            first, after, literal = self.known = self._run(number)
        return literal

    def _run(self, number: int) -> tuple[int, int, bool]:
        kinds = self.source.kinds
        first = after = number
        while first and kinds[first - 1] == OPAQUE:
            first -= 1
        while after < len(kinds) and kinds[after] == OPAQUE:
            after += 1
        line = self.source.line(first)
        html = line.lstrip().startswith("<") and not line.lstrip().startswith("<!--") and not line.startswith(("    ", "\t"))
        return first, after, not html


def _literal_spans(line: str) -> list[tuple[int, int]]:
    """Ranges of code and comments within a line, in order; of overlapping ones the first."""
    code = markdown_marks.code_spans(line) if "`" in line else []
    comments = []
    at = line.find("<!--")
    while at >= 0 and (close := line.find("-->", at)) >= 0:
        comments.append((at, close + 3))
        at = line.find("<!--", close + 3)
    spans: list[tuple[int, int]] = []
    for start, end in sorted((*code, *comments)):
        if not spans or start >= spans[-1][1]:
            spans.append((start, end))
    return spans
