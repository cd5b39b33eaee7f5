"""Logseq pages: outlines of bullets, where every top-level bullet is a block of its own.

A file is taken for one when all it has at the left margin are `- ` bullets, no heading stands outside them, and something in it is
Logseq's: children indented by tabs, `key:: value` lines below bullets, task markers or block references.
A block `- ## Heading` is a section of that level. Any other block is a section one level below all headings: its first line,
shortened, serves as heading, and the whole block with its nested bullets is its text.
"""

import re

from khojd.content.markdown_marks import DONE, Source
from khojd.content.markdown_outline import TEXT

BLOCK_LEVEL = 7
MAX_HEADING = 80

_EVIDENCE = re.compile(
    r"[\r\n]\t+- |(?:^|[\r\n])[ \t]+[^\W_][\w-]*:: |\(\([0-9a-f]{8}-[0-9a-f-]{27}\)\)"
    rf"|(?:^|[\r\n])[ \t]*- (?:TODO|DOING|NOW|LATER|{'|'.join(sorted(DONE))}) "
)


def blocks(source: Source, first: int) -> list[int]:
    """Lines of the top-level blocks from line `first` on, or [] when this is no Logseq page."""
    found = []
    text, starts = source.text, source.lines.starts
    size = len(text)
    if first >= len(starts):
        return []
    count = len(starts)
    for number in range(first, count):
        start = starts[number]
        if start >= size or text[start] in " \t\r\n" or source.left_out[number]:
            continue
        if text[start] != "-" or source.kinds[number] != TEXT or (start + 1 < size and text[start + 1] not in " \t\r\n"):
            return []
        has_children = number + 1 < count and starts[number + 1] < size and text[starts[number + 1]] in " \t"
        if has_children or source.line(number).strip(" \t-"):
            found.append(number)
    return found if found and _EVIDENCE.search(text, starts[first]) else []


def shorten(text: str) -> str:
    """At most `MAX_HEADING` characters of a block's first line, cut between words where there are any."""
    if len(text) <= MAX_HEADING:
        return text
    head = text[:MAX_HEADING]
    return (head.rpartition(" ")[0] or head).rstrip() + "…"
