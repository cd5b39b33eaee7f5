"""Tools over an engine on notes in a temporary directory, and models that say what a test has them say."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from khojd.chat import agent
from khojd.chat.agent import Limits
from khojd.chat.model import Passage, Proposal, Step
from khojd.chat.passages import Library
from khojd.chat.tools.registry import Context, Registry, Result
from khojd.chat.tools.table import standard
from khojd.config import Config, Embedding, Folder, Index
from khojd.engine import Engine
from khojd.errors import KhojdError
from khojd.graph.sheet import Sheet
from khojd.llm.model import Called, ChatRequest, Ended, Event, Message, Text, ToolCall, Used

LIMITS = Limits(steps=8, seconds=60.0, tokens=100_000)


class Numbers:
    """The numbers of a turn's passages."""

    def __init__(self) -> None:
        self.given: list[Passage] = []

    def __call__(self, passages: Sequence[Passage]) -> tuple[Passage, ...]:
        found = []
        for passage in passages:
            same = next(
                (one for one in self.given if (one.path, one.start, one.end) == (passage.path, passage.start, passage.end)), None
            )
            if same is None:
                same = replace(passage, number=len(self.given) + 1)
                self.given.append(same)
            found.append(same)
        return tuple(found)


class Desk:
    """Notes, the engine over them, and the tools of a turn."""

    def __init__(self, root: Path, engine: Engine) -> None:
        self.root = root
        self.engine = engine
        self.library = Library(engine)
        self.registry = standard()
        self.numbers = Numbers()

    def context(
        self, *, filters: str = "", folders: Sequence[str] = (), sheets: Mapping[str, Sheet] | None = None, tokens: int = 2000
    ) -> Context:
        return Context(
            self.engine, self.library, number=self.numbers, filters=filters, folders=folders, sheets=sheets, tokens=tokens
        )

    async def call(self, name: str, context: Context | None = None, **arguments: Any) -> Result:
        """The result of a tool. Raises KhojdError as the tool does."""
        (tool,) = self.registry.select([name])
        return await tool.run(context or self.context(), arguments)

    async def refusal(self, name: str, context: Context | None = None, **arguments: Any) -> str:
        """What the model is told of a call that is not as it should be."""
        try:
            result = await self.call(name, context, **arguments)
        except KhojdError as error:
            return error.message
        raise AssertionError(f"it was run: {result.text}")

    def texts(self) -> dict[str, str]:
        """All files below the folder."""
        return {str(path.relative_to(self.root)): path.read_text("utf-8") for path in self.root.rglob("*") if path.is_file()}


@asynccontextmanager
async def desk(
    base: Path, notes: Mapping[str, str], *, more: Sequence[Folder] = (), root: Path | None = None
) -> AsyncIterator[Desk]:
    root = root or base / "notes"
    for name, text in notes.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    root.mkdir(exist_ok=True)
    config = Config(folders=(Folder(path=str(root)), *more), index=Index(watch="off"), embedding=Embedding(model="off"))
    engine = await Engine.open(config, index_dir=base / "index")
    try:
        await engine.update()
        yield Desk(root, engine)
    finally:
        await engine.close()


class Script:
    """A model that answers its requests in order with the events of each; what it was asked is kept. It repeats the last one."""

    def __init__(self, *answers: Sequence[Event | Exception]) -> None:
        self.answers = list(answers)
        self.requests: list[ChatRequest] = []
        self.closed = 0  # streams that were ended, by whom ever
        self.hold = asyncio.Event()  # set to let a stream that waits go on

    async def __call__(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
        self.requests.append(request)
        try:
            for event in answer:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self.closed += 1


def says(*texts: str, prompt: int = -1, completion: int = -1) -> list[Event | Exception]:
    """A whole answer of text."""
    used: list[Event | Exception] = [Used(prompt, completion)] if prompt >= 0 else []
    return [*map(Text, texts), *used, Ended("stop", Message("assistant", "".join(texts)))]


def calls(
    *calls: tuple[str, dict[str, Any] | None], text: str = "", prompt: int = -1, completion: int = -1
) -> list[Event | Exception]:
    """A whole answer that asks for tools, in the server's own way."""
    made = tuple(ToolCall(f"call-{name}-{index}", name, given, str(given)) for index, (name, given) in enumerate(calls))
    used: list[Event | Exception] = [Used(prompt, completion)] if prompt >= 0 else []
    start: list[Event | Exception] = [Text(text)] if text else []
    return [*start, *map(Called, made), *used, Ended("tools", Message("assistant", text, tool_calls=made))]


async def run(
    stream: Script,
    desk: Desk,
    *,
    context: Context | None = None,
    native: bool = True,
    limits: Limits = LIMITS,
    registry: Registry | None = None,
    question: str = "When is the meeting?",
    notes: Sequence[str] = (),
) -> list[agent.Said]:
    """All that an answer with tools says. `notes` stand in the prompt."""
    messages = (Message("system", "Answer."), Message("user", "\n\n".join([*notes, question])))
    said: list[agent.Said] = []
    async for one in agent.run(
        stream=stream,
        native=native,
        messages=messages,
        tools=(registry or desk.registry).select(),
        context=context or desk.context(),
        limits=limits,
    ):
        said.append(one)
    return said


def text_of(said: Sequence[agent.Said]) -> str:
    return "".join(one.text for one in said if isinstance(one, Text))


def steps_of(said: Sequence[agent.Said], kind: str = "") -> list[Step]:
    return [one for one in said if isinstance(one, Step) and kind in ("", one.kind)]


def proposals_of(said: Sequence[agent.Said]) -> list[Proposal]:
    return [one for one in said if isinstance(one, Proposal)]


def results_of(request: ChatRequest) -> list[str]:
    """What tools have said, as a request tells the model."""
    return [message.text for message in request.messages if message.role == "tool"]
