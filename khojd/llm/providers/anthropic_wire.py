"""Anthropic's messages as they are sent, and its stream as it comes: blocks that are known by their index alone."""

import base64
import itertools
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import Struct

from khojd.llm.model import (
    Called,
    ChatRequest,
    Cited,
    Ended,
    EndReason,
    Event,
    Image,
    Message,
    Source,
    Text,
    Thinking,
    Tool,
    ToolCall,
    Used,
)
from khojd.llm.sources import in_text

KIND: Final = "anthropic"
MAX_TOKENS: Final = 8_192  # of an answer, which the API wants to be said; sent where neither the request nor the server says it
THINKING_TOKENS: Final = 4_096
ALIVE: Final = Text("")
LEAST_THINKING: Final = 1_024  # the API takes no less

_REASONS: Final[dict[str, EndReason]] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "length",  # the server wants to be asked to go on, which only its own tools make it do
    "tool_use": "tools",
    "refusal": "refused",
}
# Ends of paragraphs and list items: a block of a source is the least that can be cited, and blocks joined are the source again.
_PARAGRAPH: Final = re.compile(r"\n\s*\n|\n(?=\s*(?:[-+*]|\d+[.)])\s)")
_NO_ID: Final = re.compile(r"[^a-zA-Z0-9_-]")


class Model(Struct, frozen=True):
    """What is known of a model that shapes its requests."""

    server: str  # base URL; thinking is signed for one server and model
    name: str
    max_output: int = 0
    cites: bool = False
    thinking: frozenset[str] = frozenset({"enabled", "disabled"})  # ways of asking for it that the model accepts
    template: bool = False  # the server fills a chat template, whose switch for thinking is sent along


class Broken(Exception):
    """The server says in mid-stream that it failed; `body` is what it says."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__("an error in mid-stream")
        self.body = body


def body(model: Model, request: ChatRequest) -> tuple[dict[str, Any], tuple[int, ...]]:
    """The request, and the numbers of its sources in the order in which the server counts them."""
    cites = model.cites and request.schema is None  # the API refuses citations in structured answers
    sent, numbers = prompt(model, request.messages, request.tools, cites=cites)
    limit = request.max_tokens or model.max_output or MAX_TOKENS
    thinks = _thinking(model, request, limit)
    if thinks is not None:
        sent["thinking"] = thinks
    on = thinks is not None and thinks["type"] != "disabled"
    if thinks is not None and "budget_tokens" in thinks:
        limit += thinks["budget_tokens"]  # which the API counts as part of the answer
    sent["max_tokens"] = min(limit, model.max_output or limit)
    if model.template and request.thinking is not None:
        sent["chat_template_kwargs"] = {"enable_thinking": request.thinking}
    if request.temperature is not None and not on:  # the API refuses both together
        sent["temperature"] = min(request.temperature, 1.0)
    if request.tools:
        # A thinking model cannot be made to call a tool.
        choices = {"auto": "auto", "none": "none", "required": "auto" if on else "any"}
        sent["tool_choice"] = {"type": choices[request.tool_choice]}
    if request.schema is not None:
        sent["output_config"] = {"format": {"type": "json_schema", "schema": request.schema}}
    return sent, numbers


def prompt(
    model: Model, messages: Sequence[Message], tools: Sequence[Tool], *, cites: bool
) -> tuple[dict[str, Any], tuple[int, ...]]:
    """What is counted as the prompt: model, system, messages, tools; with the numbers of the sources."""
    numbers: list[int] = []
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "system":
            continue
        role = "assistant" if message.role == "assistant" else "user"
        content = _content(model, message, numbers if cites else None)
        if content and turns and turns[-1]["role"] == role:  # e.g. the results of several tools, which belong together
            turns[-1]["content"].extend(content)
        elif content:
            turns.append({"role": role, "content": content})
    sent: dict[str, Any] = {"model": model.name, "messages": turns}
    system = "\n\n".join(message.text for message in messages if message.role == "system" and message.text)
    if system:
        sent["system"] = system
    if tools:
        sent["tools"] = [{"name": tool.name, "description": tool.description, "input_schema": tool.parameters} for tool in tools]
    elif called := sorted({call.name for message in messages for call in message.tool_calls}):
        # The API wants every tool that the conversation has called to be described, also when none is offered any more.
        sent["tools"] = [{"name": name, "description": "", "input_schema": {"type": "object"}} for name in called]
        sent["tool_choice"] = {"type": "none"}
    return sent, tuple(numbers)


def _thinking(model: Model, request: ChatRequest, limit: int) -> dict[str, Any] | None:
    if request.thinking is None:
        return None
    if not request.thinking:
        return {"type": "disabled"} if "disabled" in model.thinking else None
    if "adaptive" in model.thinking:
        return {"type": "adaptive", "display": "summarized"}
    if "enabled" not in model.thinking:
        return None
    room = model.max_output - limit if model.max_output else THINKING_TOKENS
    return {"type": "enabled", "budget_tokens": max(LEAST_THINKING, min(THINKING_TOKENS, room))}


def _content(model: Model, message: Message, numbers: list[int] | None) -> list[dict[str, Any]]:
    """The blocks of a message. `numbers` grows by those of its sources; without it they stand in the text."""
    blocks: list[dict[str, Any]] = [_image(image) for image in message.images]
    text = message.text if numbers is not None else in_text(message)
    if numbers is not None:
        for source in message.sources:
            if found := _search_result(source):
                blocks.append(found)
                numbers.append(source.number)
    if message.role == "tool":
        if text.strip():
            blocks.append({"type": "text", "text": text})
        return [{"type": "tool_result", "tool_use_id": _identifier(message.tool_call_id), "content": blocks}]
    if message.role == "assistant" and (kept := _kept(model, message)) is not None:
        return kept
    if text.strip():  # the API refuses blocks of nothing but blanks
        blocks.append({"type": "text", "text": text})
    for call in message.tool_calls:
        blocks.append({"type": "tool_use", "id": _identifier(call.id), "name": call.name, "input": call.arguments or {}})
    return blocks


def _kept(model: Model, message: Message) -> list[dict[str, Any]] | None:
    """The blocks of an answer that this very model gave, thinking included; None for any other message."""
    kind, value = message.opaque or ("", None)
    if kind != KIND or not isinstance(value, dict) or (value.get("server"), value.get("model")) != (model.server, model.name):
        return None
    return [dict(block) for block in value.get("content", ())]


def _image(image: Image) -> dict[str, Any]:
    data = base64.b64encode(image.data).decode("ascii")
    return {"type": "image", "source": {"type": "base64", "media_type": image.media_type, "data": data}}


def _search_result(source: Source) -> dict[str, Any] | None:
    parts = [{"type": "text", "text": part} for part in paragraphs(source.text)]
    if not parts:
        return None
    title = source.title or source.source
    return {"type": "search_result", "source": source.source, "title": title, "content": parts, "citations": {"enabled": True}}


def paragraphs(text: str) -> list[str]:
    """`text` cut after its paragraphs and list items; nothing is left out, and no part is blank."""
    places = [0, *(found.end() for found in _PARAGRAPH.finditer(text)), len(text)]
    parts: list[str] = []
    for start, end in itertools.pairwise(places):
        part = text[start:end]
        if parts and not (part.strip() and parts[-1].strip()):
            parts[-1] += part
        elif part:
            parts.append(part)
    return parts if any(part.strip() for part in parts) else []


def _identifier(text: str) -> str:
    """An id as the API takes it; those of other servers, where a conversation went on elsewhere, may hold anything."""
    return _NO_ID.sub("_", text) or "call"


class _Block(Struct):
    value: dict[str, Any]  # as the server wants it back
    written: list[str]  # text, thinking or JSON in pieces
    cited: list[Cited]
    open: bool = True


class Answer:
    """A stream of events, put together."""

    def __init__(self, model: Model, numbers: Sequence[int]) -> None:
        self.ended = False
        self._model = model
        self._numbers = numbers
        self._blocks: dict[int, _Block] = {}
        self._calls: dict[int, ToolCall] = {}
        self._reason: str | None = None
        self._usage: dict[str, int] = {}

    def feed(self, name: str | None, event: dict[str, Any]) -> Iterable[Event]:
        """What an event of the server says; a sign of life is an empty text. Unknown events say nothing. Raises Broken."""
        kind = "error" if name == "error" else event.get("type")
        if kind == "content_block_delta":
            return self._delta(_index(event), _object(event, "delta"))
        if kind == "content_block_start":
            return self._start(_index(event), _object(event, "content_block"))
        if kind == "content_block_stop":
            return self._stop(_index(event))
        if kind == "message_start":
            return self._used(_object(_object(event, "message"), "usage"))
        if kind == "message_delta":
            self._reason = _object(event, "delta").get("stop_reason") or self._reason
            return self._used(_object(event, "usage"))
        if kind == "message_stop" and self._reason is not None:
            return self._end()
        if kind == "error":
            raise Broken(event)
        return (ALIVE,) if kind == "ping" else ()

    def _start(self, index: int, value: dict[str, Any]) -> Iterable[Event]:
        self._blocks[index] = block = _Block(dict(value), [], [])
        kind = value.get("type")
        if kind in ("text", "thinking"):
            return _said(block, kind, value.get(kind))
        return ()

    def _delta(self, index: int, delta: dict[str, Any]) -> Iterable[Event]:
        block = self._blocks.get(index)
        if block is None:
            return ()
        kind = delta.get("type")
        if kind == "text_delta":
            return _said(block, "text", delta.get("text"))
        if kind == "thinking_delta":
            return _said(block, "thinking", delta.get("thinking"))
        if kind == "input_json_delta":
            block.written.append(delta.get("partial_json") or "")
            return (ALIVE,)
        if kind == "signature_delta":
            block.value["signature"] = block.value.get("signature", "") + (delta.get("signature") or "")
            return (ALIVE,)
        if kind == "citations_delta" and (cited := self._citation(_object(delta, "citation"))):
            block.cited.append(cited)
        return ()

    def _citation(self, citation: dict[str, Any]) -> Cited | None:
        place = citation.get("search_result_index")
        if citation.get("type") != "search_result_location" or not isinstance(place, int) or not 0 <= place < len(self._numbers):
            return None
        return Cited(self._numbers[place], str(citation.get("cited_text") or "").strip())

    def _stop(self, index: int) -> list[Event]:
        block = self._blocks.get(index)
        if block is None or not block.open:
            return []
        block.open = False
        written = "".join(block.written)
        kind = block.value.get("type")
        if kind == "tool_use":
            call = _call(block.value, written)
            block.value["input"] = call.arguments or {}
            self._calls[index] = call
            return [Called(call)]
        if kind in ("text", "thinking"):
            block.value[kind] = written
        # A citation holds for its whole block, and may come before the block's text.
        return list(dict.fromkeys(block.cited))

    def _used(self, usage: dict[str, Any]) -> Iterable[Event]:
        # Counts are of the whole answer so far. Some servers say those of the prompt at its start and some at its end, and 0 else.
        for name, count in usage.items():
            if isinstance(count, int) and (count or name not in self._usage):
                self._usage[name] = count
        asked = [self._usage.get(name, 0) for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")]
        if self._usage:
            known = "input_tokens" in self._usage
            yield Used(sum(asked) if known else -1, self._usage.get("output_tokens", -1), asked[2] if known else -1)

    def _end(self) -> Iterable[Event]:
        events = [event for index in sorted(self._blocks) for event in self._stop(index)]  # of blocks that were left open
        blocks = [self._blocks[index] for index in sorted(self._blocks)]
        calls = tuple(self._calls[index] for index in sorted(self._calls))
        text = "".join(block.value["text"] for block in blocks if block.value.get("type") == "text")
        reason = _REASONS.get(self._reason or "", "stop")
        message = Message("assistant", text, tool_calls=calls, opaque=self._opaque(blocks))
        self.ended = True
        return [*events, Ended("tools" if calls and reason == "stop" else reason, message)]

    def _opaque(self, blocks: Sequence[_Block]) -> tuple[str, Any] | None:
        """The blocks, where they hold more than text and calls do."""
        if all(block.value.get("type") in ("text", "tool_use") for block in blocks):
            return None
        # Citations point into sources of this request, which the next one may not have.
        content = [{name: value for name, value in block.value.items() if name != "citations"} for block in blocks]
        content = [value for value in content if value.get("type") != "text" or value["text"].strip()]
        return KIND, {"server": self._model.server, "model": self._model.name, "content": content}


def _said(block: _Block, kind: str, text: Any) -> tuple[Event, ...]:
    if not isinstance(text, str) or not text:
        return ()
    block.written.append(text)
    return (Text(text) if kind == "text" else Thinking(text),)


def _call(value: dict[str, Any], written: str) -> ToolCall:
    text = written or json.dumps(value.get("input") or {})
    try:
        arguments = json.loads(text)
    except ValueError:
        arguments = None
    return ToolCall(
        str(value.get("id") or ""), str(value.get("name") or ""), arguments if isinstance(arguments, dict) else None, text
    )


def _index(event: dict[str, Any]) -> int:
    index = event.get("index")
    return index if isinstance(index, int) else 0


def _object(event: dict[str, Any], name: str) -> dict[str, Any]:
    value = event.get(name)
    return value if isinstance(value, dict) else {}
