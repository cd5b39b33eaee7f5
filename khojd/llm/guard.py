"""What holds of every answer, whichever server it comes from: it starts in time, goes on, ends, and is valid text."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Struct

from khojd.errors import ProviderError
from khojd.llm.model import Called, Cited, Ended, Event, Text, Thinking, Used
from khojd.llm.repetition import Repetition

T = TypeVar("T")

_SURROGATE = re.compile("[\ud800-\udfff]")
_HALF = re.compile("[\ud800-\udbff]$")  # a pair may arrive in two pieces


class Limits(Struct, frozen=True):
    """Seconds until the first token, and between two signs of life after it."""

    first: float
    idle: float


async def guard(events: AsyncIterator[Event], limits: Limits, *, provider: str, model: str) -> AsyncGenerator[Event, None]:
    """`events` as they come, without those that are empty. Closing this closes them.

    An empty Text is a sign of life, for what a server sends in pieces and a provider passes on whole (a tool call): it only puts
    off the time limit. Halves of surrogate pairs are put together, those that stay alone become U+FFFD.

    Raises ProviderError: `timeout`, `cut` when there is no `Ended`, `endless` when the model repeats itself.
    """
    texts: dict[type[Text] | type[Thinking], _Channel] = {Text: _Channel(), Thinking: _Channel()}
    begun = False
    async with aclosing(cast("Any", events)) as source:
        while True:
            try:
                async with asyncio.timeout(limits.idle if begun else limits.first):
                    event = await anext(source, None)
            except TimeoutError:
                raise _late(limits, provider, model, begun=begun) from None
            if event is None:
                raise ProviderError(
                    f"{provider}: the answer of {model} broke off before its end", provider=provider, reason="cut", model=model
                )
            if isinstance(event, Text | Thinking):
                channel = texts[type(event)]
                said = channel.next(event.text)
                begun = begun or bool(event.text)
                if said:
                    yield event if said is event.text else type(event)(said)
                if channel.endless:
                    message = f"{provider}: {model} repeats itself without an end, so it was stopped: ask again, or in other words"
                    raise ProviderError(message, provider=provider, reason="endless", model=model)
                continue
            for each, channel in texts.items():
                if rest := channel.rest():
                    yield each(rest)
            begun = begun or isinstance(event, Called | Cited)
            yield event if isinstance(event, Used) else clean(event)
            if isinstance(event, Ended):
                return


class _Channel:
    """The text of one kind: made valid, and watched."""

    def __init__(self) -> None:
        self.endless = False
        self._half = ""
        self._repetition = Repetition()

    def next(self, text: str) -> str:
        if not text:
            return ""
        if self._half or not text.isascii():
            text = self._valid(text)
        self.endless = self._repetition.feed(text)
        return text

    def _valid(self, text: str) -> str:
        whole = self._half + text if self._half else text
        self._half = ""
        if not _SURROGATE.search(whole):
            return whole
        if half := _HALF.search(whole):
            self._half = half.group()
            whole = whole[: half.start()]
        return _whole(whole)

    def rest(self) -> str:
        half, self._half = self._half, ""
        return half and "\ufffd"


def _whole(text: str) -> str:
    """`text` with its surrogates paired, those without a partner replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def clean(value: T) -> T:
    """`value`, and all that is in it, with valid text alone; the same object where it is valid already."""
    try:
        msgspec.msgpack.encode(value)
    except UnicodeEncodeError:
        return cast("T", _cleaned(value))
    except (TypeError, NotImplementedError, OverflowError):
        return cast("T", _cleaned(value))  # what a provider wants back may be an object of its SDK
    return value


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return _whole(value) if _SURROGATE.search(value) else value
    if isinstance(value, Struct):
        return msgspec.structs.replace(value, **{name: _cleaned(getattr(value, name)) for name in value.__struct_fields__})
    if isinstance(value, dict):
        return {_cleaned(name): _cleaned(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_cleaned(item) for item in value)
    return value


def _late(limits: Limits, provider: str, model: str, *, begun: bool) -> ProviderError:
    if begun:
        message = f"{provider}: {model} stopped in mid-answer and said nothing for {limits.idle:g} s (idle_seconds)"
    else:
        message = (
            f"{provider}: {model} said nothing for {limits.first:g} s (first_seconds): "
            "if the server still loads it, try again or allow more time"
        )
    return ProviderError(message, provider=provider, reason="timeout", model=model)
