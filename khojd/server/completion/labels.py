"""What counts in one Markdown note: labels of its definitions, footnotes; and the kinds of callouts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lsprotocol import types as lsp

from khojd.graph import labels
from khojd.graph.cursor import Typing
from khojd.graph.sheet import Sheet
from khojd.server.completion.items import Choice, nearness

_SHOWN = 60  # characters of a footnote
# Obsidian's, and those of GitHub that are not among them.
_CALLOUTS = (
    *("note", "abstract", "info", "todo", "tip", "success", "question", "warning", "failure", "danger", "bug", "example", "quote"),
    *("important", "caution"),
)


def _labels(sheet: Sheet, typing: Typing) -> list[Choice]:
    defined = {link.text: link.target for link in reversed(sheet.links) if link.kind == "definition"}
    return _named(defined, typing)


def _footnotes(sheet: Sheet, typing: Typing) -> list[Choice]:
    defined = [one for one in labels.of(sheet) if one.defines and one.key[0] == "^"]
    shown = {}
    for one in reversed(defined):
        start, end = labels.text_of(sheet, one)
        shown[sheet.text[one.start : one.end]] = " ".join(sheet.text[start:end].split())[:_SHOWN]
    return _named(shown, typing)


def _callouts(_: Sheet, typing: Typing) -> list[Choice]:
    return _named(dict.fromkeys(_CALLOUTS, ""), typing, lsp.CompletionItemKind.Keyword)


def _named(
    details: Mapping[str, str], typing: Typing, kind: lsp.CompletionItemKind = lsp.CompletionItemKind.Reference
) -> list[Choice]:
    scored = ((name, detail, nearness(name, typing.typed)) for name, detail in details.items())
    return [Choice(name, f"{name}]", kind, name, near, detail) for name, detail, near in scored if near]


KINDS: Mapping[str, Callable[[Sheet, Typing], list[Choice]]] = {"label": _labels, "footnote": _footnotes, "callout": _callouts}
