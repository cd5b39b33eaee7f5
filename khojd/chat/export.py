"""Conversations as notes: Markdown and Org, with links to the lines that answers cite.

Each question is a heading with its date, its answer below it with what it cites. Answers and titles are held in their places,
whatever they contain: the questions are all the headings of their level.
"""

from collections.abc import Collection, Sequence
from typing import Literal

from khojd.chat.export_markdown import markdown_of
from khojd.chat.export_org import org_of
from khojd.chat.model import Citation, Conversation, Turn

Format = Literal["markdown", "org"]
SUFFIXES: dict[Format, str] = {"markdown": ".md", "org": ".org"}


def markdown(conversation: Conversation, turns: Sequence[Turn], *, stale: Collection[Citation] = ()) -> str:
    """The conversation as Markdown: its title on level 1, questions on level 2. `stale`: citations whose text is gone."""
    return markdown_of(conversation, turns, stale)


def org(conversation: Conversation, turns: Sequence[Turn], *, stale: Collection[Citation] = ()) -> str:
    """The conversation as Org: its title as the note's, questions on level 1. `stale`: citations whose text is gone."""
    return org_of(conversation, turns, stale)
