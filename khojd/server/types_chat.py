"""The messages of khoj/chat and khoj/chat/cancel.

With a `partialResultToken` the answer is streamed as `$/progress` values, which are told apart by their `kind`: `started` (first),
`step`, `thinking`, `text`, `citation`, `proposal` and `references` (last). The reply then repeats neither text nor steps.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta

from khojd.chat import model
from khojd.server.types import Location, Message, Params, Range, TextDocument, Token


class ChatContext(Message, frozen=True, forbid_unknown_fields=True):
    """A place that the question is about."""

    text_document: TextDocument
    range: Annotated[Range | None, Meta(description="a selection; without it the whole note")] = None


class ChatParams(Params, frozen=True):
    message: Annotated[str, Meta(description="the question, with slash command, @note and [[link]] mentions as written")]
    conversation: Annotated[str, Meta(description="id; empty begins a new one")] = ""
    persona: Annotated[str, Meta(description="empty for the conversation's, else the configured one")] = ""
    model: Annotated[str, Meta(description="provider/model; empty for the persona's, else the configured one")] = ""
    filters: Annotated[str | None, Meta(description="search filters; null for the conversation's own")] = None
    folders: Annotated[tuple[str, ...], Meta(description="paths or file: URIs; only notes in these")] = ()
    context: tuple[ChatContext, ...] = ()
    images: Annotated[tuple[str, ...], Meta(description="paths, file: or data: URIs of PNG, JPEG, GIF or WebP pictures")] = ()
    replaces: Annotated[str, Meta(description="id of a turn that is asked anew; it and those after it are put aside")] = ""
    dry_run: Annotated[bool, Meta(description="only say what would be sent to the model; nothing is sent or kept")] = False
    partial_result_token: Annotated[Token | None, Meta(description="stream the answer under this token")] = None


class ChatCancelParams(Params, frozen=True):
    """Either `token` or `turn`."""

    token: Annotated[Token | None, Meta(description="the partialResultToken or workDoneToken of a khoj/chat of this client")] = None
    turn: Annotated[str, Meta(description="id of a turn, of any client")] = ""


class ChatCancelResult(Message, frozen=True):
    cancelled: Annotated[bool, Meta(description="false when no such turn runs")]


class ChatShowParams(Params, frozen=True):
    message: Annotated[str, Meta(description="the question, as in khoj/chat")]
    context: tuple[ChatContext, ...] = ()


class ChatShowResult(Message, frozen=True):
    started: Annotated[bool, Meta(description="the answer is shown when it is there")]


class Citation(Message, frozen=True):
    """A marker in the answer and the text that it stands for."""

    number: Annotated[int, Meta(description="as in the marker: [1], or [^1] in the style footnote")]
    at: Annotated[int, Meta(description="of the marker in the answer's text, in units of the negotiated encoding")]
    location: Annotated[Location, Meta(description="of the quote in the note as it is now")]
    path: Annotated[str, Meta(description="of the note that has it now")]
    title: Annotated[str, Meta(description="of the note")]
    headings: tuple[str, ...]
    quote: Annotated[str, Meta(description="the note's text, exactly")]
    hash: Annotated[str, Meta(description="of the quote")]
    weak: Annotated[bool, Meta(description="the passage has none, or too few, of the claim's words")]
    state: Annotated[
        Literal["fresh", "moved", "stale"],
        Meta(description="moved: elsewhere, maybe in another note; stale: gone, the location is where it was"),
    ]


class Reference(Message, frozen=True):
    """A passage that the model was given and the answer cites."""

    number: int
    location: Location
    path: str
    title: str
    headings: tuple[str, ...]
    date: Annotated[str, Meta(description="ISO day, or empty")]
    origin: Annotated[model.Origin, Meta(description="how it came to be given")]
    text: str


class Step(Message, frozen=True):
    """Something that was done for the answer."""

    kind: Literal["model", "queries", "search", "tool", "result", "edit", "notice"]
    text: Annotated[str, Meta(description="one line for people")]
    tool: str
    data: Annotated[dict[str, Any], Meta(description="a tool's arguments, the queries, the provider and model")]


class Proposal(Message, frozen=True):
    """A change to a note that a person may confirm; khojd changes nothing by itself."""

    id: str
    location: Annotated[Location, Meta(description="of the text that is to be changed")]
    path: str
    before: str
    after: str
    text_hash: Annotated[str, Meta(description="of the whole text that it was made for; empty for a note that is to be made")]
    why: str
    edit: Annotated[
        dict[str, Any] | None, Meta(description="the change as a WorkspaceEdit, null for a client or a text that it does not suit")
    ]


class ChatUsage(Message, frozen=True):
    """Tokens as the servers counted them, -1 where none did; seconds from the question on.

    Counted are all requests of a turn: for the answer (`main…`, one for each round of tools), for search queries, for parts of a
    long summary. A title and a summary of earlier turns are asked for after the reply: `khoj/conversations/get` has them counted.
    """

    prompt_tokens: Annotated[int, Meta(description="of all requests")]
    answer_tokens: Annotated[int, Meta(description="of all requests")]
    requests: int
    main_prompt_tokens: Annotated[int, Meta(description="of the requests for the answer")]
    main_answer_tokens: Annotated[int, Meta(description="of the requests for the answer")]
    main_requests: int
    cost: Annotated[float, Meta(description="of all requests, by the configured prices")]
    retrieval_seconds: Annotated[float, Meta(description="until the first request for the answer left")]
    first_token_seconds: float
    total_seconds: float
    tokens_per_second: Annotated[float, Meta(description="of the answer, from its first token on")]


# --- values of the stream --------------------------------------------------------------------------------------------------------


class ChatStarted(Message, frozen=True, tag_field="kind", tag="started"):
    conversation: str
    turn: str
    title: Annotated[str, Meta(description="of the conversation, so far")]


class ChatStep(Message, frozen=True, tag_field="kind", tag="step"):
    step: Step


class ChatThinking(Message, frozen=True, tag_field="kind", tag="thinking"):
    text: Annotated[str, Meta(description="the next part")]


class ChatText(Message, frozen=True, tag_field="kind", tag="text"):
    text: Annotated[str, Meta(description="the next part of the answer, markers included")]


class ChatCitation(Message, frozen=True, tag_field="kind", tag="citation"):
    """Comes right behind the text that ends with its marker."""

    citation: Citation


class ChatProposal(Message, frozen=True, tag_field="kind", tag="proposal"):
    proposal: Proposal


class ChatReferences(Message, frozen=True, tag_field="kind", tag="references"):
    references: tuple[Reference, ...]


STREAMED: tuple[type[Message], ...] = (
    ChatStarted,
    ChatStep,
    ChatThinking,
    ChatText,
    ChatCitation,
    ChatProposal,
    ChatReferences,
)


Part = ChatStarted | ChatStep | ChatThinking | ChatText | ChatCitation | ChatProposal | ChatReferences


# --- the reply -------------------------------------------------------------------------------------------------------------------


class PromptMessage(Message, frozen=True):
    """A message as a model would get it."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    images: Annotated[int, Meta(description="how many")]
    sources: Annotated[tuple[str, ...], Meta(description="passages that go apart from the text to some providers")]


class PromptTool(Message, frozen=True):
    """A tool that the model is offered."""

    name: str
    description: str
    parameters: Annotated[dict[str, Any], Meta(description="JSON Schema of its arguments")]


class PromptRequest(Message, frozen=True):
    """A request that a question would make."""

    what: Annotated[str, Meta(description="what for; empty for the answer")]
    provider: Annotated[str, Meta(description="empty where no model is configured or known")]
    model: str
    local: Annotated[bool, Meta(description="its server is on this machine")]
    messages: tuple[PromptMessage, ...]
    tools: tuple[PromptTool, ...]
    open: Annotated[str, Meta(description="what cannot be known before; empty for nothing")]


class ChatResult(Message, frozen=True):
    conversation: Annotated[str, Meta(description="id; empty for a dry run")]
    title: Annotated[str, Meta(description="of the conversation")]
    turn: Annotated[str, Meta(description="id")]
    state: Literal["complete", "cancelled", "failed", "dry-run"]
    reason: Annotated[str, Meta(description="why it was cancelled or failed")]
    text: Annotated[str, Meta(description="the answer; empty when it was streamed")]
    extractive: Annotated[bool, Meta(description="no model answered: the best passages, quoted")]
    persona: str
    provider: str
    model: str
    citations: tuple[Citation, ...]
    removed: Annotated[int, Meta(description="markers that were taken out because their number was never given")]
    references: tuple[Reference, ...]
    steps: Annotated[tuple[Step, ...], Meta(description="empty when they were streamed")]
    proposals: tuple[Proposal, ...]
    usage: ChatUsage
    prompt: Annotated[
        tuple[PromptMessage, ...], Meta(description="of a dry run: the messages of the first request for the answer")
    ] = ()
    requests: Annotated[tuple[PromptRequest, ...], Meta(description="of a dry run: all requests, in their order")] = ()
