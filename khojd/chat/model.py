"""Conversations and what a turn consists of. Offsets are code points; of a file's text unless something else is said.

Ask -> Turn (running) -> events as they come -> Turn (complete, cancelled or failed), kept in a Conversation
"""

import hashlib
from typing import Any, Literal

from msgspec import Struct

from khojd.llm.model import Image

State = Literal["running", "complete", "cancelled", "failed"]
Origin = Literal["search", "selection", "note", "mention", "scope", "tool"]
Command = Literal["", "notes", "general", "search", "summarize", "research", "help"]


def text_hash(text: str) -> str:
    """The 32 hexadecimal digits by which a quoted text is known."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class Passage(Struct, frozen=True):
    """A piece of a note that is given to the model: `text` is exactly the file's text from `start` to `end`.

    number: by which the answer cites it, from 1; 0 before it is packed. line: 0-based, of `start`. date: ISO day or "".
    """

    path: str
    start: int
    end: int
    line: int
    text: str
    title: str = ""
    headings: tuple[str, ...] = ()
    date: str = ""
    origin: Origin = "search"
    score: float = 0.0
    number: int = 0


class Citation(Struct, frozen=True):
    """One marker in an answer and what it points at: `quote` is the file's text from `start` to `end`, within its passage.

    at: offset of the marker in the answer's text. hash: of the quote. weak: the passage has too few of the claim's words.
    """

    number: int
    at: int
    path: str
    start: int
    end: int
    line: int
    quote: str
    hash: str
    title: str = ""
    headings: tuple[str, ...] = ()
    weak: bool = False


class Step(Struct, frozen=True):
    """Something that was done for an answer, for people and programs.

    kind: `model` (which provider gets the request), `queries`, `search`, `tool`, `result` (of a tool), `edit` (a proposed change),
    `notice` (what a person must know: what was left out, that a fallback answers, that a citation was removed).
    """

    kind: Literal["model", "queries", "search", "tool", "result", "edit", "notice"]
    text: str  # one line for people
    tool: str = ""
    data: dict[str, Any] = {}  # arguments of a tool, the queries, the provider and model


class Proposal(Struct, frozen=True):
    """A change to a note that a person may confirm: [start, end) of the text with `before_hash` becomes `after`."""

    id: str
    path: str
    start: int
    end: int
    before: str
    after: str
    text_hash: str  # of the whole text that it was made for; "" for a note that is to be made
    why: str = ""


class Usage(Struct, frozen=True):
    """Tokens as the servers counted them, -1 where none did. Seconds from the turn's start.

    Of all requests of a turn: those for the answer (`main_`, one for each round of tools), for search queries, for the parts of a
    long summary, for a title and for the summary of earlier turns. The last two are made, and counted, after the turn's end.
    """

    prompt_tokens: int = -1
    answer_tokens: int = -1
    requests: int = 0
    main_prompt_tokens: int = -1
    main_answer_tokens: int = -1
    main_requests: int = 0
    cost: float = 0.0  # by the configured prices, in their currency
    retrieval_s: float = 0.0  # until the first request for the answer left
    first_token_s: float = 0.0
    total_s: float = 0.0
    tokens_per_second: float = 0.0  # of the answer, from its first token on


class Attached(Struct, frozen=True):
    """A place that the asking editor names: a selection, the open note, a mention. `end` -1 is the end of the note."""

    path: str
    start: int = 0
    end: int = -1
    origin: Origin = "note"


class Ask(Struct, frozen=True):
    """What a person asks. `question` may start with a slash command and hold @note and [[link]] mentions."""

    question: str
    conversation: str = ""  # id; "" begins a new one
    persona: str = ""  # "" is the conversation's, else the configured one
    model: str = ""  # provider/model; "" is the persona's, else models.chat
    filters: str | None = None  # search filters; None: the conversation's own
    folders: tuple[str, ...] = ()  # absolute paths; () is all
    attached: tuple[Attached, ...] = ()
    images: tuple[Image, ...] = ()
    replaces: str = ""  # id of a turn that is asked anew; it and those after it are put aside


class Turn(Struct, frozen=True):
    """A question and what came of it. Times are seconds since the epoch."""

    id: str
    conversation: str
    question: str
    command: Command = ""
    answer: str = ""
    thinking: str = ""
    state: State = "running"
    reason: str = ""  # why it is cancelled or failed
    extractive: bool = False  # no model: the best passages, quoted
    persona: str = ""
    provider: str = ""
    model: str = ""
    queries: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()  # all that the model was given, by number
    citations: tuple[Citation, ...] = ()
    removed: int = 0  # markers with numbers that were never given
    steps: tuple[Step, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    usage: Usage = Usage()
    created: float = 0.0
    finished: float = 0.0


class Conversation(Struct, frozen=True):
    """`forked_from` is the id of the turn that it was forked at."""

    id: str
    title: str
    created: float
    updated: float
    turns: int = 0  # that are not put aside
    persona: str = ""
    filters: str = ""
    forked_from: str = ""
    titled: bool = False  # by a person or a model, not from the first question


# What a running turn says. `Finished` is the last one, whatever happens.


class Started(Struct, frozen=True):
    turn: Turn
    conversation: Conversation


class TextPart(Struct, frozen=True):
    """The next part of the answer, markers that may stay included."""

    text: str


class ThinkingPart(Struct, frozen=True):
    text: str


class Stepped(Struct, frozen=True):
    step: Step


class Citing(Struct, frozen=True):
    """Comes after the text part that ends with its marker."""

    citation: Citation


class References(Struct, frozen=True):
    """The passages that the answer cites, by number; once, after the last text."""

    passages: tuple[Passage, ...]


class Proposed(Struct, frozen=True):
    proposal: Proposal


class Finished(Struct, frozen=True):
    turn: Turn
    conversation: Conversation


ChatEvent = Started | TextPart | ThinkingPart | Stepped | Citing | References | Proposed | Finished
