"""The blocks of a Markdown text that an editor folds, selects or shows in their own way, in lines."""

import re
from collections.abc import Iterator

from khojd.content import markdown_outline
from khojd.content.lines import LineIndex
from khojd.content.markdown_outline import OPAQUE
from khojd.content.model import Mark

_KINDS = {
    "fence": "code",
    "code_block": "code",
    "table_open": "table",
    "list_item_open": "list",
    "blockquote_open": "quote",
    "html_block": "html",
}
_RUN = re.compile(rb"%b+" % re.escape(bytes((OPAQUE,))))


def read(text: str, lines: LineIndex, first: int, kinds: bytearray) -> Iterator[Mark]:
    """Code, tables, list items, quotes, HTML and its comments from line `first` on, whole lines, without blank ones at their end.

    Of a text that is too much for the parser there are only the lines of code and HTML that `kinds` knows.
    """
    tokens = markdown_outline.tokens(text[lines.starts[first] :]) if first < len(lines) else []
    if tokens is None:
        for run in _RUN.finditer(kinds, first):
            yield _mark("code", text, lines, run.start(), run.end())
        return
    for token in tokens:
        kind = _KINDS.get(token.type)
        if kind == "html" and token.content.lstrip().startswith("<!--"):
            kind = "comment"
        if kind and token.map:
            yield _mark(kind, text, lines, first + token.map[0], first + token.map[1])


def _mark(kind: str, text: str, lines: LineIndex, first: int, last: int) -> Mark:
    """The lines [first, last)."""
    last = min(last, len(lines))
    while last > first + 1 and not text[lines.starts[last - 1] : lines.end(last - 1)].strip(" \t>"):
        last -= 1
    return Mark(kind, lines.starts[first], lines.starts[last] if last < len(lines) else len(text))
