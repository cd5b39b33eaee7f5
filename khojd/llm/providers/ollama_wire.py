"""Ollama's native API: what is said to it and what its lines mean."""

from typing import TYPE_CHECKING, Any

import msgspec

from khojd.llm.guard import clean
from khojd.llm.model import Capability, ChatRequest, Message, ModelInfo, ToolCall
from khojd.llm.sources import in_text

if TYPE_CHECKING:
    import ollama

# Most of the context that is used of a model by itself: Ollama reserves memory for all of it, and trained lengths of 131,072 are
# usual. A Modelfile's num_ctx and the configuration (providers.NAME.models) can say more.
USUAL_CONTEXT = 32_768
SMALLEST_CONTEXT = 8_192

_CAPABILITIES: dict[str, tuple[Capability, ...]] = {
    "completion": ("chat", "streaming", "json-schema"),
    "tools": ("tools",),
    "vision": ("vision",),
    "thinking": ("thinking",),
    "embedding": ("embedding",),
}


class Line(msgspec.Struct):
    """One line of an answer. Keys that are not here are of no interest."""

    class Said(msgspec.Struct):
        content: str | None = None
        thinking: str | None = None
        tool_calls: list[dict[str, Any]] | None = None

    message: Said = msgspec.field(default_factory=Said)
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    error: Any = None


class Version(msgspec.Struct):
    """What /api/version says."""

    version: str


_decoder = msgspec.json.Decoder(Line)


def line(text: bytes) -> Line:
    """A line of the stream. Raises ValueError for what is none. Bytes that are no UTF-8 become U+FFFD."""
    try:
        return _decoder.decode(text)
    except UnicodeDecodeError:
        return _decoder.decode(text.decode("utf-8", "replace"))


def payload(model: str, request: ChatRequest, *, num_ctx: int, thinks: bool, keep_alive: str) -> dict[str, Any]:
    """The body of /api/chat. `thinks`: whether the model can; one that cannot refuses `think`."""
    options: dict[str, Any] = {"num_ctx": num_ctx}
    if request.max_tokens:
        options["num_predict"] = request.max_tokens
    if request.temperature is not None:
        options["temperature"] = request.temperature
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(message) for message in request.messages],
        "stream": True,
        "options": options,
        # Newer servers then refuse a prompt that is too long, instead of leaving out its oldest messages without a word.
        "truncate": False,
        "shift": False,
    }
    if request.tools and request.tool_choice != "none":
        tools = [{"name": one.name, "description": one.description, "parameters": one.parameters} for one in request.tools]
        body["tools"] = [{"type": "function", "function": tool} for tool in tools]
    if request.schema is not None:
        body["format"] = request.schema
    if thinks and request.thinking is not None:  # left out, a model that can think does
        body["think"] = request.thinking
    if keep_alive:
        body["keep_alive"] = duration(keep_alive)
    return body


def encoded(body: dict[str, Any]) -> bytes:
    """JSON; halves of surrogate pairs, which a note may hold, become U+FFFD."""
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        return msgspec.json.encode(clean(body))


def duration(text: str) -> str | int:
    """A bare number is seconds, which Ollama takes as a number only."""
    try:
        return int(text)
    except ValueError:
        return text


def _message(message: Message) -> dict[str, Any]:
    said: dict[str, Any] = {"role": message.role, "content": in_text(message)}
    if message.images:
        said["images"] = [msgspec.to_builtins(image.data) for image in message.images]  # base64
    if message.tool_calls:
        said["tool_calls"] = [
            {"id": call.id, "function": {"name": call.name, "arguments": call.arguments or {}}} for call in message.tool_calls
        ]
    if message.role == "tool":
        said |= {"tool_name": message.tool_name, "tool_call_id": message.tool_call_id}
    if message.opaque is not None and message.opaque[0] == "ollama":
        said["thinking"] = message.opaque[1]
    return said


def tool_call(call: dict[str, Any], number: int) -> ToolCall:
    """A whole tool call, the `number`th of its answer; older servers give none an id."""
    function = call.get("function")
    if not isinstance(function, dict):
        function = {}
    found = function.get("arguments")
    text = found if isinstance(found, str) else msgspec.json.encode(found).decode()
    if isinstance(found, str):
        try:
            found = msgspec.json.decode(found)
        except msgspec.DecodeError:
            found = None
    return ToolCall(
        str(call.get("id") or f"call_{number}"),
        str(function.get("name") or ""),
        found if isinstance(found, dict) else None,
        text,
    )


def described(name: str, said: "ollama.ShowResponse") -> ModelInfo:
    """A model by what /api/show says of it."""
    about = said.modelinfo or {}
    arch = str(about.get("general.architecture") or "")
    trained = _number(about.get(f"{arch}.context_length"))
    capabilities = said.capabilities
    if capabilities is None:  # servers before 0.6.4
        capabilities = ["embedding"] if f"{arch}.pooling_type" in about or "bert" in arch else ["completion"]
        if ".Tools" in (said.template or ""):
            capabilities.append("tools")
    embeds = "embedding" in capabilities
    size = (said.details.parameter_size, said.details.quantization_level) if said.details else ()
    more = f"trained for {trained:,} tokens" if trained > USUAL_CONTEXT and not embeds else ""
    return ModelInfo(
        name=name,
        capabilities=frozenset(one for word in capabilities for one in _CAPABILITIES.get(word, ())),
        context=trained if embeds else _parameter(said.parameters or "", "num_ctx") or min(trained, USUAL_CONTEXT),
        dimensions=_number(about.get(f"{arch}.embedding_length")) if embeds else 0,
        detail=", ".join(text for text in (*size, more) if text and text != "unknown"),
    )


def _number(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _parameter(parameters: str, name: str) -> int:
    """A number among a Modelfile's parameters, 0 when it is not there."""
    for row in parameters.splitlines():
        words = row.split()
        if len(words) == 2 and words[0] == name and words[1].isdigit():
            return int(words[1])
    return 0
