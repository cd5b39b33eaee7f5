"""Whatever a provider yields: late, cut, endless and invalid answers become errors or valid text."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.errors import ProviderError
from khojd.llm.guard import Limits, clean, guard
from khojd.llm.model import Called, Ended, Event, Message, Text, Thinking, ToolCall, Used
from khojd.llm.repetition import Repetition, repeats

PATIENT = Limits(first=30, idle=30)
END = Ended("stop", Message("assistant", "all"))


class Source:
    """Yields what it is given, waits for events, and knows whether it was closed."""

    def __init__(self, *steps: Event | asyncio.Event) -> None:
        self.steps = steps
        self.waiting = asyncio.Event()
        self.closed = False

    async def __call__(self) -> AsyncIterator[Event]:
        try:
            for step in self.steps:
                if isinstance(step, asyncio.Event):
                    self.waiting.set()
                    await step.wait()
                else:
                    yield step
        finally:
            self.closed = True


def guarded(source: Source, limits: Limits = PATIENT) -> AsyncIterator[Event]:
    return guard(source(), limits, provider="here", model="tiny")


async def all_of(source: Source, limits: Limits = PATIENT) -> list[Event]:
    return [event async for event in guarded(source, limits)]


async def failing(source: Source, limits: Limits = PATIENT) -> tuple[list[Event], ProviderError]:
    seen: list[Event] = []
    with pytest.raises(ProviderError) as caught:
        async for event in guarded(source, limits):
            seen.append(event)
    assert source.closed
    assert caught.value.data["provider"] == "here"
    assert caught.value.data["model"] == "tiny"
    return seen, caught.value


async def test_a_whole_answer_passes_unchanged_and_nothing_is_read_after_its_end() -> None:
    events: list[Event] = [
        Thinking("hm"),
        Text("Tea "),
        Text("é🙂"),
        Called(ToolCall("1", "search", {"query": "é"})),
        Used(3, 4),
        END,
    ]
    source = Source(*events, Text("more"))
    assert await all_of(source) == events
    assert source.closed


async def test_an_answer_without_its_end_is_cut_and_what_came_is_kept() -> None:
    seen, error = await failing(Source(Text("Half an ans"), Used(1, 2)))
    assert seen == [Text("Half an ans"), Used(1, 2)]
    assert error.reason == "cut"


async def test_a_first_token_that_does_not_come_is_a_timeout_that_names_its_setting() -> None:
    _, error = await failing(Source(asyncio.Event()), Limits(first=0.01, idle=30))
    assert error.reason == "timeout"
    assert "first_seconds" in error.message


async def test_what_a_server_says_before_its_first_token_does_not_count_as_one() -> None:
    seen, error = await failing(Source(Used(9), asyncio.Event()), Limits(first=0.01, idle=30))
    assert seen == [Used(9)]
    assert "first_seconds" in error.message


async def test_a_stalled_answer_is_a_timeout_that_names_its_setting() -> None:
    seen, error = await failing(Source(Text("On "), asyncio.Event()), Limits(first=30, idle=0.01))
    assert seen == [Text("On ")]
    assert error.reason == "timeout"
    assert "idle_seconds" in error.message


async def test_signs_of_life_are_not_passed_on() -> None:
    assert await all_of(Source(Text(""), Text("a"), Text(""), Thinking(""), END)) == [Text("a"), END]


async def test_signs_of_life_put_off_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, ahead = asyncio.get_running_loop(), 0.0
    real = loop.time
    monkeypatch.setattr(loop, "time", lambda: real() + ahead)

    async def slow() -> AsyncIterator[Event]:
        nonlocal ahead
        yield Text("On ")
        for _ in range(5):
            ahead += 200.0
            await asyncio.sleep(0)  # here a time limit that is over would cancel
            yield Text("")
        yield END

    assert [event async for event in guard(slow(), Limits(first=300, idle=300), provider="here", model="tiny")] == [
        Text("On "),
        END,
    ]


async def test_closing_closes_the_provider_s_stream_at_once() -> None:
    source = Source(Text("a"), Text("b"), END)
    stream: Any = guarded(source)
    assert await anext(stream) == Text("a")
    await stream.aclose()
    assert source.closed


async def test_cancelling_while_nothing_comes_closes_the_provider_s_stream() -> None:
    source = Source(Text("a"), asyncio.Event())
    task = asyncio.create_task(all_of(source))
    await source.waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert source.closed


async def test_an_emoji_that_arrives_in_two_halves_is_one() -> None:
    events = await all_of(Source(Text("a\ud83d"), Text("\ude42 b"), Thinking("\ud83d"), Thinking("\ude42"), END))
    assert events == [Text("a"), Text("🙂 b"), Thinking("🙂"), END]


async def test_half_an_emoji_becomes_a_replacement_character() -> None:
    assert await all_of(Source(Text("\ude42a\ud83d"), END)) == [Text("\ufffda"), Text("\ufffd"), END]
    assert await all_of(Source(Text("\ud83d"), Text("x"), END)) == [Text("\ufffdx"), END]


@given(st.lists(st.text(st.characters() | st.characters(categories=["Cs"]), max_size=4), max_size=8))
async def test_any_text_in_any_pieces_is_valid_and_the_same_as_in_one_piece(pieces: list[str]) -> None:
    events = await all_of(Source(*map(Text, pieces), END))
    said = "".join(event.text for event in events if isinstance(event, Text))
    assert said == "".join(pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


async def test_a_tool_call_and_the_whole_message_are_made_valid_too() -> None:
    call = ToolCall("1", "search", {"q\ud800": ["a\udc00", 1, None]}, "\ud800")
    sdk_object = object()
    message = Message("assistant", "x\ud800", tool_calls=(call,), opaque=("kind", {"sdk": sdk_object, "text": "\ud800"}))
    called, ended = await all_of(Source(Called(call), Ended("tools", message)))
    assert called == Called(ToolCall("1", "search", {"q\ufffd": ["a\ufffd", 1, None]}, "\ufffd"))
    assert isinstance(ended, Ended)
    assert ended.message.text == "x\ufffd"
    assert ended.message.opaque == ("kind", {"sdk": sdk_object, "text": "\ufffd"})
    assert clean(END) is END


# --- repetition -----------------------------------------------------------------------------------------------------------------


def cut(text: str, sizes: Iterable[int]) -> list[str]:
    """`text` in pieces of these sizes, over and over."""
    pieces: list[str] = []
    start = 0
    for size in itertools.cycle(sizes):
        if start >= len(text):
            return pieces
        pieces.append(text[start : start + size])
        start += size
    return pieces


SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=5)


async def test_a_model_that_repeats_itself_is_stopped_and_what_it_said_is_kept() -> None:
    endless: list[Event] = [Text("Once upon a time. "), *[Text("The meeting is on Friday. ")] * 10_000, END]
    seen, error = await failing(Source(*endless))
    assert error.reason == "endless"
    assert seen == endless[: len(seen)]
    assert len(seen) < 500


async def test_a_model_that_thinks_in_circles_is_stopped() -> None:
    _, error = await failing(Source(*[Thinking("But wait. ")] * 10_000, END))
    assert error.reason == "endless"


@given(st.text(max_size=3000), st.text(min_size=1, max_size=2000), SIZES)
def test_any_piece_said_over_and_over_is_found(before: str, piece: str, sizes: list[int]) -> None:
    text = before + piece * (40_000 // len(piece))
    repetition = Repetition()
    assert any(repetition.feed(part) for part in cut(text, sizes))


@given(st.lists(st.text("ab |-\n", max_size=30), max_size=20), SIZES, st.integers(2, 30))
def test_a_table_whose_rows_are_numbered_is_never_taken_for_repetition(cells: list[str], sizes: list[int], rows: int) -> None:
    text = "".join(f"{number}. {'|'.join(cells)}\n" for number in range(rows * 40))
    repetition = Repetition()
    assert not any(repetition.feed(part) for part in cut(text, sizes))


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"| {name} |  |  |  |  |\n" for name in map(str, range(700))),
        "|  |  |  |  |\n" * 60,  # an empty form
        "- [ ] \n" * 150,
        "-" * 500 + "\n\n" + "=" * 500,
        "0, " * 900,
        "\n".join(["Ring a ring o' roses, a pocket full of posies"] * 40),
        "".join(f"{hour:02}:{minute:02} nothing\n" for hour in range(24) for minute in range(60)),
    ],
)
def test_what_people_do_ask_for_is_not_taken_for_repetition(text: str) -> None:
    repetition = Repetition()
    assert not any(repetition.feed(part) for part in cut(text, [7]))


@given(st.text("ab", min_size=1, max_size=6), st.integers(0, 40), st.text("ab", max_size=3))
def test_a_period_is_found_exactly_where_there_is_one(piece: str, times: int, tail: str) -> None:
    text = piece * times + tail
    longest, length = 4, 12
    end = text[-length:]
    expected = len(text) >= length and any(all(end[i] == end[i + p] for i in range(length - p)) for p in range(1, longest + 1))
    assert repeats(text, longest, length) == expected
