"""Passages of notes: found by search, or named by the person. Their text is exactly that of the note as it is now."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from khojd.chat import ranges
from khojd.chat.model import Attached, Passage
from khojd.content.boundaries import cut_before
from khojd.content.headings import HeadingPaths
from khojd.content.lines import LineIndex
from khojd.content.registry import settings_of
from khojd.engine import Engine
from khojd.errors import NotFound, QueryError
from khojd.graph.sheet import Sheet, from_disk
from khojd.search.types import Explanation, Hit, Mode, Range, SearchRequest, SearchResult

MOST_WHOLE = 6000  # characters: a note that is named goes in whole up to this
MOST_SELECTED = 24_000  # characters: and what is selected, up to this
PARTS = 6  # of a longer one: passages that fit the question
_SOFT = 10  # damps the reciprocal ranks of several queries: the first hits of each count most
_FURTHER = 0.7  # weight of queries after the first, which is the person's own
_LEAST_COVERAGE, _LEAST_COSINE = 0.2, 0.25  # a hit below both has nothing to do with the query
_SHOWN = 48  # characters of a hit that are compared with the file

Sheets = Mapping[str, Sheet]


class Search(Struct, frozen=True):
    """What searches found: passages best first, and what a person should know of it."""

    passages: tuple[Passage, ...]
    notes: tuple[str, ...] = ()


class Named(Struct, frozen=True):
    """The passages of what a person attached, and why some of it is not there."""

    passages: tuple[Passage, ...]
    notes: tuple[str, ...] = ()


class Library:
    """The notes behind an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    # Search

    async def search(
        self,
        queries: Sequence[str],
        *,
        filters: str = "",
        within: str = "",
        folders: Sequence[str] = (),
        limit: int = 12,
        sheets: Sheets | None = None,
    ) -> list[Passage]:
        """The best passages for queries of the query language, which run side by side; `limit` entries at most.

        `filters` are added to each of them, `within` holds besides. Neighbours are joined. Raises QueryError when none of the
        queries can be understood.
        """
        found = await self.find(queries, filters=filters, within=within, folders=folders, limit=limit, sheets=sheets)
        return list(found.passages)

    async def find(
        self,
        queries: Sequence[str],
        *,
        filters: str = "",
        within: str = "",
        folders: Sequence[str] = (),
        limit: int = 12,
        sheets: Sheets | None = None,
    ) -> Search:
        """The same, with what searches say a person should know."""
        # Where meaning is switched off nobody wants to be told of it with every answer.
        mode: Mode = "lexical" if self.engine.config.embedding.model == "off" else "hybrid"
        requests = [
            SearchRequest(f"{query} {filters}".strip(), limit=limit, mode=mode, within=within, folders=tuple(folders), explain=True)
            for query in dict.fromkeys(queries)
        ]
        results = await asyncio.gather(*map(self.engine.search, requests), return_exceptions=True)
        lists: list[SearchResult] = []
        for result in results:
            if isinstance(result, SearchResult):
                lists.append(result)
            elif not isinstance(result, QueryError) or len(requests) == 1:
                raise result
        if requests and not lists:
            raise next(result for result in results if isinstance(result, QueryError))
        hits = merged([result.hits for result in lists])[:limit]
        passages = await self._read(hits, sheets or {})
        return Search(tuple(passages), tuple(dict.fromkeys(note for result in lists for note in result.notes)))

    async def listed(
        self, filters: str, *, within: str = "", folders: Sequence[str] = (), limit: int = 200, sheets: Sheets | None = None
    ) -> tuple[Passage, ...]:
        """Whole entries that filters let through, in the order of days, then of paths and of the text."""
        request = SearchRequest(filters, limit=limit, within=within, folders=tuple(folders), mode="lexical")
        hits = (await self.engine.search(request)).hits
        hits = tuple(sorted(hits, key=lambda hit: (hit.date or "9999", hit.path, hit.range.start.line)))
        return tuple(await self._read(hits, sheets or {}, whole=True))

    async def _read(self, hits: Sequence[Hit], sheets: Sheets, *, whole: bool = False) -> list[Passage]:
        shown = self._shown(hit.path for hit in hits) | {path: sheet.text for path, sheet in sheets.items()}
        settings = settings_of(self.engine.config.content)

        def work() -> list[Passage]:
            texts: dict[str, str] = {}
            lines: dict[str, LineIndex] = {}
            found = []
            for hit in hits:
                if hit.path not in texts:
                    try:
                        texts[hit.path] = shown[hit.path] if hit.path in shown else from_disk(hit.path, settings).text
                    except NotFound:
                        continue  # it went away since
                    lines[hit.path] = LineIndex(texts[hit.path])
                if (one := passage_of(hit, texts[hit.path], lines[hit.path], whole=whole)) is not None:
                    found.append(one)
            return found if whole else ranges.joined(texts, found)

        return await asyncio.to_thread(work) if hits else []

    # Texts

    def _shown(self, paths: Iterable[str]) -> dict[str, str]:
        buffers = ((path, self.engine.buffer(path)) for path in set(paths))
        return {path: buffer.text for path, buffer in buffers if buffer is not None}

    async def text(self, path: str, *, sheets: Sheets | None = None) -> str:
        """The note's text: as the asking editor shows it, else as another does, else on disk. Raises NotFound, which names it."""
        if sheets and path in sheets:
            return sheets[path].text
        if (buffer := self.engine.buffer(path)) is not None:
            return buffer.text
        settings = settings_of(self.engine.config.content)
        return (await asyncio.to_thread(from_disk, path, settings)).text

    async def passage(self, path: str, start: int = 0, end: int = -1, *, sheets: Sheets | None = None) -> Passage:
        """A range of a note (code points; `end` -1 is its end) as a passage, with the headings it stands under. Raises NotFound."""
        text = await self.text(path, sheets=sheets)
        end = len(text) if end < 0 else min(end, len(text))
        start = min(max(start, 0), end)
        # A sheet of its own: those of the editor are for its thread.
        sheet = Sheet(path, text, settings_of(self.engine.config.content))
        return await asyncio.to_thread(cut, sheet, start, end)

    # What a person attached

    async def attached(self, places: Sequence[Attached], question: str, *, sheets: Sheets | None = None) -> Named:
        """The passages of attached places: a range as it is; a note whole when it is small, else its parts for the question."""
        passages: list[Passage] = []
        notes: list[str] = []
        for place in dict.fromkeys(places):
            try:
                one = await self.passage(place.path, place.start, place.end, sheets=sheets)
            except NotFound as error:
                notes.append(f"left out: {error.message}")
                continue
            one = replace(one, origin=place.origin)
            if not one.text.strip():
                notes.append(f"left out: {self.label(place.path)} is empty there")
            elif len(one.text) <= (MOST_SELECTED if place.origin == "selection" else MOST_WHOLE):
                passages.append(one)
            else:
                parts = await self._parts(one, question, sheets)
                passages += parts
                size = sum(len(part.text) for part in parts)
                notes.append(f"{self.label(place.path)} is long: {size:,} of its {len(one.text):,} characters are given")
        return Named(tuple(passages), tuple(notes))

    async def _parts(self, whole: Passage, question: str, sheets: Sheets | None) -> list[Passage]:
        """The beginning of a long text, and what of it fits the question best, in the order of the text."""
        try:
            found = (await self.find([question], folders=(whole.path,), limit=PARTS, sheets=sheets)).passages if question else ()
        except QueryError:
            found = ()
        room = MOST_WHOLE // 4 if found else MOST_WHOLE
        size, _ = cut_before(whole.text, room // 2, room)
        parts = [replace(whole, end=whole.start + size, text=whole.text[:size])]
        parts += [replace(one, origin=whole.origin) for one in found if one.start >= whole.start and one.end <= whole.end]
        text = await self.text(whole.path, sheets=sheets)
        return sorted(ranges.joined({whole.path: text}, parts), key=lambda one: one.start)

    # Paths as they are shown

    def label(self, path: str) -> str:
        """A path as models and people see it: below its folder, which is named where there are several."""
        folders = [Path(folder.path) for folder in self.engine.folders()]
        root = max((one for one in folders if Path(path).is_relative_to(one)), key=lambda one: len(one.parts), default=None)
        if root is None or Path(path) == root:
            return path
        below = Path(path).relative_to(root).as_posix()
        return below if len(folders) == 1 else f"{root.name}/{below}"


def merged(lists: Sequence[Sequence[Hit]]) -> list[Hit]:
    """The hits of several queries, best first: by the sum of their reciprocal ranks; hits that have nothing to do with theirs go.

    Of one query the order is as it was. An entry comes once for each passage of it. (Cormack et al., 2009, with a smaller constant:
    the lists are short.)
    """
    scores: dict[tuple[str, int, int], float] = {}
    entries: dict[tuple[str, int, int], dict[Range, Hit]] = {}
    for hits, weight in zip(lists, (1.0, *[_FURTHER] * len(lists)), strict=False):
        for rank, hit in enumerate(hits):
            if hit.explanation is not None and _foreign(hit.explanation):
                continue
            key = (hit.path, hit.range.start.line, hit.range.start.column)
            scores[key] = scores.get(key, 0.0) + weight / (_SOFT + rank)
            entries.setdefault(key, {}).setdefault(hit.passage, hit)
    order = sorted(scores, key=lambda key: -scores[key])
    return [hit for key in order for hit in entries[key].values()]


def _foreign(why: Explanation) -> bool:
    if why.semantic_score is None:
        return False  # found by words alone, by filters, or before its vector is made
    return (why.coverage or 0.0) < _LEAST_COVERAGE and why.semantic_score < _LEAST_COSINE


def passage_of(hit: Hit, text: str, lines: LineIndex, *, whole: bool = False) -> Passage | None:
    """The passage of a hit in the text as it is now; None where the text no longer has what was found."""
    entry = lines.offset(hit.range.start.line, hit.range.start.column), lines.offset(hit.range.end.line, hit.range.end.column)
    inner = (
        lines.offset(hit.passage.start.line, hit.passage.start.column),
        lines.offset(hit.passage.end.line, hit.passage.end.column),
    )
    shown = hit.snippet.split("\n", 1)[0].rstrip("\r")[:_SHOWN]
    if not text.startswith(shown, inner[0]):
        at = text.find(shown)
        if at < 0:
            return None
        shift = at - inner[0]  # lines came or went above, a moment ago
        entry, inner = (max(entry[0] + shift, 0), entry[1] + shift), (at, inner[1] + shift)
    entry = min(entry[0], inner[0]), min(max(entry[1], inner[1]), len(text))
    inner = inner[0], min(inner[1], len(text))
    start, end = ranges.trimmed(text, *entry) if whole else ranges.widened(text, inner, entry)
    if start >= end:
        return None
    return Passage(
        hit.path, start, end, lines.line(start), text[start:end], hit.title, hit.headings, hit.date, score=round(hit.score, 6)
    )


def cut(sheet: Sheet, start: int, end: int) -> Passage:
    """A range of a note as a passage, with the headings over its start. Parses the note."""
    index = sheet.section_at(start)
    headings = HeadingPaths(sheet.sections).of(index) if start else ()
    line = sheet.lines.line(start)
    return Passage(sheet.path, start, end, line, sheet.text[start:end], sheet.parsed.title, headings, origin="note")
