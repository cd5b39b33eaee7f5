"""Org files as sections with exact ranges.

The parser is line-based: org_lines finds the lines that mean something, org_headline, org_properties and org_dates read them,
and this module builds the tree. It follows Org's own syntax (https://orgmode.org/worg/org-syntax.html): a heading ends every
block and drawer, and what is not closed is text. Every line that is not blank is in a segment or a heading segment, or is one of
these: planning line, property drawer, LOGBOOK or CLOCK drawer, clock line, begin or end of another drawer, end of an inline task,
setting keyword (`#+TITLE`, `#+OPTIONS`, …) or a `#+DATE` that was understood.
"""

from collections.abc import Iterable, Iterator, Sequence

from khojd.content import org_links
from khojd.content.model import ContentSettings, DateRef, Parsed, Section, Segment, Span
from khojd.content.org_dates import find_stamps, first_day
from khojd.content.org_headline import DEFAULT_DONE, DEFAULT_KEYWORDS, Headline, display, parse_headline, parse_keywords
from khojd.content.org_lines import Lines, Range, read_lines
from khojd.content.org_properties import Inherited, resolve

_TODO_KEYWORDS = ("todo", "seq_todo", "typ_todo")
_ARCHIVE = "ARCHIVE"


class _FileSettings:
    """What the file's keywords say, wherever in the file they stand."""

    def __init__(self, sections: Iterable[Lines], settings: ContentSettings) -> None:
        self.titles: list[str] = []
        self.tags: tuple[str, ...] = ()
        self.language = ""
        self.dates: list[DateRef] = []
        todo: list[str] = []
        properties: list[tuple[str, str]] = []
        for section in sections:
            for key, value, line in section.keywords:
                if key == "title":
                    self.titles.append(value)
                elif key == "filetags":
                    self.tags = _joined(self.tags, value.replace(":", " ").replace(",", " ").split())
                elif key in _TODO_KEYWORDS:
                    todo += parse_keywords(value)
                elif key == "language":
                    self.language = self.language or value.replace("_", "-").partition("-")[0].lower()
                elif key == "property" and value:
                    name, *rest = value.split(None, 1)
                    properties.append((name, "".join(rest)))
                elif key == "category":
                    properties.append(("CATEGORY", value))
                elif key == "date" and (days := first_day(value)):
                    self.dates.append(DateRef("frontmatter", *days))
                    _hide(section.hidden, line)
        self.keywords = frozenset((*(todo or DEFAULT_KEYWORDS), *settings.todo_keywords))
        self.inherited: Inherited = resolve(properties, {}, everywhere=True)[1]


def keywords(text: str, settings: ContentSettings) -> tuple[frozenset[str], frozenset[str]]:
    """The TODO keywords of an Org text, by its own lines or by default and by the settings, and those of them that mean done."""
    lines = read_lines(text)
    known = _FileSettings(lines, settings).keywords
    values = _todo_lines(lines)
    if not values:
        return known, known & DEFAULT_DONE
    done: set[str] = set()
    for value in values:
        before, bar, after = value.partition("|")
        done.update(parse_keywords(after) if bar else parse_keywords(before)[-1:])
    return known, frozenset(done)


def own_keywords(text: str) -> list[str]:
    """The TODO keywords of an Org text's own lines, in their order."""
    return [word for value in _todo_lines(read_lines(text)) for word in parse_keywords(value)]


def _todo_lines(lines: Iterable[Lines]) -> list[str]:
    return [value for section in lines for key, value, _ in section.keywords if key in _TODO_KEYWORDS]


class _LineCounter:
    """0-based line numbers of line starts that are asked for in ascending order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._carriage_returns = "\r" in text
        self._offset = 0
        self._line = 0

    def at(self, offset: int) -> int:
        text, before = self._text, self._offset
        self._line += text.count("\n", before, offset)
        if self._carriage_returns:
            self._line += text.count("\r", before, offset) - text.count("\r\n", before, offset)
        self._offset = offset
        return self._line


def parse(text: str, settings: ContentSettings) -> Parsed:
    """The sections of an Org text. Linear in its length; raises nothing."""
    lines = read_lines(text)
    file = _FileSettings(lines, settings)
    parents, ends = _tree(lines, len(text))
    dates = _dates(text, lines)
    counter = _LineCounter(text)
    sections: list[Section] = []
    passed_on: list[Inherited] = []
    for index, own in enumerate(lines):
        parent = parents[index]
        heading_segment = None
        if own.level:
            headline = parse_headline(text[own.start + own.level : own.body].rstrip("\r\n"), file.keywords)
            heading_segment = Segment(own.start, own.body, counter.at(own.start))
            inherited, above = passed_on[parent], sections[parent]
            tags, excluded = _joined(above.tags, headline.tags), above.excluded
        else:
            headline = Headline("", "", "", (), False)
            inherited, tags, excluded = file.inherited, file.tags, False
        properties, children_inherit = resolve(own.properties, inherited)
        passed_on.append(children_inherit)
        refs = (*own.planned, *dates.get(index, ())) if own.level else (*file.dates, *dates.get(index, ()))
        sections.append(
            Section(
                parent=parent,
                level=own.level,
                heading=headline.title,
                span=Span(own.start, ends[index]),
                heading_segment=heading_segment,
                segments=tuple(Segment(start, end, counter.at(start)) for start, end in _shown(text, own)),
                todo=headline.todo,
                priority=headline.priority,
                tags=tags,
                properties=properties,
                dates=tuple(dict.fromkeys(refs)) if refs else (),
                ids=tuple(name for kind, name, _, _ in own.names if kind != "name") if own.names else (),
                excluded=excluded
                or (headline.comment and not settings.include_commented)
                or (_ARCHIVE in tags and not settings.include_archived),
            )
        )
    title = display(" ".join(filter(None, file.titles)))
    notes = ("the whole file is tagged ARCHIVE and left out (content.archived includes it)",) if sections[0].excluded else ()
    return Parsed(title, tuple(sections), file.language, notes, *org_links.find(text, lines), org_links.abbreviations(lines))


def _tree(lines: list[Lines], length: int) -> tuple[list[int], list[int]]:
    """Each section's parent (the nearest one before it with fewer stars) and the end of its subtree."""
    parents, ends = [], [length] * len(lines)
    path: list[int] = []
    for index, own in enumerate(lines):
        while path and lines[path[-1]].level >= own.level:
            ends[path.pop()] = own.start
        parents.append(path[-1] if path else -1)
        path.append(index)
    return parents, ends


def _dates(text: str, lines: list[Lines]) -> dict[int, list[DateRef]]:
    """The stamps of each section that has any: in its heading, its properties and its text."""
    dates: dict[int, list[DateRef]] = {}
    undated = [passage for own in lines for passage in own.undated]
    index = passed = 0
    for offset, _, ref in find_stamps(text):
        while passed < len(undated) and undated[passed][1] <= offset:
            passed += 1
        if passed < len(undated) and undated[passed][0] <= offset:
            continue
        while lines[index].end <= offset:
            index += 1
        dates.setdefault(index, []).append(ref)
    return dates


def _shown(text: str, own: Lines) -> Iterator[Range]:
    """The runs of a section's body between its hidden lines, without runs that are blank."""
    start = own.body
    for hidden_start, hidden_end in (*own.hidden, (own.end, own.end)):
        if hidden_start > start and not (text[start].isspace() and text[start:hidden_start].isspace()):
            yield start, hidden_start
        start = hidden_end


def _hide(hidden: list[Range], line: Range) -> None:
    hidden.append(line)
    hidden.sort()


def _joined(tags: tuple[str, ...], more: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*tags, *more))) if more else tags
