"""textDocument/completion: what is typed in a link, a tag, a keyword line.

Notes are ranked by their names and by what the sentence is about: the text around the cursor is a query.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from lsprotocol import types as lsp

from khojd.errors import KhojdError, NotFound
from khojd.graph import cursor, habit, suggest, tags
from khojd.graph.cursor import Typing
from khojd.graph.graph import Graph
from khojd.graph.habit import Habit
from khojd.graph.sheet import Sheet
from khojd.search.types import SearchRequest
from khojd.server import excerpt
from khojd.server.completion import labels, words
from khojd.server.completion.items import Choice, make
from khojd.server.completion.links import MOST, Links
from khojd.server.feature import Event, Feature
from khojd.server.methods.links import follow as give_ids
from khojd.server.places import Desk
from khojd.server.session import Session
from khojd.server.sheets import go_through

T = TypeVar("T")

PATIENCE = 0.2  # seconds that the meaning of the sentence may take; then names alone decide
MEANT = 30  # notes that the sentence may be about
_HABIT_SECONDS = 60.0
_KEPT_SECONDS = 10.0
_ANY = Habit("wiki", "name", suffix=False)  # a block's id is written in one way only
_SYNTAX = re.compile(r'["+:<>=~()\-]')  # of queries; a sentence has none


_LINKS: Mapping[str, Callable[[Links, dict[str, int]], list[Choice]]] = {
    "note": Links.notes,
    "heading": lambda links, _: links.headings(),
    "any-heading": lambda links, _: links.any_headings(),
    "custom_id": lambda links, _: links.custom_ids(),
    "id": lambda links, _: links.ids(),
}


class _Memory:
    """What is the same from one keystroke to the next."""

    def __init__(self) -> None:
        self.about = ("", "")
        self.meant: dict[str, int] = {}
        self.habits: dict[str, tuple[float, Habit]] = {}
        self._known: dict[str, tuple[float, Any]] = {}

    def kept(self, key: str, make: Callable[[], T]) -> T:
        """What `make` gave a few seconds ago, else what it gives: counts over all notes take longer than a keystroke should."""
        now = time.monotonic()
        known = self._known.get(key)
        if known is None or now - known[0] > _KEPT_SECONDS:
            known = self._known[key] = (now, make())
        return cast("T", known[1])


def follow(session: Session, event: Event, path: str) -> None:
    """Give the ids that were taken; forget the habit of a note that is closed."""
    give_ids(session, event, path)
    if event == "closed":
        session.keep(_Memory).habits.pop(path, None)


async def completion(session: Session, params: lsp.CompletionParams) -> lsp.CompletionList | None:
    """Null where nothing of a note's own is being typed."""
    # Unparsed: a long note would take longer for that than a keystroke should. What needs it parsed has it done on a thread.
    sheet = await session.sheet(params.text_document.uri, lazily=True)
    offset = session.offset(sheet, params.position)
    typing = await go_through(sheet, lambda: cursor.at(sheet, offset))
    if typing is None:
        return None
    desk = Desk(session)
    if typing.kind == "block":
        return await _blocks(session, desk, sheet, typing)
    memory = session.keep(_Memory)
    meant = await _meant(session, sheet, typing, memory) if typing.kind == "note" else {}

    def choose(graph: Graph) -> list[Choice]:
        if typing.kind in _LINKS:
            return _LINKS[typing.kind](Links(graph, sheet, typing, _habit(graph, sheet, memory, typing)), meant)
        if typing.kind == "tag":
            return words.of_tags(memory.kept("tags", lambda: tags.counts(graph.db)), sheet, typing)
        if typing.kind in labels.KINDS:
            return labels.KINDS[typing.kind](sheet, typing)
        if typing.kind == "todo":
            return words.of_todo(graph, sheet, typing)
        format = "org" if typing.form == "org" else "markdown"
        return words.of_properties(memory.kept(format, lambda: suggest.property_keys(graph.db, format)), typing)

    choices = words.of_keywords(typing) if typing.kind == "keyword" else await desk.graph(choose)
    return make(session, sheet, typing, choices, incomplete=typing.kind in ("note", "id", "any-heading") or len(choices) >= MOST)


async def resolve(session: Session, item: lsp.CompletionItem) -> lsp.CompletionItem:
    """The item with the text of what it leads to."""
    data = item.data
    if not isinstance(data, dict) or not isinstance(data.get("path"), str):
        return item
    try:
        sheet = await session.sheet(data["path"], marks=True)
    except NotFound:
        return item  # it went away while the list was shown
    formats = session.client_capabilities.text_document
    wanted = formats and formats.completion and formats.completion.completion_item
    offered = (wanted and wanted.documentation_format) or ()
    markdown = lsp.MarkupKind.Markdown in offered
    if isinstance(start := data.get("start"), int):
        text = excerpt.excerpt(sheet, start, len(sheet.text), markdown=markdown)
    else:
        section = data.get("section")
        index = section if isinstance(section, int) and 0 <= section < len(sheet.sections) else 0
        text = excerpt.section_text(sheet, index, markdown=markdown)
    kind = lsp.MarkupKind.Markdown if markdown else lsp.MarkupKind.PlainText
    item.documentation = lsp.MarkupContent(kind, text)
    return item


async def _blocks(session: Session, desk: Desk, sheet: Sheet, typing: Typing) -> lsp.CompletionList | None:
    own = habit.in_form(_ANY, typing.form)
    path = await desk.graph(lambda graph: Links(graph, sheet, typing, own).target())
    if path is None:
        return None
    target = await session.sheet(path, marks=True)
    choices = await desk.graph(lambda graph: Links(graph, sheet, typing, own).blocks(target))
    return make(session, sheet, typing, choices, incomplete=len(choices) >= MOST)


async def _meant(session: Session, sheet: Sheet, typing: Typing, memory: _Memory) -> dict[str, int]:
    """Paths of the notes that the sentence may be about, with their ranks; none where that cannot be told in time."""
    about = (sheet.path, _SYNTAX.sub(" ", await go_through(sheet, lambda: cursor.about(sheet, typing.start, typing))).strip())
    if not about[1]:
        return {}
    if memory.about != about:
        query = f"{about[1]}."  # a sign after it: its last word is whole, the next one is being typed
        try:
            async with asyncio.timeout(PATIENCE):
                found = await session.engine.search(SearchRequest(query=query, limit=MEANT))
        except (KhojdError, TimeoutError):
            return {}
        paths = dict.fromkeys(hit.path for hit in found.hits if hit.path != sheet.path)
        memory.about, memory.meant = about, {path: rank for rank, path in enumerate(paths)}
    return memory.meant


def _habit(graph: Graph, sheet: Sheet, memory: _Memory, typing: Typing) -> Habit:
    now = time.monotonic()
    known = memory.habits.get(sheet.path)
    if known is None or now - known[0] > _HABIT_SECONDS:
        known = memory.habits[sheet.path] = (now, habit.of(graph.db, graph.notes, sheet, but=typing.start))
    return habit.in_form(known[1], typing.form)


def _options(_: Session) -> dict[str, lsp.CompletionOptions]:
    signs = ["[", "(", "#", ":", "*", "^", "+", "/", "!"]
    return {lsp.TEXT_DOCUMENT_COMPLETION: lsp.CompletionOptions(trigger_characters=signs, resolve_provider=True)}


FEATURE = Feature(
    "completion", {lsp.TEXT_DOCUMENT_COMPLETION: completion, lsp.COMPLETION_ITEM_RESOLVE: resolve}, options=_options, follow=follow
)
