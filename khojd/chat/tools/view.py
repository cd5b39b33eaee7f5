"""What tools may look at: indexed notes of the configured folders, and of these what the conversation's filters let through.

Filters on sections (tags, dates, properties, words) let parts of notes through. Nothing else of such a note is shown, so that a
tool gives no way around a filter. A file that lies outside of every folder, to which a symbolic link leads, is not shown either.
"""

import asyncio
import os
import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import TypeVar

import msgspec
from msgspec import Struct

from khojd.chat.model import Passage
from khojd.chat.tools.registry import Context
from khojd.config import Config
from khojd.content import names
from khojd.content.lines import LineIndex
from khojd.content.registry import settings_of
from khojd.errors import ChatError, NotFound
from khojd.graph.graph import Graph
from khojd.graph.model import Note, Place
from khojd.graph.sheet import Sheet, from_disk
from khojd.index.reader import content_hash
from khojd.paths import plain
from khojd.search.conditions import DateIs, File, Filter, Query, Values
from khojd.search.filters import resolve
from khojd.search.query import parse

T = TypeVar("T")

MOST_NAMED = 5  # notes that an error names
_LINK = re.compile(r"!?\[\[([^\[\]|]+)(?:\|.*|\]\[.*)?\]\]", re.DOTALL)
_ORG = re.compile(r"\[\[(?:id:|file:|\*|[^\]]*\]\[)")


class Found(Struct, frozen=True):
    """A note that may be looked at. start: of the heading or block that its link names, 0 for the whole note."""

    note: Note
    start: int = 0


class Shown(Struct, frozen=True):
    """A note's text as it is now, and the ranges of it that may be shown, in order; `whole` when that is all of it."""

    note: Note
    text: str
    lines: LineIndex
    spans: tuple[tuple[int, int], ...]
    whole: bool

    def allows(self, start: int, end: int) -> bool:
        return any(low <= start and end <= high for low, high in self.spans)


class View:
    """The notes at one moment. Made by `look`, for one thread and as long as its work takes."""

    def __init__(self, graph: Graph, context: Context) -> None:
        self.graph = graph
        self.context = context
        bounds = [query.filters for query in bounds_of(context)]
        self.entries = self._among(bounds)
        self._by_section = any(not _of_files(one) for filters in bounds for one in filters)
        self._documents: set[int] | None = None
        self._tops = [plain(os.path.realpath(top)) for top in graph.notes.roots]
        self._inside: dict[str, bool] = {}  # directories

    def notes(self, entries: set[int] | None = None) -> Iterator[Note]:
        """All, or those that have one of the entries, in the order of paths."""
        documents = self._of(entries) if entries is not None else None
        for note in self.graph.notes.all():
            if (documents is None or note.id in documents) and self.has(note):
                yield note

    def has(self, note: Note | None) -> bool:
        if note is None or not note.indexed or not self.is_inside(note.path):
            return False
        if self.entries is None:
            return True
        if self._documents is None:
            self._documents = self._of(self.entries)
        return note.id in self._documents

    def is_inside(self, path: str) -> bool:
        """Whether the file itself is in one of the folders, wherever links lead."""
        if os.path.islink(path):  # noqa: PTH114
            return self._holds(path)
        directory = os.path.dirname(path)  # noqa: PTH120
        if directory not in self._inside:
            self._inside[directory] = self._holds(directory)
        return self._inside[directory]

    def _holds(self, path: str) -> bool:
        real = plain(os.path.realpath(path))
        return any(real == top or real.startswith(top.rstrip("/") + "/") for top in self._tops)

    def find(self, name: str) -> Found:
        """The note of a path, a name or a [[link]]. Raises NotFound for none, ChatError for several."""
        name = name.strip()
        places = self._seen(name)
        if not places and (link := _LINK.fullmatch(name)):
            places = self._seen(link[1].partition("#")[0].strip())  # a path where its format wants more around it
        paths = list(dict.fromkeys(place.path for place in places))
        if len(paths) > 1:
            shown = ", ".join(map(self.context.label, paths[:MOST_NAMED]))
            raise ChatError(f"{name!r} may mean {len(paths)} notes; give the path: {shown}", name=name)
        if not places or places[0].note is None:
            raise NotFound(f"there is no note {name!r} among those of this conversation{self._like(name)}", note=name)
        return Found(places[0].note, places[0].start)

    def spans(self, note: Note) -> tuple[tuple[int, int], ...] | None:
        """The ranges of a note's text, as the catalog has it, that may be shown; None for all of it."""
        if not self._by_section or self.entries is None:
            return None
        rows = self.graph.db.execute("SELECT id, start, end FROM entries WHERE document_id = ? ORDER BY start", (note.id,))
        spans: list[tuple[int, int]] = []
        hidden: list[tuple[int, int]] = []
        for entry, start, end in rows:
            (spans if entry in self.entries else hidden).append((start, end))
        return tuple(_without(spans, hidden))

    # Inside

    def _among(self, bounds: list[tuple[Filter, ...]]) -> set[int] | None:
        found: set[int] | None = None
        for filters in bounds or [()]:
            one = resolve(self.graph.db, self.graph, filters, folders=self.context.folders)
            found = one if found is None else found if one is None else found & one
        return found

    def _of(self, entries: set[int]) -> set[int]:
        rows = self.graph.db.execute(
            "SELECT DISTINCT e.document_id FROM json_each(?) wanted JOIN entries e ON e.id = wanted.value",
            (msgspec.json.encode(list(entries)).decode(),),
        )
        return {row[0] for row in rows}

    def _seen(self, name: str) -> list[Place]:
        return [place for place in self._places(name) if self.has(place.note)]

    def _places(self, name: str) -> list[Place]:
        known = self.graph.notes
        if not name or "\0" in name or len(name) > 1000:
            return []
        link = _LINK.fullmatch(name)
        if link is None:
            if ".." in name.split("/"):
                raise ChatError(f"{name!r}: a path of a note has no ..", note=name)
            for path in self._spelt(name):
                if (note := known.at(path)) is not None:
                    return [Place(path, "note", note=note)]
        places: dict[tuple[str, int], Place] = {}
        for root in known.roots:
            # As if it were written in a note at the top of the folder.
            source = f"{root}/_." + ("org" if link is not None and _ORG.match(name) else "md")
            written = Sheet(source, name if link is not None else f"[[{name}]]", settings_of(self.context.engine.config.content))
            found = self.graph.resolve(written, written.links[0]) if written.links else None
            for place in found.places if found is not None and found.status in ("found", "ambiguous", "no-anchor") else ():
                places.setdefault((place.path, place.start), place)
        return list(places.values())

    def _spelt(self, name: str) -> Iterator[str]:
        """The paths that may be meant: absolute, below a folder, below one that is named first."""
        path = plain(os.path.expanduser(name))  # noqa: PTH111
        if os.path.isabs(path):  # noqa: PTH117
            yield plain(os.path.normpath(path))
            return
        below = os.path.normpath(name)
        for root in self.graph.notes.roots:
            yield f"{root}/{plain(below)}"
        first, _, rest = plain(below).partition("/")
        for root in self.graph.notes.roots:
            if rest and root.rpartition("/")[2] == first:
                yield f"{root}/{rest}"

    def _like(self, name: str) -> str:
        """Notes of a like name."""
        words = {word for word in names.heading_key(names.without_suffix(name.strip("[]!"))).split() if len(word) > 2}
        scores: list[tuple[float, str]] = []
        for note in self.notes() if words else ():
            own = set(names.heading_key(f"{note.name} {note.title}").split())
            if shared := len(words & own):
                scores.append((-shared / len(words | own), note.path))
        close = [self.context.label(path) for _, path in sorted(scores)[:MOST_NAMED]]
        return f"; like it are {', '.join(close)}" if close else "; list_notes shows which there are"


async def look(context: Context, work: Callable[[View], T]) -> T:
    """The result of `work` on what the context may see, on a thread."""
    return await context.engine.graph(lambda graph: work(View(graph, context)), context.sheets)


async def show(context: Context, note: Note) -> Shown:
    """The text of a note that may be looked at. Raises NotFound where it went away, ChatError where it changed just now."""
    for attempt in (1, 2):
        text = await context.library.text(note.path, sheets=context.sheets)
        spans, known = await look(context, partial(_parts, note))
        if spans is None:
            return Shown(note, text, await asyncio.to_thread(LineIndex, text), ((0, len(text)),), whole=True)
        # Which parts may be shown is known for the text that the index has read, and for no other.
        if known is not None and known.id == note.id and await _is_known(context, known, text):
            return Shown(note, text, await asyncio.to_thread(LineIndex, text), spans, whole=False)
        if attempt == 1:
            await context.engine.update([note.path])
            note = known or note
    raise ChatError(f"{context.label(note.path)} changed a moment ago; call the tool again", path=note.path)


async def passages(context: Context, shown: Shown, start: int, end: int) -> list[Passage]:
    """What of a range may be shown, without numbers."""
    pieces = [(max(start, low), min(end, high)) for low, high in shown.spans]
    sheet = Sheet(shown.note.path, shown.text, settings_of(context.engine.config.content))
    return await asyncio.to_thread(lambda: [cut(sheet, low, high) for low, high in pieces if sheet.text[low:high].strip()])


def cut(sheet: Sheet, start: int, end: int) -> Passage:
    """A range of a note as a passage of a tool."""
    from khojd.chat import passages as library

    return msgspec.structs.replace(library.cut(sheet, start, end), origin="tool")


def bounds_of(context: Context) -> list[Query]:
    """The filters that always hold, each line by itself. Raises QueryError."""
    return [parsed(context.engine.config, line) for line in context.filters.splitlines()]


def parsed(config: Config, query: str) -> Query:
    """Raises QueryError."""
    day_first = config.content.date_order == "day-first"
    return parse(query, today=date.today(), first_weekday=config.search.first_weekday, day_first=day_first)


def _parts(note: Note, view: View) -> tuple[tuple[tuple[int, int], ...] | None, Note | None]:
    return view.spans(note), view.graph.notes.at(note.path)


async def _is_known(context: Context, note: Note, text: str) -> bool:
    if note.unsaved:
        return content_hash(text.encode("utf-8", "replace")) == note.hash
    try:
        sheet = await asyncio.to_thread(from_disk, note.path, settings_of(context.engine.config.content))
    except NotFound:
        return False
    return sheet.digest == note.hash and sheet.text == text


def _of_files(one: Filter) -> bool:
    """Whether a filter lets whole files through or none of them."""
    return (
        isinstance(one, File)
        or (isinstance(one, Values) and one.kind in ("type", "lang"))
        or (isinstance(one, DateIs) and one.field == "modified")
    )


def _without(spans: list[tuple[int, int]], hidden: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """`spans` less what of them is hidden, joined where they touch."""
    found: list[tuple[int, int]] = []
    for start, end in spans:
        at = start
        for low, high in hidden:
            if start < low < end or start < high < end or (low, high) == (start, end):  # what is around it is its parent
                if low > at:
                    found.append((at, low))
                at = max(at, high)
        if at < end:
            found.append((at, end))
    joined: list[tuple[int, int]] = []
    for start, end in found:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
