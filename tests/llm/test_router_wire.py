"""The router over real providers and sockets: what servers do on the wire, and what comes of it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest

from khojd.config import Config, Models, Provider
from khojd.errors import ProviderError
from khojd.llm.backoff import Pace
from khojd.llm.model import Called, ChatRequest, Event, Message, Text, Tool
from khojd.llm.router import Choice, Router
from khojd.llm.table import open_provider
from tests.llm.ollama_server import end, know, ndjson, said, shown
from tests.llm.replay import HANG, RESET, Replay, Reply, json_reply, refused_url, sse, stream_reply, text_reply

REQUEST = ChatRequest((Message("user", "When do we meet?"),))
QUICK = Pace(retry=0.001, longest=1.0, loading=0.001)
CHAT = "/v1/chat/completions"


def piece(text: str | None = None, finish: str | None = None) -> dict[str, object]:
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}


def answer(*texts: str) -> Reply:
    return stream_reply(sse(*map(piece, texts), piece(finish="stop")))


def error(status: int, message: str, **headers: str) -> Reply:
    return json_reply({"error": {"message": message}}, status, [(name.replace("_", "-"), value) for name, value in headers.items()])


@asynccontextmanager
async def compatible(*replies: Reply, models: tuple[str, ...] = ("tiny",)) -> AsyncIterator[Replay]:
    """An OpenAI-compatible server."""
    async with Replay() as server:
        server.on("GET", "/v1/models", json_reply({"object": "list", "data": [{"id": model} for model in models]}))
        server.on("POST", CHAT, *replies)
        yield server


def asked(server: Replay) -> int:
    return sum(request.path == CHAT for request in server.requests)


@asynccontextmanager
async def routing(*urls: str, second: str = "openai", **settings: float) -> AsyncIterator[tuple[Router, list[str]]]:
    """A router whose models are tiny of the servers s0, s1…, and its notices. `settings` are of the first server."""
    names = [f"s{number}" for number in range(len(urls))]
    kinds = ["openai", second]
    providers = {
        name: Provider(kind=kind, base_url=url, **(settings if name == "s0" else {}))  # type: ignore[arg-type]
        for name, url, kind in zip(names, urls, kinds, strict=False)
    }
    router = Router(Config(providers=providers, models=Models(chat=tuple(f"{name}/tiny" for name in names))), pace=QUICK)
    try:
        yield router, []
    finally:
        await router.close()


async def heard(events: AsyncGenerator[Event, None]) -> str:
    return "".join([event.text async for event in events if isinstance(event, Text)])


@pytest.mark.parametrize(
    "fault",
    [
        error(429, "slow down"),
        error(500, "oops"),
        text_reply("Internal Server Error", 500),
        error(503, "Loading model"),
        Reply(before=[RESET]),
    ],
)
async def test_a_passing_fault_is_followed_by_the_same_request_again(fault: Reply) -> None:
    async with compatible(fault, fault, answer("Fri", "day")) as server, routing(server.url) as (router, notices):
        assert await heard(router.stream("chat", REQUEST, notice=notices.append)) == "Friday"
        assert asked(server) == 3
        first, *others = [request.json for request in server.requests if request.path == CHAT]
        assert others == [first, first]
        assert notices
        assert notices[0].startswith("s0: ")


@pytest.mark.parametrize("fault", [error(429, "slow down"), error(500, "oops"), error(503, "Loading model")])
async def test_what_a_server_has_is_asked_for_again_after_a_passing_fault(fault: Reply) -> None:
    async with compatible(answer("Fri", "day")) as server, routing(server.url) as (router, notices):
        server.on("GET", "/v1/models", fault, fault, json_reply({"object": "list", "data": [{"id": "tiny"}]}))
        assert await heard(router.stream("chat", REQUEST, notice=notices.append)) == "Friday"
        assert [request.path for request in server.requests].count("/v1/models") == 3
        assert notices[0].startswith("s0: ")
        assert "asked again in" in notices[0]


async def test_a_server_of_this_machine_that_hangs_up_is_not_asked_what_it_has_again() -> None:
    async with compatible(answer("Friday")) as server, routing(server.url) as (router, notices):
        server.on("GET", "/v1/models", Reply(before=[RESET]))
        with pytest.raises(ProviderError, match="connection"):
            await heard(router.stream("chat", REQUEST, notice=notices.append))
        assert (asked(server), notices) == (0, [])


async def test_a_server_that_does_not_say_what_it_has_is_left_after_first_seconds() -> None:
    async with Replay() as server:
        server.on("GET", "/v1/models", Reply(before=[HANG]))
        config = Config(providers={"s0": Provider(kind="openai", base_url=server.url, first_seconds=0.1)})
        router = Router(config, pace=Pace(asked_least=0.0))
        with pytest.raises(ProviderError, match=r"said nothing of tiny for 0\.1 s"):
            await router.choose("chat", "s0/tiny")
        await router.close()


async def test_a_retry_after_is_waited_and_one_that_is_too_long_is_not() -> None:
    async with (
        compatible(error(429, "slow down", retry_after="0.2"), answer("Friday")) as server,
        routing(server.url) as (router, _),
    ):
        begin = asyncio.get_running_loop().time()
        assert await heard(router.stream("chat", REQUEST)) == "Friday"
        assert asyncio.get_running_loop().time() - begin >= 0.2
    async with compatible(error(429, "slow down", Retry_After="3600")) as server, routing(server.url) as (router, _):
        with pytest.raises(ProviderError) as caught:
            await heard(router.stream("chat", REQUEST))
        assert caught.value.retry_after == 3600
        assert asked(server) == 1


async def test_where_nothing_listens_the_next_server_answers_and_the_person_is_told() -> None:
    choices: list[Choice] = []
    async with compatible(answer("Friday")) as server, routing(refused_url(), server.url) as (router, notices):
        assert await heard(router.stream("chat", REQUEST, notice=notices.append, asked=choices.append)) == "Friday"
        assert [str(choice) for choice in choices] == ["s1/tiny"]
        assert "no connection to http://127.0.0.1:" in notices[-1]
        assert notices[-1].endswith("s1/tiny is asked instead")
        assert str(await router.choose("chat")) == "s1/tiny"


async def test_a_server_of_another_kind_takes_over() -> None:
    async with compatible(error(401, "bad key")) as refusing, Replay() as ollama:
        know(ollama, {"tiny": shown("completion")})
        ollama.on("POST", "/api/chat", ndjson(said("Friday"), end()))
        async with routing(refusing.url, ollama.url, second="ollama") as (router, notices):
            assert await heard(router.stream("chat", REQUEST, notice=notices.append)) == "Friday"
            assert "key" in notices[-1]


async def test_an_unknown_model_says_what_there_is() -> None:
    async with compatible(answer("no"), models=("tony", "other")) as server, routing(server.url) as (router, _):
        with pytest.raises(ProviderError) as caught:
            await heard(router.stream("chat", REQUEST))
        assert caught.value.reason == "model"
        assert "tony" in caught.value.message
        assert asked(server) == 0


async def test_an_answer_that_breaks_off_is_not_asked_for_again() -> None:
    broken = stream_reply(sse(piece("On Fri"), end=b""), RESET)
    async with (
        compatible(broken, answer("no")) as one,
        compatible(answer("no")) as two,
        routing(one.url, two.url) as (router, notices),
    ):
        seen = []
        with pytest.raises(ProviderError) as caught:
            async for event in router.stream("chat", REQUEST, notice=notices.append):
                seen.append(event)
        assert caught.value.reason == "cut"
        assert seen == [Text("On Fri")]
        assert (asked(one), asked(two), notices) == (1, 0, [])


@pytest.mark.parametrize("body", [[HANG], [sse(piece(""), end=b""), HANG]])
async def test_a_server_that_says_nothing_is_left_after_first_seconds(body: list[bytes]) -> None:
    async with (
        compatible(stream_reply(*body)) as one,
        compatible(answer("Friday")) as two,
        routing(one.url, two.url, first_seconds=0.1) as (router, notices),
    ):
        assert await heard(router.stream("chat", REQUEST, notice=notices.append)) == "Friday"
        assert "said nothing for 0.1 s (first_seconds)" in notices[-1]
        for request in one.requests:
            if request.path == CHAT:  # it may have been left before it was sent
                await request.left.wait()


async def test_an_answer_that_stalls_ends_after_idle_seconds_and_its_connection_is_closed() -> None:
    async with (
        compatible(stream_reply(sse(piece("On "), end=b""), HANG)) as server,
        routing(server.url, idle_seconds=0.1) as (router, _),
    ):
        with pytest.raises(ProviderError) as caught:
            await heard(router.stream("chat", REQUEST))
        assert caught.value.reason == "timeout"
        await server.requests[-1].left.wait()


async def test_each_part_of_a_long_tool_call_is_a_sign_of_life() -> None:
    """What arrives of it says nothing yet, so the time between two tokens is the whole call: see guard.py."""
    gates = [asyncio.Event() for _ in range(6)]

    def part(text: str, **more: object) -> bytes:
        call = {"index": 0, "function": {"arguments": text}, **more}
        return sse({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}, end=b"")

    first = part('{"text": "', id="c1", function={"name": "write", "arguments": '{"text": "'})
    body = [
        sse(piece("Well."), end=b""),
        first,
        *(step for gate in gates for step in (gate, part("word "))),
        part('"}'),
        sse(piece(finish="tool_calls")),
    ]
    request = ChatRequest(REQUEST.messages, tools=(Tool("write", "", {"type": "object"}),))
    async with compatible(stream_reply(*body)) as server:
        provider = await open_provider("s0", Provider(kind="openai", base_url=server.url))
        events = provider.chat("tiny", request)
        try:
            assert [await anext(events), await anext(events)] == [Text("Well."), Text("")]
            for gate in gates:
                gate.set()
                assert await anext(events) == Text("")
            *signs, called, _ = [event async for event in events]
            assert set(signs) <= {Text("")}
            assert isinstance(called, Called)
            assert called.call.arguments == {"text": "word " * len(gates)}
        finally:
            await provider.close()


async def test_a_model_that_never_stops_is_stopped() -> None:
    endless = stream_reply(*[sse(*[piece("and then ")] * 50, end=b"")] * 100, HANG)
    async with compatible(endless) as server, routing(server.url) as (router, _):
        with pytest.raises(ProviderError) as caught:
            await heard(router.stream("chat", REQUEST))
        assert caught.value.reason == "endless"
        await server.requests[-1].left.wait()


async def test_closing_an_answer_closes_its_connection() -> None:
    async with compatible(stream_reply(sse(piece("On "), end=b""), HANG)) as server, routing(server.url) as (router, _):
        events = router.stream("chat", REQUEST)
        assert await anext(events) == Text("On ")
        await events.aclose()
        await server.requests[-1].left.wait()


async def test_an_answer_goes_on_while_its_provider_is_configured_anew() -> None:
    gate = asyncio.Event()
    slow = stream_reply(sse(piece("Fri"), end=b""), gate, sse(piece("day"), piece(finish="stop")))
    async with compatible(slow) as old, compatible(answer("Monday")) as new, routing(old.url) as (router, _):
        events = router.stream("chat", REQUEST)
        assert await anext(events) == Text("Fri")
        provider = Provider(kind="openai", base_url=new.url)
        await router.reconfigure(Config(providers={"s0": provider}, models=Models(chat=("s0/tiny",))))
        assert await heard(router.stream("chat", REQUEST)) == "Monday"
        gate.set()
        assert await heard(events) == "day"
        await old.idle()


async def test_health_tells_latency_of_the_well_and_the_reason_of_the_ill() -> None:
    async with compatible(answer("")) as server, routing(server.url, refused_url()) as (router, _):
        health = await router.health()
        assert health["s0"].ok
        assert health["s0"].latency_ms > 0
        assert not health["s1"].ok
        assert "no connection" in health["s1"].message
