"""Changes to texts, and the texts they are made to: what the asking editor shows, else what is on disk now."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from msgspec import Struct, structs

from khojd.content.model import ContentSettings, Link
from khojd.errors import NotFound
from khojd.graph.graph import Graph
from khojd.graph.model import Note
from khojd.graph.sheet import Sheet, from_disk

T = TypeVar("T")


class Change(Struct, frozen=True):
    """Code points [start, end) of the text of `sheet` become `text`. `unsure`: the link could mean something else, too."""

    sheet: Sheet
    start: int
    end: int
    text: str
    unsure: bool = False


class Left(Struct, frozen=True):
    """A link or tag in the note at `path` that cannot be written for the new name."""

    path: str
    reason: str


class Plan(Struct, frozen=True):
    """All that a rename changes; `moves` are files and folders, old path and new."""

    changes: tuple[Change, ...]
    left: tuple[Left, ...] = ()
    moves: tuple[tuple[str, str], ...] = ()


class Texts:
    """Texts by path, each read once. A file that cannot be read any more is an empty text: there is nothing to change in it."""

    def __init__(self, graph: Graph, settings: ContentSettings) -> None:
        self._settings = settings
        self._stop = graph.stop
        self._shown = graph.sheets
        self._sheets = dict(graph.sheets)

    def sheet(self, path: str) -> Sheet:
        known = self._sheets.get(path)
        if known is None:
            self._stop.check()
            known = self._sheets[path] = self._read(path)
        return known

    def differs(self, note: Note) -> bool:
        """Whether the catalog's links of a note are not those of its text here."""
        return note.path not in self._shown and self.sheet(note.path).digest != note.hash

    def _read(self, path: str) -> Sheet:
        try:
            return from_disk(path, self._settings)
        except NotFound:
            return Sheet(path, "", self._settings)


def settled(graph: Graph, texts: Texts, gather: Callable[[Graph], T], notes: Callable[[T], Iterable[Note]]) -> tuple[Graph, T]:
    """What `gather` finds, when all `notes` in it have their links from the texts that are changed, and the graph that says so."""
    while True:
        found = gather(graph)
        stale = {
            note.path: texts.sheet(note.path)
            for note in dict.fromkeys(notes(found))
            if note.path not in graph.sheets and texts.differs(note)
        }
        if not stale:
            return graph, found
        graph = graph.over({**graph.sheets, **stale})


def enclosed(sheet: Sheet, link: Link) -> bool:
    """Whether a link stands in another one's text, where it cannot be given brackets."""
    return any(other.start < link.start and link.end < other.end for other in sheet.links)


def spliced(link: Link, start: int, end: int, text: str) -> Link:
    """`link` with [start, end) of the file, within its target or its text, replaced."""
    if link.target_start <= start and end <= link.target_end:
        target = link.target[: start - link.target_start] + text + link.target[end - link.target_start :]
        return structs.replace(link, target=target)
    shown = link.text[: start - link.text_start] + text + link.text[end - link.text_start :]
    return structs.replace(link, text=shown)
