"""The body of a streamed chat completion -> events. Read here and not by the SDK: its objects cost several times as much per
token, it drops lines that are no event (`proxy error: …`), stops at one byte of broken UTF-8, and ends a broken-off stream
without a word.

The shapes that servers send: see tests/llm/test_openai_wire.py, which replays them.
"""

import json
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from khojd.errors import ProviderError
from khojd.llm import failure
from khojd.llm.model import Called, Ended, EndReason, Event, Message, Text, Thinking, ToolCall, Used
from khojd.llm.providers.openai_thoughts import Thoughts

KIND = "openai"
_MOST_STRAY = 20_000  # bytes kept of what is no event
_MOST = 4_000_000  # bytes of a line, and of an answer in one piece


class Delta(Struct):
    """What is new, or the whole message of a server that does not stream. Any: servers differ in the types, too."""

    content: Any = None  # text; a list of parts where a model thinks in them (Mistral)
    refusal: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    thinking: Any = None
    reasoning_details: Any = None
    tool_calls: Any = None


class Choice(Struct):
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: Any = None


class Chunk(Struct):
    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(Chunk).decode

_ENDS: dict[str, EndReason] = {
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tools",
    "function_call": "tools",
    "content_filter": "refused",
}


class Answer:
    """One answer, fed with the bytes of its body as they come. What is no answer, and one that broke off (without `[DONE]` and
    without a finish_reason), is in `failed`; what `feed` or `finish` returned came before it."""

    def __init__(self, origin: failure.Origin) -> None:
        self._origin = origin
        self._rest = b""  # of the last piece, not yet a whole line
        self._held = b""  # data lines that are one event together
        self._stray = b""
        self._streams: bool | None = None  # whether the body is a stream of events; None before its first byte
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._thought_key = ""
        self._marks = Thoughts()
        self._details: list[Any] = []
        self._calls: list[_Call] = []
        self._reason: EndReason | None = None
        self._used: Used | None = None
        self.done = False  # [DONE] came
        self.begun = False  # something of the answer came
        self.failed: ProviderError | None = None

    @property
    def finished(self) -> bool:
        """Whether the answer is whole; only usage and [DONE] may follow."""
        return self.done or self._reason is not None

    def feed(self, piece: bytes) -> list[Event]:
        """What the piece brings. Neighbouring bits of text come as one."""
        if self._streams is None:
            piece = (self._rest + piece).lstrip(b"\xef\xbb\xbf\r\n \t")
            self._rest = b""
            if not piece:
                return []
            self._streams = piece[:1] not in b"{<["
        if not self._streams:
            self._stray += piece[: _MOST - len(self._stray)]
            return []
        if b"\n" not in piece:
            self._rest += piece
            if len(self._rest) > _MOST:
                self.failed = self._origin.error("garbled", "the answer has a line without an end")
            return []
        *lines, self._rest = (self._rest + piece).split(b"\n")
        events: list[Event] = []
        try:
            for line in lines:
                self._line(line, events)
        except ProviderError as error:
            self.failed = error
        return events

    def finish(self, status: int, headers: dict[str, str]) -> list[Event]:
        """The body has ended: what is left to say, ending with `Ended` unless it failed."""
        events: list[Event] = []
        try:
            if self._streams is False:
                self._whole(events, status, headers)
            elif self._rest:
                self._line(self._rest, events)
            self._marked(self._marks.rest(), events)
            if not self.finished:
                self._broken(status, headers)
        except ProviderError as error:
            self.failed = error
            return events
        return [*events, *self._ended()]

    def _line(self, line: bytes, events: list[Event]) -> None:
        line = line.rstrip(b"\r")
        if line.startswith(b"data:"):
            data = line[5:].strip()
            if data == b"[DONE]":
                self.done = True
            elif data and not self.done:
                self._data(self._held + b"\n" + data if self._held else data, events)
        elif not line:
            if self._held:
                self._garbled(self._held)
        elif line.startswith(b"error:"):
            raise failure.of_body(line[6:].strip(), self._origin)
        elif not line.startswith((b":", b"event:", b"id:", b"retry:")) and not self.finished:
            self._stray += line[: _MOST_STRAY - len(self._stray)] + b"\n"

    def _data(self, data: bytes, events: list[Event]) -> None:
        try:
            chunk = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            mended = _mended(data)
            if mended is None:
                if isinstance(error, msgspec.ValidationError):
                    self._garbled(data)
                self._held = data  # more of it may come in the next data line
                return
            chunk = mended
        self._held = b""
        if chunk.error:
            raise failure.of_body(data, self._origin)
        self._chunk(chunk, events)

    def _chunk(self, chunk: Chunk, events: list[Event]) -> None:
        if chunk.choices:
            choice = chunk.choices[0]  # one answer was asked for
            delta = choice.delta or choice.message
            if delta is not None:
                self._delta(delta, events)
            if choice.finish_reason and self._reason is None:
                self._reason = _ENDS.get(str(choice.finish_reason), "stop")
                self._marked(self._marks.rest(), events)
                for call in self._calls:
                    events.append(Called(call.whole()))
        if chunk.usage:
            self._used = _used(chunk.usage)
            events.append(self._used)

    def _delta(self, delta: Delta, events: list[Event]) -> None:
        if delta.content or delta.refusal:
            if isinstance(delta.content, list):
                for part in delta.content:
                    self._part(part, events)
            else:
                self._say(str(delta.content or delta.refusal), events)
        for key in ("reasoning_content", "reasoning", "thinking"):
            if thought := getattr(delta, key):
                self._thought_key = key
                self._add(Thinking, self._thoughts, str(thought), events)
                break  # gateways say it under two names
        if delta.reasoning_details and isinstance(delta.reasoning_details, list):
            self._details += delta.reasoning_details
        for call in delta.tool_calls if isinstance(delta.tool_calls, list) else ():
            if isinstance(call, dict):
                self._call(call)

    def _part(self, part: Any, events: list[Event]) -> None:
        if not isinstance(part, dict):
            return
        if part.get("type") == "thinking":
            inner = part.get("thinking")
            thoughts = [inner] if isinstance(inner, str) else [p.get("text", "") for p in inner or () if isinstance(p, dict)]
            self._add(Thinking, self._thoughts, "".join(thoughts), events)
        elif text := part.get("text"):
            self._say(str(text), events)

    def _say(self, text: str, events: list[Event]) -> None:
        if self._marks.over:
            self._add(Text, self._texts, text, events)
        else:
            self._marked(self._marks.feed(text), events)

    def _marked(self, pieces: Iterable[tuple[type[Text] | type[Thinking], str]], events: list[Event]) -> None:
        for kind, text in pieces:
            self._add(kind, self._texts if kind is Text else self._thoughts, text, events)

    def _add(self, kind: type[Text] | type[Thinking], into: list[str], text: str, events: list[Event]) -> None:
        self.begun = True
        into.append(text)
        if events and type(last := events[-1]) is kind:
            events[-1] = kind(last.text + text)
        else:
            events.append(kind(text))

    def _call(self, delta: dict[str, Any]) -> None:
        """A bit of a tool call. It belongs to the call of its index; a new id there, or a name without an index, begins another."""
        self.begun = True
        function = delta.get("function")
        function = function if isinstance(function, dict) else {}
        index, call_id, name = delta.get("index"), str(delta.get("id") or ""), str(function.get("name") or "")
        call = next((call for call in reversed(self._calls) if index is None or call.index == index), None)
        if call is None or (call_id and call.id and call_id != call.id) or (index is None and name and not call_id):
            call = _Call(index=index if isinstance(index, int) else len(self._calls), id=call_id, number=len(self._calls))
            self._calls.append(call)
        call.id = call.id or call_id
        call.name = call.name or name
        arguments = function.get("arguments")
        if arguments:
            call.arguments.append(arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode())
        if extra := delta.get("extra_content"):  # Google's signature of a thought, wanted back with the call
            call.extra = extra

    def _ended(self) -> list[Event]:
        calls = tuple(call.whole() for call in self._calls)
        late = [Called(call) for call in calls] if self._reason is None else []
        reason: EndReason = self._reason or "stop"
        if calls and reason == "stop":
            reason = "tools"
        text = "".join(self._texts)
        return [*late, Ended(reason, Message("assistant", text, tool_calls=calls, opaque=self._opaque()))]

    def _opaque(self) -> tuple[str, Any] | None:
        """What must come back with tool calls, or the model forgets why it made them."""
        value: dict[str, Any] = {}
        if self._details:
            value["reasoning_details"] = self._details
        elif self._calls and self._thought_key == "reasoning_content":
            value["reasoning_content"] = "".join(self._thoughts)
        if extras := {call.whole().id: call.extra for call in self._calls if call.extra}:
            value["extra_content"] = extras
        return (KIND, value) if value else None

    def _whole(self, events: list[Event], status: int, headers: dict[str, str]) -> None:
        """A body that is one JSON document: the answer of a server that does not stream, or an error."""
        try:
            chunk = _decode(self._stray)
        except (msgspec.DecodeError, UnicodeDecodeError):
            if (mended := _mended(self._stray)) is None:
                raise failure.of_status(status, headers, self._stray[:_MOST_STRAY], self._origin) from None
            chunk = mended
        if not chunk.choices:
            raise failure.of_status(status, headers, self._stray[:_MOST_STRAY], self._origin)
        self._chunk(chunk, events)

    def _broken(self, status: int, headers: dict[str, str]) -> None:
        """Raise what became of an answer that did not end."""
        if self._held and not self._held.startswith((b"{", b"[")):
            raise failure.of_body(self._held, self._origin)
        stray = self._stray.decode("utf-8", "replace").strip()
        if not self.begun and stray:
            kind = headers.get("content-type", "")
            raise self._origin.error("garbled", f"what came is no answer (content type {kind or 'none'}): {self._shown(stray)}")
        if not self.begun and self._streams is None:
            raise self._origin.error("garbled", f"an empty answer came (HTTP {status}). {failure.BASE_URL}", status=status)
        raise self._origin.error("cut", "the answer broke off" + (f": {self._shown(stray)}" if stray else " without its end"))

    def _garbled(self, data: bytes) -> None:
        """Raise what data is that is no JSON. After a whole answer it does not matter."""
        if self.finished:
            self._held = b""
            return
        text = data.decode("utf-8", "replace")
        if not text.lstrip().startswith(("{", "[")):
            raise failure.of_body(text, self._origin)
        raise self._origin.error("garbled", f"a line of the answer is no JSON: {self._shown(text)}")

    def _shown(self, text: str) -> str:
        return failure.shown(text, self._origin)


class _Call(Struct):
    """A tool call that is coming."""

    index: int
    id: str
    number: int
    name: str = ""
    arguments: list[str] = msgspec.field(default_factory=list)
    extra: Any = None

    def whole(self) -> ToolCall:
        text = "".join(self.arguments)
        try:
            arguments = msgspec.json.decode(text) if text.strip() else {}
        except (msgspec.DecodeError, UnicodeEncodeError):
            arguments = None
        return ToolCall(self.id or f"call_{self.number}", self.name, arguments if isinstance(arguments, dict) else None, text)


def _used(usage: Any) -> Used:
    def count(value: Any, *keys: str) -> int:
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value if isinstance(value, int) else -1

    cached = count(usage, "prompt_tokens_details", "cached_tokens")
    return Used(count(usage, "prompt_tokens"), count(usage, "completion_tokens"), cached)


def _mended(data: bytes) -> Chunk | None:
    """A chunk with broken UTF-8, which becomes U+FFFD, or with half a pair of surrogates, which khojd/llm/guard.py puts together;
    None for what is no JSON even so."""
    try:
        return msgspec.convert(json.loads(data.decode("utf-8", "replace")), Chunk)
    except ValueError:
        return None
