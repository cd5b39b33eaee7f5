"""Running the calls of a turn: which may run, side by side where they only read, each within its time and size."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from khojd.chat.defuse import defused, one_line
from khojd.chat.model import Proposal, Step
from khojd.chat.tokens import tokens
from khojd.chat.tools.registry import Context, Result, Tool, closest
from khojd.chat.tools.told import LONGEST_TOKEN
from khojd.errors import KhojdError
from khojd.llm.model import ToolCall

log = logging.getLogger(__name__)

MOST_AT_ONCE = 8  # calls of one message
SIDE_BY_SIDE = 4
SECONDS = 30.0  # of one call
MOST_PROPOSALS = 20  # of one turn
_GRACE = 0.5  # seconds that a cancelled tool has to end
_SHOWN = 60  # characters of an argument in a step


class Done(Struct, frozen=True):
    """The result of the call at `index` of a message, for the model. failed: the call was at fault."""

    index: int
    text: str
    failed: bool = False


class Calls:
    """The calls of one turn."""

    def __init__(self, tools: Sequence[Tool], context: Context) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._context = context
        self._made: set[str] = set()
        self._proposals = 0

    def forget(self) -> None:
        """What was called before may be called again: its results were left out of the prompt."""
        self._made.clear()

    async def run(self, calls: Sequence[ToolCall], *, seconds: float) -> AsyncGenerator[Step | Proposal | Done, None]:
        """Every call ends with a `Done`, in the order in which they end. Closing the iterator ends what still runs."""
        ready: list[tuple[int, ToolCall, Tool]] = []
        for index, call in enumerate(calls):
            yield Step("tool", _shown(call), call.name, {"id": call.id, "arguments": call.arguments or {}})
            problem = "" if index < MOST_AT_ONCE else f"not run: a message may hold {MOST_AT_ONCE} calls; make it again if needed"
            if problem or (problem := self._problem(call)):
                for one in self._told(index, call, Result(problem, problem, failed=True)):
                    yield one
            else:
                ready.append((index, call, self._tools[call.name]))
        deadline = time.monotonic() + seconds
        reads = [one for one in ready if not one[2].writes]
        batches = [reads, *([one] for one in ready if one[2].writes)]
        for batch in filter(None, batches):
            left = deadline - time.monotonic()
            async with aclosing(self._batch(batch, min(SECONDS, left))) as ended:
                async for index, call, result in ended:
                    for one in self._told(index, call, result):
                        yield one

    def _problem(self, call: ToolCall) -> str:
        """Why a call is not run; "" when it is. One that is run is remembered."""
        if call.name not in self._tools:
            return f"There is no tool {call.name!r}{closest(call.name, self._tools)}."
        if call.arguments is None:
            return (
                f"{call.name} was not run: its arguments are no JSON object. Write them again, with quotes and line ends escaped."
            )
        key = f"{call.name} {json.dumps(call.arguments, sort_keys=True, default=str)}"
        if key in self._made:
            return f"{call.name} was called with exactly these arguments before: use that result, or ask for something else."
        self._made.add(key)
        return ""

    async def _batch(
        self, batch: Sequence[tuple[int, ToolCall, Tool]], seconds: float
    ) -> AsyncGenerator[tuple[int, ToolCall, Result], None]:
        room = asyncio.Semaphore(SIDE_BY_SIDE)
        contexts = [self._context.call() for _ in batch]

        async def one(tool: Tool, call: ToolCall, context: Context) -> Result:
            async with room:
                return await _result(tool, call.arguments or {}, context, seconds)

        tasks = {
            asyncio.create_task(one(tool, call, context), name=f"tool {tool.name}"): (index, call)
            for (index, call, tool), context in zip(batch, contexts, strict=True)
        }
        waiting = set(tasks)
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in sorted(done, key=lambda task: tasks[task][0]):
                    yield *tasks[task], task.result()
        finally:
            for context in contexts:
                context.stop.set()
            if waiting:
                for task in waiting:
                    task.cancel()
                await asyncio.wait(waiting, timeout=_GRACE)

    def _told(self, index: int, call: ToolCall, result: Result) -> list[Step | Proposal | Done]:
        said: list[Step | Proposal | Done] = []
        text = result.text
        for proposal in result.proposals:
            self._proposals += 1
            if self._proposals > MOST_PROPOSALS:
                text = f"Not proposed: one answer may propose {MOST_PROPOSALS} changes."
                break
            said += [Step("edit", f"proposes: {proposal.why or 'a change'}", call.name, {"proposal": proposal.id}), proposal]
        numbers = [passage.number for passage in result.passages]
        shown = result.summary or text.strip().split("\n", 1)[0][:200]
        data: dict[str, Any] = {"id": call.id, "passages": numbers, "failed": result.failed}
        return [Step("result", shown, call.name, data), *said, Done(index, text, result.failed)]


async def _result(tool: Tool, arguments: dict[str, Any], context: Context, seconds: float) -> Result:
    """What the tool says, or why it says nothing. Raises nothing but CancelledError."""
    if seconds <= 0:
        return Result("Not run: the time for tools is used up.")
    try:
        async with asyncio.timeout(seconds):
            result = await tool.run(context, arguments)
            if len(result.text) <= context.tokens:
                return result
            return replace(result, text=await asyncio.to_thread(_bounded, result.text, context.tokens))
    except TimeoutError:
        context.stop.set()
        return Result(f"{tool.name} took longer than {seconds:.0f} seconds and was stopped. Ask for less at a time.")
    except KhojdError as error:
        return Result(defused(error.message), one_line(error.message), failed=True)
    except Exception as error:  # a plugin's mistake must not end the turn
        log.exception("the tool %s failed", tool.name)
        return Result(f"{tool.name} failed ({type(error).__name__}). Go on without it.", failed=True)


def _bounded(text: str, most: int) -> str:
    """Tools keep to the bound themselves, and say it better; this is for those that do not."""
    high = min(len(text), most * LONGEST_TOKEN)
    if high == len(text) and tokens(text) <= most * 3 // 2:
        return text
    low = 0
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if tokens(text[:middle]) <= most else (low, middle - 1)
    return f"{text[:low]}\n(… {len(text) - low:,} more characters are left out)"


def _shown(call: ToolCall) -> str:
    """The call in one line."""
    values = [] if call.arguments is None else [json.dumps(one, ensure_ascii=False, default=str) for one in call.arguments.values()]
    return " ".join([call.name, *(value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…" for value in values)])
