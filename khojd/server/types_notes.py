"""The params of the khoj/* methods that make and change notes; results are `EditResult`."""

from typing import Annotated, Literal

from msgspec import Meta

from khojd.server.types import Params, Position, TextDocument


class TodayParams(Params, frozen=True):
    """The note of a day: shown when it is there, else proposed to be made."""

    date: Annotated[str, Meta(description="ISO day; empty for today")] = ""
    template: Annotated[str, Meta(description="empty for notes.daily")] = ""
    folder: Annotated[str, Meta(description="path or file: URI of the folder of notes; empty for the first one")] = ""


class NewNoteParams(Params, frozen=True):
    title: Annotated[str, Meta(min_length=1, max_length=500)]
    template: Annotated[str, Meta(description="empty for notes.template")] = ""
    folder: Annotated[
        str, Meta(description="path or file: URI, or below the first folder of notes; empty for where the template says")
    ] = ""


class InsertLinkParams(Params, frozen=True):
    """Either `target` with or without `heading`, or a `query`, whose best hit is linked to."""

    text_document: TextDocument
    position: Position
    target: Annotated[str, Meta(description="path or file: URI of a note")] = ""
    heading: Annotated[str, Meta(description="of the target")] = ""
    query: Annotated[str, Meta(description="as for khoj/search")] = ""
    text: Annotated[str, Meta(max_length=1000, description="what the link shows; empty for the name")] = ""


class ContentsParams(Params, frozen=True):
    text_document: TextDocument


class ActionParams(Params, frozen=True):
    """A code action as textDocument/codeAction gives it to a client that knows commands only."""

    what: Literal["replace", "create", "extract", "contents"]
    uri: str
    stamp: Annotated[str, Meta(description="of the text that it was made for")]
    title: str
    start: int = 0
    end: int = 0
    text: str = ""
