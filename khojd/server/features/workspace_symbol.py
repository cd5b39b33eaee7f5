"""workspace/symbol: the client's query is a search. Headings and notes that are called so come first, then what is about it."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterable
from datetime import date
from pathlib import PurePath

from lsprotocol import types as lsp
from msgspec import Struct

from khojd.content import names
from khojd.errors import NotFound, QueryError
from khojd.graph.graph import Graph
from khojd.search.query import parse
from khojd.search.types import Hit, Mode, SearchRequest
from khojd.server import plain
from khojd.server.feature import Feature
from khojd.server.features.document_symbol import KIND, NAMELESS, heading_span
from khojd.server.session import Session
from khojd.server.types import Location, Position, Range

LONGEST = 1_000  # characters of a query that count; SQLite takes patterns of 50,000 bytes at most
LIMIT = 50
MOST_WITHOUT_QUERY = 500
_NAMED = 25  # of the symbols, those found by their name, before what is found by a search
_FOUND = 30  # of them, those found by a search
_CANDIDATES = 100  # names looked at; some are of notes that are hidden
_SHORT = 3  # characters; a shorter query has no meaning to search by yet

# The likeliest are chosen before anything else is looked up: every heading is looked at for each keystroke.
_HEADINGS = """
SELECT s.heading, d.path, d.title, s.document_id, s.position, s.line
FROM (SELECT id FROM sections WHERE level > 0 AND {words}
      ORDER BY heading LIKE ? ESCAPE '\\' DESC, length(heading), id LIMIT ?) best
JOIN sections s ON s.id = best.id JOIN seen d ON d.id = s.document_id"""
_NOTES = """
SELECT best.name, d.path, d.title
FROM (SELECT name, document_id FROM note_names NOT INDEXED WHERE kind < 3 AND {words}
      ORDER BY key LIKE ? ESCAPE '\\' DESC, length(key), document_id, kind LIMIT ?) best
JOIN seen d ON d.id = best.document_id WHERE d.state = 'indexed'"""
_NEWEST = """
SELECT s.heading, d.path, d.title, s.document_id, s.position, s.line
FROM (SELECT * FROM seen WHERE state = 'indexed' ORDER BY mtime_ns DESC, path LIMIT ?) d
JOIN sections s ON s.document_id = d.id WHERE s.level > 0 ORDER BY d.mtime_ns DESC, d.path, s.position LIMIT ?"""
_SECTIONS = "SELECT position, parent, heading FROM sections WHERE document_id = ? AND position <= ?"


class Named(Struct, frozen=True):
    """A heading or a whole note with this name; `headings` is its path, its own last."""

    name: str
    path: str
    title: str
    headings: tuple[str, ...]
    line: int


async def workspace_symbol(session: Session, params: lsp.WorkspaceSymbolParams) -> list[plain.Symbol]:
    """At most 50 symbols, the likeliest first; without a query the headings of the notes that were changed last."""
    query = params.query[:LONGEST].strip()
    if not query:
        named = await session.graph(_newest)
        return [_of_name(session, one) for one in named]
    words, filtered, understood = _read(session, query)
    named, hits = await asyncio.gather(
        session.graph(lambda graph: _called(graph, words)) if words and not filtered else _none(),
        _search(session, query if understood else words, understood=understood),
    )
    known = {(one.path, one.headings) for one in named}
    about = {(hit.path, hit.headings): hit for hit in reversed(hits) if (hit.path, hit.headings) not in known}
    other = [_of_hit(session, hit) for hit in reversed(about.values())]
    called = [_of_name(session, one) for one in named]
    first = called[: max(_NAMED, LIMIT - len(other))]
    return [*first, *other, *called[len(first) :]][:LIMIT]


async def resolve(session: Session, symbol: lsp.WorkspaceSymbol) -> lsp.WorkspaceSymbol:
    """The symbol with the range of its heading in the note as it is now."""
    data = symbol.data if isinstance(symbol.data, dict) else {}
    line, heading = data.get("line"), data.get("heading")
    if not isinstance(line, int) or not isinstance(heading, str):
        return symbol
    try:
        sheet = await session.sheet(symbol.location.uri)
    except NotFound:
        return symbol
    same = [index for index, one in enumerate(sheet.sections) if one.heading_segment and one.heading == heading]
    start, end = 0, 0
    if same:
        nearest = min(same, key=lambda index: abs(sheet.lines.line(sheet.sections[index].span.start) - line))
        start, end = heading_span(sheet, nearest)
    elif line < len(sheet.lines):
        start, end = sheet.lines.starts[line], sheet.lines.end(line)
    symbol.location = session.location(sheet, start, end)
    return symbol


# --- finding ------------------------------------------------------------------------------------------------------------------


def _read(session: Session, query: str) -> tuple[str, bool, bool]:
    """The query's words, whether it has filters, and whether it can be understood: while it is typed it often cannot."""
    config = session.engine.config
    try:
        parsed = parse(
            query,
            today=date.today(),
            first_weekday=config.search.first_weekday,
            day_first=config.content.date_order == "day-first",
        )
    except QueryError:
        return " ".join(re.findall(r"[\w-]+", query)), False, False
    return parsed.text.strip(), bool(parsed.filters), True


async def _none() -> list[Named]:
    return []


async def _search(session: Session, query: str, *, understood: bool) -> tuple[Hit, ...]:
    if not query:
        return ()
    mode: Mode = "lexical" if len(query) < _SHORT or not understood else "hybrid"
    request = SearchRequest(query=query, limit=_FOUND, mode=mode, rerank=False)
    try:
        return (await session.engine.search(request, measure=session.measure)).hits
    except QueryError:
        return ()


def _called(graph: Graph, words: str) -> list[Named]:
    """Headings, and notes by name, title or alias, that have each of the words somewhere in them; those that begin so first."""
    parts = words.split()
    found: dict[tuple[str, tuple[str, ...]], Named] = {}
    folded = [names.fold(part) for part in parts]
    for name, path, title in graph.db.execute(_NOTES.format(words=_each("key", parts)), _values(folded, names.fold(words))):
        found.setdefault((path, ()), Named(name, path, title, (), 0))
    rows = graph.db.execute(_HEADINGS.format(words=_each("heading", parts)), _values(parts, words)).fetchall()
    for one in _with_paths(graph.db, rows):
        found.setdefault((one.path, one.headings), one)
    wanted = words.casefold()
    return sorted(found.values(), key=lambda one: (not one.name.casefold().startswith(wanted), len(one.name)))[:LIMIT]


def _newest(graph: Graph) -> list[Named]:
    return _with_paths(graph.db, graph.db.execute(_NEWEST, (MOST_WITHOUT_QUERY, MOST_WITHOUT_QUERY)).fetchall())


def _with_paths(db: sqlite3.Connection, rows: Iterable[tuple[str, str, str, int, int, int]]) -> list[Named]:
    """Headings with the ones above them."""
    trees: dict[int, dict[int, tuple[int, str]]] = {}
    rows = list(rows)
    last: dict[int, int] = {}
    for row in rows:
        last[row[3]] = max(row[4], last.get(row[3], 0))
    found = []
    for heading, path, title, document, position, line in rows:
        if document not in trees:
            known = db.execute(_SECTIONS, (document, last[document]))
            trees[document] = {place: (parent, text) for place, parent, text in known}
        tree = trees[document]
        above: list[str] = []
        at = tree[position][0] if position in tree else -1
        while at > 0 and at in tree:
            at, text = tree[at]
            above.append(text)
        found.append(Named(heading, path, title, (*reversed(above), heading), line))
    return found


def _each(column: str, parts: list[str]) -> str:
    return " AND ".join([f"{column} LIKE ? ESCAPE '\\'"] * len(parts))


def _values(parts: list[str], whole: str) -> tuple[object, ...]:
    return (*(f"%{_escaped(part)}%" for part in parts), f"{_escaped(whole)}%", _CANDIDATES)


def _escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


# --- saying -------------------------------------------------------------------------------------------------------------------


def _of_name(session: Session, one: Named) -> plain.Symbol:
    start = Position(line=one.line, character=0)
    return _symbol(session, one, Range(start=start, end=start))


def _of_hit(session: Session, hit: Hit) -> plain.Symbol:
    name = hit.headings[-1] if hit.headings else hit.title or PurePath(hit.path).stem
    start, end = hit.passage.start, hit.passage.end
    one = Named(name, hit.path, hit.title, hit.headings, start.line)
    first, last = Position(line=start.line, character=start.column), Position(line=end.line, character=end.column)
    return _symbol(session, one, Range(start=first, end=last))


def _symbol(session: Session, one: Named, range: Range) -> plain.Symbol:
    """With a location to be resolved where the client does that, else with the range that is known."""
    kind = KIND if one.headings else lsp.SymbolKind.File.value
    name = " ".join(one.name.split()) or NAMELESS
    inside = (one.title or PurePath(one.path).stem, *one.headings[:-1]) if one.headings else (PurePath(one.path).parent.name,)
    container = " › ".join(part for part in inside if part)
    uri = session.uri(one.path)
    if "location.range" not in _resolved_by(session):
        return plain.Symbol(name=name, kind=kind, location=Location(uri=uri, range=range), container_name=container)
    data = {"line": one.line, "heading": one.headings[-1] if one.headings else ""}
    return plain.Symbol(name=name, kind=kind, location=plain.UriOnly(uri=uri), container_name=container, data=data)


def _resolved_by(session: Session) -> tuple[str, ...]:
    workspace = session.client_capabilities.workspace
    support = workspace and workspace.symbol and workspace.symbol.resolve_support
    return tuple(support.properties) if support else ()


FEATURE = Feature("workspace_symbol", {lsp.WORKSPACE_SYMBOL: workspace_symbol, lsp.WORKSPACE_SYMBOL_RESOLVE: resolve})
