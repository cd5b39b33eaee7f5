"""The parts of an Org heading: keyword, priority, COMMENT, title and tags.

Syntax: https://orgmode.org/worg/org-syntax.html#Headings
"""

import re
import unicodedata
from collections.abc import Collection
from typing import NamedTuple

# Org's own two and those that people set up globally, which a file does not show.
# Plain English words (NO, IDEA, KILL) are left to a file's `#+TODO` line and to the setting.
DEFAULT_KEYWORDS = frozenset(
    {
        *("TODO", "DONE", "NEXT", "WAITING", "WAIT", "HOLD", "SOMEDAY", "MAYBE", "STARTED", "STRT", "PROJ"),
        *("IN-PROGRESS", "INPROGRESS", "IN_PROGRESS", "DELEGATED", "DEFERRED", "CANCELLED", "CANCELED"),
    }
)

DEFAULT_DONE = frozenset({"DONE", "CANCELLED", "CANCELED"})

# Keywords that people define; none is likely to start a title in capitals.
_OFTEN_KEYWORDS = frozenset(
    {
        *(
            "DOING",
            "LATER",
            "BLOCKED",
            "PENDING",
            "POSTPONED",
            "ABORTED",
            "FIXME",
            "WIP",
            "WAITING-FOR",
            "KILL",
            "KILLED",
            "VERIFY",
        ),
        *("INPROCESS", "IN-REVIEW", "DROPPED", "SKIPPED", "REJECTED", "UNFINISHED", "TOREAD", "TO-READ", "FAILED", "COMPLETED"),
    }
)

_CAPITALS = re.compile(r"[A-Z](?=(?:[-_]*[A-Z]){2})[A-Z_-]*")
_TAG_NAME = re.compile(r"[^:]+")
_WORD = re.compile(r"[^ \t]+")
_PRIORITY = re.compile(r"\[#([A-Za-z]|[0-9]{1,2})\][ \t]*")
_TAGS = re.compile(r":[\w@#%:]+:")
# A description ends at the first `]]` and holds no `[[`, so that text full of open brackets stays linear.
_LINK = re.compile(r"\[\[([^\[\]\r\n]+)\](?:\[((?:[^\[\]\r\n]|\[(?!\[)|\](?!\]))+)\])?\]")


Range = tuple[int, int]


class Headline(NamedTuple):
    """What a heading says. `title` is for display: links show their description."""

    title: str
    todo: str
    priority: str
    tags: tuple[str, ...]
    comment: bool


def parse_headline(text: str, keywords: Collection[str]) -> Headline:
    """Read a heading's text (after the stars, without line end). `keywords` are the file's TODO keywords."""
    title = text.strip(" \t")
    tags: tuple[str, ...] = ()
    if title.endswith(":"):
        cut = max(title.rfind(" "), title.rfind("\t")) + 1
        if _is_tags(title[cut:]):
            tags = tuple(dict.fromkeys(filter(None, title[cut:].split(":"))))
            title = title[:cut].rstrip(" \t")
    todo = _word(title)
    if todo in keywords:
        title = title[len(todo) :].lstrip(" \t")
    else:
        todo = ""
    priority = ""
    if title.startswith("[#") and (cookie := _PRIORITY.match(title)):
        priority = cookie[1]
        title = title[cookie.end() :]
    comment = title.startswith("COMMENT") and _word(title) == "COMMENT"
    if comment:
        title = title[len("COMMENT") :]
    return Headline(display(title).strip(), todo, priority, tags, comment)


class Parts(NamedTuple):
    """Where the parts of a heading stand in its text; a part that is missing is None."""

    todo: Range | None
    priority: Range | None  # with its brackets
    title: Range  # as it is written, without COMMENT
    tags: tuple[Range, ...]  # the bare names


def locate(text: str, keywords: Collection[str]) -> Parts:
    """The ranges of what `parse_headline` reads in the same text."""
    headline = parse_headline(text, keywords)
    end = len(text.rstrip(" \t"))
    tags: tuple[Range, ...] = ()
    if headline.tags:
        cut = max(text.rfind(" ", 0, end), text.rfind("\t", 0, end)) + 1
        tags = tuple(name.span() for name in _TAG_NAME.finditer(text, cut, end))
        end = len(text[:cut].rstrip(" \t"))
    start = _solid(text, 0)
    todo = priority = None
    if headline.todo:
        todo = (start, start + len(headline.todo))
        start = _solid(text, todo[1])
    if headline.priority and (cookie := _PRIORITY.match(text, start)):
        priority = (start, text.index("]", start) + 1)
        start = cookie.end()
    if headline.comment:
        start = _solid(text, start + len("COMMENT"))
    return Parts(todo, priority, (min(start, end), end), tags)


def keyword_like(text: str, keywords: Collection[str]) -> str:
    """The first word of a heading's text (after the stars) if it must be meant as a keyword that the file does not have, else "".

    Headings often start with a name in capitals (`GNU Emacs`), so a word is only taken for one that is widely used as a keyword, or
    that has the letters of one of `keywords` in another order (`TOOD`). A title must follow.
    """
    word = _word(text.lstrip(" \t"))
    if word in keywords or not text.lstrip(" \t")[len(word) :].strip() or not _CAPITALS.fullmatch(word):
        return ""
    if word in DEFAULT_KEYWORDS or word in _OFTEN_KEYWORDS:
        return word
    letters = sorted(word)
    slips = (keyword for keyword in keywords if len(keyword) > 3 and keyword[0] == word[0] and sorted(keyword) == letters)
    return word if any(slips) else ""


def display(text: str) -> str:
    """`text` with each link replaced by its description, or by its target when it has none."""
    if "[[" not in text:
        return text
    return _LINK.sub(lambda link: link[2] or link[1], text)


def parse_keywords(value: str) -> list[str]:
    """The keywords of `#+TODO: TODO(t) WAIT(w@/!) | DONE(d!)`, without bar and fast keys."""
    words = (word.split("(", 1)[0] for word in value.split())
    return [word for word in words if word and word != "|"]


def _word(text: str) -> str:
    match = _WORD.match(text)
    return match[0] if match else ""


def _solid(text: str, start: int) -> int:
    """The first offset from `start` on that is no blank."""
    return len(text) - len(text[start:].lstrip(" \t"))


def _is_tags(text: str) -> bool:
    if len(text) < 3 or text[0] != ":" or not text.strip(":"):
        return False
    if _TAGS.fullmatch(text):
        return True
    # Vowel signs and other marks are word constituents in Emacs, but not in Python's \w.
    return all(char.isalnum() or char in "_@#%:" or unicodedata.category(char)[0] == "M" for char in text)
