"""What a person is about to type at a place of a note: the name of a note in a link, a heading, a tag, a keyword."""

import re
from typing import Literal

from msgspec import Struct

from khojd.content import markdown_outline
from khojd.graph.sheet import Sheet

Kind = Literal[
    "note", "heading", "any-heading", "block", "id", "custom_id",
    "tag", "keyword", "property", "todo", "label", "footnote", "callout",
]  # fmt: skip
Form = Literal["wiki", "markdown", "org"]

_WIKI = re.compile(r"\[\[([^\[\]\r\n]*)$")
_MARKDOWN = re.compile(r"\]\((<?)([^()<>\r\n]*)$")
_DEFINITION = re.compile(r"[ \t>]*\[[^\[\]^][^\[\]]*\]:[ \t]*(?:<([^<>\r\n]*)|([^<>\s]*))$")
_HTML = re.compile(r"<(?:a\s(?:[^<>]*?\s)??href|img\s(?:[^<>]*?\s)??src)\s*=\s*([\"'])([^\"'<>\r\n]*)$", re.IGNORECASE)
_TITLE = re.compile(r"[ \t]+[\"'(][^\r\n]*\)")
_LABEL = re.compile(r"\]\[([^\[\]^][^\[\]]*|)$")
_SHORT_LABEL = re.compile(r"(?<![\w\[\]!\\])\[([^\[\]^! ][^\[\]]*|)$")
_CHECK_BOX = re.compile(r"[ \t>]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]+\[[xX]?$")
_FOOTNOTE = re.compile(r"\[\^([^\s\[\]]*)$")
_CALLOUT = re.compile(r"[ \t]*>[ \t>]*\[!([\w-]*)$")
_TAG = re.compile(r"(?:^|[\s(,;])#([^\s#()\[\]{},;:!?\"'`|^]*)$")
_FILETAGS = re.compile(r"[ \t]*#\+filetags:.*?([\w@#%]*)$", re.IGNORECASE)
_KEYWORD = re.compile(r"[ \t]*#\+(\w*)$")
_HEADLINE = re.compile(r"\*+[ \t]")
_ORG_TAGS = re.compile(r"\*+[ \t].*[ \t]:(?:[\w@#%]+:)*([\w@#%]*)$")
_TODO = re.compile(r"\*+[ \t]+([A-Z]*)$")
_PROPERTY = re.compile(r"[ \t]*:([\w-]*)$")
_FRONT_TAGS = re.compile(r"(?:tags?|keywords):[ \t]*(?:\[(?:[^\]]*,)?|(?:.*,)?)[ \t]*[\"']?#?([^\s,\[\]\"']*)$", re.IGNORECASE)
_FRONT_ITEM = re.compile(r"[ \t]*-[ \t]+[\"']?#?([^\s,\"']*)$")
_FRONT_KEY = re.compile(r"([\w-]*)$")
_FRONT_LIST = re.compile(r"(?:tags?|keywords):[ \t]*$", re.IGNORECASE)


class Typing(Struct, frozen=True):
    """What is chosen replaces [start, end); `lead` and `typed` are the part before the cursor, closing brackets the rest.

    note: of a heading or block, what stands for its note in the link; "" for the note itself.
    """

    kind: Kind
    typed: str
    start: int
    end: int
    form: Form = "wiki"
    note: str = ""
    lead: str = ""  # what stands there before `typed`: in Org the link's brackets and type, as the whole link is replaced
    closing: str = ""  # what comes after a Markdown link's target; [start, end) has it, where it is there already


def at(sheet: Sheet, offset: int) -> Typing | None:
    """What is being typed at `offset`; None in code and wherever nothing of this kind can stand."""
    line = sheet.lines.line(offset)
    first = sheet.lines.starts[line]
    before = sheet.text[first:offset]
    if sheet.in_code(offset):
        # Blocks of HTML are taken literally as code is, but their links are links.
        html = _HTML.search(before) if sheet.format == "markdown" and _in_html(sheet, line) else None
        return _destination(sheet, html[2], offset, html[1]) if html else None
    if sheet.format == "org":
        return _org(sheet, before, offset, line)
    if before.count("`") % 2:
        return None
    if found := _WIKI.search(before):
        return _wiki(sheet, found[1], offset)
    if found := _MARKDOWN.search(before):
        titled = not found[1] and _TITLE.match(sheet.text, offset)
        return _destination(sheet, found[2], offset, ">)" if found[1] else "" if titled else ")")
    if found := _HTML.search(before):
        return _destination(sheet, found[2], offset, found[1])
    if (found := _DEFINITION.match(before)) and first >= sheet.front_matter_end:
        return _destination(sheet, found[1] or found[2] or "", offset, ">" if found[1] is not None else "")
    if 0 < first < sheet.front_matter_end:
        return _front_matter(sheet, before, offset, line)
    if typing := _name(sheet, before, offset):
        return typing
    if (found := _TAG.search(before)) and not re.match(r" {0,3}#+$", before):
        return Typing("tag", found[1], offset - len(found[1]), offset)
    return None


def about(sheet: Sheet, offset: int, typing: Typing) -> str:
    """What the sentence is about: the words of the line around the cursor, of the lines next to it, and the heading above."""
    line = sheet.lines.line(offset)
    first = sheet.lines.starts[line]
    own = sheet.text[first : typing.start] + " " + sheet.text[typing.end : sheet.lines.end(line)]
    near = [sheet.line_text(number) for number in (line - 1, line + 1) if 0 <= number < len(sheet.lines)]
    words = " ".join((own, sheet.heading_above(offset), *near))
    return re.sub(r"[\[\]()#|*_`<>{}]+|\bhttps?://\S+", " ", words).strip()[:400]


def _destination(sheet: Sheet, typed: str, offset: int, closing: str) -> Typing:
    """The target of a link that is written as a URL, which `closing` ends."""
    there = next((sign for sign in (closing, closing[:1]) if sign and sheet.text.startswith(sign, offset)), "")
    end = offset + len(there)
    note, sign, heading = typed.partition("#")
    if not sign:
        return Typing("note", note, offset - len(note), end, "markdown", closing=closing)
    if not note and heading.startswith("#"):
        return Typing("any-heading", heading[1:], offset - len(typed), end, "markdown", lead="##", closing=closing)
    return Typing("heading", heading, offset - len(heading), end, "markdown", note, closing=closing)


def _in_html(sheet: Sheet, line: int) -> bool:
    """Whether a block of HTML starts at the line or above it; of what is taken literally anyway."""
    start = sheet.front_matter_end
    top = sheet.lines.line(start) if start else 0
    kinds = markdown_outline.read(sheet.text[start : sheet.lines.end(line)], line - top + 1).kinds
    first = line
    while first > top and kinds[first - top - 1] == markdown_outline.OPAQUE:
        first -= 1
    text = sheet.line_text(first)
    return text.lstrip().startswith("<") and not text.startswith(("    ", "\t"))


def _name(sheet: Sheet, before: str, offset: int) -> Typing | None:
    """A label of this note, a footnote, the kind of a callout."""
    kind: Kind = "label"
    if found := _FOOTNOTE.search(before):
        kind = "footnote"
    elif found := _CALLOUT.match(before):
        kind = "callout"
    elif "]:" not in sheet.text or _CHECK_BOX.match(before):
        return None
    else:
        found = _LABEL.search(before) or _SHORT_LABEL.search(before)
    if found is None:
        return None
    return Typing(kind, found[1], offset - len(found[1]), offset + sheet.text.startswith("]", offset), "markdown")


def _wiki(sheet: Sheet, typed: str, offset: int) -> Typing | None:
    if "|" in typed:
        return None
    end = offset + 2 if sheet.text.startswith("]]", offset) else offset
    note, sign, anchor = typed.partition("#")
    if not sign:
        return Typing("note", typed, offset - len(typed), end)
    if not note and anchor.startswith("#"):
        return Typing("any-heading", anchor[1:], offset - len(typed), end, lead="##")
    if anchor.startswith("^"):
        return Typing("block", anchor[1:], offset - len(anchor) + 1, end, "wiki", note)
    return Typing("heading", anchor, offset - len(anchor), end, "wiki", note)


def _org(sheet: Sheet, before: str, offset: int, line: int) -> Typing | None:
    if found := _WIKI.search(before):
        return _org_link(sheet, found[1], offset)
    for pattern, kind in ((_FILETAGS, "tag"), (_KEYWORD, "keyword"), (_TODO, "todo"), (_ORG_TAGS, "tag")):
        if found := pattern.match(before):
            return Typing(kind, found[1], offset - len(found[1]), offset, "org")  # type: ignore[arg-type]
    if (found := _PROPERTY.match(before)) and _in_drawer(sheet, line):
        return Typing("property", found[1], offset - len(found[1]), offset, "org")
    return None


def _org_link(sheet: Sheet, written: str, offset: int) -> Typing:
    start = offset - len(written) - 2
    end = offset + 2 if sheet.text.startswith("]]", offset) else offset
    kind: Kind = "note"
    typed, note = written.removeprefix("file:"), ""
    if written.startswith("id:"):
        kind, typed = "id", written[3:]
    elif written.startswith(("*", "#")):
        kind, typed = "heading" if written[0] == "*" else "custom_id", written[1:]
    elif "::" in written:
        note, _, anchor = typed.partition("::")
        kind, typed = "custom_id" if anchor.startswith("#") else "heading", anchor.lstrip("*#")
    lead = "[[" + written[: len(written) - len(typed)]
    return Typing(kind, typed, start, end, "org", note, lead)


def _in_drawer(sheet: Sheet, line: int) -> bool:
    """Whether a property drawer is open above the line."""
    for number in range(line - 1, max(line - 40, -1), -1):
        text = sheet.line_text(number).strip().upper()
        if text == ":PROPERTIES:":
            return True
        if not text.startswith(":") or text == ":END:":
            return False
    return False


def _front_matter(sheet: Sheet, before: str, offset: int, line: int) -> Typing | None:
    if found := _FRONT_TAGS.match(before):
        return Typing("tag", found[1], offset - len(found[1]), offset)
    if found := _FRONT_ITEM.match(before):
        above = line - 1
        while above > 0 and _FRONT_ITEM.match(sheet.line_text(above)):
            above -= 1
        return Typing("tag", found[1], offset - len(found[1]), offset) if _FRONT_LIST.match(sheet.line_text(above)) else None
    if found := _FRONT_KEY.fullmatch(before):
        return Typing("property", found[1], offset - len(found[1]), offset)
    return None
