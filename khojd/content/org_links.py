"""The links and targets in an Org text.

Syntax: https://orgmode.org/worg/org-syntax.html#Links and #Targets_and_Radio_Targets; plain links end as `org-link-plain-re` of
ol.el says. Candidates are found by their literal parts (`[[`, `:`, `<<`) over the whole text at once; then those are dropped that
stand in a literal block, in verbatim text, on a comment or fixed-width line, or within another link's target. A candidate is tried
once and what is unclosed ends at its paragraph, so time is linear on any text.
"""

import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter

from khojd.content.model import Anchor, Link
from khojd.content.org_lines import Lines, Range
from khojd.content.org_verbatim import BREAK, Verbatim

_LINE_END = rf"(?:\r\n?+|\n)(?!{BREAK})"  # a link may be filled like other text
_PATH = r"[^\[\]\\\r\n]*+"
_TARGET = rf"{_PATH}(?:(?:\\(?:[\\\[\]]|(?![\[\]]))|{_LINE_END}){_PATH})*"
_WORDS = r"[^\[\]\r\n]*+"
# It ends at the first `]]`, and holds no link with a description: so no text is read twice. Org lets it hold no link in brackets
# at all; people do write `[[page][[[file:image.png]]]]`.
_DESCRIPTION = rf"{_WORDS}(?:(?:\[\[[^\[\]\r\n]++\]\](?=\]\])|\[(?!\[{_TARGET}\]\[)|\](?!\])|{_LINE_END}){_WORDS})*"
_BRACKET = re.compile(rf"\[\[(?!\])({_TARGET})\](?:\[(?!\]\])({_DESCRIPTION})\])?\]")

_TYPES = (
    *("http", "https", "file", "id", "mailto", "ftp", "news", "doi", "attachment", "help", "elisp", "file+sys", "file+emacs"),
    *("shell", "info", "man", "docview", "bibtex", "gnus", "mhe", "rmail", "irc", "bbdb", "w3m", "eww", "shortdoc"),
)
# What stands before a colon is looked up by its length; the frequent lengths are tried first.
_LENGTHS = sorted({*map(len, _TYPES)}, key=lambda length: (length > 5, -length))
_BEHIND = "|".join(rf"(?<=\b({'|'.join(re.escape(kind) for kind in _TYPES if len(kind) == length)}):)" for length in _LENGTHS)
_COLON = re.compile(rf":(?=[^\s:])(?<=[a-z][a-z3]:)(?:{_BEHIND})")
_ROUND = r"[(<\[](?:[^\s()\[\]<>]++|[(<\[][^\s()\[\]<>]*+[)\]>])*[)\]>]"
_PLAIN = re.compile(rf"(?:[^\s()\[\]<>]++|{_ROUND})+")
_ANGLE = re.compile(rf"[^<>\r\n]*+(?:{_LINE_END}[^<>\r\n]*+)*>")
_PUNCTUATION = frozenset("!\"#$%&'*+,-.:;=?@\\^_`{|}~")

_ANCHOR = re.compile(r"<<(<?)([^<>\s](?:[^<>\r\n]*[^<>\s])?)>>")

# Lines in which nothing is a link: comments, fixed-width ones and keywords with raw code or with a template of links.
_RAW_KEYWORDS = "link|macro|bind|include|setupfile|(?:html|latex|beamer|texinfo|ascii)(?:_[a-z_]+)?"
_UNLINKED = re.compile(rf"[ \t]*(?:[#:](?:[ \r\n]|\Z)|#\+(?:{_RAW_KEYWORDS}):)", re.IGNORECASE)
_ABBREVIATION = re.compile(r"(?:\"([^\"]+)\"|(\S+))[ \t]+(.+)")


class _Passages:
    """Ranges in order, asked for offsets in ascending order."""

    def __init__(self, ranges: Sequence[Range]) -> None:
        self._ranges = ranges
        self._next = 0

    def holds(self, offset: int) -> bool:
        while self._next < len(self._ranges) and self._ranges[self._next][1] <= offset:
            self._next += 1
        return self._next < len(self._ranges) and self._ranges[self._next][0] <= offset


class _Lines:
    """Whether links count on the line of an offset; offsets are asked for in ascending order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._returns = "\r" in text
        self._offset = 0
        self._unlinked = _UNLINKED.match(text) is not None

    def unlinked(self, offset: int) -> bool:
        text = self._text
        last = text.rfind("\n", self._offset, offset)
        if self._returns:
            last = max(last, text.rfind("\r", self._offset, offset))
        self._offset = offset
        if last >= 0:
            self._unlinked = text[last + 1] in "#: \t" and _UNLINKED.match(text, last + 1) is not None
        return self._unlinked


def find(text: str, lines: Sequence[Lines]) -> tuple[tuple[Link, ...], tuple[Anchor, ...]]:
    """The links and the anchors of a text whose sections have these lines, each in the order they stand."""
    anchors = [Anchor(*name, index) for index, own in enumerate(lines) for name in own.names]
    links = [Link("plain", *file, text[slice(*file)], *file, index) for index, own in enumerate(lines) for file in own.files]
    ordered = not links
    literal = _Passages([passage for own in lines for passage in own.literal])
    line, verbatim = _Lines(text), Verbatim(text)
    starts = [*(own.start for own in lines[1:]), len(text) + 1]
    section = 0
    for start, end, match in _candidates(text):
        while starts[section] <= start:
            section += 1
        if literal.holds(start) or line.unlinked(start) or verbatim.holds(start):
            continue
        verbatim.take(end)
        if match is None:
            links.append(_plain(text, start, end, section))
        elif match.re is _ANCHOR:
            anchors.append(Anchor("radio" if match[1] else "target", match[2], *match.span(2), section))
        elif match[2] is None:
            links.append(Link("org", start, end, match[1], *match.span(1), section))
        else:
            links.append(Link("org", start, end, match[1], *match.span(1), section, match[2], *match.span(2)))
            if ":" in match[2] and match[2] != match[1]:
                inner = (_plain(text, *span, section) for span in _plain_links(text, match.start(2), match.end(2), ()))
                links += (link for link in inner if link.target != match[1])
    if not ordered:
        links.sort(key=_start)
    anchors.sort(key=_start)
    return tuple(links), tuple(anchors)


def abbreviations(lines: Iterable[Lines]) -> tuple[tuple[str, str], ...]:
    """The names and replacements of `#+LINK` lines, as written."""
    found = (_ABBREVIATION.match(value) for own in lines for key, value, _ in own.keywords if key == "link")
    return tuple((match[1] or match[2], match[3]) for match in found if match)


def _start(item: Link | Anchor) -> int:
    return item.start


def _plain(text: str, start: int, end: int, section: int) -> Link:
    inset = text[start] == "<"
    return Link("plain", start, end, text[start + inset : end - inset], start + inset, end - inset, section)


_Candidate = tuple[int, int, re.Match[str] | None]  # range; None for links without brackets


def _candidates(text: str) -> list[_Candidate]:
    """All that look like links or targets, by their start. Of those without brackets none stands in a link with brackets."""
    brackets: list[_Candidate] = [(*match.span(), match) for match in _BRACKET.finditer(text)]
    others: list[_Candidate] = [(start, end, None) for start, end in _plain_links(text, 0, len(text), brackets)]
    others += ((*match.span(), match) for match in _ANCHOR.finditer(text))
    if not others:
        return brackets
    brackets += others
    brackets.sort(key=itemgetter(0))
    return brackets


def _plain_links(text: str, start: int, end: int, brackets: Sequence[_Candidate]) -> Iterator[Range]:
    """Ranges of links without brackets, or in angle ones, within `start` to `end` and outside `brackets`."""
    following = iter(brackets)
    bracket_start, bracket_end, _ = next(following, _NO_MORE)
    stop = start
    for colon in _COLON.finditer(text, start, end):
        at, after = colon.span()
        while bracket_end <= at:
            bracket_start, bracket_end, _ = next(following, _NO_MORE)
        if bracket_start < at or at < stop:
            continue
        assert colon.lastindex is not None  # one of the types matched
        kind_start = at - _LENGTHS[colon.lastindex - 1]
        if kind_start > start and text[kind_start - 1] == "<" and (angle := _ANGLE.match(text, after, end)):
            stop = angle.end()
            yield kind_start - 1, stop
        elif path := _PLAIN.match(text, after, end):
            stop = last = path.end()
            while _is_punctuation(text[last - 1]):
                last -= 1
            if last > after + 1:
                yield kind_start, last


_NO_MORE: _Candidate = (sys.maxsize, sys.maxsize, None)


def _is_punctuation(char: str) -> bool:
    return char in _PUNCTUATION if char.isascii() else unicodedata.category(char)[0] == "P"
