"""What is offered at a place: repairs, links, a new note, a table of contents."""

from __future__ import annotations

import asyncio
import logging
import mimetypes
import posixpath
from datetime import datetime

from lsprotocol import types as lsp

from khojd import templates
from khojd.content import names, targets
from khojd.content.model import Link
from khojd.content.registry import PROCESSORS, settings_of
from khojd.errors import EditError, KhojdError
from khojd.graph import compose, contents, extract, habit, naming, problems, repair
from khojd.graph.addition import added
from khojd.graph.graph import Graph
from khojd.graph.habit import Habit
from khojd.graph.model import Place
from khojd.graph.problems import Problem
from khojd.graph.sheet import Sheet
from khojd.search.types import SimilarRequest
from khojd.server import draft
from khojd.server.actions import ask
from khojd.server.actions.inquiry import CONTENTS, EXTRACT, LINK, QUICK, REWRITE, Inquiry, Offer
from khojd.server.draft import Wish
from khojd.server.edits import can_operate

log = logging.getLogger(__name__)

PATIENCE = 1.0  # seconds that related notes may take
RELATED = 3
_ABOUT = 2000  # characters of a paragraph that it is compared by


async def gather(asked: Inquiry) -> list[Offer]:
    """All offers of the kinds that are wanted, quick fixes first."""
    related = await _related(asked) if _may_relate(asked) else []
    return await asked.desk.graph(lambda graph: _Offers(asked, graph).all(related)) + ask.offers(asked)


class _Offers:
    def __init__(self, asked: Inquiry, graph: Graph) -> None:
        self.asked = asked
        self.sheet = asked.sheet
        self.graph = graph
        self.creates = can_operate(asked.session, lsp.ResourceOperationKind.Create)
        self._habit: Habit | None = None

    @property
    def habit(self) -> Habit:
        if self._habit is None:
            self._habit = habit.of(self.graph.db, self.graph.notes, self.sheet)
        return self._habit

    def all(self, related: list[str]) -> list[Offer]:
        asked = self.asked
        found: list[Offer] = []
        if asked.wants(QUICK):
            for problem in problems.find(self.graph, self.sheet, lambda _: True, (asked.start, asked.end)):
                found += self._fixes(problem, related)
        if asked.wants(EXTRACT) and self.creates and asked.end > asked.start:
            found += self._extract()
        if asked.wants(LINK):
            found += self._mention()
            if asked.start == asked.end and naming.can_link(self.sheet, asked.start, asked.end):
                found += [self._link_to(path, LINK) for path in related]
        return found + self._contents()

    # Repairs

    def _fixes(self, problem: Problem, related: list[str]) -> list[Offer]:
        repairs = repair.of(self.graph, self.sheet, problem, self.habit)
        span = (problem.start, problem.end)
        found = []
        for one in repairs:
            planned = self.asked.planned("replace", one.title, one.start, one.end, one.text)
            found.append(Offer(one.title, QUICK, planned, problem.code, span, one.sure))
        if problem.code == "broken-link" and self.creates:
            found += self._create(problem, sure=not repairs)
        if problem.code == "orphan":
            found += [self._link_at_end(path, span) for path in related]
        return found

    def _create(self, problem: Problem, *, sure: bool) -> list[Offer]:
        link = repair.link_of(self.sheet, problem)
        missing = _missing(self.graph, self.asked, link) if link is not None else None
        if missing is None or link is None:
            return []
        path, title = missing
        root = self.graph.notes.root(path)
        planned = self.asked.planned("create", title, link.start, link.end, path)
        return [Offer(f"Create {path[len(root) + 1 :]}", QUICK, planned, problem.code, (problem.start, problem.end), sure)]

    # Links

    def _mention(self) -> list[Offer]:
        named = naming.at(self.graph, self.sheet, self.asked.start, self.asked.end)
        if named is None:
            return []
        text = self.sheet.text[named.start : named.end]
        found = []
        for note in named.notes[: repair.MOST]:
            title = f"Link {text!r} to {self._name(note.path)}"
            link = compose.link(
                self.graph, self.sheet, Place(note.path, "note", note=note), habit.at(self.habit, self.sheet, named.start), text
            )
            found.append(self.asked.replacing(title, LINK, named.start, named.end, link))
        return found

    def _link_to(self, path: str, kind: str) -> Offer:
        at, text = self.asked.start, self.sheet.text
        place = Place(path, "note", note=self.graph.notes.at(path))
        before = " " if at and not text[at - 1].isspace() and text[at - 1] not in "([{\"'" else ""
        after = " " if text[at : at + 1].isalnum() else ""
        link = compose.link(self.graph, self.sheet, place, habit.at(self.habit, self.sheet, at))
        return self.asked.replacing(f"Insert a link to {self._name(path)}", kind, at, at, before + link + after)

    def _link_at_end(self, path: str, span: tuple[int, int]) -> Offer:
        text, newline = self.sheet.text, self.sheet.newline
        end = len(text.rstrip())
        link = compose.link(self.graph, self.sheet, Place(path, "note", note=self.graph.notes.at(path)), self.habit)
        title = f"Add a link to {self._name(path)}"
        inserted = newline * 2 + link + ("" if text[end:] else newline)
        planned = self.asked.planned("replace", title, end, end, inserted)
        return Offer(title, QUICK, planned, "orphan", span)

    # Others

    def _extract(self) -> list[Offer]:
        part = extract.cut(self.sheet, self.asked.start, self.asked.end)
        if part is None or not self.graph.notes.root(self.sheet.path):
            return []
        title = f"Extract into the note {part.title!r}"
        return [Offer(title, EXTRACT, self.asked.planned("extract", title, part.start, part.end))]

    def _contents(self) -> list[Offer]:
        there = contents.has(self.sheet)
        kind, title = (CONTENTS, "Update the table of contents") if there else (f"{REWRITE}.contents", "Insert a table of contents")
        if not self.asked.wants(kind):
            return []
        look = contents.updated if there else contents.inserted
        if look(self.sheet, self.habit) is None:
            return []
        return [Offer(title, kind, self.asked.planned("contents", title, 0, 0))]

    def _name(self, path: str) -> str:
        root = self.graph.notes.root(path)
        return names.without_suffix(path[len(root) + 1 :] if root else path)


def _missing(graph: Graph, asked: Inquiry, link: Link) -> tuple[str, str] | None:
    """The path and title of the note that a link names and that is not there; None where none can be made that it would lead to."""
    sheet, settings = asked.sheet, asked.session.engine.config.notes
    target = graph.resolve(sheet, link).target
    if target.kind not in ("name", "path") or link.kind in ("image", "block"):
        return None
    if any(one.swapped for one in targets.read(link)) and habit.of(graph.db, graph.notes, sheet).swapped:
        target = next(one for one in targets.read(link) if one.swapped)
    written = list(names.spellings(target.path))[-1].strip()
    name = posixpath.basename(written)
    known = posixpath.splitext(name)[1].lower() in PROCESSORS  # to a system's table .org may be Lotus Organizer's
    kind = "" if known else mimetypes.guess_type(name)[0] or ""
    if not name or templates.CONTROL.search(written) or "\\" in written or (kind and not kind.startswith("text/")):
        return None
    if len(name.encode("utf-8", "surrogatepass")) > 240:
        return None
    root = graph.notes.root(sheet.path)
    wish = Wish(names.stem(name), root, settings.template, datetime.now().astimezone(), near=sheet.path)
    if not root:
        return None
    if written.startswith("/"):
        path = root + posixpath.normpath(written)
    elif target.kind == "path" or written.startswith(("./", "../")):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(sheet.path), written))
    elif "/" in written:
        path = posixpath.normpath(posixpath.join(root, written))
    else:
        try:
            path = posixpath.join(posixpath.dirname(draft.path_of(graph, settings, wish)), name)
        except EditError:  # a name that is no title, e.g. of dots
            return None
    if names.without_suffix(name) == name:
        path += draft.suffix(graph, settings, wish)
    if graph.notes.root(path) == "" or draft.taken(graph, path):
        return None
    after, _ = added(graph, Sheet(path, "", settings_of(asked.session.engine.config.content)))
    found = after.resolve(sheet, link)
    if not found.places or found.places[0].path != path:
        return None
    shown = link.text.strip() if link.kind not in ("wiki", "embed") else ""
    return path, " ".join(shown.split()) if shown and not templates.CONTROL.search(shown) else names.stem(name)


def _may_relate(asked: Inquiry) -> bool:
    """Related notes are looked for when a person opens the list, or asks for links, not with each move of the cursor."""
    if asked.start != asked.end and not any(one.code == "orphan" for one in asked.diagnostics):
        return False
    if asked.sheet.format not in ("markdown", "org") or not asked.sheet.text.strip():
        return False
    return asked.wants(LINK, only=True) or (not asked.automatic and (asked.wants(LINK) or asked.wants(QUICK)))


async def _related(asked: Inquiry) -> list[str]:
    """The paths of the notes nearest in meaning to the paragraph at the cursor, without those that it links to."""
    sheet = asked.sheet
    first = last = sheet.lines.line(asked.start)
    while first and sheet.line_text(first - 1).strip():
        first -= 1
    while last + 1 < len(sheet.lines) and sheet.line_text(last + 1).strip():
        last += 1
    start, end = sheet.lines.starts[first], sheet.lines.end(last)
    text = sheet.text[start:end].strip()
    if len(text.split()) < 2:
        section = sheet.sections[sheet.section_at(asked.start)].span
        text = sheet.text[section.start : section.end].strip()
    if not text:
        return []
    try:
        async with asyncio.timeout(PATIENCE):
            found = await asked.session.engine.similar(SimilarRequest(text=text[:_ABOUT], limit=RELATED * 4))
    except (KhojdError, TimeoutError) as error:
        log.debug("%s: no related notes: %s", asked.session.label, type(error).__name__)
        return []

    def linked(graph: Graph) -> set[str]:
        inside = [link for link in sheet.links if start <= link.start and link.end <= end]
        return {place.path for link in inside for place in graph.resolve(sheet, link).places}

    known = await asked.desk.graph(linked)
    paths = dict.fromkeys(hit.path for hit in found.hits if hit.path != sheet.path and hit.path not in known)
    return list(paths)[:RELATED]
