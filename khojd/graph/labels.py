"""Names that count within one Markdown note: labels of links (`[text][label]`, `[label]: target`) and footnotes (`[^1]`)."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from khojd.content import markdown_marks, markdown_references
from khojd.content.model import Link
from khojd.errors import EditError
from khojd.graph.sheet import Sheet

_FOOTNOTE = re.compile(r"\[\^([^\s\[\]]+)\](:?)")
_MARGIN = re.compile(r"[ \t>]*(?:(?:[-+*]|[0-9]{1,9}[.)])[ \t]+)*")
_USE = re.compile(r"(?<![\w\])\\])\[[^\[\]\\]*[^\W\d][^\[\]\\]*\]\[([^\[\]^][^\[\]]*)\](?![\[(:])")
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
    if sheet.format != "markdown":
        return
    found = list(_footnotes(sheet))
    defined = {one.key for one in found if one.defines}
    yield from (one for one in found if one.key not in defined)
    if "][" not in sheet.text:
        return
    links = [(link.start, link.end) for link in sheet.links]
    for use in _USE.finditer(sheet.text, sheet.front_matter_end):
        at, key = use.start(), markdown_references.key(use[1])
        index = bisect_right(links, (at, len(sheet.text))) - 1
        linked = index >= 0 and links[index][0] <= at < links[index][1]
        if not linked and any(char.isalpha() for char in key) and not _in_code(sheet, at):
            yield Label(key, *use.span(1), *use.span(), defines=False)


def _in_code(sheet: Sheet, at: int) -> bool:
    line = sheet.lines.line(at)
    text, column = sheet.line_text(line), at - sheet.lines.starts[line]
    spans = markdown_marks.code_spans(text) if "`" in text else []
    return any(low <= column < high for low, high in spans) or sheet.in_code(at)


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


def _footnotes(sheet: Sheet) -> Iterator[Label]:
    text, lines = sheet.text, sheet.lines
    if "[^" not in text:
        return
    # Wikilinks hold no others, and targets nothing at all.
    whole = ("wiki", "embed")
    hidden = sorted((link.start, link.end) if link.kind in whole else (link.target_start, link.target_end) for link in sheet.links)
    for found in _FOOTNOTE.finditer(text, sheet.front_matter_end):
        at = found.start()
        if text[at - 1 : at] == "\\" or text.startswith("(", found.end()) or _in_code(sheet, at):
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
