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

_WORD = re.compile(r"[^ \t]+")
_PRIORITY = re.compile(r"\[#([A-Za-z]|[0-9]{1,2})\][ \t]*")
_TAGS = re.compile(r":[\w@#%:]+:")
# A description ends at the first `]]` and holds no `[[`, so that text full of open brackets stays linear.
_LINK = re.compile(r"\[\[([^\[\]\r\n]+)\](?:\[((?:[^\[\]\r\n]|\[(?!\[)|\](?!\]))+)\])?\]")


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
    comment = _word(title) == "COMMENT"
    if comment:
        title = title[len("COMMENT") :]
    return Headline(display(title).strip(), todo, priority, tags, comment)


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


def _is_tags(text: str) -> bool:
    if len(text) < 3 or text[0] != ":" or not text.strip(":"):
        return False
    if _TAGS.fullmatch(text):
        return True
    # Vowel signs and other marks are word constituents in Emacs, but not in Python's \w.
    return all(char.isalnum() or char in "_@#%:" or unicodedata.category(char)[0] == "M" for char in text)
