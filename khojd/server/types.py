"""The khoj/* messages: the one definition of the protocol (docs/protocol.md and `khojd schema` are made from it).

On the wire all names are camelCase. Unknown members of params are an error, so that a misspelt one is never silently ignored.
Positions are LSP positions in the encoding that was negotiated; times are seconds since the epoch.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from khojd.search.types import Mode, Phase

Token = int | str
Limit = Annotated[int, Meta(ge=1, le=200)]
PROTOCOL: tuple[int, int] = (1, 1)  # the versions of this protocol that this khojd speaks, lowest and highest


class Params(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """Base of all params."""

    work_done_token: Annotated[Token | None, Meta(description="report progress under this token; cancels the request too")] = None


class Message(Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of all results and notifications."""


class Position(Message, frozen=True):
    line: int
    character: int


class Range(Message, frozen=True):
    start: Position
    end: Position


class Location(Message, frozen=True):
    uri: str
    range: Range


class TextDocument(Message, frozen=True):
    uri: str


# --- the hello -----------------------------------------------------------------------------------------------------------------


class ClientHello(Message, frozen=True):
    """`initializationOptions.khoj`."""

    protocol: Annotated[int, Meta(description="the highest version the client speaks")]
    client: Annotated[str, Meta(description="name and version for people, e.g. khojd.el 0.1")] = ""
    folders: Annotated[tuple[str, ...], Meta(description="paths or file: URIs of notes; asked for before they are indexed")] = ()
    features: Annotated[
        dict[str, Any], Meta(description="switches features of LSP on and off by the names of [features] in config.toml")
    ] = {}


class ServerHello(Message, frozen=True):
    """`experimental.khoj` in the reply's capabilities."""

    protocol: Annotated[tuple[int, int], Meta(description="the lowest and highest version the daemon speaks")]
    version: Annotated[str, Meta(description="of khojd")]
    methods: Annotated[tuple[str, ...], Meta(description="the khoj/* requests it answers")]


# --- search --------------------------------------------------------------------------------------------------------------------


class SearchParams(Params, frozen=True):
    query: Annotated[str, Meta(description="free text and filters")]
    limit: Annotated[Limit | None, Meta(description="hits wanted; default: the profile's")] = None
    mode: Mode = "hybrid"
    profile: Annotated[str, Meta(description="empty for the configured one")] = ""
    rerank: Annotated[bool | None, Meta(description="default: as configured")] = None
    explain: bool = False
    folders: Annotated[tuple[str, ...], Meta(description="paths or file: URIs; only files in these")] = ()
    all_passages: Annotated[bool, Meta(description="several hits of one entry")] = False
    partial_result_token: Annotated[Token | None, Meta(description="stream each phase's list under this token")] = None


class SimilarParams(Params, frozen=True):
    """Either `text`, or a file (`textDocument` or `path`) with a `position` or `range`."""

    text: str = ""
    text_document: TextDocument | None = None
    path: str = ""
    position: Position | None = None
    range: Range | None = None
    limit: Limit = 10
    folders: tuple[str, ...] = ()


class Explanation(Message, frozen=True):
    """Rank (from 1) and score per ranker; null where the ranker did not return the entry."""

    lexical_rank: int | None
    lexical_score: Annotated[float | None, Meta(description="BM25")]
    semantic_rank: int | None
    semantic_score: Annotated[float | None, Meta(description="cosine")]
    semantic_weight: Annotated[float | None, Meta(description="share of the cosine in the fusion")]
    coverage: Annotated[float | None, Meta(description="share of the query's words that the entry has; rare ones count more")]
    fused_score: float | None
    rerank_score: float | None


class Hit(Message, frozen=True):
    location: Annotated[Location, Meta(description="the best passage")]
    entry: Annotated[Range, Meta(description="the whole entry")]
    path: str
    format: str
    title: Annotated[str, Meta(description="the file's explicit title")]
    headings: Annotated[tuple[str, ...], Meta(description="from the top, the passage's own last")]
    snippet: str
    highlights: Annotated[tuple[tuple[int, int], ...], Meta(description="half-open ranges of snippet, in the negotiated encoding")]
    score: float
    todo: str
    priority: str
    tags: tuple[str, ...]
    date: Annotated[str, Meta(description="ISO day, or empty")]
    modified: Annotated[float, Meta(description="file time")]
    unsaved: Annotated[bool, Meta(description="found in an editor's buffer")]
    explanation: Explanation | None


class SearchResult(Message, frozen=True):
    """Also the value of each partial result; each phase replaces the list before it."""

    phase: Phase
    hits: Annotated[tuple[Hit, ...], Meta(description="best first; empty in the final reply when they were streamed")]
    count: Annotated[int, Meta(description="hits found, also when they were streamed")]
    took_ms: float
    notes: Annotated[tuple[str, ...], Meta(description="what a person should know about this answer")]


class GrepParams(Params, frozen=True):
    pattern: Annotated[str, Meta(description="a regular expression")]
    globs: Annotated[tuple[str, ...], Meta(description="only files that match one of these")] = ()
    ignore_case: bool = False
    context: Annotated[int, Meta(ge=0, le=50, description="lines before and after")] = 0
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 200
    folders: tuple[str, ...] = ()


class GrepMatch(Message, frozen=True):
    location: Location
    path: str
    line: str
    before: tuple[str, ...]
    after: tuple[str, ...]


class GrepResult(Message, frozen=True):
    matches: tuple[GrepMatch, ...]
    files: Annotated[int, Meta(description="files searched")]
    truncated: Annotated[bool, Meta(description="there are more matches than the limit")]
    notes: tuple[str, ...]


# --- index ---------------------------------------------------------------------------------------------------------------------


class NoParams(Params, frozen=True):
    """A request that takes nothing."""


class Progress(Message, frozen=True):
    what: Literal["scanning", "reading", "embedding"]
    done: int
    total: int
    left: int


class FolderStatus(Message, frozen=True):
    path: str
    files: int
    watching: Literal["events", "polling", "off"]
    problem: Annotated[str, Meta(description="why it is not being read, or empty")]


class IndexStatus(Message, frozen=True):
    """The result of khoj/index/status and the params of khoj/statusChanged."""

    indexed: Annotated[int, Meta(description="files by state")]
    pending: int
    skipped: int
    failed: int
    entries: int
    words_pending: Annotated[int, Meta(description="entries not yet found by words")]
    vectors_pending: Annotated[int, Meta(description="entries not yet found by meaning")]
    queue: Annotated[int, Meta(description="files waiting to be read")]
    paused: bool
    running: Progress | None
    files_per_second: Annotated[float, Meta(description="of the last run")]
    entries_per_second: Annotated[float, Meta(description="embedded, of the last run")]
    model: Annotated[str, Meta(description="serving queries; empty when meaning is off")]
    model_target: Annotated[str, Meta(description="being filled, when it is another one")]
    model_problem: str
    embedded: Annotated[int, Meta(description="texts for which the model was run since the start")]
    cache_hits: Annotated[int, Meta(description="of the query cache")]
    cache_misses: int
    catalog_bytes: int
    words_bytes: int
    vectors_bytes: int
    buffers: Annotated[int, Meta(description="unsaved buffers that stand in for files")]
    folders: tuple[FolderStatus, ...]
    problems: tuple[str, ...]


class FilesParams(Params, frozen=True):
    states: Annotated[tuple[Literal["indexed", "pending", "skipped", "failed"], ...], Meta(description="empty for all")] = ()
    prefix: Annotated[str, Meta(description="only files whose path starts so")] = ""
    limit: Annotated[int, Meta(ge=0, description="0 for all")] = 0
    offset: Annotated[int, Meta(ge=0)] = 0


class FileStatus(Message, frozen=True):
    uri: str
    path: str
    state: Literal["indexed", "pending", "skipped", "failed"]
    reason: str
    since: Annotated[float, Meta(description="when it got this state")]
    modified: Annotated[float, Meta(description="file time")]
    entries: int
    entries_pending: Annotated[int, Meta(description="not yet embedded")]
    format: str
    language: str
    encoding: str
    unsaved: bool
    notes: tuple[str, ...]


class FilesResult(Message, frozen=True):
    files: tuple[FileStatus, ...]


class UpdateParams(Params, frozen=True):
    paths: Annotated[tuple[str, ...], Meta(description="paths or file: URIs to look at again; empty for everything")] = ()
    embed: Annotated[bool, Meta(description="answer when all is found by meaning too; else when it is found by words")] = False


class UpdateResult(Message, frozen=True):
    """What the run did, in files."""

    added: int
    changed: int
    renamed: int
    removed: int
    unchanged: int
    skipped: int
    failed: int
    took_ms: float
    cancelled: bool


class AddParams(Params, frozen=True):
    path: Annotated[str, Meta(description="path or file: URI of a folder of notes")]
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    gitignore: bool = True
    hidden: bool = False
    persist: Annotated[bool, Meta(description="also write it into config.toml; else it lasts as long as the daemon")] = False


class RemoveParams(Params, frozen=True):
    path: str
    persist: Annotated[bool, Meta(description="also take it out of config.toml")] = False


class FoldersResult(Message, frozen=True):
    """The folders that are indexed from now on."""

    folders: tuple[str, ...]


# --- configuration -------------------------------------------------------------------------------------------------------------


class ConfigResult(Message, frozen=True):
    file: str
    exists: bool
    index: Annotated[str, Meta(description="directory of the index")]
    config: Annotated[dict[str, Any], Meta(description="what is in force, keys as in config.toml; secrets are left out")]


class ValidateParams(Params, frozen=True):
    text: Annotated[str, Meta(description="the text of a config.toml")]


class Problem(Message, frozen=True):
    """Why a configuration is refused. `key`, `allowed` and `closest` are empty where unknown."""

    message: str
    key: str
    allowed: str
    closest: str


class ValidateResult(Message, frozen=True):
    valid: bool
    problems: tuple[Problem, ...]


# --- daemon --------------------------------------------------------------------------------------------------------------------


class ClientStatus(Message, frozen=True):
    name: str
    since: float
    requests: Annotated[int, Meta(description="running now")]


class DaemonStatus(Message, frozen=True):
    pid: int
    version: str
    protocol: tuple[int, int]
    started: float
    address: str
    index: str
    config: str
    log: str
    memory_bytes: Annotated[int, Meta(description="resident")]
    busy: Annotated[bool, Meta(description="has work to do")]
    idle_minutes: Annotated[float, Meta(description="it leaves after this long without client and work")]
    clients: tuple[ClientStatus, ...]


class RetireParams(Params, frozen=True):
    force: Annotated[bool, Meta(description="also when other clients are attached or an answer is being written")] = False


class RetireResult(Message, frozen=True):
    retiring: bool
    reason: Annotated[str, Meta(description="why not")] = ""


class AnchorParams(Params, frozen=True):
    """Give a place a name that links can use."""

    uri: str
    line: Annotated[int, Meta(ge=0, description="of the heading, or of the block's first line")]
    kind: Annotated[Literal["id", "block"], Meta(description="an Org ID property, or a Markdown block id")]
    id: Annotated[str, Meta(min_length=1, max_length=200)]


class EditResult(Message, frozen=True):
    """What became of a change that was proposed to the client (workspace/applyEdit)."""

    applied: bool
    uri: Annotated[str, Meta(description="of the note to show, empty for none")] = ""
    reason: Annotated[str, Meta(description="why not")] = ""
