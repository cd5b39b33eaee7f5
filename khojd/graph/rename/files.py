"""Files and folders that get other paths: the links into them, and the relative links in them, follow."""

import os
import posixpath
from collections.abc import Iterator, Mapping
from itertools import chain

from msgspec import Struct

from khojd.content import names, targets
from khojd.content.model import ContentSettings, Link, Span
from khojd.content.targets import Target
from khojd.errors import EditError
from khojd.graph import spelling
from khojd.graph.graph import Graph
from khojd.graph.model import Note, Resolution
from khojd.graph.rename import pages
from khojd.graph.rename.moved import Moved, Moves
from khojd.graph.rename.plan import Change, Left, Plan, Texts, enclosed, settled, spliced
from khojd.graph.sheet import Sheet
from khojd.graph.spelling import Dress
from khojd.index import catalog_graph

_LED = ("found", "ambiguous", "no-anchor", "outside")


class _Tie(Struct, frozen=True):
    """A link that the move may concern, and what it means before."""

    note: Note
    link: Link
    abbreviations: Mapping[str, str]
    before: Resolution


def moved(graph: Graph, pairs: tuple[tuple[str, str], ...], settings: ContentSettings) -> Plan:
    """What changes when files and folders are moved from old paths to new ones. What cannot be written is in `left`."""
    moves = Moves(pairs)
    texts = Texts(graph, settings)
    keys = _keys(graph, moves)
    graph, ties = settled(graph, texts, lambda one: list(_ties(one, moves, keys)), lambda found: (tie.note for tie in found))
    after = graph.over({moves.new(path): sheet for path, sheet in graph.sheets.items()})
    after.notes = Moved(graph.notes, moves)
    changes: dict[tuple[str, int, int], Change] = {}
    left = []
    for found in chain((_followed(tie, graph, after, moves, texts) for tie in ties), pages.of_moved(graph, after, moves, texts)):
        if isinstance(found, Left):
            left.append(found)
        elif found is not None:
            changes.setdefault((found.sheet.path, found.start, found.end), found)
    return Plan(tuple(changes.values()), tuple(left), pairs)


def renamed(graph: Graph, note: Note, name: str, settings: ContentSettings) -> Plan:
    """What changes when a note gets another name, which may lead to another directory.

    Raises EditError where that name cannot be, or a link to the note cannot be written with it.
    """
    target = new_path(graph, note, name)
    if target == note.path:
        return Plan(())
    plan = moved(graph, ((note.path, target),), settings)
    if plan.left:
        one = plan.left[0]
        more = f" (and {len(plan.left) - 1} more)" if len(plan.left) > 1 else ""
        raise EditError(f"{posixpath.basename(target)!r} cannot be its name: {one.reason}{more}", path=note.path)
    return plan


def new_path(graph: Graph, note: Note, name: str) -> str:
    """The path that a note gets by another name. `/` leads to other directories: from the note's own, or from the top at the start.

    In Logseq's names of files `/` is `___`. Raises EditError for a name that no file can have here.
    """
    wanted = name.strip()
    suffix = note.path[len(names.without_suffix(note.path)) :]

    def refused(reason: str) -> EditError:
        return EditError(f"{name!r} cannot be the name of {posixpath.basename(note.path)}: {reason}", path=note.path, name=name)

    if not wanted.strip("/. "):
        raise refused("it is empty")
    if any(ord(char) < 32 for char in wanted):
        raise refused("it has a line break or another control character")
    if "___" in note.name and not wanted.startswith(("/", ".")):
        wanted = wanted.replace("/", "___")
    if names.without_suffix(wanted) == wanted or wanted.endswith("/"):
        wanted = wanted.rstrip("/") + suffix
    root = graph.notes.root(note.path) or note.folder
    base = root if wanted.startswith("/") else posixpath.dirname(note.path)
    path = posixpath.normpath(posixpath.join(base, wanted.lstrip("/")))
    if not graph.notes.root(path):
        raise refused("it leads out of the configured folders")
    if any(part.startswith(".") for part in posixpath.relpath(path, root).split("/")):
        raise refused("names that start with a dot are hidden, and not read as notes")
    if max(len(part.encode("utf-8", "surrogateescape")) for part in path.split("/")) > 255:
        raise refused("it is longer than 255 bytes")
    if path != note.path and (graph.notes.at(path) is not None or (graph.notes.exists(path) and not _same_file(path, note.path))):
        raise refused(f"{path} exists already")
    return path


def _same_file(path: str, other: str) -> bool:
    """Whether two paths differ in case or normalisation alone, on a file system that does not care."""
    try:
        return os.path.samefile(path, other)  # noqa: PTH121
    except OSError:
        return False


def _keys(graph: Graph, moves: Moves) -> set[str]:
    """The keys of links that may lead to what moves, or to something whose name is taken up by it."""
    keys = {names.key(path) for pair in moves.pairs for path in pair}
    for old, _ in moves.pairs:
        for note in graph.notes.below(old):
            keys |= {*catalog_graph.own_names(note.path), *catalog_graph.own_names(moves.new(note.path))}
    return keys - {""}


def _ties(graph: Graph, moves: Moves, keys: set[str]) -> Iterator[_Tie]:
    within = {note.id: note for old, _ in moves.pairs for note in graph.notes.below(old) if note.indexed}
    sources = {note.path: note for id in catalog_graph.documents_with(graph.db, sorted(keys)) if (note := graph.notes.by_id(id))}
    sources |= {note.path: note for note in within.values()}
    sources |= {path: note for path in graph.sheets if (note := graph.notes.at(path))}
    for path in sorted(sources):
        note = sources[path]
        links, abbreviations = graph.links_of(note)
        for link in links:
            readings = targets.read(link, abbreviations)
            if note.id in within or not keys.isdisjoint(targets.keys(readings)):
                before = graph.meaning(path, link, abbreviations)
                if before.status in _LED and before.target.kind in ("name", "path"):
                    yield _Tie(note, link, abbreviations, before)


def _followed(tie: _Tie, graph: Graph, after: Graph, moves: Moves, texts: Texts) -> Change | Left | None:
    """How a link must be written to lead where it did; None when it is right as it is."""
    source = (tie.note.path, moves.new(tie.note.path))
    place = tie.before.places[0]
    target = (place.path, moves.new(place.path))
    span = targets.spans(tie.link, tie.before.target).path
    sheet = texts.sheet(tie.note.path)

    def leads(link: Link, *, surely: bool = True) -> bool:
        found = after.meaning(source[1], link, tie.abbreviations)
        if not found.places or found.places[0].path != target[1]:
            return False
        return found.status in ("found", "outside") or found.status == tie.before.status or not surely

    raw = sheet.text[span.start : span.end] if span is not None else ""
    dress = Dress(tie.link.kind, raw, sheet.text[tie.link.target_start - 1 : tie.link.target_start] == "<")
    named = tie.before.target.kind == "name"
    path = spelling.read_path(dress, source[0], target[0], graph.notes.root(target[0]), named=named)
    if (path is None or posixpath.basename(target[0]) == posixpath.basename(target[1])) and leads(tie.link):
        # It may lead there still, but only because a path that is wrong is taken for the end of one.
        now = spelling.read_path(dress, source[1], target[1], after.notes.root(target[1]), named=named)
        if path is None or (now is not None and now.way == path.way):
            return None
    if span is None:
        whole = spelling.org_file(target[1], source[1], _search(tie.before.target))
        return _change(tie, sheet, Span(tie.link.target_start, tie.link.target_end), whole)
    if path is None:
        path = spelling.Path("name", raw, 1, suffix=False, namespace=False)
    roots = (after.notes.root(source[1]), after.notes.root(target[1]))
    tried: dict[str, Link] = {}
    for candidate in spelling.paths(path, source, target, roots, named=named):
        written = dress.dressed(candidate)
        if written is not None and written not in tried:
            tried[written] = spliced(tie.link, span.start, span.end, written)
            if leads(tried[written]):
                return _change(tie, sheet, span, written)
    for written, link in tried.items():  # as ambiguous as it was, or more
        if leads(link, surely=False):
            return _change(tie, sheet, span, written)
    if tie.link.kind == "plain" and not enclosed(sheet, tie.link):
        wanted = next(spelling.paths(path, source, target, roots, named=named))
        return _bracketed(tie, sheet, span, wanted)
    name = posixpath.basename(target[1])
    return Left(tie.note.path, f"the link {_shown(tie, sheet.text)} in {tie.note.path} cannot be written for {name!r}")


def _change(tie: _Tie, sheet: Sheet, span: Span, written: str) -> Change | None:
    if sheet.text[span.start : span.end] == written:
        return None
    return Change(sheet, span.start, span.end, written, tie.before.status == "ambiguous")


def _bracketed(tie: _Tie, sheet: Sheet, span: Span, path: str) -> Change:
    """An Org link without brackets, in brackets, as its path would end too soon without."""
    link = tie.link
    whole = sheet.text[link.target_start : span.start] + path + sheet.text[span.end : link.target_end]
    written = Dress("org", "").dressed(whole)
    assert written is not None, "no path has a line break"
    return Change(sheet, link.start, link.end, f"[[{written}]]", tie.before.status == "ambiguous")


def _search(target: Target) -> str:
    sign = {"heading": "*", "custom_id": "#"}.get(target.anchor_kind, "")
    return sign + target.anchor


def _shown(tie: _Tie, text: str) -> str:
    return text[tie.link.start : tie.link.end][:80]
