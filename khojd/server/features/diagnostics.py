"""Diagnostics, pushed or pulled: what is wrong with a note's links, ids and metadata, and notes that are alike or alone.

A client that pulls is not pushed to. What is pushed is worked out on a thread a moment after the last change.
"""

from __future__ import annotations

import asyncio
import time
from hashlib import blake2b
from importlib import resources
from typing import Any

from lsprotocol import types as lsp

from khojd.errors import NotFound
from khojd.graph import problems
from khojd.graph.model import Place
from khojd.graph.problems import Code, Problem
from khojd.graph.sheet import Sheet
from khojd.server import plain, uris
from khojd.server.feature import Event, Feature
from khojd.server.places import Desk
from khojd.server.session import Session
from khojd.server.types import Location, Position, Range

QUIET = 0.1  # seconds without a change before the note is looked at
LONGEST_QUIET = 1.0  # of a note that takes long to be looked at: at least as long as that takes
_REFRESH = 1.0  # at most this often a client is asked to pull again because other notes changed
_SEVERITIES = {
    "near-duplicate": lsp.DiagnosticSeverity.Information.value,
    "orphan": lsp.DiagnosticSeverity.Hint.value,
    "broken-front-matter": lsp.DiagnosticSeverity.Error.value,
}
_SOURCE = "khojd"
_MOST_RELATED = 20
_START = Range(start=Position(line=0, character=0), end=Position(line=0, character=0))


class _Watch:
    """What is being looked at for one client."""

    def __init__(self) -> None:
        self.waiting: set[str] = set()  # notes that are looked at soon
        self.typed: set[str] = set()  # those in which was typed meanwhile
        self.again: set[str] = set()  # those of which the index knows more meanwhile
        self.alike: dict[str, list[tuple[str, float]]] = {}  # near duplicates, until the note is saved or the index changes
        self.took: dict[str, float] = {}  # seconds that the last look at a note took
        self.refreshing = False
        self.said: dict[str, tuple[int, list[plain.Diagnostic]]] = {}  # by path: the version, and what was published for it
        self.turn = asyncio.Lock()  # one note at a time, so that searches find a thread free however many notes are open


def follow(session: Session, event: Event, path: str) -> None:
    """Push to clients that do not pull."""
    watch = session.keep(_Watch)
    if event in ("saved", "indexed"):
        watch.alike = {}  # what is being looked for now is of what was known before
    if _pulls(session):
        if event == "indexed" and not watch.refreshing and session.can("workspace.diagnostics.refresh_support"):
            watch.refreshing = True
            session.spawn(_refresh(session, watch), "refreshing diagnostics")
        return
    if event in ("closed", "off"):
        for gone in [path] if path else list(session.documents):
            watch.alike.pop(gone, None)
            watch.said.pop(gone, None)
            watch.took.pop(gone, None)
            _publish(session, gone, [], None)
        return
    for changed in [path] if path else list(session.documents):
        if changed in watch.waiting:
            (watch.typed if event == "changed" else watch.again).add(changed)
        else:
            watch.waiting.add(changed)
            session.spawn(_push(session, watch, changed), "diagnostics")


async def pull(session: Session, params: lsp.DocumentDiagnosticParams) -> plain.DiagnosticReport:
    """The problems of one note; `unchanged` when they are those that the client has."""
    sheet = await session.sheet(params.text_document.uri, marks=True)
    items = await diagnose(session, sheet)
    identity = blake2b(repr(items).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    if params.previous_result_id == identity:
        return plain.DiagnosticReport(kind="unchanged", result_id=identity)
    return plain.DiagnosticReport(kind="full", items=items, result_id=identity)


async def diagnose(session: Session, sheet: Sheet) -> list[plain.Diagnostic]:
    """The problems of a note as it is in `sheet`."""
    desk = Desk(session)

    def wanted(code: Code) -> bool:
        return session.toggles.on("diagnose_" + code.replace("-", "_"))

    found = await desk.graph(lambda graph: problems.find(graph, sheet, wanted))
    if wanted("near-duplicate") and "near-duplicate" not in problems.ignored(sheet.text):
        found += await _alike(session, sheet)
    await desk.lay_out(place.path for problem in found for place in problem.places if place.label)
    # A note may have thousands.
    return await asyncio.to_thread(lambda: [_diagnostic(session, desk, sheet, problem) for problem in found]) if found else []


async def _alike(session: Session, sheet: Sheet) -> list[Problem]:
    """Near duplicates as the index knows them; not looked for anew with each keystroke."""
    alike = session.keep(_Watch).alike
    known = alike.get(sheet.path)
    if known is None:
        known = alike[sheet.path] = await session.engine.near_duplicates(sheet.path)
    return [
        Problem(
            "near-duplicate",
            0,
            sheet.lines.end(0),
            f"{path} says nearly the same (similarity {cosine:.2f})",
            (Place(path, "note"),),
        )
        for path, cosine in known
    ]


async def _push(session: Session, watch: _Watch, path: str) -> None:
    try:
        while True:
            await asyncio.sleep(max(QUIET, min(watch.took.get(path, 0.0), LONGEST_QUIET)))
            if path in watch.typed:
                watch.typed.discard(path)
                continue
            watch.again.discard(path)
            version = session.documents.version(path)
            if version is None:
                return
            async with watch.turn:
                started = time.monotonic()
                try:
                    sheet = await session.sheet(path)
                except NotFound:
                    return  # closed meanwhile
                items = await diagnose(session, sheet)
                watch.took[path] = time.monotonic() - started
            current = session.documents.version(path) == version and session.toggles.on("diagnostics")
            if current and watch.said.get(path) != (version, items):
                watch.said[path] = (version, items)
                _publish(session, path, items, version)
            if path not in watch.typed | watch.again:
                return
    finally:
        watch.waiting.discard(path)
        watch.typed.discard(path)
        watch.again.discard(path)


async def _refresh(session: Session, watch: _Watch) -> None:
    try:
        await asyncio.sleep(_REFRESH)
        await session.workspace_diagnostic_refresh_async(None)
    finally:
        watch.refreshing = False


def _publish(session: Session, path: str, items: list[plain.Diagnostic], version: int | None) -> None:
    published = plain.PublishDiagnostics(uri=session.uri(path), diagnostics=items, version=version)
    session.protocol.send(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, published)


def _diagnostic(session: Session, desk: Desk, sheet: Sheet, problem: Problem) -> plain.Diagnostic:
    encoding = session.documents.encoding
    related = None
    if problem.places and session.can("text_document.publish_diagnostics.related_information"):
        related = []
        for place in problem.places[:_MOST_RELATED]:
            other, start, end = desk.span(place) or (None, 0, 0)
            where = plain.range(other, start, end, encoding) if other is not None else _START
            location = Location(uri=session.uri(place.path), range=where)
            related.append(plain.RelatedInformation(location=location, message=_shown(place)))
    data: dict[str, Any] = {"target": problem.target, "paths": [place.path for place in problem.places[:_MOST_RELATED]]}
    return plain.Diagnostic(
        range=plain.range(sheet, problem.start, problem.end, encoding),
        severity=_SEVERITIES.get(problem.code, lsp.DiagnosticSeverity.Warning.value),
        code=problem.code,
        code_description=_documentation(session, problem.code),
        source=_SOURCE,
        message=problem.message,
        related_information=related,
        data=data,
    )


def _shown(place: Place) -> str:
    return f"{place.note.title or place.note.name if place.note else place.path}{f' › {place.label}' if place.label else ''}"


def _documentation(session: Session, code: Code) -> plain.CodeDescription | None:
    if not session.can("text_document.publish_diagnostics.code_description_support"):
        return None
    page = resources.files("khojd.server.features").joinpath("diagnostics.md")
    return plain.CodeDescription(href=f"{uris.from_path(str(page))}#{code}")


def _pulls(session: Session) -> bool:
    return session.can("text_document.diagnostic")


def _options(_: Session) -> dict[str, lsp.DiagnosticOptions]:
    options = lsp.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=False, identifier=_SOURCE)
    return {lsp.TEXT_DOCUMENT_DIAGNOSTIC: options}


FEATURE = Feature(
    "diagnostics",
    {lsp.TEXT_DOCUMENT_DIAGNOSTIC: pull},
    options=_options,
    follow=follow,
    offered={lsp.TEXT_DOCUMENT_DIAGNOSTIC: _pulls},
)
