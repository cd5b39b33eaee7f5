"""The loop of an answer with tools: the model asks for tools, they run, it gets their results, until it answers.

Everything is said as it happens. Each bound ends in an answer, not in silence: when rounds, seconds or tokens are used up, or the
model keeps making calls that cannot be run, it is asked once more, to answer with what it has.
"""

import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager

from msgspec import Struct
from msgspec.structs import replace

from khojd.chat import toolcalls
from khojd.chat.model import Proposal, Step
from khojd.chat.tokens import of_messages, tokens
from khojd.chat.tools.calls import Calls, Done
from khojd.chat.tools.registry import Context, Tool
from khojd.errors import ProviderError
from khojd.llm import model as llm
from khojd.llm.model import Called, ChatRequest, Cited, Ended, Event, Message, Text, Thinking, ToolCall, Used

MOST_FAULTS = 4  # calls that cannot be run: unknown tools, broken or wrong arguments, repeated ones
_DROPPED = "(This result was left out to save room. Call the tool again if it is needed.)"
_ENOUGH = "Answer the question now, with what you have found so far. No more tools can be used. Say what is missing."

Stream = Callable[[ChatRequest], AsyncIterator[Event]]
Said = Text | Thinking | Cited | Ended | Step | Proposal


class Limits(Struct, frozen=True):
    """Of one answer: rounds of tool calls, seconds in all (an answer that has begun may end), tokens of all requests together.

    prompt: tokens that one request may have, as khojd guesses them (khojd/chat/tokens.py); 0 is not known.
    """

    steps: int
    seconds: float
    tokens: int
    prompt: int = 0


async def run(
    *,
    stream: Stream,
    native: bool,
    messages: Sequence[Message],
    tools: Sequence[Tool],
    context: Context,
    limits: Limits,
    request: ChatRequest | None = None,
) -> AsyncGenerator[Said, None]:
    """An answer with tools, as it comes: text and thinking, steps, proposals; `Ended` is the end.

    native: the model takes tools by its server's own way; else, and where the server returns calls as text, they are read from the
    text (khojd/chat/toolcalls.py). request: what else each request says; its messages and tools are replaced. Closing the iterator
    ends the model's stream and the tools. Raises what `stream` raises; what was said before stays said.
    """
    loop = _Loop(
        stream=stream,
        native=native,
        messages=messages,
        tools=tools,
        context=context,
        limits=limits,
        request=request or ChatRequest(()),
    )
    async with aclosing(loop.run()) as said:
        async for one in said:
            yield one


def instructed(messages: Sequence[Message], tools: Sequence[llm.Tool]) -> list[Message]:
    """The messages for a model that takes no tools of its server's way: how to write a call stands in the system message."""
    told = toolcalls.instructions(tools)
    if messages and messages[0].role == "system":
        return [replace(messages[0], text=f"{messages[0].text}\n\n{told}".strip()), *messages[1:]]
    return [Message("system", told), *messages]


class _Answer:
    """What one request brought."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.calls: list[ToolCall] = []
        self.written: ToolCall | None = None  # the call that stood in the text
        self.used = Used()
        self.ended: Ended | None = None


class _Loop:
    def __init__(
        self,
        *,
        stream: Stream,
        native: bool,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        context: Context,
        limits: Limits,
        request: ChatRequest,
    ) -> None:
        self._stream = stream
        self._native = native
        self._first = list(messages)
        self._given = [message.text for message in messages if message.role in ("user", "tool")]
        self._given += [source.text for message in messages for source in message.sources]
        self._rounds: list[list[Message]] = []  # what each round added
        self._specs = tuple(tool.spec for tool in tools)
        self._names = [tool.name for tool in tools]
        self._calls = Calls(tools, context)
        self._limits = limits
        self._request = request
        self._deadline = time.monotonic() + limits.seconds
        self._sizes: dict[int, tuple[Message, int]] = {}  # by identity, with the message, which keeps it
        self._spent = 0  # tokens
        self._faults = 0
        self._tail = "\n\n"  # of what was said

    async def run(self) -> AsyncGenerator[Said, None]:
        while True:
            answer = _Answer()
            async with aclosing(self._ask(answer, final=False)) as asked:
                async for said in asked:
                    yield said
            if not answer.calls:
                break
            async with aclosing(self._tools(answer)) as happening:
                async for step in happening:
                    yield step
            if why := self._used_up():
                yield Step("notice", f"{why}: answered with what was found until then")
                answer = _Answer()
                async with aclosing(self._ask(answer, final=True)) as asked:
                    async for said in asked:
                        yield said
                break
        if not answer.text:
            yield Step("notice", "the model ended without an answer")
        yield self._end(answer)

    def _end(self, answer: _Answer) -> Ended:
        ended = answer.ended
        return ended if ended is not None else Ended("stop", Message("assistant", "".join(answer.text)))

    def _used_up(self) -> str:
        """Which of the bounds is reached; "" for none."""
        limits = self._limits
        if len(self._rounds) >= limits.steps:
            return f"all {limits.steps} rounds of tool calls are used up (chat.steps)"
        if time.monotonic() >= self._deadline:
            return f"the {limits.seconds:g} seconds for tools are used up (chat.step_seconds)"
        if self._spent >= limits.tokens:
            return f"{self._spent:,} of {limits.tokens:,} tokens are used up (chat.step_tokens)"
        if self._faults >= MOST_FAULTS:
            return f"{self._faults} tool calls of the model could not be run"
        return ""

    # The model

    async def _ask(self, answer: _Answer, *, final: bool) -> AsyncGenerator[Said, None]:
        """One request; once more with older results left out when it is too long for the model."""
        if self._limits.prompt:
            self._fit(max(self._limits.prompt - of_messages((), self._specs), 1))
        for attempt in (1, 2):
            request = self._next(final=final)
            said = False
            try:
                async with aclosing(self._read(request, answer, final=final)) as events:
                    async for event in events:
                        said = True
                        yield event
                break
            except ProviderError as error:
                size = self._size(request.messages)
                if error.reason != "overflow" or said or attempt == 2 or not self._fit(size * 2 // 3):
                    raise
                yield Step("notice", "the results of earlier tool calls were left out: together they are too long for the model")
        self._count(request, answer)

    def _next(self, *, final: bool) -> ChatRequest:
        messages = [*self._first, *(message for added in self._rounds for message in added)]
        if final:
            # Not a message of its own: templates of chat want the roles to take turns.
            last = messages.pop()
            messages.append(replace(last, text=f"{last.text}\n\n{_ENOUGH}"))
        elif not self._native:
            messages = instructed(messages, self._specs)
        # Servers want the tools again that the messages speak of.
        specs = self._specs if self._native else ()
        return replace(
            self._request,
            messages=tuple(messages),
            tools=specs,
            tool_choice="none" if final and specs else self._request.tool_choice,
        )

    async def _read(self, request: ChatRequest, answer: _Answer, *, final: bool) -> AsyncGenerator[Said, None]:
        watcher = None if final else toolcalls.Watcher(self._names, self._is_quoted)
        async with _closing(self._stream(request)) as events:
            async for event in events:
                if isinstance(event, Text):
                    text = watcher.feed(event.text) if watcher is not None else event.text
                    if said := self._text(text, answer):
                        yield said
                    if watcher is not None and watcher.call is not None:
                        break  # what a model writes after a call is its own guess at the result
                elif isinstance(event, Called):
                    answer.calls.append(event.call)
                elif isinstance(event, Used):
                    answer.used = event
                elif isinstance(event, Ended):
                    answer.ended = event
                else:
                    yield event
        if watcher is not None:
            if watcher.call is None and (said := self._text(watcher.finish(), answer)):
                yield said
            if watcher.call is not None and not answer.calls:
                answer.written = watcher.call
                answer.calls.append(replace(watcher.call, id=f"text-{len(self._rounds) + 1}"))
        if final:
            answer.calls.clear()

    def _text(self, text: str, answer: _Answer) -> Text | None:
        """The text of a later round begins a paragraph of its own."""
        if answer.text:
            answer.text.append(text)
        else:
            text = text.lstrip() if self._rounds else text
            if not text:
                return None
            answer.text.append(text)
            text = "\n" * (2 - len(self._tail) + len(self._tail.rstrip("\n"))) * bool(self._rounds) + text
        self._tail = (self._tail + text)[-2:]
        return Text(text) if text else None

    def _is_quoted(self, text: str) -> bool:
        results = (message.text for added in self._rounds for message in added if message.role != "assistant")
        return toolcalls.stands_in((*self._given, *results))(text)

    # Tools

    async def _tools(self, answer: _Answer) -> AsyncGenerator[Said, None]:
        """Run the calls of one answer, and keep their results for the next request."""
        done: dict[int, Done] = {}
        remaining = max(self._deadline - time.monotonic(), 0.0)
        async with aclosing(self._calls.run(answer.calls, seconds=remaining)) as happening:
            async for one in happening:
                if isinstance(one, Done):
                    done[one.index] = one
                    self._faults += one.failed
                else:
                    yield one
        results = [done[index] for index in range(len(answer.calls))]
        if answer.written is not None:
            said = f"{''.join(answer.text).rstrip()}\n\n{_as_written(answer.written)}".lstrip()
            added = [Message("assistant", said), Message("user", f"The result of {answer.written.name}:\n\n{results[0].text}")]
        else:
            ended = answer.ended
            asked = ended.message if ended is not None and ended.message.tool_calls else None
            asked = asked or Message("assistant", "".join(answer.text), tool_calls=tuple(answer.calls))
            added = [asked]
            for call, result in zip(answer.calls, results, strict=True):
                added.append(Message("tool", result.text, tool_call_id=call.id, tool_name=call.name))
        self._rounds.append(added)

    # Room and counting

    def _fit(self, room: int) -> bool:
        """Leave out results of tools, the oldest first, until the next request has at most `room` tokens; whether any was."""
        if room <= 0:
            return False
        messages = [*self._first, *(message for added in self._rounds for message in added)]
        over = self._size(messages) - room
        dropped = False
        for added in self._rounds[:-1]:
            for index, message in enumerate(added):
                if over > 0 and message.role != "assistant" and message.text != _DROPPED:
                    over -= tokens(message.text)
                    added[index] = replace(message, text=_DROPPED)
                    dropped = True
        if dropped:
            self._calls.forget()
        return dropped

    def _size(self, messages: Sequence[Message]) -> int:
        """Tokens of messages; each is counted once, for they are long and come again in each request."""
        for message in messages:
            if id(message) not in self._sizes:
                self._sizes[id(message)] = message, of_messages((message,))
        return sum(self._sizes[id(message)][1] for message in messages)

    def _count(self, request: ChatRequest, answer: _Answer) -> None:
        used = answer.used
        prompt = used.prompt if used.prompt >= 0 else self._size(request.messages) + of_messages((), request.tools)
        completion = (
            used.completion
            if used.completion >= 0
            else tokens("".join(answer.text)) + sum(tokens(one.text) for one in answer.calls)
        )
        self._spent += prompt + completion


def _as_written(call: ToolCall) -> str:
    """A call in the form of the protocol, whatever form it came in: a model goes on as it sees that it began."""
    if call.arguments is None:
        return call.text
    return f"```json\n{json.dumps({'tool': call.name, 'arguments': call.arguments}, ensure_ascii=False)}\n```"


@asynccontextmanager
async def _closing(events: AsyncIterator[Event]) -> AsyncIterator[AsyncIterator[Event]]:
    """Closed at once, so that its connection is, when the answer is cancelled or is known to be a call."""
    try:
        yield events
    finally:
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()
