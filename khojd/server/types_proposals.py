"""The messages of khoj/chat/apply: a change that an answer proposed, and a person's decision about it."""

from typing import Annotated, Any

from msgspec import Meta

from khojd.server.types import Message, Params


class ApplyParams(Params, frozen=True):
    """A proposal of a turn. The person is asked before anything changes, unless the client has done so."""

    turn: Annotated[str, Meta(min_length=1, description="id of the turn, or its beginning")]
    proposal: Annotated[str, Meta(min_length=1, description="id of the proposal")]
    confirmed: Annotated[bool, Meta(description="the client has shown the change to the person, who said yes")] = False
    edit_only: Annotated[bool, Meta(description="say what the change is in the note as it is now, and have nothing changed")] = (
        False
    )


class Change(Message, frozen=True):
    """A change in the note as it is now. Offsets count code points."""

    path: str
    create: Annotated[bool, Meta(description="a new note")]
    start: int
    end: int
    before: Annotated[str, Meta(description="what stands there")]
    after: Annotated[str, Meta(description="what is to stand there")]
    text_hash: Annotated[str, Meta(description="of the whole text that the offsets are of; empty for a new note")]
    why: str
    origin: Annotated[str, Meta(description="which question, and which model, it comes from")]


class ApplyResult(Message, frozen=True):
    """What became of it."""

    applied: bool
    uri: str
    reason: Annotated[str, Meta(description="why it is not applied, or empty")]
    change: Change
    edit: Annotated[
        dict[str, Any] | None, Meta(description="the change as a WorkspaceEdit; null for a client that it does not suit")
    ]
