"""The tools that khojd has; all of them are over the notes."""

from khojd.chat.tools.edit import EDIT
from khojd.chat.tools.notes import BACKLINKS, LIST, READ
from khojd.chat.tools.registry import Registry, Tool
from khojd.chat.tools.search import GREP, SEARCH

TOOLS: tuple[Tool, ...] = (SEARCH, GREP, READ, LIST, BACKLINKS, EDIT)


def standard() -> Registry:
    """All of them; others are added to what is returned."""
    return Registry(TOOLS)
