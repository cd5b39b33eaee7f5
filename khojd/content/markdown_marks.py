"""Marks in Markdown text that are metadata: tags, block ids, properties, tasks, planning dates, comments.

All are looked for in the whole text at once, only around a literal part of them. What stands in code, HTML or a comment is none.

- Tags (`#tag`, `#a/b`, `#a.b`, Logseq's `#[[two words]]`) are the section's own; those of a line of nothing but tags are inherited
  by its child sections, so tags at the head of a file count for all of it.
- Tasks: a section whose heading has no keyword takes the first open one of its own list items (`- [ ]` counts as TODO), else DONE
  when all of them are done. `- [/]` is open, `- [-]` is done.
- Left out of the text: whole-line and block `%%comments%%`, lines of a block id alone, planning lines, LOGBOOK drawers, and
  properties that programs keep for themselves (`collapsed::`, `id::`, …). Other `key:: value` lines are properties and text.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache

from msgspec import Struct, field

from khojd.content.dates import parse_day
from khojd.content.frontmatter import split_tags
from khojd.content.lines import LineIndex
from khojd.content.markdown_outline import OPAQUE, TAKEN, TEXT
from khojd.content.model import DateRef

OPEN = frozenset(("TODO", "DOING", "NOW", "LATER", "NEXT", "WAITING", "WAIT", "STARTED", "IN-PROGRESS", "HOLD"))
DONE = frozenset(("DONE", "CANCELLED", "CANCELED"))

# A tag ends at white space, ASCII or CJK punctuation; `-`, `_`, `/` and inner dots (Dendron) belong to it. Written by exclusion,
# because \w knows no combining marks.
_IN_TAG = (
    r"[^\s!-,.:-@\[-^`{-~\u00a1\u00ab\u00b7\u00bb\u00bf\u2010-\u2027\u2030-\u205e\u3001-\u3003\u3008-\u3011\u3014-\u301f"
    r"\uff01-\uff0f\uff1a-\uff20\uff3b-\uff3e\uff5b-\uff65]"
)
_TAG = re.compile(rf"#(?:\[\[([^\[\]\r\n]{{1,200}})\]\]|({_IN_TAG}+(?:\.{_IN_TAG}+)*))")
_NUMBER = re.compile(r"[0-9/._-]*$")
_BACKTICKS = re.compile(r"`+")

_BLOCK_ID = re.compile(r"\^([A-Za-z0-9][A-Za-z0-9-]*)[ \t]*(?=[\r\n]|\Z)")
_BULLET = re.compile(r"[ \t>]*(?:[-*+]|[0-9]{1,9}[.)])$")
_PROPERTY = re.compile(
    r"(?:[ \t>]*(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]+)?)(?:\[[ xX]\][ \t]+)?"
    r"(?:\*\*|__|_|\*)?([^\W_][\w \-/.?]{0,48}?)(?:\*\*|__|_|\*)?::(?:[ \t]+(.*))?$"
)
_INLINE_PROPERTY = re.compile(r"[\[(]([^\W_][\w \-/.?]{0,48})::[ \t]*((?:\[\[[^\[\]]*\]\]|[^\[\]()])*)[\])]")
_PLANNING_WORDS = ("SCHEDULED:", "DEADLINE:", "CLOSED:")
_PLANNING = re.compile(r"\b(SCHEDULED|DEADLINE|CLOSED):[ \t]*[<\[]([0-9]{4}-[0-9]{2}-[0-9]{2})[^<>\[\]\r\n]{0,60}[>\]]")
_SIGNED_DAY = re.compile("([\U0001f4c5\U0001f4c6\U0001f5d3\u23f3\u231b\u2705])\ufe0f?[ \t]*([0-9]{4}-[0-9]{2}-[0-9]{2})")
_SIGNS = {"\u23f3": "scheduled", "\u231b": "scheduled", "\u2705": "closed"}  # Obsidian Tasks; the other signs are due dates
_DRAWER = re.compile(r":LOGBOOK:[ \t]*(?=[\r\n])")

# Kept by Logseq for itself; a person who searches does not mean them.
_INTERNAL = re.compile(
    r"(?:id|collapsed|heading|background-color|public|icon|created[-_]at|updated[-_]at|card-.*|query-.*|hl-.*|ls-type|logseq\..*|"
    r"template-including-parent|exclude-from-graph-view)$",
    re.IGNORECASE,
)


class Own(Struct):
    """What a section's own lines say. `shared` tags are inherited by its children."""

    tags: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    properties: list[tuple[str, str]] = field(default_factory=list)
    dates: list[DateRef] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)


class Source(Struct):
    """A text with its lines; `kinds` has one byte a line (see `markdown_outline`), `left_out` one flag a line.

    `anchors` are the ranges of names that links can name, with their kinds.
    """

    text: str
    lines: LineIndex
    kinds: bytearray
    left_out: bytearray
    anchors: list[tuple[int, int, str]] = field(default_factory=list)

    def line(self, number: int) -> str:
        """The line without its line end."""
        return self.text[self.lines.starts[number] : self.lines.end(number)]


def find_tags(text: str, start: int = 0) -> Iterator[tuple[int, str]]:
    """Offsets and names of tags. A tag starts the text or line or follows white space or an opening bracket, and is no number."""
    for found in _TAG.finditer(text, start):
        at = found.start()
        if not _may_start_tag(text, at):
            continue
        name = (found[1] or found[2]).strip("/")
        if name and not _NUMBER.match(name):
            yield at, name


def is_tag(text: str, at: int) -> bool:
    """Whether a tag starts at `at`."""
    return at >= 0 and text[at] == "#" and _may_start_tag(text, at) and _TAG.match(text, at) is not None


def _may_start_tag(text: str, at: int) -> bool:
    before = text[at - 1] if at else " "
    return (before.isspace() or before in "(,;\uff08\u3001\uff0c") and not (before == "(" and text[at - 2 : at - 1] == "]")


def block_id(line: str) -> str:
    """The `^id` that a line ends with, else ""."""
    at = line.rfind("^")
    found = _BLOCK_ID.match(line, at) if at == 0 or line[at - 1 : at] in (" ", "\t") else None
    return found[1] if found else ""


def code_spans(line: str) -> list[tuple[int, int]]:
    """Ranges of inline code: from a run of backticks to the next run of the same length, in linear time."""
    runs = [found.span() for found in _BACKTICKS.finditer(line)]
    following: dict[int, list[int]] = {}
    for index in range(len(runs) - 1, -1, -1):
        following.setdefault(runs[index][1] - runs[index][0], []).append(index)
    spans = []
    index = 0
    while index < len(runs):
        same = following[runs[index][1] - runs[index][0]]
        while same and same[-1] <= index:
            same.pop()
        if same:
            spans.append((runs[index][0], runs[same[-1]][1]))
            index = same[-1]
        index += 1
    return spans


def _within(spans: list[tuple[int, int]], at: int) -> bool:
    index = bisect_right(spans, (at, at)) - 1
    return index >= 0 and spans[index][0] <= at < spans[index][1]


def mark_comments(source: Source, first: int) -> None:
    """Find Obsidian's `%%` comments that take whole lines, from line `first` on: they are left out, and nothing in them counts."""
    at = source.text.find("%%", source.lines.starts[first])
    while at >= 0:
        number = source.lines.line(at)
        line = source.line(number).strip()
        after = number + 1
        if source.kinds[number] != OPAQUE and line.startswith("%%"):
            if line.count("%%") == 1 or line == "%%%%":
                close = source.text.find("%%", source.lines.end(number))
                if close < 0:
                    return
                last = source.lines.line(close)
                if not source.line(last).rstrip().endswith("%%"):
                    after = last + 1
                    last -= 1
            else:
                last = number if line.count("%%") == 2 and line.endswith("%%") else number - 1
            after = max(after, last + 1)
            for inner in range(number, last + 1):
                source.left_out[inner] = 1
                source.kinds[inner] = OPAQUE
        at = source.text.find("%%", source.lines.starts[after]) if after < len(source.lines) else -1


def collect(source: Source, first: int, owner: Callable[[int], Own], keywords: frozenset[str]) -> None:
    """Give each mark from line `first` on to the section that owns its line. `keywords` are the open TODO keywords known."""
    start = source.lines.starts[first]
    text = source.text
    if "#" in text:
        _tags(source, start, owner)
    if "::" in text:
        _properties(source, start, owner)
    if "^" in text:
        for found in _BLOCK_ID.finditer(text, start):
            number = source.lines.line(found.start())
            if source.kinds[number] == TEXT and (found.start() == source.lines.starts[number] or text[found.start() - 1] in " \t"):
                owner(number).ids.append(found[1])
                source.anchors.append((*found.span(1), "block"))
                if source.line(number).strip() == f"^{found[1]}":
                    source.left_out[number] = 1
    _tasks(source, start, owner, keywords)


def _tags(source: Source, start: int, owner: Callable[[int], Own]) -> None:
    at_line, line_start, alone = -1, 0, False
    spans: list[tuple[int, int]] = []
    for at, name in find_tags(source.text, start):
        number = source.lines.line(at)
        if source.kinds[number] != TEXT:
            continue
        if number != at_line:
            at_line, line_start = number, source.lines.starts[number]
            line = source.line(number)
            spans = code_spans(line) if "`" in line else []
            alone = not _TAG.sub("", line).strip(" \t,;>-*")
        if spans and _within(spans, at - line_start):
            continue
        own = owner(number)
        (own.shared if alone else own.tags).append(name)


def _properties(source: Source, start: int, owner: Callable[[int], Own]) -> None:
    at = source.text.find("::", start)
    while at >= 0:
        number = source.lines.line(at)
        if source.kinds[number] == TEXT:
            line = source.line(number)
            if found := _PROPERTY.match(line):
                set_property(owner(number), found[1].strip(), (found[2] or "").strip())
                if found[1].lower() == "id" and found[2] and (value := found[2].strip()):
                    start = source.lines.starts[number] + found.start(2)
                    source.anchors.append((start, start + len(value), "block"))
                source.left_out[number] |= _INTERNAL.match(found[1].strip()) is not None
            else:
                spans = code_spans(line) if "`" in line else []
                for inline in _INLINE_PROPERTY.finditer(line):
                    if not _within(spans, inline.start()):
                        set_property(owner(number), inline[1].strip(), inline[2].strip())
        at = source.text.find("::", source.lines.end(number))


def page_properties(source: Source, first: int) -> tuple[list[tuple[str, str]], int]:
    """`key:: value` lines at the head of the file, which speak for all of it, and the line after them; a title is no text."""
    found: list[tuple[str, str]] = []
    number = first
    while number < len(source.lines) and not source.line(number).strip():
        number += 1
    while number < len(source.lines) and source.kinds[number] == TEXT and (match := _PROPERTY.match(source.line(number))):
        key, value = match[1].strip(), (match[2] or "").strip()
        if source.line(number).lstrip()[:1] in "-*+>":
            break
        found.append((key, value))
        if key.lower() == "id" and value:
            start = source.lines.starts[number] + match.start(2)
            source.anchors.append((start, start + len(value), "block"))
        source.left_out[number] = key.lower() == "title" or _INTERNAL.match(key) is not None
        source.kinds[number] = TAKEN  # not looked at again
        number += 1
    return found, number


def set_property(own: Own, key: str, value: str) -> None:
    """Give a section a property; `id`, `tags` and days of planning go where their kind is kept."""
    folded = key.lower()
    if not value:
        return
    if folded == "id":
        own.ids.append(value)
    elif folded in ("tags", "tag"):
        own.shared += (tag.removeprefix("[[").removesuffix("]]") for tag in split_tags(value))
    else:
        own.properties.append((key, value))
        kind = {"due": "deadline", "deadline": "deadline", "scheduled": "scheduled", "completion": "closed"}.get(folded)
        if kind and (day := parse_day(value)):
            own.dates.append(DateRef(kind, day.toordinal(), day.toordinal() + 1))


def _tasks(source: Source, start: int, owner: Callable[[int], Own], keywords: frozenset[str]) -> None:
    text, lines = source.text, source.lines
    for found in _task_pattern(keywords).finditer(text, start):
        at = found.start()
        number = lines.line(at)
        if source.kinds[number] == TEXT and _is_bullet(text, lines.starts[number], at):
            owner(number).tasks.append("DONE" if _is_done(found) else found[2] or "TODO")
    for found in _PLANNING.finditer(text, start) if any(word in text for word in _PLANNING_WORDS) else ():
        _planned(source, found.start(), found[1].lower(), found[2], owner)
        number = lines.line(found.start())
        if lines.starts[number + 1 : number + 2] and lines.starts[number + 1] - lines.starts[number] < 400:
            source.left_out[number] |= not _PLANNING.sub("", source.line(number)).strip()
    for found in _SIGNED_DAY.finditer(text, start) if not text.isascii() else ():
        _planned(source, found.start(), _SIGNS.get(found[1], "deadline"), found[2], owner)
    for found in _DRAWER.finditer(text, start):
        _drawer(source, lines.line(found.start()))


def _is_bullet(text: str, line: int, at: int) -> bool:
    """Whether the mark at `at` is that of a list item, in the line that starts at `line`."""
    return at - line < 400 and _BULLET.match(text[line : at + 1]) is not None


def _is_done(task: re.Match[str]) -> bool:
    return task[1] in ("x", "X", "-") if task[1] else task[2] in DONE


@lru_cache(maxsize=8)
def _task_pattern(keywords: frozenset[str]) -> re.Pattern[str]:
    words = "|".join(map(re.escape, sorted(keywords | DONE, key=len, reverse=True)))
    return re.compile(rf"[-*+.)][ \t]+(?:\[([ xX/-])\]|({words}))(?=[ \t])")


def _planned(source: Source, at: int, kind: str, written: str, owner: Callable[[int], Own]) -> None:
    number = source.lines.line(at)
    day = parse_day(written)
    if source.kinds[number] == TEXT and day:
        owner(number).dates.append(DateRef(kind, day.toordinal(), day.toordinal() + 1))


def _drawer(source: Source, first: int) -> None:
    """Leave out a LOGBOOK drawer."""
    after = _drawer_end(source, first)
    source.left_out[first:after] = b"\1" * (after - first)


def _drawer_end(source: Source, first: int) -> int:
    """The line after the LOGBOOK drawer that starts at line `first`; that line itself when no drawer does, or it is not closed."""
    if source.kinds[first] != TEXT or source.line(first).strip().upper() != ":LOGBOOK:":
        return first
    for number in range(first + 1, len(source.lines)):
        line = source.line(number).strip().upper()
        if line == ":END:":
            return number + 1
        if line == ":LOGBOOK:":
            break
    return first


def find_drawers(source: Source, start: int) -> Iterator[tuple[int, int]]:
    """The lines [first, after) of LOGBOOK drawers from offset `start` on."""
    for found in _DRAWER.finditer(source.text, start):
        first = source.lines.line(found.start())
        if (after := _drawer_end(source, first)) > first:
            yield first, after


def find_tasks(source: Source, start: int, keywords: frozenset[str]) -> Iterator[tuple[int, int, bool]]:
    """Ranges of the check boxes and keywords of list items from offset `start` on, and whether they are done."""
    text, lines = source.text, source.lines
    for found in _task_pattern(keywords).finditer(text, start):
        if _is_bullet(text, lines.starts[lines.line(found.start())], found.start()):
            low, high = (found.start(1) - 1, found.end(1) + 1) if found[1] else found.span(2)
            yield low, high, _is_done(found)


def find_planned(text: str, start: int) -> Iterator[tuple[int, int, date]]:
    """Ranges of planning stamps with their brackets, and of the days after Obsidian's signs, with the days."""
    for found in _PLANNING.finditer(text, start):
        if day := parse_day(found[2]):
            yield found.start(2) - 1, found.end(), day
    for found in _SIGNED_DAY.finditer(text, start):
        if day := parse_day(found[2]):
            yield *found.span(2), day


def find_properties(line: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Ranges of the keys and values of a line's `key:: value` and `[key:: value]`."""
    for found in (whole,) if (whole := _PROPERTY.match(line)) else _INLINE_PROPERTY.finditer(line):
        yield found.span(1), found.span(2) if found[2] else (found.end(1), found.end(1))


def todo_of(tasks: list[str]) -> str:
    """The keyword of a section with these tasks: the first open one, DONE when all are done, "" without tasks."""
    return next((task for task in tasks if task != "DONE"), "DONE" if tasks else "")
