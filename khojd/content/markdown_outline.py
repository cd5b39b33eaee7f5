"""Where a Markdown text has its headings and its code, in lines.

The line scanner in `markdown_lines` reads most texts for sure. The others go to markdown-it-py with its block rules alone, but for
those that are too much for its recursion and its quadratic corners (longer than `MAX_CHARS`, with `MAX_MARKERS` containers on a
line or `MAX_NESTING` levels in all): there the scanner's guesses stand, which differ from CommonMark only in rare corners.
"""

import re
import threading

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, reference
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from msgspec import Struct

from khojd.content import markdown_lines

MAX_CHARS = 500_000
MAX_NESTING = 100  # levels of open blocks, of which a list takes two; each costs Python stack frames
MAX_MARKERS = 12
MAX_REFERENCE_LINES = 32  # a link reference definition's title may run on to the paragraph's end: quadratic when many start

_DEEP = re.compile(rf">(?:[ \t]*>){{{MAX_MARKERS}}}|[-+*.)](?:[ \t]+[0-9]{{0,9}}[-+*.)]){{{MAX_MARKERS}}}")
_NEWLINES = re.compile(r"\r\n?")

TEXT, HEADING, OPAQUE, TAKEN = 0, 1, 2, 3


class Block(Struct, frozen=True, array_like=True):
    """A heading that makes a section: lines [first, last), level 1 to 6, ATX (one line of hashes) or setext."""

    first: int
    last: int
    level: int


class Outline(Struct, frozen=True):
    """Headings in file order, and each line's kind: text, part of a heading, or opaque (code or HTML, where no mark counts).

    A page's properties become `TAKEN` later on: text in which links count, but no further marks.
    """

    headings: list[Block]
    kinds: bytearray
    exact: bool = True  # False: the line scanner was not sure


def read(text: str, line_count: int) -> Outline:
    """The outline of `text` (without front matter), which has `line_count` lines."""
    if "\r" in text:
        text = _NEWLINES.sub("\n", text)
    text = text.replace("\0", "\ufffd")
    outline = by_lines(text, line_count)
    if outline.exact or len(text) > MAX_CHARS or _DEEP.search(text):
        return outline
    return by_parser(text, line_count) or outline


def by_lines(text: str, line_count: int) -> Outline:
    """The outline by the line scanner. Line ends are LF, and there are no NULs."""
    found = markdown_lines.scan(text.split("\n"))
    return _outline([Block(*heading) for heading in found.headings], found.opaque, line_count, exact=found.sure)


def by_parser(text: str, line_count: int) -> Outline | None:
    """The outline by markdown-it; None when the text is nested too deep for it."""
    headings: list[Block] = []
    opaque: list[tuple[int, int]] = []
    parsed = _parse(text)
    if parsed is None:
        return None
    for token in parsed:
        kind = token.type
        if kind == "heading_open":
            if token.level == 0 and token.map:
                headings.append(Block(token.map[0], token.map[1], int(token.tag[1])))
        elif kind in ("fence", "code_block", "html_block") and token.map:
            opaque.append((token.map[0], token.map[1]))
    return _outline(headings, opaque, line_count, exact=True)


def tokens(text: str) -> list[Token] | None:
    """markdown-it's block tokens of `text`, with their lines in `map`; None when the text is too much for it."""
    text = (_NEWLINES.sub("\n", text) if "\r" in text else text).replace("\0", "\ufffd")
    return None if len(text) > MAX_CHARS or _DEEP.search(text) else _parse(text)


def _parse(text: str) -> list[Token] | None:
    parsed = _parser().parse(text)
    # The parser drops everything after the point where it gave up.
    return None if any(token.level >= MAX_NESTING - 2 for token in parsed) else parsed


def _outline(headings: list[Block], opaque: list[tuple[int, int]], line_count: int, *, exact: bool) -> Outline:
    kinds = bytearray(line_count)
    for first, after in opaque:
        last = min(after, line_count)
        kinds[first:last] = bytes((OPAQUE,)) * (last - first)
    for block in headings:
        kinds[block.first : block.last] = bytes((HEADING,)) * (block.last - block.first)
    return Outline(headings, kinds, exact)


_own = threading.local()


def _parser() -> MarkdownIt:
    """This thread's parser: markdown-it keeps state in its rules while it parses."""
    parser: MarkdownIt | None = getattr(_own, "parser", None)
    if parser is None:
        parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable("table").use(footnote_plugin)
        parser.core.ruler.enableOnly(["normalize", "block"])
        parser.block.ruler.at("reference", _bounded_reference)
        _own.parser = parser
    return parser


def _bounded_reference(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    whole = state.lineMax
    state.lineMax = min(whole, start + MAX_REFERENCE_LINES)
    try:
        return reference(state, start, end, silent)
    finally:
        state.lineMax = whole
