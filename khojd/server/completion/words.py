"""Tags, Org keywords, TODO keywords, properties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lsprotocol import types as lsp

from khojd.content import org
from khojd.content.model import Segment
from khojd.graph import suggest
from khojd.graph.cursor import Typing
from khojd.graph.graph import Graph
from khojd.graph.sheet import Sheet
from khojd.graph.tags import TagCount
from khojd.server.completion.items import Choice, nearness
from khojd.server.sheets import LONG

MOST = 100
_USUAL = ("TODO", "NEXT", "DONE")
_BLOCKS = ("src", "quote", "example", "center", "verse", "comment", "export")
_KEYWORDS = (
    *("title", "author", "date", "email", "filetags", "description", "language", "category", "startup", "options", "property"),
    *("todo", "tags", "link", "setupfile", "include", "archive", "columns", "priorities", "macro", "bibliography", "cite_export"),
    *(
        "name",
        "caption",
        "header",
        "results",
        "call",
        "attr_html",
        "attr_latex",
        "attr_org",
        "tblfm",
        "toc",
        "bind",
        "export_file_name",
    ),
)


def of_tags(counts: Sequence[TagCount], sheet: Sheet, typing: Typing) -> list[Choice]:
    counted = {tag.name: tag.notes for tag in counts}
    # A tag that was typed a moment ago, but not the one that is being typed. Those of a long note wait for the index.
    for mark in sheet.marks if len(sheet.text) < LONG or sheet.has_marks else ():
        if mark.kind == "tag" and not mark.start <= typing.start <= mark.end:
            counted.setdefault(mark.value, 1)
    closing = ":" if typing.form == "org" and sheet.text[typing.end : typing.end + 1] != ":" else ""
    found = []
    for name, notes in counted.items():
        near = nearness(name, typing.typed)
        usable = typing.form != "org" or all(char.isalnum() or char in "_@#%" for char in name)
        if near and usable and " " not in name:
            detail = f"{notes} note{'' if notes == 1 else 's'}"
            found.append(Choice(name, name + closing, lsp.CompletionItemKind.Keyword, name, near + notes / (notes + 50), detail))
    return sorted(found, key=lambda choice: -choice.score)[:MOST]


def of_keywords(typing: Typing) -> list[Choice]:
    upper = typing.typed.isupper()
    found = []
    for position, name in enumerate(_KEYWORDS):
        shown = name.upper() if upper else name
        score = nearness(name, typing.typed) - position / 1000
        if score > 0:
            found.append(Choice(shown, f"{shown}: ", lsp.CompletionItemKind.Keyword, shown, score))
    for position, name in enumerate(_BLOCKS):
        begin, end = (f"BEGIN_{name}".upper(), f"END_{name}".upper()) if upper else (f"begin_{name}", f"end_{name}")
        score = nearness(begin, typing.typed) - position / 1000
        if score > 0:
            argument = " ${1:language}" if name in ("src", "export") else ""
            snippet = f"{begin}{argument}\n$0\n#+{end}"
            plain = f"{begin}\n\n#+{end}"
            found.append(Choice(begin, plain, lsp.CompletionItemKind.Snippet, begin, score, "block", snippet=snippet))
    return found


def of_todo(graph: Graph, sheet: Sheet, typing: Typing) -> list[Choice]:
    """The keywords that the note may have: as its own lines list them, else those in use, the most used first; open ones first."""
    known, done = org.keywords(sheet.text, sheet.settings)
    used = Counter(
        section.todo
        for section in sheet.sections
        if section.todo and section.heading_segment and not _holds(section.heading_segment, typing.start)
    )
    words = dict.fromkeys(
        (
            *org.own_keywords(sheet.text),
            *sorted((word for word, _ in used.most_common()), key=lambda word: word in done),
            *sorted(suggest.todo_keywords(graph.db), key=lambda word: word in done),
            *_USUAL,
            *sorted(known - done),
            *sorted(done),
        )
    )
    return [
        Choice(word, f"{word} ", lsp.CompletionItemKind.EnumMember, word, near - position / 1000)
        for position, word in enumerate(words)
        if word in known and (near := nearness(word, typing.typed))
    ]


def _holds(heading: Segment, offset: int) -> bool:
    """Whether a heading's line, whose keyword is just being typed, holds the offset."""
    return heading.start <= offset <= heading.end


def of_properties(known: Sequence[str], typing: Typing) -> list[Choice]:
    keys = dict.fromkeys(known)
    keys.update(
        dict.fromkeys(("ID", "CUSTOM_ID", "CATEGORY", "CREATED") if typing.form == "org" else ("title", "tags", "aliases", "date"))
    )
    return [
        Choice(key, f"{key}: ", lsp.CompletionItemKind.Property, key, near - position / 1000)
        for position, key in enumerate(keys)
        if (near := nearness(key, typing.typed)) and not any(char.isspace() for char in key)
    ]
