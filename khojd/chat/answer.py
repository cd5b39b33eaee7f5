"""A model's answer: the prompt is made to fit, sent, and what comes is said, cited and counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import date
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from khojd.chat import agent, budget, prompt, recall
from khojd.chat.citations import Citer
from khojd.chat.model import Passage, Proposal, Step
from khojd.chat.preview import Foreseen
from khojd.chat.requests import counted, model_step
from khojd.chat.tokens import of_messages
from khojd.chat.tools.registry import RESULT_TOKENS, Context, Tool
from khojd.errors import ProviderError
from khojd.llm import model as llm
from khojd.llm.model import ChatRequest, Message
from khojd.llm.router import Choice

if TYPE_CHECKING:
    from khojd.chat.turn import Gathered, Running

_FOR_RESULTS = 0.4  # share of the prompt that is left free for what tools find
_LOCAL_RESEARCH = 14_000  # tokens of a prompt with all that tools have found
_MOST_TOOLS = 0.5  # share of the prompt that their descriptions may take
_LATER = (
    "While the model calls tools, each further request repeats this one with the calls and their results, which are text of your"
    " notes as far as the model asks for it."
)
_NOTHING_FOUND = "(No passages of the notes fit this question.)"


class Asked(Struct, frozen=True):
    """A prompt that fits. `passages` have their numbers; `guessed` are its tokens before scaling."""

    messages: tuple[Message, ...]
    passages: tuple[Passage, ...]
    guessed: int
    room: budget.Room
    left_out: tuple[str, ...]
    tools: tuple[Tool, ...] = ()


class Answer:
    """One answer of a model to what was gathered.

    `question` takes the place of the turn's own; `known` are passages with numbers that the question itself cites.
    """

    def __init__(self, turn: Running, *, question: str = "", known: Sequence[Passage] = ()) -> None:
        self.turn = turn
        self.question = question or turn.question
        self.known = tuple(known)
        self.record = turn.record
        self.chat = turn.chat
        self._first: float | None = None  # when the first token came
        self._choice: Choice | None = None
        self._rounds = 0  # requests for this answer

    async def foreseen(self, gathered: Gathered, choice: Choice | None, open: str = "") -> Foreseen:
        """The first request. Where nothing is known of the model the configured lengths count."""
        asked = await asyncio.to_thread(self._pack, gathered, choice)
        for left in asked.left_out:
            self.record.notice(left)
        if not asked.tools:
            return Foreseen("", choice, asked.messages, open=open)
        native = choice is not None and "tools" in choice.info.capabilities
        specs = tuple(tool.spec for tool in asked.tools)
        messages = asked.messages if native else tuple(agent.instructed(asked.messages, specs))
        return Foreseen("", choice, messages, specs if native else (), " ".join(filter(None, (_LATER, open))))

    async def room(self) -> int:
        """Guessed tokens that a prompt of the turn's model may have."""
        return self.room_of(await self.chat.router.choose(self.turn.job, self.turn.model))

    def room_of(self, choice: Choice | None) -> int:
        """Guessed tokens that a prompt of a model may have; None is one of which nothing is known."""
        return int(self._room(choice).prompt / (self.chat.scale.of(str(choice)) if choice else 1.0))

    async def give(self, gathered: Gathered) -> None:
        """Ask and answer. Raises ProviderError and ConfigError; what had come by then is in the record."""
        turn, router = self.turn, self.chat.router
        choice = await router.choose(turn.job, turn.model, notice=self.record.notice)
        for attempt in (1, 2):
            asked = await asyncio.to_thread(self._pack, gathered, choice)
            if asked.left_out and "count" in choice.info.capabilities:
                # A safe guess leaves out more than it needs to: count, and fill what is free.
                self.record.step(model_step(choice, "to count the tokens of the prompt"))
                if (tokens := await router.count(choice, asked.messages)) is not None:
                    self.chat.scale.saw(str(choice), asked.guessed, tokens)
                asked = await asyncio.to_thread(self._pack, gathered, choice)
            for left in asked.left_out:
                self.record.notice(left)
            self.record.passages = self.known or asked.passages
            self.record.citer = Citer(self.record.passages, style=turn.persona.citations, check=turn.config.chat.check_citations)
            try:
                await self._stream(asked, choice)
            except ProviderError as error:
                if error.reason != "overflow" or attempt == 2 or self.record.has_text:
                    raise
                choice = self._choice or choice
                self.chat.scale.over(str(choice))
                self.record.notice(f"the prompt was too long for {choice}; it is shortened and asked again")
                continue
            return

    # The prompt

    def _pack(self, gathered: Gathered, choice: Choice | None) -> Asked:
        turn = self.turn
        native = choice is not None and "citations" in choice.info.capabilities
        summary, history = recall.summary(gathered.history)
        history = tuple(one for one in history if one.answer)  # a question that nobody answered is not said again
        notes = turn.command != "general"
        system = prompt.system(turn.persona, date.today(), notes=notes, notes_only=turn.command == "notes", native=native)
        if summary:
            system = f"{system}\n\n{prompt.recalled(summary)}"
        none = _NOTHING_FOUND if notes else ""
        label = self.chat.library.label
        fixed = [Message("system", system), prompt.asked(self.question, (), label, images=turn.ask.images, none=none)]
        left_out: tuple[str, ...] = ()
        room = self._room(choice)
        scale = self.chat.scale.of(str(choice)) if choice else 1.0
        size = int(room.prompt / scale)
        tools = self._tools()
        if tools and (taken := of_messages((), [tool.spec for tool in tools])) > _MOST_TOOLS * size:
            left_out += (f"{choice}'s context is too short for tools: it answers without",)
            tools = ()
        elif tools:
            size -= taken
            size -= int(_FOR_RESULTS * size)
        packed = budget.fit(fixed, history, gathered.passages, size, told=prompt.told)
        numbered = tuple(replace(one, number=number) for number, one in enumerate(packed.passages, 1))
        question = prompt.asked(self.question, numbered, label, native=native, images=turn.ask.images, none=none)
        messages = (fixed[0], *(message for one in packed.turns for message in prompt.told(one)), question)
        return Asked(messages, numbered, of_messages(messages), room, (*left_out, *packed.left_out), tools)

    def _room(self, choice: Choice | None) -> budget.Room:
        settings = self.turn.config.chat
        answer = self.turn.persona.max_tokens or settings.answer_tokens
        return budget.room(choice.info.context if choice else 0, settings.context, answer)

    # The stream

    async def _stream(self, asked: Asked, choice: Choice) -> None:
        turn, record = self.turn, self.record
        citer = record.citer
        assert citer is not None, "set with the passages"
        tools = asked.tools
        scale = self.chat.scale.of(str(choice))
        size = int(asked.guessed * scale)
        if tools:
            # What tools find comes on top. A server on this machine pays for each token of context in memory.
            size = max(size, min(asked.room.prompt, _LOCAL_RESEARCH) if choice.local else asked.room.prompt)
        request = ChatRequest(
            asked.messages,
            max_tokens=turn.persona.max_tokens,
            context=budget.asked_context(size, asked.room),
        )
        try:
            stream: AsyncGenerator[llm.Event | Step | Proposal, None]
            if tools:
                context = Context(
                    turn.chat.engine,
                    self.chat.library,
                    number=record.number,
                    filters=turn.within,
                    folders=turn.ask.folders,
                    sheets=turn.sheets,
                    tokens=min(RESULT_TOKENS, int(size / scale) // 5),
                )
                limits = agent.Limits(
                    turn.config.chat.steps, turn.config.chat.step_seconds, turn.config.chat.step_tokens, int(size / scale)
                )
                stream = agent.run(
                    stream=lambda request: self._asked(request, choice),
                    native="tools" in choice.info.capabilities,
                    messages=asked.messages,
                    tools=tools,
                    context=context,
                    limits=limits,
                    request=request,
                )
            else:
                stream = self._asked(request, choice)
            async with aclosing(stream):
                async for event in stream:
                    self._take(event, citer)
        finally:
            record.parts(citer.finish())
            self._count()
        if not record.has_text and not turn.reason:
            record.notice(f"{self._choice or choice} gave no answer")
        if record.citer is not None and citer.removed:
            times = "a marker" if citer.removed == 1 else f"{citer.removed} markers"
            record.notice(f"{times} for sources that were never given {'was' if citer.removed == 1 else 'were'} taken out")

    def _tools(self) -> tuple[Tool, ...]:
        """Those of the persona; all for /research where it has none; none else."""
        turn = self.turn
        if turn.command in ("general", "summarize", "notes"):
            return ()
        if turn.persona.tools:
            return self.chat.tools.select(turn.persona.tools)
        return self.chat.tools.select() if turn.command == "research" else ()

    def _take(self, event: llm.Event | Step | Proposal, citer: Citer) -> None:
        record = self.record
        if isinstance(event, llm.Text):
            self._began()
            record.parts(citer.feed(event.text))
        elif isinstance(event, llm.Thinking):
            self._began()
            record.thinking(event.text)
        elif isinstance(event, llm.Cited):
            record.parts(citer.cited(event))
        elif isinstance(event, Step):
            record.step(event)
        elif isinstance(event, Proposal):
            record.propose(event)
        elif isinstance(event, llm.Ended) and event.reason == "length":
            record.notice("the answer was cut: the model's limit for its length was reached")
        elif isinstance(event, llm.Ended) and event.reason == "refused":
            record.notice("the model refused to answer")

    async def _asked(self, request: ChatRequest, choice: Choice) -> AsyncGenerator[llm.Event, None]:
        """One request, counted."""
        self._rounds += 1
        guessed = of_messages(request.messages, request.tools)
        used: llm.Used | None = None
        if self._rounds == 1:
            self.record.usage = replace(self.record.usage, retrieval_s=time.perf_counter() - self.turn.started)
        try:
            stream = self.turn.requests.stream(
                self.turn.job,
                request,
                model=self.turn.model,
                choice=choice,
                what="" if self._rounds == 1 else f"request {self._rounds} for the answer",
                notice=self.record.notice,
                asked=self._goes_to,
            )
            async with aclosing(stream) as events:
                async for event in events:
                    if isinstance(event, llm.Used):
                        used = event
                        if event.dropped:
                            self.record.notice("the server left out the beginning of the prompt, for it was too long for the model")
                    yield event
        finally:
            if used is not None and self._choice is not None:
                self.chat.scale.saw(str(self._choice), guessed, used.prompt)

    def _goes_to(self, choice: Choice) -> None:
        self.record.turn = replace(self.record.turn, provider=choice.provider, model=choice.model)
        self._choice = choice

    def _began(self) -> None:
        if self._first is None:
            self._first = time.perf_counter()
            self.record.usage = replace(self.record.usage, first_token_s=self._first - self.turn.started)

    def _count(self) -> None:
        took = time.perf_counter() - self._first if self._first is not None else 0.0
        usage = counted(self.record.usage, self.turn.requests)
        answer = usage.main_answer_tokens
        self.record.usage = replace(usage, tokens_per_second=answer / took if answer > 0 and took > 0 else 0.0)
