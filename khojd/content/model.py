"""The values every format is turned into.

A file's text is a sequence of Unicode code points after decoding (a leading byte-order mark is not part of it, line ends are
kept as they are). All offsets here are code points into that text, half-open. Lines are 0-based and end at LF, CRLF or a lone CR,
as in LSP.

    bytes --decode--> text --processor--> Parsed (sections) --entries--> Document (sections + entries)
    Entry --chunk--> chunks (ranges of Entry.text), which depend on the embedding model and are made when embedding
"""

from msgspec import Struct


class Span(Struct, frozen=True, array_like=True):
    """A half-open range of code points in the file's text."""

    start: int
    end: int


class Segment(Struct, frozen=True, array_like=True):
    """A piece of the file's text that counts as content. `line` is the 0-based line of `start`, `column` its code-point column."""

    start: int
    end: int
    line: int
    column: int = 0


class DateRef(Struct, frozen=True, array_like=True):
    """A date found in a section.

    kind: `scheduled`, `deadline`, `closed`, `timestamp` (active), `inactive`, `text`, `frontmatter`, `filename`.
    start, end: half-open range of days as proleptic Gregorian ordinals (`datetime.date.toordinal`); one day is (d, d + 1).
    """

    kind: str
    start: int
    end: int


class Section(Struct, frozen=True):
    """One heading with its own body; `sections[0]` of a file is its root, the text before the first heading.

    Sections stand in file order; a parent precedes its children.
    """

    parent: int  # index of the parent section, -1 for the root
    level: int  # the heading's own level as written (0 for the root); levels may be skipped
    heading: str  # display text: no stars or hashes, keyword, priority cookie or tags
    span: Span  # from the first character of the heading's line to the end of the whole subtree
    heading_segment: Segment | None  # the heading's own line or lines, with its line end; None for the root
    segments: tuple[Segment, ...]  # own body without children, property drawers, LOGBOOK, clock and planning lines
    todo: str = ""
    priority: str = ""
    tags: tuple[str, ...] = ()  # own and inherited (file tags, parents), without duplicates, as written
    properties: tuple[tuple[str, str], ...] = ()  # own, and inherited where the format inherits; keys as written
    dates: tuple[DateRef, ...] = ()
    ids: tuple[str, ...] = ()  # Org ID and CUSTOM_ID, Markdown block ids
    excluded: bool = False  # COMMENT and ARCHIVE trees; the flag is set on each section of the tree


class Link(Struct, frozen=True, array_like=True):
    """A link as it is written. Ranges are offsets into the file's text; `target` is the text of its range, undecoded.

    kind: `wiki` ([[note#heading|text]]), `embed` (![[…]]), `markdown` ([text](target)), `image`, `reference` (a use of a link
    reference definition: its target is the definition's), `definition` ([label]: target), `block` (Logseq's ((id))), `org`
    ([[target][text]]), `html` (<a href>, <img src>), `plain` (an Org target without brackets, or in angle ones, and a Markdown
    <autolink>).
    """

    kind: str
    start: int  # of the whole link, brackets included
    end: int
    target: str  # without brackets, angle brackets, title and alias
    target_start: int
    target_end: int
    section: int  # index of the section it stands in
    text: str = ""  # description or alias as written
    text_start: int = 0
    text_end: int = 0


class Anchor(Struct, frozen=True, array_like=True):
    """A place inside a note, other than a heading, that links can name. The range is that of the bare name.

    kind: `block` (Markdown `^name`, Logseq `id:: name`), `custom_id` and `id` (Org properties), `target` (<<name>>), `radio`
    (<<<name>>>), `name` (#+NAME:).
    """

    kind: str
    name: str
    start: int
    end: int
    section: int


class Parsed(Struct, frozen=True):
    """What a processor makes of a text."""

    title: str  # explicit title only (`#+TITLE`, frontmatter `title`), else ""
    sections: tuple[Section, ...]
    language: str = ""  # explicit language (`#+LANGUAGE`, frontmatter `lang`), else ""
    notes: tuple[str, ...] = ()  # remarks for the person, e.g. "front matter is not valid YAML (line 3: …)"
    links: tuple[Link, ...] = ()  # in file order
    anchors: tuple[Anchor, ...] = ()  # in file order
    abbreviations: tuple[tuple[str, str], ...] = ()  # Org's `#+LINK: name replacement`


class Entry(Struct, frozen=True):
    """The unit of search: a heading section, or a small subtree, with its ancestors."""

    sections: tuple[int, ...]  # indices of the sections it covers, in file order; the first one is its own heading
    headings: tuple[str, ...]  # heading path from the top, its own heading last; () for root text
    span: Span  # from the start of its heading line (or of its text) to its end
    segments: tuple[Segment, ...]  # the content; the entry's own heading line is left out, headings of merged children are in
    text: str  # "".join(file text of segments)
    key: bytes  # blake2b-16 of everything that is searchable (title, headings, text, metadata) and of no position


class Document(Struct, frozen=True):
    """A file, ready for the catalog."""

    format: str  # "org", "markdown", "text"
    title: str
    language: str  # ISO 639-1, explicit or detected; "" when unknown
    encoding: str  # "utf-8", "utf-8-sig", "cp1252", …
    notes: tuple[str, ...]
    sections: tuple[Section, ...]
    entries: tuple[Entry, ...]
    links: tuple[Link, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    abbreviations: tuple[tuple[str, str], ...] = ()
    link_keys: tuple[str, ...] = ()  # under which the links are found from the notes they may lead to (content/targets.py)


class ContentSettings(Struct, frozen=True):
    """The settings that decide what entries a text has. Their fingerprint is stored with each document."""

    entry_tokens: int = 256
    include_archived: bool = False
    include_commented: bool = False
    max_file_bytes: int = 20_000_000
    todo_keywords: tuple[str, ...] = ()  # in addition to Org's and the usual ones
    day_first: bool = True  # how 03/04/2024 is read in text


class Mark(Struct, frozen=True, array_like=True):
    """A range of a note that an editor shows in its own way, or acts on.

    kind: `tag` (value: its name as searched; the range is that of the name, without `#` or colons), `todo` (a keyword or a check
    box), `priority`, `date` (value: the ISO day; a timestamp with its brackets, else the bare date), `property` (a key),
    `keyword` (Org's `#+KEY`, value: the key in upper case), `code` (a code block or literal block, in lines), `frontmatter`,
    `drawer`, `table`, `list`, `quote`, `html`, `comment` (whole lines each).
    """

    kind: str
    start: int
    end: int
    value: str = ""
