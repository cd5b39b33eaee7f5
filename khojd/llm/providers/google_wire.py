"""Gemini's contents as they are sent, and its stream of candidates as it comes."""

import json
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Final

from google.genai import types
from msgspec import Struct

from khojd.llm.model import Called, ChatRequest, Ended, EndReason, Event, Message, Text, Thinking, Tool, ToolCall, Used
from khojd.llm.sources import in_text

KIND: Final = "google"
THINKING_TOKENS: Final = 4_096  # that a thinking model gets besides those of the answer

_REFUSED: Final = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "LANGUAGE",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "ESCALATION",
        "PUP_LIMITED_DISABLED",
        "MODEL_ARMOR",
    }
)
_LENGTH: Final = frozenset({"MAX_TOKENS", "CONTINUATION"})
_BROKEN: Final = frozenset({"MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "UNEXPECTED_TOOL_CALL", "MISSING_THOUGHT_SIGNATURE"})
_MODES: Final = {
    "auto": types.FunctionCallingConfigMode.AUTO,
    "required": types.FunctionCallingConfigMode.ANY,
    "none": types.FunctionCallingConfigMode.NONE,
}


class Model(Struct, frozen=True):
    """What is known of a model that shapes its requests."""

    name: str
    thinks: bool = False
    max_output: int = 0
    context: int = 0

    @property
    def gemma(self) -> bool:
        """The open models take no instructions apart from the conversation."""
        return self.name.startswith("gemma")


class Broken(Exception):
    """The model's answer cannot be read, as its server says."""


def configuration(model: Model, request: ChatRequest) -> types.GenerateContentConfig:
    limit = request.max_tokens or None
    thinks = _thinking(model, request)
    if limit and model.thinks and not (thinks and thinks.thinking_budget == 0):
        limit += THINKING_TOKENS  # thoughts count as part of the answer
        limit = min(limit, model.max_output or limit)
    return types.GenerateContentConfig(
        system_instruction=None if model.gemma else _instructions(request.messages) or None,
        temperature=request.temperature,
        max_output_tokens=limit,
        tools=[types.Tool(function_declarations=[_declaration(tool) for tool in request.tools])] if request.tools else None,
        tool_config=types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode=_MODES[request.tool_choice]))
        if request.tools
        else None,
        response_mime_type="application/json" if request.schema is not None else None,
        response_json_schema=request.schema,
        thinking_config=thinks,
        # What the SDK would do by itself after an answer: call functions, and ask the server to go on.
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        automatic_continuation=False,
    )


def _thinking(model: Model, request: ChatRequest) -> types.ThinkingConfig | None:
    if request.thinking is False:
        # The large models cannot do without, and refuse to be told.
        return types.ThinkingConfig(thinking_budget=0) if model.thinks and "-pro" not in model.name else None
    return types.ThinkingConfig(include_thoughts=True) if model.thinks or request.thinking else None


def _instructions(messages: Sequence[Message]) -> str:
    return "\n\n".join(message.text for message in messages if message.role == "system" and message.text)


def _declaration(tool: Tool) -> types.FunctionDeclaration:
    return types.FunctionDeclaration(name=tool.name, description=tool.description, parameters_json_schema=tool.parameters)


def contents(model: Model, messages: Sequence[Message], *, told: bool = False) -> list[types.Content]:
    """The conversation. `told`: with the instructions as its first message, as where they cannot be given apart."""
    turns: list[types.Content] = []
    if (told or model.gemma) and (text := _instructions(messages)):
        turns.append(types.Content(role="user", parts=[types.Part(text=text)]))
    for message in messages:
        if message.role == "system":
            continue
        role = "model" if message.role == "assistant" else "user"
        parts = _parts(model, message)
        if parts and turns and turns[-1].role == role:  # e.g. the results of several tools, which belong together
            turns[-1].parts = [*(turns[-1].parts or ()), *parts]
        elif parts:
            turns.append(types.Content(role=role, parts=parts))
    return turns


def _parts(model: Model, message: Message) -> list[types.Part]:
    if message.role == "assistant" and (kept := _kept(model, message)) is not None:
        return kept
    text = in_text(message)
    parts = [types.Part(inline_data=types.Blob(data=image.data, mime_type=image.media_type)) for image in message.images]
    if message.role == "tool":
        response = types.FunctionResponse(id=message.tool_call_id or None, name=message.tool_name, response={"output": text})
        return [types.Part(function_response=response), *parts]
    if text:
        parts.append(types.Part(text=text))
    for call in message.tool_calls:
        parts.append(types.Part(function_call=types.FunctionCall(id=call.id or None, name=call.name, args=call.arguments or {})))
    return parts


def _kept(model: Model, message: Message) -> list[types.Part] | None:
    """The parts of an answer that this very model gave, with its signatures; None for any other message."""
    kind, value = message.opaque or ("", None)
    if kind != KIND or not isinstance(value, dict) or value.get("model") != model.name:
        return None
    return [types.Part.model_validate_json(json.dumps(part)) for part in value.get("parts", ())]  # which reads bytes from text


class Answer:
    """A stream of chunks, put together."""

    def __init__(self, model: Model) -> None:
        self.ended = False
        self._model = model
        self._parts: list[types.Part] = []
        self._calls: list[ToolCall] = []
        self._texts: list[str] = []

    def feed(self, chunk: types.GenerateContentResponse) -> Iterable[Event]:
        """What a chunk says. Raises Broken."""
        candidate = chunk.candidates[0] if chunk.candidates else None
        content = candidate.content if candidate else None
        for part in (content.parts if content else None) or ():
            yield from self._part(part)
        if usage := chunk.usage_metadata:
            said = [usage.candidates_token_count, usage.thoughts_token_count]
            completion = sum(filter(None, said)) if any(count is not None for count in said) else -1
            yield Used(_count(usage.prompt_token_count), completion, _count(usage.cached_content_token_count))
        if candidate and (reason := candidate.finish_reason):
            yield self._end(reason.value, candidate.finish_message or "")
        elif chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
            yield self._end("PROHIBITED_CONTENT", "")

    def _part(self, part: types.Part) -> Iterable[Event]:
        self._keep(part)
        if part.function_call is not None:
            called = part.function_call
            arguments = called.args or {}
            # Results are matched to calls by an id, which older models do not give.
            identifier = called.id or f"call_{uuid.uuid4().hex[:12]}"
            call = ToolCall(identifier, called.name or "", arguments, json.dumps(arguments, ensure_ascii=False))
            self._calls.append(call)
            yield Called(call)
        elif part.text and part.thought:
            yield Thinking(part.text)
        elif part.text:
            self._texts.append(part.text)
            yield Text(part.text)
        else:
            yield Text("")  # a sign of life

    def _keep(self, part: types.Part) -> None:
        last = self._parts[-1] if self._parts else None
        if last is not None and last.text and part.text and last.thought == part.thought and not last.thought_signature:
            self._parts[-1] = part.model_copy(update={"text": last.text + part.text})
        elif part.text != "" or part.thought_signature:
            self._parts.append(part)

    def _end(self, reason: str, message: str) -> Ended:
        if reason in _BROKEN:
            raise Broken(f"{reason}{': ' if message else ''}{message}")
        self.ended = True
        ended: EndReason = (
            "refused" if reason in _REFUSED else "length" if reason in _LENGTH else "tools" if self._calls else "stop"
        )
        return Ended(ended, Message("assistant", "".join(self._texts), tool_calls=tuple(self._calls), opaque=self._opaque()))

    def _opaque(self) -> tuple[str, Any] | None:
        """The parts, where signatures belong to them."""
        if not any(part.thought_signature for part in self._parts):
            return None
        # Thoughts themselves are summaries, which the model does not take back.
        kept = [part for part in self._parts if not part.thought or part.thought_signature]
        return KIND, {"model": self._model.name, "parts": [part.model_dump(mode="json", exclude_none=True) for part in kept]}


def _count(number: int | None) -> int:
    return -1 if number is None else number
