"""Requests and answers of search, similar and grep. Positions are lines and columns, 0-based.

Columns are counted by the request's `measure`: a function from the text of a line before the position to its width, `len` for code
points. The server passes one for the client's position encoding, so the core needs to know no encoding.
"""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

Mode = Literal["hybrid", "lexical", "semantic"]
Phase = Literal["words", "fused", "reranked"]
Measure = Callable[[str], int]


class Place(Struct, frozen=True):
    line: int
    column: int


class Range(Struct, frozen=True):
    start: Place
    end: Place


class SearchRequest(Struct, frozen=True):
    """`query` holds free text and filters. `limit` is 1 to 200."""

    query: str
    limit: int = 10
    mode: Mode = "hybrid"
    profile: str = ""  # "" is the configured one
    rerank: bool | None = None  # None: as the configuration says
    explain: bool = False
    folders: tuple[str, ...] = ()  # only files under these absolute paths; () is all
    all_passages: bool = False  # several hits per entry
    within: str = ""  # filters that hold besides those of `query`, each line by itself: a hit passes all of them
    viewer: int = 0  # the overlay of unsaved texts that counts (sources/buffers.py); the engine says it


class SimilarRequest(Struct, frozen=True):
    """More like a piece of text: either `text`, or a `path` with a line (0-based) or a range of lines."""

    text: str = ""
    path: str = ""
    start_line: int | None = None
    end_line: int | None = None
    limit: int = 10
    folders: tuple[str, ...] = ()
    viewer: int = 0  # as of a search


class Explanation(Struct, frozen=True):
    """Rank (1-based) and score per ranker; None where the ranker did not return the entry among its candidates."""

    lexical_rank: int | None = None
    lexical_score: float | None = None  # BM25
    semantic_rank: int | None = None
    semantic_score: float | None = None  # cosine
    semantic_weight: float | None = None  # share of the cosine in the fusion, 0 to 1
    coverage: float | None = None  # share of the query that the entry has, by idf; None for no word of it
    fused_score: float | None = None
    rerank_score: float | None = None


class Hit(Struct, frozen=True):
    """One found entry."""

    path: str
    format: str
    title: str  # explicit title, else ""
    headings: tuple[str, ...]  # path of the section that holds the passage
    range: Range  # the whole entry
    passage: Range  # the best passage
    snippet: str  # text of the passage (markup kept, metadata left out)
    highlights: tuple[tuple[int, int], ...]  # code-point ranges of `snippet`
    score: float
    todo: str = ""
    priority: str = ""
    tags: tuple[str, ...] = ()
    date: str = ""  # ISO day by which filter-only lists are ordered, "" if the entry has none
    modified: float = 0.0  # file time, seconds since the epoch
    unsaved: bool = False  # the text is an editor's buffer
    explanation: Explanation | None = None


class SearchResult(Struct, frozen=True):
    """`notes` say what a person should know, e.g. that entries still wait to be embedded."""

    phase: Phase
    hits: tuple[Hit, ...]
    took_ms: float
    notes: tuple[str, ...] = ()


class GrepRequest(Struct, frozen=True):
    """A regular expression over the files as they are on disk."""

    pattern: str
    globs: tuple[str, ...] = ()
    ignore_case: bool = False
    context: int = 0
    limit: int = 200
    folders: tuple[str, ...] = ()


class GrepMatch(Struct, frozen=True):
    path: str
    range: Range
    line: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    line_offset: int = 0  # code points of a long line that are left out before `line`


class GrepResult(Struct, frozen=True):
    matches: tuple[GrepMatch, ...]
    files: int  # files searched
    truncated: bool  # more matches exist than `limit`
    notes: tuple[str, ...] = ()
