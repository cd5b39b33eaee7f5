"""Completion items as the client can take them."""

from __future__ import annotations

from typing import Any, NamedTuple

from lsprotocol import types as lsp

from khojd.graph.anchors import Insertion
from khojd.graph.cursor import Typing
from khojd.graph.sheet import Sheet
from khojd.server.methods.links import Promised
from khojd.server.session import Session

COMMAND = "khoj.links.anchor"


class Choice(NamedTuple):
    """Something to insert. `filter` is what the typed text is compared with; `score` is higher for what fits better."""

    label: str
    text: str
    kind: lsp.CompletionItemKind
    filter: str
    score: float
    detail: str = ""
    start: int | None = None  # where the replaced text starts, when not at the typed text's start
    data: dict[str, Any] | None = None  # what `completionItem/resolve` needs
    snippet: str = ""  # with the client's placeholders
    insertion: Insertion | None = None  # besides, in the same note
    command: lsp.Command | None = None  # after it was inserted


def make(session: Session, sheet: Sheet, typing: Typing, choices: list[Choice], *, incomplete: bool) -> lsp.CompletionList:
    """The list, the best choice first whatever the client sorts by."""
    ordered = sorted(choices, key=lambda choice: -choice.score)
    promised = [argument for choice in ordered if choice.command for argument in choice.command.arguments or ()]
    session.keep(Promised).offer(sheet.path, promised)
    items = [_item(session, sheet, typing, place, choice) for place, choice in enumerate(ordered)]
    return lsp.CompletionList(is_incomplete=incomplete, items=items)


def _item(session: Session, sheet: Sheet, typing: Typing, place: int, choice: Choice) -> lsp.CompletionItem:
    snippets = session.can("text_document.completion.completion_item.snippet_support")
    details = session.can("text_document.completion.completion_item.label_details_support")
    start = typing.start if choice.start is None else choice.start
    text, format = choice.text, lsp.InsertTextFormat.PlainText
    if choice.snippet and snippets:
        text, format = choice.snippet, lsp.InsertTextFormat.Snippet
    extra = None
    if choice.insertion is not None:
        at = session.range(sheet, choice.insertion.offset, choice.insertion.offset)
        extra = [lsp.TextEdit(at, choice.insertion.text)]
    return lsp.CompletionItem(
        label=choice.label,
        label_details=lsp.CompletionItemLabelDetails(description=choice.detail) if details and choice.detail else None,
        detail=None if details else choice.detail or None,
        kind=choice.kind,
        sort_text=f"{place:05d}",
        filter_text=sheet.text[start : typing.start] + typing.lead + choice.filter,
        insert_text_format=format,
        insert_text_mode=_mode(session, format),
        text_edit=lsp.TextEdit(session.range(sheet, start, typing.end), text),
        additional_text_edits=extra,
        command=choice.command,
        data=choice.data,
    )


def _mode(session: Session, format: lsp.InsertTextFormat) -> lsp.InsertTextMode | None:
    """As it is where the client can be told so: it would indent the line otherwise. Blocks of Org are indented as it has them."""
    completion = session.client_capabilities.text_document and session.client_capabilities.text_document.completion
    item = completion and completion.completion_item
    modes = item.insert_text_mode_support.value_set if item and item.insert_text_mode_support else ()
    as_is = format == lsp.InsertTextFormat.PlainText and lsp.InsertTextMode.AsIs in modes
    return lsp.InsertTextMode.AsIs if as_is else None


def nearness(name: str, typed: str) -> float:
    """How well a name fits what was typed: 4 exactly, 3 begins with it, 2.5 a word does, 2 holds it, 1 spelled by it, 0 not."""
    name, typed = name.casefold(), typed.casefold().strip()
    if not typed:
        return 1.0
    if name == typed:
        return 4.0
    if name.startswith(typed):
        return 3.0
    at = name.find(typed)
    if at >= 0:
        return 2.5 if not name[at - 1].isalnum() else 2.0
    rest = iter(name)
    return 1.0 if all(char in rest for char in typed if not char.isspace()) else 0.0
