"""One turn: a question, what is looked up for it, and its answer.

command -> queries -> search, attached places -> prompt -> model (answer.py) or the passages themselves (extractive.py)
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from khojd.chat import commands, extractive, personas, queries, rewrite
from khojd.chat.answer import Answer
from khojd.chat.mentions import mentioned
from khojd.chat.model import Ask, ChatEvent, Command, Conversation, Finished, Passage, Started, State, Step, Turn
from khojd.chat.naming import foreseen_title, name_conversation, title_step, wants_name
from khojd.chat.preview import Foreseen, Preview
from khojd.chat.record import Record
from khojd.chat.requests import Requests, counted, search_steps
from khojd.chat.store import new_conversation
from khojd.chat.summarise import foreseen_summary, remember, summarise
from khojd.errors import ChatError, ConfigError, KhojdError, NotFound, ProviderError, StoreError

if TYPE_CHECKING:
    from khojd.chat.service import Chat
    from khojd.graph.sheet import Sheet
    from khojd.llm.chain import Job
    from khojd.llm.router import Choice

log = logging.getLogger(__name__)

NOTHING = "Your notes hold nothing on this."
_OTHER_QUERIES = "With the queries that the small model makes, other passages may be found."
NO_FOLDERS = "No folder of notes is configured; `khojd index --add FOLDER` adds one."


class Gathered(Struct, frozen=True):
    """What an answer is made from: earlier turns, oldest first, and passages, best first, without numbers."""

    history: tuple[Turn, ...] = ()
    passages: tuple[Passage, ...] = ()


class Running:
    """A turn on its way. `reason` says why its task is cancelled, `failure` what it failed by."""

    def __init__(
        self,
        chat: Chat,
        id: str,
        ask: Ask,
        *,
        sheets: Mapping[str, Sheet],
        conversation: Conversation,
        unkept: str,
        say: Callable[[ChatEvent], None],
    ) -> None:
        self.chat = chat
        self.id = id
        self.ask = ask
        self.sheets = sheets
        self.conversation = conversation
        self.command: Command
        self.command, self.question = commands.split(ask.question)  # the question without its command
        self.config = chat.engine.config
        self.persona = personas.find(self.config, ask.persona or conversation.persona)
        self.filters = conversation.filters if ask.filters is None else ask.filters
        self.reason = ""
        self.failure: KhojdError | None = None
        self.started = time.perf_counter()
        self._unkept = unkept  # why the conversation is not kept
        self._say = say
        turn = Turn(id, conversation.id, ask.question, self.command, persona=self.persona.name, created=time.time())
        self.record = Record(turn, say)
        self.requests = Requests(chat.router, self.record.step)
        self.settled = False  # how it ended is certain: it is only kept now, and no longer cancelled

    @classmethod
    async def make(
        cls,
        chat: Chat,
        id: str,
        ask: Ask,
        sheets: Mapping[str, Sheet],
        say: Callable[[ChatEvent], None],
        *,
        keep: bool = True,
    ) -> Running:
        """Raises ChatError for what cannot be asked so, NotFound for an unknown conversation or persona, QueryError for filters."""
        command, question = commands.split(ask.question)
        if not question and not command and not ask.images:
            raise ChatError("the question is empty", question=ask.question)
        personas.find(chat.engine.config, ask.persona)
        queries.check(ask.filters or "", chat.engine.config)
        if ask.replaces and ask.conversation not in chat.unkept:
            replaced = await chat.store.turn(ask.replaces)
            if ask.conversation not in ("", replaced.conversation):
                message = f"the turn {ask.replaces} is none of the conversation {ask.conversation}"
                raise ChatError(message, turn=ask.replaces, conversation=ask.conversation)
            ask = replace(ask, conversation=replaced.conversation)
        unkept = ""
        conversation = new_conversation(ask.question, persona=ask.persona, filters=ask.filters or "")
        if ask.conversation in chat.unkept:
            conversation, unkept = chat.unkept[ask.conversation].conversation, "what came before it is not kept either"
        elif ask.conversation:
            conversation = await chat.store.get(ask.conversation)
        elif keep:
            try:
                conversation = await chat.store.begin(ask.question, persona=ask.persona, filters=ask.filters or "")
            except StoreError as error:
                unkept = error.message
        return cls(chat, id, ask, sheets=sheets, conversation=conversation, unkept=unkept, say=say)

    # The turn as a whole

    @property
    def said(self) -> bool:
        """Whether any of the answer was said."""
        return self.record.has_text

    @property
    def job(self) -> Job:
        return "vision" if self.ask.images else "chat"

    @property
    def model(self) -> str:
        """The model that is asked for, "" for the configured one."""
        return self.ask.model or self.persona.model

    @property
    def within(self) -> str:
        """The filters of the conversation and of the persona, each on a line: both hold, whatever the question says."""
        return "\n".join(" ".join(one.split()) for one in (self.filters, self.persona.filters) if one.strip())

    async def run(self) -> None:
        """Answer, and keep the answer, whatever happens."""
        self._say(Started(self.record.turn, self.conversation))
        try:
            if self.chat.waits(self.conversation.id):
                self.record.notice("waits for the answer to the question before this one")
            async with self.chat.line(self.conversation.id):
                await self._finish(*await self._outcome())
        except asyncio.CancelledError:
            # It was still waiting.
            await self._keep()
            await self._finish("cancelled", self.reason)

    async def _outcome(self) -> tuple[State, str]:
        try:
            if self.ask.replaces:
                await self.chat.store.put_aside(self.ask.replaces)
            await self._keep()
            await self._answer()
        except asyncio.CancelledError:
            return "cancelled", self.reason
        except KhojdError as error:
            self.failure = error
            return "failed", error.message
        except Exception as error:
            # Without its message, which may hold text of notes.
            log.error("a turn ended by %s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
            reason = f"an error of khojd's own ({type(error).__name__}): its log says more"
            self.failure = ChatError(reason)
            return "failed", reason
        return "complete", ""

    async def _keep(self) -> None:
        if self._unkept:
            self.record.notice(f"this conversation is not kept: {self._unkept}")
        else:
            await self.record.keep(self.chat.store)

    async def _finish(self, state: State, reason: str) -> None:
        self.settled = True
        usage = counted(self.record.usage, self.requests)
        self.record.usage = replace(usage, total_s=time.perf_counter() - self.started)
        named = state == "complete" and not self._unkept and await wants_name(self)
        if named:
            # It is asked for when the answer is there; who waits for that does not wait for a title.
            self.record.step(title_step(self))
        self.record.refer()
        turn = await self.record.end(self.chat.store, state=state, reason=reason)
        if self._unkept:
            self.chat.remember(self.conversation, turn)
        else:
            with suppress(KhojdError):  # it was deleted, or the disk is full
                self.conversation = await self.chat.store.get(self.conversation.id)
        if named:
            name_conversation(self)
        if state == "complete" and not self._unkept:
            remember(self)
        self._say(Finished(turn, self.conversation))

    # What it is answered from

    async def gather(self, *, models: bool = True, foreseen: list[Foreseen] | None = None) -> Gathered:
        """Look up what the question needs; without `models` no model is asked for queries: `foreseen` is given the request."""
        history = await self._history()
        if self.command == "general":
            if self.ask.attached:
                self.record.notice("/general sends no notes: what the editor gave along is left out")
            return Gathered(history)
        attached = list(self.ask.attached)
        named = await mentioned(self.chat.engine, self.question, sheets=self.sheets, near=[one.path for one in attached])
        for note in named.notes:
            self.record.notice(note)
        attached += named.places
        plan = queries.plan(named.question, history, self.config, date.today(), selected=await self._selected())
        rewriter, router = self.chat.rewriter, self.chat.router
        asked = rewriter.request(plan, named.question, history, self.config, router=router, model=self.model)
        if asked is not None and models:
            plan = await rewriter.improve(plan, asked, self.config, requests=self.requests)
        elif asked is not None and foreseen is not None:
            foreseen.append(Foreseen(rewrite.WHAT, router.expected("small", asked.model), asked.request.messages))
        if plan.notice:
            self.record.notice(plan.notice)
        if plan.queries:
            self.record.step(
                Step("queries", "; ".join(plan.queries), data={"queries": list(plan.queries), "filters": plan.filters})
            )
        self.record.turn = replace(self.record.turn, queries=plan.queries)
        for step in search_steps(self.config) if plan.queries else ():
            self.record.step(step)
        library = self.chat.library
        search = partial(
            library.find,
            filters=plan.filters,
            within=self.within,
            folders=self.ask.folders,
            limit=self.config.chat.passages,
            sheets=self.sheets,
        )
        found, given = await asyncio.gather(search(plan.queries), library.attached(attached, named.question, sheets=self.sheets))
        if plan.wider and not found.passages:
            found = await search([plan.wider])
            if found.passages:
                self.record.notice("nothing was found of the time that the question names; these are of any time")
        for note in (*given.notes, *found.notes):
            self.record.notice(note)
        passages = _together(given.passages, found.passages)
        self.record.step(Step("search", _counted(passages), data={"passages": len(passages)}))
        return Gathered(history, passages)

    async def _selected(self) -> str:
        place = next((one for one in self.ask.attached if one.origin == "selection"), None)
        if place is None:
            return ""
        with suppress(NotFound):  # said where it is given along
            text = await self.chat.library.text(place.path, sheets=self.sheets)
            return text[place.start : place.end if place.end >= 0 else len(text)]
        return ""

    async def _history(self) -> tuple[Turn, ...]:
        if not self.ask.conversation:
            return ()
        known = self.chat.unkept.get(self.conversation.id)
        turns = known.turns if known else await self.chat.store.turns(self.conversation.id)
        own = next((at for at, turn in enumerate(turns) if turn.id in (self.id, self.ask.replaces)), len(turns))
        return tuple(turns[:own])

    async def preview(self) -> Preview:
        """What models would be sent. Raises ChatError for a command that asks none."""
        if self.command in ("search", "help"):
            raise ChatError(f"/{self.command} sends nothing to a model", command=self.command)
        foreseen: list[Foreseen] = []
        if self.command == "summarize":
            foreseen += await foreseen_summary(self)
        else:
            gathered = await self.gather(models=False, foreseen=foreseen)
            if self.command == "notes" and not gathered.passages:
                self.record.notice(f"{NOTHING} No model is asked for the answer.")
            else:
                asked = await Answer(self).foreseen(gathered, await self.choice(), _OTHER_QUERIES if foreseen else "")
                foreseen.append(asked)
        if any(not one.what and one.to for one in foreseen) and await wants_name(self, foreseen=True):
            foreseen.append(foreseen_title(self))
        return Preview(tuple(foreseen), self.record.now().steps)

    async def choice(self) -> Choice | None:
        """The model that answers, None where none is configured or its server says nothing of it, which is told."""
        if not self.chat.router.has(self.job, self.model):
            self.record.notice("no chat model is configured: nothing would be sent; with one it would be this")
            return None
        try:
            return await self.chat.router.choose(self.job, self.model, notice=self.record.notice)
        except (ProviderError, ConfigError) as error:
            self.record.notice(error.message)
            return None

    # How it is answered

    async def _answer(self) -> None:
        record, command = self.record, self.command
        if command == "help":
            record.text(commands.help_text(self.chat.tools.names(), personas.known(self.config)))
            return
        has_model = self.chat.router.has(self.job, self.model)
        if command == "summarize":
            await summarise(self, model=has_model)
            return
        gathered = await self.gather(models=has_model)
        if command in ("", "notes", "search") and not gathered.passages and (command or not has_model):
            record.text(NOTHING if self.chat.engine.folders() else NO_FOLDERS)
        elif command == "search" or not has_model:
            if command in ("general", "research") or self.ask.images:
                raise ChatError(extractive.NO_MODEL, command=command)
            near = self.chat.engine.nearness
            label = self.chat.library.label
            await extractive.answer(record, gathered.passages, self.question, label, near, listing=command == "search")
        else:
            await Answer(self).give(gathered)


def _together(given: tuple[Passage, ...], found: tuple[Passage, ...]) -> tuple[Passage, ...]:
    """What was given along comes first; found passages that it holds already are left out."""
    new = [one for one in found if not any(one.path == a.path and a.start <= one.start and one.end <= a.end for a in given)]
    return (*given, *new)


def _counted(passages: tuple[Passage, ...]) -> str:
    notes = len({one.path for one in passages})
    if not passages:
        return "nothing found"
    return f"{len(passages)} {'passage' if len(passages) == 1 else 'passages'} of {notes} {'note' if notes == 1 else 'notes'}"
