"""The requests that a turn makes to models: each is a step that says where it goes, and its tokens are counted."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from khojd.chat.model import Step, Turn, Usage
from khojd.config import Config
from khojd.errors import ConfigError
from khojd.llm.chain import Job
from khojd.llm.line import served
from khojd.llm.model import ChatRequest, Event, ModelInfo, Used
from khojd.llm.presets import usual_address
from khojd.llm.router import Choice, Router
from khojd.llm.table import is_local


def _silent(_: str) -> None:
    pass


def model_step(choice: Choice, what: str = "") -> Step:
    """Which model gets a request, whether it leaves the machine, and what for unless it is the answer."""
    where = "on this machine" if choice.local else "not on this machine"
    data = {"provider": choice.provider, "model": choice.model, "local": choice.local, "for": what or "answer"}
    return Step("model", f"{choice} ({where}){f', {what}' if what else ''}", data=data)


class Spent(Struct):
    """Of some requests together: tokens as the servers counted them, -1 where none did, and what they cost."""

    prompt: int = -1
    answer: int = -1
    requests: int = 0
    cost: float = 0.0

    def add(self, used: Used, cost: float) -> None:
        self.prompt = add(self.prompt, used.prompt)
        self.answer = add(self.answer, used.completion)
        self.cost += cost


def add(one: int, other: int) -> int:
    """The sum of two counts, of which -1 is not known."""
    return other if one < 0 else one if other < 0 else one + other


class Requests:
    """`say` is told of each request before it leaves. `all` counts every one, `main` those for the answer itself."""

    def __init__(self, router: Router, say: Callable[[Step], None]) -> None:
        self.all = Spent()
        self.main = Spent()
        self.router = router
        self._say = say

    async def stream(
        self,
        job: Job,
        request: ChatRequest,
        *,
        model: str,
        choice: Choice,
        what: str,
        notice: Callable[[str], None],
        asked: Callable[[Choice], None],
    ) -> AsyncGenerator[Event, None]:
        """A request for the answer, as `Router.stream` has it; `asked` is told each model before it is asked."""
        going: list[Choice] = []
        used = Used()

        def goes(to: Choice) -> None:
            self._goes(to, what, going, self.all, self.main)
            asked(to)

        stream = self.router.stream(job, request, model=model, choice=choice, notice=notice, asked=goes)
        try:
            async with aclosing(stream) as events:
                async for event in events:
                    if isinstance(event, Used):
                        used = event
                    yield event
        finally:
            self._ended(used, going, self.all, self.main)

    async def complete(
        self, request: ChatRequest, *, model: str, seconds: float, what: str, notice: Callable[[str], None] = _silent
    ) -> str:
        """The small model's answer to a request beside the answer itself. Raises as `Router.complete`."""
        going: list[Choice] = []
        used: list[Used] = []

        def goes(to: Choice) -> None:
            self._goes(to, what, going, self.all)

        try:
            return await self.router.complete(
                "small", request, seconds=seconds, model=model, notice=notice, asked=goes, used=used.append
            )
        finally:
            self._ended(used[-1] if used else Used(), going, self.all)

    def _goes(self, to: Choice, what: str, going: list[Choice], *counts: Spent) -> None:
        going[:] = [to]
        for count in counts:
            count.requests += 1
        self._say(model_step(to, what))

    def _ended(self, used: Used, going: list[Choice], *counts: Spent) -> None:
        cost = self.router.price(going[-1], used) if going else 0.0
        for count in counts:
            count.add(used, cost)


def counted(usage: Usage, requests: Requests) -> Usage:
    """`usage` with the tokens of a turn's requests."""
    every, main = requests.all, requests.main
    return replace(
        usage,
        prompt_tokens=every.prompt,
        answer_tokens=every.answer,
        requests=every.requests,
        cost=every.cost,
        main_prompt_tokens=main.prompt,
        main_answer_tokens=main.answer,
        main_requests=main.requests,
    )


def amended(turn: Turn, later: Requests, *steps: Step) -> Turn:
    """A turn with what was asked for it after its end."""
    usage, spent = turn.usage, later.all
    return replace(
        turn,
        steps=(*turn.steps, *steps),
        usage=replace(
            usage,
            prompt_tokens=add(usage.prompt_tokens, spent.prompt),
            answer_tokens=add(usage.answer_tokens, spent.answer),
            requests=usage.requests + spent.requests,
            cost=usage.cost + spent.cost,
        ),
    )


def search_steps(config: Config) -> list[Step]:
    """The models on servers that a search sends its queries to, and with re-ranking what it found."""
    wanted: list[tuple[Literal["embedding", "rerank"], str]] = []
    if config.embedding.model == "remote":
        wanted.append(("embedding", "for vectors of the queries"))
    if config.search.rerank == "remote":
        wanted.append(("rerank", "to rank what is found"))
    steps = []
    for job, what in wanted:
        with suppress(ConfigError):  # the search says so
            model = served(config, job)
            address = model.settings.base_url or usual_address(model.provider, model.settings)
            steps.append(model_step(Choice(model.provider, model.model, is_local(address), ModelInfo(model.model)), what))
    return steps
