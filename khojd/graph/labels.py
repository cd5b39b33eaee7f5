"""Names that count within one Markdown note: labels of links (`[text][label]`, `[label]: target`) and footnotes (`[^1]`)."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from khojd.content import markdown_marks, markdown_outline, markdown_references
from khojd.content.model import Link
from khojd.errors import EditError
from khojd.graph.sheet import Sheet

_FOOTNOTE = re.compile(r"\[\^([^\s\[\]]+)\](:?)")
_MARGIN = re.compile(r"[ \t>]*(?:(?:[-+*]|[0-9]{1,9}[.)])[ \t]+)*")
_USE = re.compile(r"(?<![\w\])\\])\[([^\[\]\\]*+)\]\[([^\[\]^][^\[\]]*+)\](?![\[(:])")
_LABEL = re.compile(rf"(?!\^)(?:[^\[\]\\\r\n]|\\.){{1,{markdown_references.MAX_LABEL}}}")


class Label(NamedTuple):
    """`key` tells which ones are the same; [start, end) is the bare name, [first, last) the link or definition it is in."""

    key: str
    start: int
    end: int
    first: int
    last: int
    defines: bool


def of(sheet: Sheet) -> list[Label]:
    """All labels of a note, in file order."""
    if sheet.format != "markdown":
        return []
    found = [label for link in sheet.links if (label := _of_link(sheet, link)) is not None]
    found += _footnotes(sheet)
    return sorted(found, key=lambda label: label.start)


def at(sheet: Sheet, offset: int) -> Label | None:
    """The label that the cursor is on: between its brackets or at them; not the text before the label of a link."""
    link = sheet.link_at(offset)
    if link is not None and (label := _of_link(sheet, link)) is not None:
        last = label.end + 2 if label.defines else label.last
        return label if label.start - 1 <= offset <= last else None
    if sheet.format != "markdown":
        return None
    start = sheet.text.rfind("[^", max(sheet.lines.starts[sheet.lines.line(offset)], offset - 200), offset + 2)
    found = _FOOTNOTE.match(sheet.text, start) if start >= 0 else None
    if found is None or not start <= offset <= found.end():
        return None
    return next((one for one in _footnotes(sheet) if one.first <= offset <= one.end + 1 and one.start == start + 2), None)


def same(sheet: Sheet, label: Label) -> list[Label]:
    """Where a label is used and defined."""
    return [one for one in of(sheet) if one.key == label.key]


def definition(sheet: Sheet, label: Label) -> Label | None:
    """The definition that counts: the first one."""
    return next((one for one in same(sheet, label) if one.defines), None)


def text_of(sheet: Sheet, footnote: Label) -> tuple[int, int]:
    """The range of what a footnote says: to the next one, or to a blank line that no indented text follows."""
    lines = sheet.lines
    first = last = lines.line(footnote.start)
    for number in range(first + 1, len(lines)):
        line = sheet.line_text(number)
        if _FOOTNOTE.match(line.lstrip(" \t>")) or (
            not sheet.line_text(number - 1).strip() and line.strip() and line[:1] not in " \t"
        ):
            break
        if line.strip():
            last = number
    start = footnote.end + 2
    while sheet.text[start : start + 1] in (" ", "\t"):
        start += 1
    return start, max(lines.end(last), start)


def check(sheet: Sheet, label: Label, name: str) -> str:
    """`name` as the label can be called from now on. Raises EditError with the reason where it cannot."""
    name = name.strip()
    if label.key.startswith("^"):
        name = name.removeprefix("^")
        if not name or re.search(r"[\s\[\]]", name):
            raise EditError(f"{name!r} cannot be the name of a footnote: it may have no white space and no brackets", name=name)
        key = _footnote_key(name)
    else:
        if not _LABEL.fullmatch(name):
            raise EditError(
                f"{name[:80]!r} cannot be a label: it may have no brackets, no line breaks and no ^ first", name=name[:80]
            )
        key = markdown_references.key(name)
    taken = next((one for one in of(sheet) if one.key == key and one.defines), None) if key != label.key else None
    if taken is not None:
        line = sheet.lines.line(taken.start) + 1
        raise EditError(f"{sheet.path} has a definition of {name!r} already, in line {line}", path=sheet.path, name=name)
    return name


def undefined(sheet: Sheet) -> Iterator[Label]:
    """Footnotes that the note does not have, and labels of `[text][label]` without a definition."""
    if sheet.format != "markdown" or ("[^" not in sheet.text and "][" not in sheet.text):
        return
    code = _Code(sheet)
    found = list(_footnotes(sheet, code))
    defined = {one.key for one in found if one.defines}
    yield from (one for one in found if one.key not in defined)
    if "][" not in sheet.text:
        return
    links = [(link.start, link.end) for link in sheet.links]
    for use in _USE.finditer(sheet.text, sheet.front_matter_end):
        at, key = use.start(), markdown_references.key(use[2])
        index = bisect_right(links, (at, len(sheet.text))) - 1
        linked = index >= 0 and links[index][0] <= at < links[index][1]
        if not linked and _has_letter(key) and _has_letter(use[1]) and not code.holds(at):
            yield Label(key, *use.span(2), *use.span(), defines=False)


class _Code:
    """Where a note has code and other text that is taken literally."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        start = sheet.front_matter_end
        self.top = sheet.lines.line(start) if start else 0
        # The line scanner is sure enough of code, and takes a tenth of the time.
        text = sheet.text[start:].replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
        self.kinds = markdown_outline.by_lines(text, len(sheet.lines) - self.top).kinds
        self.line = (-1, [(0, 0)])  # the last line asked about, with its code

    def holds(self, at: int) -> bool:
        line = self.sheet.lines.line(at)
        if line < self.top or self.kinds[line - self.top] == markdown_outline.OPAQUE:
            return True
        if self.line[0] != line:
            text = self.sheet.line_text(line)
            self.line = (line, markdown_marks.code_spans(text) if "`" in text else [])
        column = at - self.sheet.lines.starts[line]
        index = bisect_right(self.line[1], column, key=lambda span: span[0]) - 1
        return index >= 0 and column < self.line[1][index][1]


def _has_letter(text: str) -> bool:
    return any(char.isalpha() for char in text)


def _of_link(sheet: Sheet, link: Link) -> Label | None:
    if link.kind == "definition":
        start, end = link.text_start, link.text_end
    elif link.kind == "reference":
        start, end = link.text_start, link.text_end
        if link.end > end + 3:  # `[text][label]`; `[label][]` and `[label]` have theirs as the text
            start, end = end + 2, link.end - 1
    else:
        return None
    key = markdown_references.key(sheet.text[start:end])
    return Label(key, start, end, link.start, link.end, link.kind == "definition")


def _footnotes(sheet: Sheet, code: _Code | None = None) -> Iterator[Label]:
    text, lines = sheet.text, sheet.lines
    if "[^" not in text:
        return
    # Wikilinks hold no others, and targets nothing at all.
    whole = ("wiki", "embed")
    hidden = sorted((link.start, link.end) if link.kind in whole else (link.target_start, link.target_end) for link in sheet.links)
    code = code or _Code(sheet)
    for found in _FOOTNOTE.finditer(text, sheet.front_matter_end):
        at = found.start()
        if text[at - 1 : at] == "\\" or text.startswith("(", found.end()) or code.holds(at):
            continue
        index = bisect_right(hidden, (at, len(text))) - 1
        if index >= 0 and at < hidden[index][1]:
            continue
        number = lines.line(at)
        start = lines.starts[number]
        defines = bool(found[2]) and _MARGIN.fullmatch(text, start, at) is not None
        last = lines.end(number) if defines else found.end(1) + 1
        yield Label(_footnote_key(found[1]), *found.span(1), at, last, defines)


def _footnote_key(name: str) -> str:
    return "^" + name.casefold()
