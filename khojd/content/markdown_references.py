"""Markdown's link reference definitions (CommonMark 0.31, section 4.7), with their places."""

import re

from msgspec import Struct

MAX_LABEL = 999

_SPACE = re.compile(r"[ \t]*+(?:(?:\r\n?|\n)[ \t>]*+)?")  # with at most one line end, after which a quote's marker may stand
_REST = re.compile(r"[ \t]*+(?:\r\n?|\n|\Z)")
_LABEL = re.compile(rf"\[(?!\^)((?>(?:[^\[\]\\]|\\.){{1,{MAX_LABEL}}}))\]", re.DOTALL)
_ANGLE = re.compile(r"<((?>(?:[^<>\\\r\n]|\\.)*))>")
_BARE = re.compile(r"[^\x00-\x20\x7f()\\]++|\\[!-/:-@\[-`{-~]|[()\\]")
_TITLE = re.compile(r""""(?>(?:[^"\\]|\\.)*)"|'(?>(?:[^'\\]|\\.)*)'|\((?>(?:[^()\\]|\\.)*)\)""", re.DOTALL)
MAX_PARENTHESES = 32  # nested ones in a destination, as other parsers have it


class Destination(Struct, frozen=True, array_like=True):
    """Where a link's destination stands: its range without angle brackets, and the offset after them."""

    start: int
    end: int
    after: int


class Definition(Struct, frozen=True, array_like=True):
    """`[label]: target "title"`: ranges of the label and the target, and of the whole; `after` is where the next line starts."""

    start: int
    end: int
    after: int
    label_start: int
    label_end: int
    target_start: int
    target_end: int


def key(label: str) -> str:
    """How labels are compared: without differences of case and white space."""
    return " ".join(label.split()).casefold()


def label(text: str, at: int, end: int) -> tuple[int, int] | None:
    """The range of the label in the brackets that open at `at`; None when there is none that could be a reference's."""
    found = _LABEL.match(text, at, end)
    return found.span(1) if found and not found[1].isspace() else None


def space(text: str, at: int, end: int) -> int:
    """The offset after white space with at most one line end."""
    found = _SPACE.match(text, at, end)
    return found.end() if found else at


def destination(text: str, at: int, end: int) -> Destination | None:
    """The link destination at `at`, which may be empty when a parenthesis follows."""
    if text.startswith("<", at, end):
        angle = _ANGLE.match(text, at, end)
        return Destination(*angle.span(1), angle.end()) if angle else None
    start, depth = at, 0
    while found := _BARE.match(text, at, end):
        if found[0] == "(":
            depth += 1
            if depth > MAX_PARENTHESES:
                return None
        elif found[0] == ")":
            if depth == 0:
                break
            depth -= 1
        at = found.end()
    return Destination(start, at, at) if depth == 0 else None


def title(text: str, at: int, end: int) -> int | None:
    """The offset after the title that starts at `at`."""
    found = _TITLE.match(text, at, end)
    return found.end() if found else None


def definition(text: str, at: int, end: int) -> Definition | None:
    """The definition that starts at `at` in a paragraph that ends at `end`."""
    named = label(text, at, end)
    if named is None or not text.startswith(":", named[1] + 1, end):
        return None
    start = space(text, named[1] + 2, end)
    target = destination(text, start, end)
    if target is None or target.after == start:
        return None
    last, rest = target.after, _REST.match(text, target.after, end)
    before = space(text, target.after, end)
    if before > target.after and (closed := title(text, before, end)) and (after := _REST.match(text, closed, end)):
        last, rest = closed, after
    if rest is None:
        return None
    return Definition(at, last, rest.end(), *named, target.start, target.end)
