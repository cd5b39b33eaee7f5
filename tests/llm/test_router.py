"""Which model answers, what happens when it does not, and what a person is told of it."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from khojd.config import Config, Models, ModelSettings, Provider
from khojd.errors import ConfigError, ProviderError, ProviderReason
from khojd.llm.backoff import Backoff, Pace
from khojd.llm.model import ChatRequest, Ended, Event, Health, Image, Message, ModelInfo, Pulled, Text, Thinking, Tool, Used
from khojd.llm.router import Choice, Router
from tests.llm.paper import REQUEST, USER, Paper, Papers, Step, answer, failure

QUICK = Pace(retry=0.001, longest=0.05, loading=0.001, away=60.0)
TOOL = Tool("search", "", {"type": "object"})


def configured(*chat: str, small: tuple[str, ...] = (), vision: tuple[str, ...] = (), **providers: Provider) -> Config:
    """The providers one and two with their defaults, unless others are given."""
    return Config(
        providers=providers or {"one": Provider(), "two": Provider()}, models=Models(chat=chat, small=small, vision=vision)
    )


class Told:
    """Collects what a caller is told."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self.asked: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def choice(self, choice: Choice) -> None:
        self.asked.append(str(choice))


def stream(router: Router, request: ChatRequest = REQUEST, told: Told | None = None, **more: Any) -> AsyncGenerator[Event, None]:
    told = told or Told()
    return router.stream(more.pop("job", "chat"), request, notice=told.notice, asked=told.choice, **more)


async def text_of(events: AsyncGenerator[Event, None]) -> str:
    return "".join([event.text async for event in events if isinstance(event, Text)])


async def refused(events: AsyncGenerator[Event, None]) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await text_of(events)
    return caught.value


# --- order ----------------------------------------------------------------------------------------------------------------------


async def test_the_first_model_of_the_list_answers_and_the_caller_learns_which() -> None:
    one, two, told = Paper(answer("Friday")), Paper(answer("no")), Told()
    router = Router(configured("one/a", "two/b"), Papers(one=one, two=two), pace=QUICK)
    assert await text_of(stream(router, told=told)) == "Friday"
    assert told.asked == ["one/a"]
    assert told.notices == []
    assert two.opened == 0


@pytest.mark.parametrize("reason", ["unreachable", "auth", "model", "request", "garbled", "cut", "unsupported", "timeout"])
async def test_before_its_first_token_a_failing_model_is_replaced_by_the_next_and_the_caller_is_told(
    reason: ProviderReason,
) -> None:
    one, two, told = Paper([failure(reason)]), Paper(answer("Friday")), Told()
    router = Router(configured("one/a", "two/b"), Papers(one=one, two=two), pace=QUICK)
    assert await text_of(stream(router, told=told)) == "Friday"
    assert told.asked[-1] == "two/b"
    assert told.notices[-1] == f"one: {reason}; two/b is asked instead"


async def test_when_all_fail_the_error_names_each() -> None:
    one, two = Paper([failure("model")]), Paper([failure("auth", provider="two")])
    error = await refused(stream(Router(configured("one/a", "two/b"), Papers(one=one, two=two), pace=QUICK)))
    assert error.message == "none of the 2 models of models.chat answers: one: model; two: auth"


async def test_a_single_model_s_error_stays_as_it_is() -> None:
    error = failure("model")
    assert await refused(stream(Router(configured("one/a"), Papers(one=Paper([error])), pace=QUICK))) is error


async def test_after_the_first_token_nothing_is_asked_again() -> None:
    one, two = Paper([Text("On Fri"), failure("unreachable")]), Paper(answer("no"))
    router = Router(configured("one/a", "two/b"), Papers(one=one, two=two), pace=QUICK)
    seen = []
    with pytest.raises(ProviderError, match="unreachable"):
        async for event in stream(router):
            seen.append(event)
    assert seen == [Text("On Fri")]
    assert len(one.requests) == 1
    assert two.opened == 0


async def test_thinking_is_the_first_token_too() -> None:
    one, two = Paper([Thinking("Hm"), failure("server")]), Paper(answer("no"))
    await refused(stream(Router(configured("one/a", "two/b"), Papers(one=one, two=two), pace=QUICK)))
    assert two.opened == 0


async def test_usage_before_the_first_token_is_kept_back_until_it_is_clear_who_answers() -> None:
    one = Paper([Used(7), failure("busy")], [Used(9), *answer("Friday")])
    events = [event async for event in stream(Router(configured("one/a"), Papers(one=one), pace=QUICK))]
    assert events == [Used(9), *answer("Friday")]


async def test_too_long_a_prompt_is_said_at_once_for_the_caller_can_shorten_it() -> None:
    one, two = Paper([failure("overflow")]), Paper(answer("no"))
    error = await refused(stream(Router(configured("one/a", "two/b"), Papers(one=one, two=two), pace=QUICK)))
    assert error.reason == "overflow"
    assert len(one.requests) == 1
    assert two.opened == 0


async def test_a_model_that_someone_names_is_not_replaced_by_another() -> None:
    one, two = Paper([failure("model")]), Paper(answer("no"))
    router = Router(configured("two/b", "one/a"), Papers(one=one, two=two), pace=QUICK)
    assert (await refused(stream(router, model="one/a"))).reason == "model"
    assert two.opened == 0


async def test_a_fallback_must_be_able_to_take_the_tools_and_images() -> None:
    blind = ModelInfo("b", frozenset({"chat"}))
    one, two, three = Paper([failure("model")]), Paper(answer("no"), b=blind), Paper(answer("Friday"))
    config = configured("one/a", "two/b", "three/c", one=Provider(), two=Provider(), three=Provider())
    router = Router(config, Papers(one=one, two=two, three=three), pace=QUICK)
    assert await text_of(stream(router, ChatRequest((USER,), tools=(TOOL,)))) == "Friday"
    image = Message("user", "What is this?", images=(Image(b"x", "image/png"),))
    assert await text_of(stream(router, ChatRequest((image,)))) == "Friday"
    assert two.requests == []


async def test_an_answer_without_its_end_and_a_silent_server_count_as_failures() -> None:
    one, two, told = Paper([]), Paper([asyncio.Event()]), Told()
    three = Paper(answer("Friday"))
    config = configured("one/a", "two/b", "three/c", one=Provider(), two=Provider(first_seconds=0.01), three=Provider())
    router = Router(config, Papers(one=one, two=two, three=three), pace=QUICK)
    assert await text_of(stream(router, told=told)) == "Friday"
    assert "broke off before its end" in told.notices[0]
    assert "said nothing for 0.01 s" in told.notices[1]


async def test_a_stalled_answer_ends_with_an_error_and_its_stream_is_closed() -> None:
    one = Paper([Text("On "), asyncio.Event()])
    error = await refused(stream(Router(configured("one/a", one=Provider(idle_seconds=0.01)), Papers(one=one))))
    assert error.reason == "timeout"
    assert one.streams == 0


# --- again ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["rate", "busy", "server", "unreachable"])
async def test_what_may_pass_is_asked_again_as_often_as_configured(reason: ProviderReason) -> None:
    one, told = Paper([failure(reason)], [failure(reason)], answer("Friday")), Told()
    router = Router(configured("one/a", one=Provider(retries=2)), Papers(one=one), pace=QUICK)
    assert await text_of(stream(router, told=told)) == "Friday"
    assert told.notices[0].startswith(f"one: {reason}; asked again in ")
    stubborn = Paper([failure(reason)])
    router = Router(configured("one/a", one=Provider(retries=2)), Papers(one=stubborn), pace=QUICK)
    assert (await refused(stream(router))).reason == reason
    assert len(stubborn.requests) == 3


async def test_the_time_a_server_asks_for_is_waited() -> None:
    one, told = Paper([failure("rate", retry_after=0.04)], answer("Friday")), Told()
    router = Router(configured("one/a"), Papers(one=one), pace=QUICK)
    assert await text_of(stream(router, told=told)) == "Friday"
    assert told.notices == ["one: rate; asked again in 0.0 s"]


async def test_a_server_that_asks_for_too_much_time_is_not_waited_for() -> None:
    one, two, told = Paper([failure("rate", retry_after=3600)]), Paper(answer("Friday")), Told()
    router = Router(configured("one/a", "two/b"), Papers(one=one, two=two), pace=QUICK)
    assert await text_of(stream(router, told=told)) == "Friday"
    assert len(one.requests) == 1
    assert told.notices == ["one: rate; two/b is asked instead"]


async def test_a_local_server_that_loads_its_model_is_waited_for_and_that_is_said_once() -> None:
    failing: list[Step] = [failure("busy")]
    one, told = Paper(*[failing] * 9, answer("Friday"), base_url="http://localhost:1/v1"), Told()
    router = Router(configured("one/a", "two/b"), Papers(one=one, two=Paper(answer("no"))), pace=QUICK)
    assert await text_of(stream(router, told=told)) == "Friday"
    assert len(told.notices) == 1


async def test_a_local_server_that_never_gets_done_loading_is_given_up_after_first_seconds() -> None:
    one = Paper([failure("busy")], base_url="http://127.0.0.1:1/v1")
    config = configured("one/a", one=Provider(first_seconds=0.02))
    assert (await refused(stream(Router(config, Papers(one=one), pace=QUICK)))).reason == "busy"


# --- health ---------------------------------------------------------------------------------------------------------------------


async def test_a_server_that_failed_is_left_alone_while_another_can_answer() -> None:
    one, two, told = Paper([failure("unreachable")]), Paper(answer("Friday")), Told()
    router = Router(configured("one/a", "two/b", one=Provider(retries=0), two=Provider()), Papers(one=one, two=two), pace=QUICK)
    await text_of(stream(router))
    assert await text_of(stream(router, told=told)) == "Friday"
    assert len(one.requests) == 1
    assert told.notices == []
    assert str(await router.choose("chat")) == "two/b"


async def test_a_server_that_failed_is_asked_at_once_when_it_is_the_only_one() -> None:
    one = Paper([failure("server")], answer("Friday"))
    router = Router(configured("one/a", one=Provider(retries=0)), Papers(one=one), pace=QUICK)
    await refused(stream(router))
    assert await text_of(stream(router)) == "Friday"


async def test_a_server_that_failed_is_first_again_after_a_while() -> None:
    one, two = Paper([failure("server")], answer("Monday")), Paper(answer("Friday"))
    config = configured("one/a", "two/b", one=Provider(retries=0), two=Provider())
    router = Router(config, Papers(one=one, two=two), pace=Pace(away=0.0))
    assert await text_of(stream(router)) == "Friday"
    assert await text_of(stream(router)) == "Monday"


async def test_a_model_that_is_not_there_does_not_speak_against_its_server() -> None:
    one = Paper(answer("Friday"), b=ModelInfo("b"))
    router = Router(configured("one/a", "one/b"), Papers(one=one), pace=QUICK)
    assert await text_of(stream(router)) == "Friday"
    assert await text_of(stream(router)) == "Friday"
    assert one.asked_for.count("a") == 2


async def test_a_good_health_ends_the_time_it_is_left_alone() -> None:
    one, two = Paper([failure("unreachable")], answer("Monday")), Paper(answer("Friday"))
    router = Router(configured("one/a", "two/b", one=Provider(retries=0), two=Provider()), Papers(one=one, two=two), pace=QUICK)
    await text_of(stream(router))
    assert (await router.health("one"))["one"].ok
    assert await text_of(stream(router)) == "Monday"


def test_the_time_a_server_is_left_alone_doubles_up_to_a_limit() -> None:
    now = 1000.0
    backoff = Backoff(Pace(away=5.0, away_longest=300.0), lambda: now)
    spans = []
    for _ in range(9):
        backoff.failed()
        before = now
        while backoff.away:
            now += 1.0
        spans.append(now - before)
    assert spans == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    backoff.failed(retry_after=1000.0)
    now += 999.0
    assert backoff.away
    backoff.answered()
    assert not backoff.away


async def test_a_refused_key_is_read_again_the_next_time() -> None:
    one = Paper([failure("auth")], answer("Friday"))
    router = Router(configured("one/a"), Papers(one=one), pace=QUICK)
    await refused(stream(router))
    assert await text_of(stream(router)) == "Friday"
    assert (one.opened, one.closed) == (2, 1)


async def test_health_is_an_answer_also_of_a_server_that_cannot_be_opened() -> None:
    router = Router(configured("one/a"), Papers(one=failure("auth"), two=Paper(answer(""))), pace=QUICK)
    health = await router.health()
    assert not health["one"].ok
    assert health["one"].message == "one: auth"
    assert health["two"] == Health(True, "paper 1.0", 1.0)


# --- choosing -------------------------------------------------------------------------------------------------------------------


async def test_nothing_is_opened_before_something_is_asked() -> None:
    one = Paper(answer(""))
    router = Router(configured("one/a"), Papers(one=one))
    assert router.has("chat")
    assert router.has("small")
    assert one.opened == 0


async def test_without_a_model_the_error_says_where_to_look() -> None:
    router = Router(configured(), Papers())
    assert not router.has("chat")
    with pytest.raises(ConfigError, match="no chat model is configured; `khojd models` says how"):
        await router.choose("chat")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("oen/a", "no provider 'oen' is configured; did you mean one/a? Configured are one, two"),
        ("a", "a model is written provider/model, e.g. ollama/qwen3:8b; did you mean one/a?"),
        ("one/", "a model is written provider/model"),
        ("xyz/q", "no provider 'xyz' is configured; configured are one, two"),
    ],
)
async def test_a_wrong_name_is_an_error_that_names_the_closest(model: str, said: str) -> None:
    router = Router(configured("one/a"), Papers())
    with pytest.raises(ConfigError) as caught:
        await router.choose("chat", model)
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("model", "small", "helper"),
    [
        ("", ("far/s",), ""),
        ("near/a", (), "near/a"),
        ("far/a", (), "far/a"),
        ("near/a", ("far/s",), "near/a"),
        ("near/a", ("near/s", "far/s"), "near/a"),
        ("near/a", ("ollama/s",), ""),
        ("far/a", ("far/s",), ""),
        ("far/a", ("near/s",), ""),
    ],
)
def test_small_jobs_of_a_question_to_a_model_on_this_machine_do_not_leave_it(
    model: str, small: tuple[str, ...], helper: str
) -> None:
    providers = {
        "near": Provider(base_url="http://127.0.0.1:1/v1"),
        "far": Provider(base_url="https://models.example.org/v1"),
        "ollama": Provider(),
    }
    settings = Config(providers=providers, models=Models(chat=("far/a",), small=small))
    assert Router(settings).helper(model) == helper


async def test_each_job_has_its_models_and_else_those_for_chat() -> None:
    papers = Papers(one=Paper(answer("")), two=Paper(answer("")))
    router = Router(configured("one/a", small=("two/s",)), papers)
    assert str(await router.choose("small")) == "two/s"
    router = Router(configured("one/a"), papers)
    assert str(await router.choose("small")) == "one/a"


async def test_images_go_to_the_first_chat_model_that_can_look_at_them() -> None:
    one = Paper(answer(""), a=ModelInfo("a", frozenset({"chat"})))
    two = Paper(answer(""), b=ModelInfo("b", frozenset({"chat", "vision"})))
    router = Router(configured("one/a", "two/b"), Papers(one=one, two=two))
    assert str(await router.choose("vision")) == "two/b"
    with pytest.raises(ProviderError, match=r"one/a cannot look at images: name a model that can in models\.vision"):
        await Router(configured("one/a"), Papers(one=one)).choose("vision")
    assert str(await Router(configured("one/a", vision=("one/a",)), Papers(one=one)).choose("vision")) == "one/a"


@pytest.mark.parametrize(
    ("base_url", "local"),
    [
        ("http://localhost:11434", True),
        ("http://127.0.0.1:8080/v1", True),
        ("http://127.8.0.1", True),
        ("http://[::1]:80/", True),
        ("http://ollama.localhost/", True),
        ("http://192.168.1.2:11434", False),
        ("https://localhost.example.org/v1", False),
        ("https://127.0.0.1.example.org/v1", False),
    ],
)
async def test_a_choice_says_whether_its_server_is_this_machine(base_url: str, local: bool) -> None:
    router = Router(configured("one/a"), Papers(one=Paper(answer(""), base_url=base_url)))
    assert (await router.choose("chat")).local == local


async def test_a_choice_that_fell_back_says_why() -> None:
    told = Told()
    router = Router(configured("one/a", "two/b"), Papers(one=failure("auth"), two=Paper(answer(""))), pace=QUICK)
    assert str(await router.choose("chat", notice=told.notice)) == "two/b"
    assert told.notices == ["one: auth; two/b is asked instead"]


async def test_a_choice_is_asked_first_and_the_others_after_it() -> None:
    one, two, told = Paper(answer("Monday")), Paper([failure("model", provider="two")]), Told()
    router = Router(configured("one/a", "two/b"), Papers(one=one, two=two), pace=QUICK)
    choice = await router.choose("chat", "two/b")
    assert await text_of(stream(router, choice=choice, told=told)) == "Monday"
    assert told.asked == ["two/b", "one/a"]


async def test_a_choice_that_fell_over_is_not_asked_again_in_the_next_round() -> None:
    one, two = Paper([failure("unreachable")]), Paper(answer("Friday"))
    router = Router(configured("one/a", "two/b", one=Provider(retries=0), two=Provider()), Papers(one=one, two=two), pace=QUICK)
    choice = await router.choose("chat")
    assert str(choice) == "one/a"
    assert await text_of(stream(router, choice=choice)) == "Friday"
    assert await text_of(stream(router, choice=choice)) == "Friday"
    assert len(one.requests) == 1


async def test_a_model_is_described_once_in_a_while_and_a_failed_description_is_not_kept() -> None:
    one = Paper(answer("Friday"), a=ModelInfo("a", context=8192))
    router = Router(configured("one/a"), Papers(one=one))
    for _ in range(3):
        assert (await router.choose("chat")).info.context == 8192
    assert one.asked_for == ["a"]
    with pytest.raises(ProviderError, match="there is no model new"):
        await router.choose("chat", "one/new")
    one.infos["new"] = ModelInfo("new")
    assert str(await router.choose("chat", "one/new")) == "one/new"


# --- settings -------------------------------------------------------------------------------------------------------------------


async def sent(settings: ModelSettings, request: ChatRequest, info: ModelInfo) -> ChatRequest:
    one = Paper(answer("Friday"), a=info)
    router = Router(configured("one/a", one=Provider(models={"a": settings})), Papers(one=one))
    await text_of(stream(router, request))
    return one.requests[0][1]


async def test_what_the_configuration_knows_of_a_model_holds() -> None:
    info = ModelInfo("a", frozenset({"chat", "thinking"}), context=8192, max_output=1000)
    settings = ModelSettings(
        context=4096, temperature=0.2, thinking="off", tools="on", max_output=500, price_prompt=2, price_answer=8
    )
    request = await sent(settings, ChatRequest((USER,), max_tokens=800, tools=(TOOL,)), info)
    assert (request.context, request.temperature, request.thinking, request.max_tokens) == (4096, 0.2, False, 500)
    one = Paper(answer(""), a=info)
    router = Router(configured("one/a", one=Provider(models={"a": settings})), Papers(one=one))
    choice = await router.choose("chat")
    assert choice.info.capabilities == {"chat", "thinking", "tools"}
    assert (choice.info.context, choice.info.max_output) == (4096, 500)
    assert router.settings(choice) == settings
    assert router.price(choice, Used(1_000_000, 500_000)) == 6.0
    assert router.price(choice, Used()) == 0.0


async def test_what_a_caller_asks_for_goes_before_the_configuration() -> None:
    info = ModelInfo("a", frozenset({"chat", "thinking"}), context=8192)
    request = await sent(ModelSettings(temperature=0.2, thinking="on"), ChatRequest((USER,), temperature=0.0, thinking=False), info)
    assert (request.temperature, request.thinking) == (0.0, False)
    assert (await sent(ModelSettings(thinking="on"), REQUEST, info)).thinking is True


async def test_a_model_that_cannot_think_is_not_told_whether_to() -> None:
    assert (await sent(ModelSettings(), ChatRequest((USER,), thinking=True), ModelInfo("a", frozenset({"chat"})))).thinking is None
    assert (await sent(ModelSettings(), ChatRequest((USER,), thinking=True), ModelInfo("a"))).thinking is True


async def test_a_fallback_gets_no_more_context_than_it_has() -> None:
    two = Paper(answer("Friday"), b=ModelInfo("b", context=2048))
    router = Router(configured("one/a", "two/b"), Papers(one=Paper([failure("model")]), two=two), pace=QUICK)
    await text_of(stream(router, ChatRequest((USER,), context=8192)))
    assert two.requests[0][1].context == 2048


# --- limits ---------------------------------------------------------------------------------------------------------------------


async def test_a_provider_gets_no_more_requests_at_a_time_than_configured() -> None:
    gate = asyncio.Event()
    one, told = Paper([Text("a"), gate, *answer("b")]), Told()
    router = Router(configured("one/a", one=Provider(concurrency=2)), Papers(one=one))
    tasks = [asyncio.create_task(text_of(stream(router, told=told))) for _ in range(5)]
    while len(told.notices) < 3:
        await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(*tasks) == ["ab"] * 5
    assert one.most_streams == 2
    assert told.notices == ["one: waits until one of 2 earlier requests is done"] * 3


async def test_closing_the_answer_closes_the_stream_and_frees_its_place() -> None:
    one = Paper([Text("a"), asyncio.Event()], answer("Friday"))
    router = Router(configured("one/a", one=Provider(concurrency=1)), Papers(one=one))
    events = stream(router)
    assert await anext(events) == Text("a")
    await events.aclose()
    assert one.streams == 0
    assert await text_of(stream(router)) == "Friday"


async def test_cancelling_while_waiting_to_ask_again_asks_no_more() -> None:
    one, told = Paper([failure("server")]), Told()
    router = Router(configured("one/a"), Papers(one=one), pace=Pace(retry=3600, longest=3600))
    task = asyncio.create_task(text_of(stream(router, told=told)))
    while not told.notices:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(one.requests) == 1


# --- reconfigure ----------------------------------------------------------------------------------------------------------------


async def test_an_answer_that_runs_ends_on_the_old_provider_which_is_then_closed() -> None:
    gate = asyncio.Event()
    old, new = Paper([Text("Fri"), gate, *answer("day")]), Paper(answer("Monday"))
    papers = Papers(one=old)
    router = Router(configured("one/a"), papers)
    running = asyncio.create_task(text_of(stream(router)))
    await old.waiting.wait()
    papers.providers["one"] = new
    await router.reconfigure(configured("one/a", one=Provider(retries=5)))
    assert await text_of(stream(router)) == "Monday"
    assert old.closed == 0
    gate.set()
    assert await running == "Friday"
    assert (old.closed, new.closed) == (1, 0)


async def test_a_provider_that_did_not_change_stays_open() -> None:
    one, two = Paper(answer("Friday")), Paper(answer("Friday"))
    router = Router(configured("one/a", "two/b"), Papers(one=one, two=two))
    await text_of(stream(router))
    await text_of(stream(router, model="two/b"))
    await router.reconfigure(configured("one/c", one=Provider()))
    assert str(await router.choose("chat")) == "one/c"
    assert (one.opened, one.closed, two.closed) == (1, 0, 1)
    await router.close()
    assert one.closed == 1


async def test_a_provider_that_is_given_up_while_it_is_opened_is_closed_after_its_answer() -> None:
    gate, opening = asyncio.Event(), asyncio.Event()
    old = Paper(answer("Friday"))

    async def slowly(name: str, settings: Provider) -> Paper:
        opening.set()
        await gate.wait()
        return old

    router = Router(configured("one/a"), slowly)
    running = asyncio.create_task(text_of(stream(router)))
    await opening.wait()
    await router.reconfigure(configured("two/b", two=Provider()))
    gate.set()
    assert await running == "Friday"
    assert old.closed == 1


async def test_a_choice_of_a_provider_that_is_gone_is_an_error_that_says_so() -> None:
    router = Router(configured("one/a"), Papers(one=Paper(answer(""))))
    choice = await router.choose("chat")
    await router.reconfigure(configured("two/b", two=Provider()))
    with pytest.raises(ConfigError, match="no provider 'one' is configured"):
        await text_of(stream(router, choice=choice))


# --- short answers and the rest -------------------------------------------------------------------------------------------------


async def test_a_short_answer_is_its_text_without_thinking() -> None:
    one = Paper([Thinking("hm"), Text("Tea "), *answer("time")], a=ModelInfo("a", frozenset({"chat", "thinking"})))
    router = Router(configured("one/a"), Papers(one=one))
    assert await router.complete("small", REQUEST, seconds=30) == "Tea time"
    assert one.requests[0][1].thinking is False


async def test_a_short_answer_that_takes_too_long_is_an_error_and_its_stream_is_closed() -> None:
    one = Paper([asyncio.Event()])
    router = Router(configured("one/a"), Papers(one=one))
    with pytest.raises(ProviderError, match=r"one/a: no answer within 0.01 s"):
        await router.complete("small", REQUEST, seconds=0.01)
    assert one.streams == 0


async def test_tokens_are_counted_where_the_server_can() -> None:
    one = Paper(answer(""), a=ModelInfo("a", frozenset({"count"})), b=ModelInfo("b", frozenset({"chat"})))
    router = Router(configured("one/a"), Papers(one=one))
    assert await router.count(await router.choose("chat"), [USER]) == 4
    assert await router.count(await router.choose("chat", "one/b"), [USER]) is None


async def test_all_models_are_listed_and_a_server_that_does_not_answer_says_why() -> None:
    one = Paper(answer(""), a=ModelInfo("a", context=100), b=ModelInfo("b"))
    config = configured(one=Provider(models={"a": ModelSettings(context=50)}), two=Provider())
    router = Router(config, Papers(one=one, two=failure("auth", provider="two")))
    listed = await router.models()
    assert listed["one"] == (ModelInfo("a", context=50), ModelInfo("b"))
    assert isinstance(listed["two"], ProviderError)
    with pytest.raises(ConfigError, match="no provider 'three' is configured; configured are one, two"):
        await router.models("three")


async def test_a_model_is_pulled_and_described_anew() -> None:
    one = Paper(answer(""), a=ModelInfo("a", context=1))
    router = Router(configured("one/a"), Papers(one=one))
    await router.choose("chat")
    one.pulls = [Pulled("downloading", 1, 2), Pulled("done", 2, 2)]
    one.infos["a"] = ModelInfo("a", context=2)
    assert [step async for step in router.pull("one/a")] == one.pulls
    assert (await router.choose("chat")).info.context == 2


async def test_an_end_alone_is_an_answer_too() -> None:
    one = Paper([Ended("refused", Message("assistant"))])
    events = [event async for event in stream(Router(configured("one/a"), Papers(one=one)))]
    assert events == [Ended("refused", Message("assistant"))]
