"""What a question would send to models, as far as it can be known before any of them has answered."""

from msgspec import Struct

from khojd.chat.model import Step
from khojd.llm.model import Message, Tool
from khojd.llm.router import Choice


class Foreseen(Struct, frozen=True):
    """One request. `what` "" is that for the answer; `to` None: which model gets it is not known. `open` says what is not known."""

    what: str
    to: Choice | None
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    open: str = ""


class Preview(Struct, frozen=True):
    """All requests in their order, and what was said on the way: queries, what was left out."""

    requests: tuple[Foreseen, ...]
    steps: tuple[Step, ...] = ()

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages of the first request for the answer."""
        return next((one.messages for one in self.requests if not one.what), ())
