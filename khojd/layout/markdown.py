"""The layout of a Markdown text: its tables and ordered lists.

Each change is read again by markdown-it: a top-level block that would say something else than before stays as it was.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from markdown_it.token import Token

from khojd.content import markdown_outline
from khojd.layout import markdown_lists, markdown_tables
from khojd.layout.scope import Scope

Change = Callable[[list[str], list[Token], Scope], dict[int, str]]


def lay_out(lines: Sequence[str], scope: Scope) -> list[str]:
    """The lines, without front matter and line ends, as many, in their new form. What is too much for the parser stays."""
    found = list(lines)
    changes: tuple[Change, ...] = (
        markdown_tables.align,
        partial(markdown_lists.renumber, strict=False),
        partial(markdown_lists.renumber, strict=True),
    )
    tokens = None
    for change in changes:
        tokens = tokens or markdown_outline.tokens("\n".join(found))
        if tokens and (changed := change(found, tokens, scope)):
            _apply(found, tokens, changed)
            tokens = None
    return found


def _apply(lines: list[str], tokens: list[Token], changed: dict[int, str]) -> None:
    """Change the lines of those top-level blocks that still say the same."""
    for token in tokens:
        if token.level or not token.map or token.nesting < 0:
            continue
        first, last = token.map
        old = lines[first:last]
        new = [changed.get(number, line) for number, line in enumerate(old, first)]
        if new != old and _meaning(new) == _meaning(old):
            lines[first:last] = new


def _meaning(lines: list[str]) -> list[tuple[Any, ...]]:
    """All that the blocks of these lines are, but for the numbers of list items."""
    return [
        (one.type, one.tag, one.attrs, one.map, one.level, one.content, one.hidden, one.meta, _info(one))
        for one in markdown_outline.tokens("\n".join(lines)) or ()
    ]


def _info(token: Token) -> str:
    return "" if token.type == "list_item_open" else token.info
