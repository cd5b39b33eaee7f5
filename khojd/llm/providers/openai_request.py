"""A question to a model -> the body of a chat completion, and what to leave out when a server refuses a part of it."""

import base64
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from khojd.errors import ProviderError
from khojd.llm.model import ChatRequest, Message, Tool
from khojd.llm.presets import Preset
from khojd.llm.providers.openai_stream import KIND
from khojd.llm.sources import in_text

# Parameters that a server may not know, with what is said instead. Without tools or the text there is nothing to ask.
_INSTEAD: Final[dict[str, str]] = {
    "max_tokens": "max_completion_tokens",
    "max_completion_tokens": "max_tokens",
    "temperature": "",
    "stream_options": "",
    "reasoning_effort": "",
    "reasoning": "",
    "chat_template_kwargs": "",
    "response_format": "",
    "tool_choice": "",
}


def body(model: str, request: ChatRequest, preset: Preset, without: Iterable[str] = ()) -> dict[str, Any]:
    """The JSON body; `without` are parameters that the server has refused."""
    asked: dict[str, Any] = {
        "model": model,
        "messages": messages(request.messages),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.tools:
        asked["tools"] = tools(request.tools)
        if request.tool_choice != "auto":
            asked["tool_choice"] = request.tool_choice
    if request.max_tokens:
        asked[preset.limit_key] = request.max_tokens
    if request.temperature is not None:
        asked["temperature"] = request.temperature
    if request.thinking is not None:
        asked.update(_thinking(request.thinking, preset))
    if request.schema is not None:
        # Not `strict`: it takes a part of JSON Schema alone.
        asked["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": request.schema}}
    for name in without:
        _leave_out(asked, name)
    return asked


def _thinking(on: bool, preset: Preset) -> dict[str, Any]:
    match preset.thinking:
        case "template":
            return {"chat_template_kwargs": {"enable_thinking": on}}
        case "effort":
            return {"reasoning_effort": "medium" if on else "low"}  # not every model that thinks can do without
        case "object":
            return {"reasoning": {"enabled": on}}
        case _:
            return {}


def messages(said: Sequence[Message]) -> list[dict[str, Any]]:
    return [_message(message) for message in said]


def _message(message: Message) -> dict[str, Any]:
    text = in_text(message)
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": text}
    said: dict[str, Any] = {"role": message.role, "content": text}
    if message.images:
        parts = [{"type": "text", "text": text}] if text else []
        said["content"] = [*parts, *({"type": "image_url", "image_url": {"url": _data_url(image)}} for image in message.images)]
    if message.tool_calls:
        kind, opaque = message.opaque or ("", {})
        known = opaque if kind == KIND and isinstance(opaque, dict) else {}
        said["content"] = text or None
        said["tool_calls"] = []
        for call in message.tool_calls:
            # Arguments that are no JSON object make some servers refuse the whole conversation.
            arguments = msgspec.json.encode(call.arguments or {}).decode()
            entry: dict[str, Any] = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}
            if extra := known.get("extra_content", {}).get(call.id):
                entry["extra_content"] = extra
            said["tool_calls"].append(entry)
        said.update({key: known[key] for key in ("reasoning_content", "reasoning_details") if key in known})
    return said


def _data_url(image: Any) -> str:
    return f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"


def tools(offered: Sequence[Tool]) -> list[dict[str, Any]]:
    return [
        {"type": "function", "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters}}
        for tool in offered
    ]


def refused(asked: dict[str, Any], error: ProviderError) -> str:
    """The parameter of the body that a server refused and that can be left out; "" when the error is about something else."""
    if error.reason not in ("request", "unsupported") or error.data["status"] not in (400, 422):
        return ""
    words = {
        str(error.data.get("param") or ""),
        *(word.strip("'\"`.,:;()[]{}") for word in error.message.replace(".", " ").split()),
    }
    return next((name for name in asked if name in _INSTEAD and name in words), "")


def _leave_out(asked: dict[str, Any], name: str) -> None:
    value = asked.pop(name, None)
    if value is not None and (instead := _INSTEAD.get(name)) and instead not in asked:
        asked[instead] = value
