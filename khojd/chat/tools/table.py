"""The tools that khojd has."""

from khojd.chat.tools.edit import EDIT
from khojd.chat.tools.notes import BACKLINKS, LIST, READ
from khojd.chat.tools.registry import Registry
from khojd.chat.tools.search import GREP, SEARCH


def standard() -> Registry:
    """Those over the notes. Others are added to the registry that is returned."""
    return Registry((SEARCH, GREP, READ, LIST, BACKLINKS, EDIT))
