"""The lines of an Org file that are not plain text: headings, keywords, drawers, clocks and blocks.

One pass of one regular expression finds them; each section's are then read in order, blocks and drawers matched with their ends.
Only whole lines are hidden, so what is left is the section's text. Syntax: https://orgmode.org/worg/org-syntax.html
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from msgspec import Struct, field

from khojd.content.model import DateRef
from khojd.content.org_dates import read_planning
from khojd.content.org_properties import Name, file_drawer_start, read_drawer

Range = tuple[int, int]

# Searched in "\n" + text, so that every line, also the first, follows a line end: a match's start is the line's offset in text.
_MARK_PATTERN = (
    r"(?:(?P<stars>\*+)[ ]"
    r"|[ \t]*(?:#\+(?P<key>[^\s:\[]+)(?P<colon>(?:\[[^\r\n]*\])?:)?(?P<value>[^\r\n]*)"
    r"|:(?P<drawer>[\w-]+):[ \t]*(?![^\r\n])"
    r"|(?P<clock>CLOCK:)))"
)
_MARK = re.compile(r"[\r\n]" + _MARK_PATTERN)
_MARK_AFTER_FEED = re.compile(r"\n" + _MARK_PATTERN)  # more than twice as fast, where no line ends with CR
_CLOCK = re.compile(
    r"[ \t]*+CLOCK:[ \t]*+(?:\[[^\]\r\n]*\](?:--\[[^\]\r\n]*\])?)?[ \t]*+(?:=>[ \t]*-?[0-9]+:[0-9]{2})?[ \t]*+(?![^\r\n])"
)
_BLANK_LINES = re.compile(r"[ \t\r\n]*[\r\n]")
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)?")
_INLINE_STARS = "*" * 15
_HEADING = re.compile(r"[\r\n](\*+) ([^\r\n]*)")

_LITERAL = frozenset({"begin_src", "begin_example", "begin_export", "begin_comment"})  # hold no timestamps
LITERAL_BLOCKS = _LITERAL | {"begin_verse"}  # hold no drawers, clocks or keywords
_METADATA_DRAWERS = frozenset({"LOGBOOK", "CLOCK"})
# Keywords that set something up. All others hold words of the author (captions, names, descriptions) and stay text.
_SETTINGS = frozenset(
    {
        *("title", "filetags", "todo", "seq_todo", "typ_todo", "property", "category", "language"),  # read here
        *("archive", "bind", "cite_export", "columns", "constants", "creator", "exclude_tags", "export_exclude_tags"),
        *("export_file_name", "export_select_tags", "infojs_opt", "link", "macro", "mathjax", "options", "priorities"),
        *("select_tags", "setupfile", "startup", "style", "tags", "uniquify", "xslt"),
    }
)
_SETTING_PREFIXES = ("html_", "latex_", "beamer_", "texinfo_", "odt_", "man_", "reveal_")
_NAMES = frozenset({"name", "label", "tblname", "srcname", "resname"})  # the old keys mean the first
_FILES = {
    "include": re.compile(r"[ \t]*(?:\"([^\"\r\n]+)\"|([^\s\"]+))"),
    "setupfile": re.compile(r"[ \t]*(?:\"([^\"\r\n]+)\"|([^\s\"](?:[^\r\n]*[^\s])?))"),
}


class Passage(NamedTuple):
    """A block or a drawer in whole lines, or a keyword without its colon. `name` is as written, a block's is its `begin_…`."""

    kind: Literal["block", "drawer", "keyword"]
    name: str
    start: int
    end: int


class Lines(Struct):
    """One section's own lines. Ranges are offsets of whole lines, in order, within `start` to `end`."""

    start: int
    level: int  # number of stars; 0 for the text before the first heading
    body: int  # first offset after the heading's line
    end: int  # of the section's own body
    hidden: list[Range] = field(default_factory=list)  # metadata: planning, drawers, clocks, settings
    undated: list[Range] = field(default_factory=list)  # stamps here are no dates of the text: planning, log drawers, clocks, code
    planned: tuple[DateRef, ...] = ()
    properties: list[tuple[str, str]] = field(default_factory=list)
    keywords: list[tuple[str, str, Range]] = field(default_factory=list)  # settings and `date`: lower-case key, value, its line
    literal: list[Range] = field(default_factory=list)  # blocks in which nothing is a link
    names: list[Name] = field(default_factory=list)  # `#+NAME` and the ids among the properties
    files: list[Range] = field(default_factory=list)  # names of files in `#+INCLUDE` and `#+SETUPFILE`


def read_lines(text: str) -> list[Lines]:
    """The sections' lines in file order; the first one is the text before the first heading."""
    return [_section(text, section, marks) for section, marks in _sections(text)]


def read_passages(text: str) -> Iterator[Passage]:
    """The blocks, drawers and keywords of a text, outer ones before those in them. In a literal or verse block there are none."""
    for _, marks in _sections(text):
        closes = _closing(marks)
        limits = [(len(marks), False)]  # indices of the marks that end what is open, and whether that is a drawer
        index = 0
        while index < len(marks):
            mark, close = marks[index], closes[index]
            start, key = mark.start(), mark["key"]
            if key and (mark["colon"] or close or index == limits[-1][0]):
                yield Passage("keyword", key, mark.start("key") - 3, mark.end("key") - 1)
            if index == limits[-1][0]:
                limits.pop()
            elif close and close < limits[-1][0] and not (mark["drawer"] and limits[-1][1]):  # a drawer holds no drawer
                end = line_end(text, marks[close].start())
                yield Passage("block", key, start, end) if key else Passage("drawer", mark["drawer"], start, end)
                if key and key.lower() in LITERAL_BLOCKS:
                    index = close - 1
                limits.append((close, not key))
            index += 1


def _sections(text: str) -> Iterator[tuple[Lines, list[re.Match[str]]]]:
    """Each section as yet without contents, and its marks."""
    padded = "\n" + text
    starts, ends = _inline_tasks(padded) if _INLINE_STARS in text else (set(), set())
    marks: list[re.Match[str]] = []
    start = level = body = 0
    for mark in (_MARK if "\r" in text else _MARK_AFTER_FEED).finditer(padded):
        if not mark["stars"] or mark.start() in ends:
            marks.append(mark)
        elif mark.start() not in starts:
            yield Lines(start, level, body, mark.start()), marks
            marks = []
            start, level = mark.start(), len(mark["stars"])
            body = line_end(text, start)
    yield Lines(start, level, body, len(text)), marks


def line_end(text: str, start: int) -> int:
    """The offset after the line that holds `start`, its line end included."""
    match = _LINE.match(text, start)
    assert match is not None  # the pattern matches everywhere
    return match.end()


def _section(text: str, section: Lines, marks: list[re.Match[str]]) -> Lines:
    """Fill a new section from its marks."""
    position = section.body
    if not section.level:
        position = file_drawer_start(text, section.end) if marks else 0
    elif planning := read_planning(text, position):
        section.planned = planning.dates
        section.undated.append((position, planning.stop))
        if planning.bare:
            section.hidden.append((position, planning.end))
        position = planning.end
    if marks and section.level and (blank := _BLANK_LINES.match(text, position, section.end)):
        position = blank.end()  # not Org's syntax, but no less clear
    if marks and (drawer := read_drawer(text, position, section.end)):
        end, section.properties, section.names = drawer
        _read_marks(text, [mark for mark in marks if mark.start() < position], section)
        section.hidden.append((position, end))
        marks = [mark for mark in marks if mark.start() >= end]
    if marks:
        _read_marks(text, marks, section)
    return section


def _read_marks(text: str, marks: list[re.Match[str]], section: Lines) -> None:
    """Sort a section's marked lines into hidden and undated ranges and keywords."""
    closes = _closing(marks)
    limits = [len(marks)]  # indices of the marks that end the drawers and blocks around the current one
    index = 0
    while index < len(marks):
        mark = marks[index]
        start = mark.start()
        close = closes[index]
        if index == limits[-1]:
            limits.pop()
            if mark["drawer"]:
                section.hidden.append((start, line_end(text, start)))
        elif close and close < limits[-1]:
            key = mark["key"]
            whole = (start, line_end(text, marks[close].start()))
            if key and key.lower() in LITERAL_BLOCKS:
                if key.lower() in _LITERAL:
                    section.undated.append(whole)
                    section.literal.append(whole)
                index = close
            elif not key and mark["drawer"].upper() in _METADATA_DRAWERS:
                section.hidden.append(whole)
                section.undated.append(whole)
                section.literal += _literal_blocks(text, marks[index + 1 : close])
                index = close
            else:
                if not key:
                    section.hidden.append((start, line_end(text, start)))
                limits.append(close)
        elif mark["stars"]:  # the END of an inline task
            section.hidden.append((start, line_end(text, start)))
        elif mark["clock"]:
            if _CLOCK.match(text, start):
                section.hidden.append((start, line_end(text, start)))
                section.undated.append(section.hidden[-1])
        elif mark["key"] and mark["colon"]:
            _read_keyword(text, mark, section)
        index += 1


def _read_keyword(text: str, mark: re.Match[str], section: Lines) -> None:
    key = mark["key"].lower()
    if key == "date" or key in _SETTINGS or key.startswith(_SETTING_PREFIXES):
        line = (mark.start(), line_end(text, mark.start()))
        section.keywords.append((key, mark["value"].strip(), line))
        if key != "date":
            section.hidden.append(line)
    if key in _NAMES and (name := mark["value"].strip()):
        start = text.index(name, mark.start("value") - 1)
        section.names.append(("name", name, start, start + len(name)))
    elif (pattern := _FILES.get(key)) and (file := pattern.match(text, mark.start("value") - 1)):
        section.files.append(file.span(file.lastindex or 0))


def _literal_blocks(text: str, marks: list[re.Match[str]]) -> Iterator[Range]:
    """The literal blocks among the marks of a log drawer."""
    closes, index = _closing(marks), 0
    while index < len(marks):
        if closes[index] and (marks[index]["key"] or "").lower() in _LITERAL:
            yield marks[index].start(), line_end(text, marks[closes[index]].start())
            index = closes[index]
        index += 1


def _closing(marks: list[re.Match[str]]) -> list[int]:
    """For each mark that opens a block or drawer the index of the first mark after it that closes it, else 0."""
    closes = [0] * len(marks)
    nearest: dict[str, int] = {}
    for index in range(len(marks) - 1, -1, -1):
        if drawer := marks[index]["drawer"]:
            if drawer.upper() == "END":
                nearest[":"] = index
            else:
                closes[index] = nearest.get(":", 0)
        elif key := marks[index]["key"]:
            key = key.lower()
            if key.startswith("end"):
                nearest[key] = index
            elif key.startswith("begin"):
                closes[index] = nearest.get("end" + key.removeprefix("begin"), 0)
    return closes


def _inline_tasks(padded: str) -> tuple[set[int], set[int]]:
    """Offsets of the first and of the END lines of inline tasks (org-inlinetask), which are no headings but text.

    A line of 15 stars or more is one in a file that closes at least one of them with an END of the same stars; else it is a
    heading, as it is in Org when that module is not loaded.
    """
    starts: set[int] = set()
    ends: set[int] = set()
    last_stars = ""
    for match in _HEADING.finditer(padded):
        stars = match[1]
        if len(stars) < len(_INLINE_STARS):
            last_stars = ""
        elif stars == last_stars and match[2].strip() == "END":
            ends.add(match.start())
            last_stars = ""
        else:
            starts.add(match.start())
            last_stars = stars
    return (starts, ends) if ends else (set(), set())
