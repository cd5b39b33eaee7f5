"""What a client asks about, and what it is offered."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Literal

import msgspec
from lsprotocol import types as lsp
from msgspec import Struct

from khojd.errors import EditError
from khojd.graph.sheet import Sheet
from khojd.server.places import Desk
from khojd.server.session import Session

LINK = "refactor.link"
CONTENTS = "source.contents"
QUICK = lsp.CodeActionKind.QuickFix.value
EXTRACT = lsp.CodeActionKind.RefactorExtract.value
REWRITE = lsp.CodeActionKind.RefactorRewrite.value
ASK = "khoj.ask"
KINDS = (QUICK, EXTRACT, LINK, REWRITE, CONTENTS, ASK)

What = Literal["replace", "create", "extract", "contents"]


class Planned(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change to the note at `uri` as it was when it had `stamp`; [start, end) are code points.

    `text`: what takes their place (replace), or the path of the new note (create).
    """

    what: What
    uri: str
    stamp: str
    title: str
    start: int = 0
    end: int = 0
    text: str = ""


class Offer(Struct, frozen=True):
    """One entry of the list: an edit that is `planned`, or a question for khoj/chat/show.

    `code` and `span` are those of the problem that an edit does away with.
    """

    title: str
    kind: str
    planned: Planned | None
    code: str = ""
    span: tuple[int, int] = (0, 0)
    preferred: bool = False
    question: dict[str, Any] | None = None


class Inquiry:
    """A range of a note, and what the client says of its wishes."""

    def __init__(self, session: Session, sheet: Sheet, params: lsp.CodeActionParams) -> None:
        self.session = session
        self.sheet = sheet
        self.desk = Desk(session)
        self.start = session.offset(sheet, params.range.start)
        self.end = max(self.start, session.offset(sheet, params.range.end))
        self.diagnostics = [one for one in params.context.diagnostics if one.source == "khojd"]
        self.automatic = params.context.trigger_kind == lsp.CodeActionTriggerKind.Automatic
        self._only = [str(getattr(kind, "value", kind)) for kind in params.context.only or ()]
        self._stamp = stamp(sheet)

    def wants(self, kind: str, *, only: bool = False) -> bool:
        """Whether actions of a kind are asked for; with `only` whether they are named."""
        if not self._only:
            return not only
        return any(kind == one or kind.startswith(one + ".") or not one for one in self._only)

    def planned(self, what: What, title: str, start: int, end: int, text: str = "") -> Planned:
        uri = self.session.uri(self.sheet.path)
        return Planned(what=what, uri=uri, stamp=self._stamp, title=title, start=start, end=end, text=text)

    def replacing(self, title: str, kind: str, start: int, end: int, text: str) -> Offer:
        return Offer(title, kind, self.planned("replace", title, start, end, text))


def stamp(sheet: Sheet) -> str:
    """What tells one text of a note from another."""
    return blake2b(sheet.text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def read(data: Any) -> Planned:
    """What an action's `data` says. Raises EditError for what is not ours."""
    try:
        return msgspec.convert(data, Planned)
    except msgspec.ValidationError as error:
        raise EditError(f"this is no action of khojd: {error}") from None


async def current(session: Session, planned: Planned) -> Sheet:
    """The note as it is now. Raises EditError when it is not what it was, NotFound when it is gone."""
    sheet = await session.sheet(planned.uri, marks=True)
    if stamp(sheet) != planned.stamp or not 0 <= planned.start <= planned.end <= len(sheet.text):
        raise EditError(f"{sheet.path} changed meanwhile: ask again", path=sheet.path)
    return sheet
