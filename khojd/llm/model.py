"""What is said to a model and what comes back, whichever server it runs on."""

from typing import Any, Literal

from msgspec import Struct

Role = Literal["system", "user", "assistant", "tool"]
Capability = Literal["chat", "tools", "vision", "thinking", "embedding", "rerank", "streaming", "json-schema", "citations", "count"]
EndReason = Literal["stop", "length", "tools", "refused"]


class Image(Struct, frozen=True):
    data: bytes
    media_type: str  # image/png, image/jpeg, image/webp, image/gif


class Source(Struct, frozen=True):
    """A passage that a provider with the capability `citations` takes apart from the text, to cite it by itself."""

    number: int  # by which the answer cites it
    source: str  # path
    title: str
    text: str


class ToolCall(Struct, frozen=True):
    """What a model wants to have run. `arguments` is None when what it wrote is no JSON object; `text` is what it wrote."""

    id: str
    name: str
    arguments: dict[str, Any] | None
    text: str = ""


class Message(Struct, frozen=True):
    """One message of the conversation as a model sees it.

    `tool_calls` belong to an assistant's message; `tool_call_id` and `tool_name` to a tool's, whose `text` is the result.
    `opaque` is what the provider that made an assistant's message wants back unchanged (signed thinking); others ignore it.
    """

    role: Role
    text: str = ""
    images: tuple[Image, ...] = ()
    sources: tuple[Source, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    tool_name: str = ""
    opaque: tuple[str, Any] | None = None  # kind of provider, its value


class Tool(Struct, frozen=True):
    """A tool offered to a model. `parameters` is a JSON Schema of an object."""

    name: str
    description: str
    parameters: dict[str, Any]


class ChatRequest(Struct, frozen=True):
    """`context` is the number of tokens that prompt and answer may have together, 0 where it is not known."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: Literal["auto", "required", "none"] = "auto"
    max_tokens: int = 0  # of the answer; 0 is the server's own limit
    temperature: float | None = None
    thinking: bool | None = None  # None: as the model does by itself
    schema: dict[str, Any] | None = None  # JSON Schema that the answer must keep to
    context: int = 0


# What a stream consists of. Every stream that is whole ends with one `Ended`; one that stops without is an error.


class Text(Struct, frozen=True):
    text: str


class Thinking(Struct, frozen=True):
    text: str


class Called(Struct, frozen=True):
    """A whole tool call."""

    call: ToolCall


class Cited(Struct, frozen=True):
    """The provider's own citation: what was said since the last `Cited` or the start of its block stands in that source."""

    number: int  # Source.number
    quote: str


class Used(Struct, frozen=True):
    """Tokens, as the server counts them; the last one of a stream counts. -1 is not known."""

    prompt: int = -1
    completion: int = -1
    cached: int = -1  # of the prompt
    dropped: bool = False  # the server left out the oldest messages to make the prompt fit


class Ended(Struct, frozen=True):
    """`message` is the whole answer as the provider wants it back in the next request, tool calls included."""

    reason: EndReason
    message: Message


Event = Text | Thinking | Called | Cited | Used | Ended


# What is known of models and servers


class ModelInfo(Struct, frozen=True):
    """A model as its server describes it. 0 and () are not known."""

    name: str
    capabilities: frozenset[Capability] = frozenset()
    context: int = 0  # tokens, prompt and answer together
    max_output: int = 0  # tokens
    dimensions: int = 0  # of an embedding model
    detail: str = ""  # size, quantisation; for people


class Health(Struct, frozen=True):
    ok: bool
    message: str  # for people: what is wrong and what to do, or the server's name and version
    latency_ms: float = 0.0


class Pulled(Struct, frozen=True):
    """How far the download of a model is. `total` 0 is not known."""

    status: str
    done: int = 0  # bytes
    total: int = 0
