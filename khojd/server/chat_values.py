"""What chat says, as a client gets it: places in the notes as that client sees them now, offsets in its encoding."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from khojd.chat import model
from khojd.chat.resolve import Resolved, elsewhere, resolve
from khojd.content.registry import settings_of
from khojd.errors import EditError, NotFound
from khojd.graph import sheet as sheets
from khojd.graph.sheet import Sheet
from khojd.server import types, types_chat
from khojd.server.edits import Edits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from khojd.chat.preview import Foreseen
    from khojd.llm.model import Message
    from khojd.server.session import Session

_SOUGHT = 20  # quotes that are looked for in other notes for one message
_TAIL = 8192  # characters of the answer in which the marker of a new citation is looked for


class Answer:
    """How far an answer has come, to tell where in it a marker stands without measuring it from the start each time."""

    def __init__(self, session: Session) -> None:
        self._measure = session.measure
        self._length = 0  # code points
        self._units = 0
        self._tail = ""

    def add(self, text: str) -> None:
        self._length += len(text)
        self._units += self._measure(text)
        self._tail = (self._tail + text)[-_TAIL:]

    def unit(self, offset: int) -> int:
        """A code point near the end of the answer in the client's units."""
        back = min(max(self._length - offset, 0), len(self._tail))
        return self._units - self._measure(self._tail[len(self._tail) - back :])


class Values:
    """Makes messages for one session. A note that it has not open is read once for the life of this object."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._settings = settings_of(session.engine.config.content)
        self._read: dict[str, Sheet | None] = {}
        self._sought = 0

    async def citation(self, citation: model.Citation, at: int) -> types_chat.Citation:
        """`at` is the marker's place in the client's units."""
        path, found, location = await self._place(citation)
        return types_chat.Citation(
            number=citation.number,
            at=at,
            location=location,
            path=path,
            title=citation.title,
            headings=citation.headings,
            quote=citation.quote,
            hash=citation.hash,
            weak=citation.weak,
            state=found.state,
        )

    async def citations(self, answer: str, citations: Sequence[model.Citation]) -> tuple[types_chat.Citation, ...]:
        """Those of a whole answer."""
        measure, place, units, found = self._session.measure, 0, 0, []
        for citation in sorted(citations, key=lambda one: one.at):
            units += measure(answer[place : citation.at])
            place = max(place, citation.at)
            found.append(await self.citation(citation, units))
        return tuple(found)

    async def references(self, passages: Iterable[model.Passage]) -> tuple[types_chat.Reference, ...]:
        return tuple([await self._reference(passage) for passage in passages])

    async def _reference(self, passage: model.Passage) -> types_chat.Reference:
        quoted = model.Citation(
            number=passage.number,
            at=0,
            path=passage.path,
            start=passage.start,
            end=passage.end,
            line=passage.line,
            quote=passage.text,
            hash=model.text_hash(passage.text),
        )
        path, _, location = await self._place(quoted)
        return types_chat.Reference(
            number=passage.number,
            location=location,
            path=path,
            title=passage.title,
            headings=passage.headings,
            date=passage.date,
            origin=passage.origin,
            text=passage.text,
        )

    async def proposal(self, proposal: model.Proposal) -> types_chat.Proposal:
        sheet = await self._sheet(proposal.path)
        location = self._location(proposal.path, sheet, proposal.start, proposal.end)
        return types_chat.Proposal(
            id=proposal.id,
            location=location,
            path=proposal.path,
            before=proposal.before,
            after=proposal.after,
            text_hash=proposal.text_hash,
            why=proposal.why,
            edit=self._edit(proposal, sheet),
        )

    def _edit(self, proposal: model.Proposal, sheet: Sheet | None) -> dict[str, object] | None:
        from khojd.server.wire import CONVERTER

        edits = Edits(self._session)
        try:
            if proposal.text_hash:
                if sheet is None or model.text_hash(sheet.text) != proposal.text_hash:
                    return None
                label = proposal.why or "Proposed change"
                edits.replace(sheet, proposal.start, proposal.end, proposal.after, label=label, confirm=True)
            else:
                edits.create(proposal.path, proposal.after, label=proposal.why or "Proposed note", confirm=True)
        except EditError:
            return None
        built: dict[str, object] = CONVERTER.unstructure(edits.build())
        return built

    # Places

    async def _place(self, citation: model.Citation) -> tuple[str, Resolved, types.Location]:
        """Where the quote stands now: in its note, else in another one, as after a rename."""
        sheet = await self._sheet(citation.path)
        found = resolve(citation, None if sheet is None else sheet.text)
        if found.state == "stale" and self._sought < _SOUGHT:
            self._sought += 1
            for path in await elsewhere(self._session.engine, citation):
                other = await self._sheet(path)
                there = resolve(citation, None if other is None else other.text)
                if there.state != "stale":
                    return path, there._replace(state="moved"), self._location(path, other, there.start, there.end)
        return citation.path, found, self._location(citation.path, sheet, found.start, found.end)

    def _location(self, path: str, sheet: Sheet | None, start: int, end: int) -> types.Location:
        if sheet is None:
            zero = types.Position(line=0, character=0)
            return types.Location(uri=self._session.uri(path), range=types.Range(start=zero, end=zero))
        range = self._session.range(sheet, start, end)
        first = types.Position(line=range.start.line, character=range.start.character)
        last = types.Position(line=range.end.line, character=range.end.character)
        return types.Location(uri=self._session.uri(path), range=types.Range(start=first, end=last))

    async def _sheet(self, path: str) -> Sheet | None:
        """The note as this client has it open, else as it is on disk; None for one that is gone."""
        opened = self._session.documents.sheet(path, self._settings)
        if opened is not None:
            return opened
        if path not in self._read:
            self._read[path] = await asyncio.to_thread(self._from_disk, path)
        return self._read[path]

    def _from_disk(self, path: str) -> Sheet | None:
        try:
            sheet = sheets.from_disk(path, self._settings)
        except NotFound:
            return None
        _ = sheet.lines
        return sheet


def step(step: model.Step) -> types_chat.Step:
    return types_chat.Step(kind=step.kind, text=step.text, tool=step.tool, data=step.data)


def usage(usage: model.Usage) -> types_chat.ChatUsage:
    return types_chat.ChatUsage(
        prompt_tokens=usage.prompt_tokens,
        answer_tokens=usage.answer_tokens,
        requests=usage.requests,
        main_prompt_tokens=usage.main_prompt_tokens,
        main_answer_tokens=usage.main_answer_tokens,
        main_requests=usage.main_requests,
        cost=usage.cost,
        retrieval_seconds=usage.retrieval_s,
        first_token_seconds=usage.first_token_s,
        total_seconds=usage.total_s,
        tokens_per_second=usage.tokens_per_second,
    )


def prompt(messages: Sequence[Message]) -> tuple[types_chat.PromptMessage, ...]:
    """Messages as a model gets them."""
    return tuple(
        types_chat.PromptMessage(
            role=message.role,
            text=message.text,
            images=len(message.images),
            sources=tuple(f"[{one.number}] {one.title or one.source}\n{one.text}" for one in message.sources),
        )
        for message in messages
    )


def foreseen(request: Foreseen) -> types_chat.PromptRequest:
    """A request that would be made."""
    to = request.to
    return types_chat.PromptRequest(
        what=request.what,
        provider=to.provider if to else "",
        model=to.model if to else "",
        local=to is not None and to.local,
        messages=prompt(request.messages),
        tools=tuple(
            types_chat.PromptTool(name=one.name, description=one.description, parameters=one.parameters) for one in request.tools
        ),
        open=request.open,
    )
