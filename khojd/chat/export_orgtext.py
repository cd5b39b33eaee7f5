"""Plain text as Org, so that it means nothing else there.

Text that Org would read as markup is kept from it by a zero width space, as its manual advises (Escape Character), in blocks by a
comma (Literal Examples).
"""

import re

SPACE = "\u200b"

# What starts a heading, keyword, comment, table, drawer, list, rule, footnote, environment, clock or planning line.
_START = re.compile(
    r"[ \t]*(?:\*+(?:\s|$)|#(?:\+|\s|$)|\||:|[-+](?:\s|$)|[0-9]+[.)](?:\s|$)|[A-Za-z][.)]\s|-{5}|\[fn:|\\begin\{|%%\("
    r"|CLOCK:|DEADLINE:|SCHEDULED:|CLOSED:)"
)
_BLOCK_LINE = re.compile(r"(?m)^([ \t]*)(?=,*(?:\*|#\+))")
_KEYWORD = re.compile(r"[A-Z][A-Z_-]+(?=\s|$)|\[#")
# Links, targets, footnotes, macros; what would run when it is clicked on or exported.
_MEANT = re.compile(r"\[(?=\[|fn:)|<(?=<)|\{(?=\{\{)|\b(?:src|call)(?=_\w+[\[({])|\b(?:shell|elisp)(?=:)")


def plain(line: str) -> str:
    """A piece of a line, in which nothing is a link, target, footnote, macro or call."""
    return _MEANT.sub(lambda found: found[0] + SPACE, line)


def started(line: str) -> str:
    """A line that starts nothing but a paragraph."""
    return SPACE + line if _START.match(line) else line


def headline(line: str) -> str:
    """A heading's text, without keyword, priority and tags."""
    return f"{SPACE if _KEYWORD.match(line) else ''}{line}{SPACE if line.endswith(':') else ''}"


def literal(text: str) -> str:
    """What stands in a block that shows it as it is."""
    return _BLOCK_LINE.sub(r"\1,", text)


def described(text: str) -> str:
    """`text` as the description of a link."""
    return " ".join(text.split()).replace("[", "{").replace("]", "}") or "…"
