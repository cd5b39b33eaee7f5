"""Events of a turn on their way to a reader that may be slow."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from khojd.chat.channel import Channel
from khojd.chat.model import ChatEvent, Step, Stepped, TextPart, ThinkingPart

events = st.one_of(
    st.builds(TextPart, st.text(max_size=3)),
    st.builds(ThinkingPart, st.text(max_size=3)),
    st.builds(lambda text: Stepped(Step("notice", text)), st.text(max_size=3)),
)


def joined(said: list[ChatEvent]) -> list[ChatEvent]:
    """Neighbouring parts of text as one."""
    found: list[ChatEvent] = []
    for event in said:
        last = found[-1] if found else None
        if isinstance(event, TextPart) and isinstance(last, TextPart):
            found[-1] = TextPart(last.text + event.text)
        elif isinstance(event, ThinkingPart) and isinstance(last, ThinkingPart):
            found[-1] = ThinkingPart(last.text + event.text)
        else:
            found.append(event)
    return found


@given(st.lists(st.one_of(events, st.none()), max_size=30))
def test_all_is_read_in_its_order_whatever_the_reader_waits_for(said: list[ChatEvent | None]) -> None:
    async def run() -> list[ChatEvent]:
        channel = Channel()
        read: list[ChatEvent] = []

        async def reader() -> None:
            async for event in channel.events():
                read.append(event)
                await asyncio.sleep(0)

        reading = asyncio.create_task(reader())
        for event in said:
            if event is None:
                await asyncio.sleep(0)  # the reader comes to its turn
            else:
                channel.say(event)
        channel.close()
        await reading
        return read

    assert joined(asyncio.run(run())) == joined([event for event in said if event is not None])


async def test_text_that_waits_comes_as_one_part() -> None:
    channel = Channel()
    for number in range(5000):
        channel.say(TextPart(f"{number} "))
    channel.say(ThinkingPart("Hm"))
    channel.close()
    assert [type(event) async for event in channel.events()] == [TextPart, ThinkingPart]
