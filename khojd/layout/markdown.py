"""The layout of a Markdown text: its tables and ordered lists.

What comes out is read again by markdown-it and must say the same: where a block would not, it stays as it was.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from markdown_it.token import Token

from khojd.content import markdown_outline
from khojd.layout import markdown_lists, markdown_tables
from khojd.layout.scope import Scope

Lines = Sequence[str]
Changed = Mapping[int, str]  # new lines by their numbers
_LINE_START = re.compile(r"\n[ \t]+")
_CHANGES: tuple[Callable[[Lines, list[Token], Scope], Changed], ...] = (
    markdown_tables.align,
    partial(markdown_lists.renumber, strict=False),
    partial(markdown_lists.renumber, strict=True),  # for the lists that would have said something else
)


def lay_out(lines: Lines, scope: Scope) -> Lines:
    """The lines, without front matter and line ends, as many, in their new form. What is too much for the parser stays."""
    tokens = _parse(lines)
    for change in _CHANGES:
        if not tokens or not (changed := change(lines, tokens, scope)):
            continue
        longer = sum(len(line) - len(lines[number]) for number, line in changed.items())
        if sum(map(len, lines)) + len(lines) + longer > markdown_outline.MAX_CHARS:
            continue  # nobody could read it again
        for tried in _attempts(lines, tokens, changed):
            read = _parse(tried)
            if read and _meaning(read) == _meaning(tokens):
                lines, tokens = tried, read
                break
    return lines


def _attempts(lines: Lines, tokens: list[Token], changed: Changed) -> Iterator[Lines]:
    """All changes, then those of top-level blocks that say the same on their own and let the next one do so."""
    yield [changed.get(number, line) for number, line in enumerate(lines)]
    sound = list(lines)
    blocks = [token.map for token in tokens if token.level == 0 and token.map and token.nesting >= 0]
    for (first, last), (_, after) in zip(blocks, [*blocks[1:], (0, len(lines))], strict=True):
        new = [changed.get(number, lines[number]) for number in range(first, last)]
        if new != lines[first:last] and _says([*new, *lines[last:after]]) == _says(lines[first:after]):
            sound[first:last] = new
    yield sound


def _parse(lines: Lines) -> list[Token] | None:
    return markdown_outline.tokens("\n".join(lines))


def _says(lines: Lines) -> list[Any]:
    return _meaning(_parse(lines) or ())


def _meaning(tokens: Sequence[Token]) -> list[Any]:
    """All that blocks are, but for the numbers of list items."""
    return [(one.type, one.tag, one.attrs, one.map, one.level, _content(one), one.hidden, one.meta, _info(one)) for one in tokens]


def _content(token: Token) -> str:
    """Of a paragraph without the blanks that its lines begin with, which nothing shows."""
    return _LINE_START.sub("\n", token.content) if token.type == "inline" else token.content


def _info(token: Token) -> str:
    return "" if token.type == "list_item_open" else token.info
