"""The messages of khoj/conversations/* and khoj/personas/*. Ids may be shortened to a beginning that no other one has."""

from typing import Annotated, Literal

from msgspec import Meta

from khojd.chat import model
from khojd.server.types import Message, Params
from khojd.server.types_chat import ChatUsage, Citation, Proposal, Reference, Step

Id = Annotated[str, Meta(min_length=1, max_length=64, description="id, or its beginning")]


# --- conversations -------------------------------------------------------------------------------------------------------------


class ConversationsParams(Params, frozen=True):
    query: Annotated[str, Meta(description="words that must all be in the title, the questions or the answers; empty for all")] = ""
    limit: Annotated[int, Meta(ge=0, description="0 for all")] = 0
    offset: Annotated[int, Meta(ge=0)] = 0


class Conversation(Message, frozen=True):
    id: str
    title: str
    titled: Annotated[bool, Meta(description="by a person or a model, not from the first question")]
    created: float
    updated: float
    turns: int
    persona: str
    filters: Annotated[str, Meta(description="search filters that hold in it")]
    forked_from: Annotated[str, Meta(description="id of the turn that it was forked at, or empty")]


class ConversationsResult(Message, frozen=True):
    conversations: Annotated[tuple[Conversation, ...], Meta(description="last changed first")]
    problem: Annotated[str, Meta(description="why conversations are not kept, or where damaged ones are; or empty")]


class ConversationParams(Params, frozen=True):
    conversation: Id
    aside: Annotated[bool, Meta(description="also the turns that were put aside when a question was asked anew")] = False
    passages: Annotated[bool, Meta(description="also all passages that the model was given")] = False


class ConversationTurn(Message, frozen=True):
    """A question and what came of it; citations and references are where they are found now."""

    id: str
    question: str
    command: model.Command
    answer: str
    thinking: str
    state: model.State
    reason: Annotated[str, Meta(description="why it was cancelled or failed")]
    extractive: Annotated[bool, Meta(description="no model answered: the best passages, quoted")]
    persona: str
    provider: str
    model: str
    queries: tuple[str, ...]
    citations: tuple[Citation, ...]
    removed: Annotated[int, Meta(description="markers that were taken out because their number was never given")]
    references: Annotated[tuple[Reference, ...], Meta(description="the passages that the answer cites, or all when asked for")]
    steps: tuple[Step, ...]
    proposals: tuple[Proposal, ...]
    usage: ChatUsage
    created: float
    finished: Annotated[float, Meta(description="0 while it runs")]


class ConversationResult(Message, frozen=True):
    conversation: Conversation
    turns: Annotated[tuple[ConversationTurn, ...], Meta(description="oldest first")]
    aside: Annotated[tuple[ConversationTurn, ...], Meta(description="that were put aside; empty unless asked for")]


class RenameConversationParams(Params, frozen=True):
    conversation: Id
    title: Annotated[str, Meta(max_length=1000, description="empty for one made from the first question")]


class DeleteConversationParams(Params, frozen=True):
    conversation: Id


class DeletedConversation(Message, frozen=True):
    """What is gone now, also from the disk."""

    conversation: Conversation


class ForkConversationParams(Params, frozen=True):
    """Either the id of a turn, also of one that was put aside, or a conversation, to fork it at its last turn."""

    turn: Annotated[str, Meta(max_length=64, description="id, or its beginning")] = ""
    conversation: Annotated[str, Meta(max_length=64, description="id, or its beginning")] = ""


class ExportConversationParams(Params, frozen=True):
    conversation: Id
    format: Literal["markdown", "org"] = "markdown"


class ExportedConversation(Message, frozen=True):
    text: Annotated[str, Meta(description="the note, with links to what is cited where it is now")]
    format: Literal["markdown", "org"]
    title: str
    name: Annotated[str, Meta(description="a name for its file")]


# --- personas ------------------------------------------------------------------------------------------------------------------


class PersonaParams(Params, frozen=True):
    name: Annotated[str, Meta(description="empty for the configured one")] = ""


class Persona(Message, frozen=True):
    """Who answers, with all that it takes from those it is based on."""

    name: str
    description: str
    built_in: bool
    based_on: Annotated[str, Meta(description="another persona; empty for a built-in one")]
    prompt: Annotated[str, Meta(description="its own part of the system prompt")]
    style: Literal["concise", "balanced", "detailed"]
    citations: Annotated[Literal["inline", "footnote", "none"], Meta(description="how sources are shown")]
    focus: str
    filters: Annotated[str, Meta(description="search filters that always hold")]
    model: Annotated[str, Meta(description="provider/model; empty for models.chat")]
    tools: Annotated[tuple[str, ...], Meta(description="that it may call in every turn")]
    max_tokens: Annotated[int, Meta(description="of an answer; 0 for no limit of its own")]
    greeting: str


class PersonasResult(Message, frozen=True):
    personas: tuple[Persona, ...]
    default: Annotated[str, Meta(description="the one that answers when none is named")]
