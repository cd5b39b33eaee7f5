"""The formats khojd reads, and the one way from a file's bytes to a document.

A new format is one module with a `parse` and one line in PROCESSORS. Text with an extension that is not named there is read as
plain text.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import blake2b
from pathlib import PurePath
from typing import NamedTuple

import msgspec

from khojd import config
from khojd.content import decode, language, markdown, org, targets, text
from khojd.content.dates import filename_date, find_dates
from khojd.content.entries import Counter, form_entries
from khojd.content.model import ContentSettings, DateRef, Document, Parsed, Section, Segment, Span
from khojd.content.signatures import skipped_extension
from khojd.errors import ContentError, SkippedContent

VERSION = 5  # raised when the same bytes would make another document than before


class Processor(NamedTuple):
    """A format's name and what parses it: pure and thread-safe."""

    format: str
    parse: Callable[[str, ContentSettings], Parsed]


ORG = Processor("org", org.parse)
MARKDOWN = Processor("markdown", markdown.parse)
TEXT = Processor("text", text.parse)

PROCESSORS: dict[str, Processor] = {
    ".org": ORG,
    ".org_archive": ORG,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".mdown": MARKDOWN,
    ".mkd": MARKDOWN,
    ".mdx": MARKDOWN,
    ".qmd": MARKDOWN,
    ".rmd": MARKDOWN,
    ".txt": TEXT,
    ".text": TEXT,
    ".rst": TEXT,
    ".adoc": TEXT,
    ".asciidoc": TEXT,
    ".tex": TEXT,
    ".log": TEXT,
    ".csv": TEXT,
    ".tsv": TEXT,
}
FALLBACK = TEXT
FORMATS = tuple(dict.fromkeys(one.format for one in PROCESSORS.values()))

_FRONT_MATTER = re.compile(r"\s*---[ \t]*\r?\n(?s:.*?)\n---[ \t]*\r?\n|(?:[ \t]*(?:#\+\w+:.*|:[\w-]+:.*)?\r?\n)+")


def processor(path: str) -> Processor:
    """What reads a file of this name."""
    return PROCESSORS.get(_extension(path), FALLBACK)


def supported(path: str) -> bool:
    """Whether a file of this name is read at all. Its content may still turn out to be binary."""
    return skip_reason(path) is None


def skip_reason(path: str) -> str | None:
    """Why a file of this name is not read, None when it is. Nothing is opened."""
    return skipped_extension(_extension(path)[1:])


def read(path: str, data: bytes, settings: ContentSettings, count: Counter | None = None) -> Document:
    """The document of a file's bytes.

    `count` counts tokens for the budget of entries; by default it is the bundled model's tokenizer. Raises SkippedContent (binary,
    too large, not a format that is read) and ContentError (no encoding fits, or its processor failed).
    """
    if reason := skip_reason(path):
        raise SkippedContent(reason, file=path)
    if len(data) > settings.max_file_bytes:
        raise SkippedContent(f"larger than content.max_file_bytes ({len(data)} > {settings.max_file_bytes} bytes)", file=path)
    decoded = decode.decode(data)
    return _document(path, decoded, settings, count)


def read_text(path: str, text: str, settings: ContentSettings, count: Counter | None = None) -> Document:
    """The document of a buffer's text; offsets are into the text as given. Raises ContentError."""
    cleaned, notes = decode.clean(text)
    return _document(path, decode.Decoded(cleaned, "utf-8", notes), settings, count)


def parse(path: str, text: str, settings: ContentSettings) -> Parsed:
    """The sections, links and anchors of a text alone, as an editor asks for them; one that cannot be read is one section."""
    try:
        return processor(path).parse(text, settings)
    except Exception as error:
        root = Section(-1, 0, "", Span(0, len(text)), None, (Segment(0, len(text), 0),) if text else ())
        return Parsed("", (root,), notes=(f"could not be read as {processor(path).format}: {type(error).__name__}: {error}",))


def fingerprint(settings: ContentSettings) -> str:
    """Changes whenever the same bytes might make another document."""
    described = msgspec.json.encode((VERSION, msgspec.to_builtins(settings)), order="deterministic")
    return blake2b(described, digest_size=8).hexdigest()


def settings_of(content: config.Content) -> ContentSettings:
    """The settings that decide what entries a text has, from the `[content]` table."""
    return ContentSettings(
        entry_tokens=content.entry_tokens,
        include_archived=content.archived,
        include_commented=content.commented,
        max_file_bytes=content.max_file_bytes,
        todo_keywords=content.todo_keywords,
        day_first=content.date_order == "day-first",
    )


def _document(path: str, decoded: decode.Decoded, settings: ContentSettings, count: Counter | None) -> Document:
    chosen = processor(path)
    try:
        parsed = chosen.parse(decoded.text, settings)
        sections = _dated(decoded.text, parsed, _stem(path), settings)
        parsed = msgspec.structs.replace(parsed, sections=sections)
        entries = form_entries(decoded.text, parsed, settings, count or _default_counter())
    except ContentError:
        raise
    except Exception as error:
        raise ContentError(f"could not be read as {chosen.format}: {type(error).__name__}: {error}", file=path) from error
    return Document(
        format=chosen.format,
        title=parsed.title,
        language=language.normalize(parsed.language) or language.detect(_body(decoded.text)),
        encoding=decoded.encoding,
        notes=(*decoded.notes, *parsed.notes),
        sections=parsed.sections,
        entries=entries,
        links=parsed.links,
        anchors=parsed.anchors,
        abbreviations=parsed.abbreviations,
        link_keys=tuple(targets.keys_of(parsed.links, dict(parsed.abbreviations))),
    )


@cache
def _default_counter() -> Counter:
    from khojd.embed.tokens import default_counter

    return default_counter()


def _extension(path: str) -> str:
    return PurePath(path).suffix.lower()


def _stem(path: str) -> str:
    name = PurePath(path)
    # In `daily.journal.2024.05.01` the last part is no extension.
    return name.name if name.suffix[1:].isdigit() else name.stem


def _body(text: str) -> str:
    """The text after its front matter, keywords and property drawer, which are English in any language."""
    match = _FRONT_MATTER.match(text[: 2 * language.SAMPLE])
    return text[match.end() : match.end() + language.SAMPLE] if match else text[: language.SAMPLE]


def _dated(text: str, parsed: Parsed, stem: str, settings: ContentSettings) -> tuple[Section, ...]:
    """The sections with the dates in their text, in the title, in the file's name and in the front matter added to their own."""
    sections = parsed.sections
    if not sections:
        return ()
    common = [ref for ref in sections[0].dates if ref.kind == "frontmatter"]
    common.extend(ref for _, ref in find_dates(parsed.title, day_first=settings.day_first))
    if (named := filename_date(stem)) is not None:
        common.append(named)
    written = _by_section(sections, find_dates(text, day_first=settings.day_first))
    if not common and not written:
        return sections
    return tuple(_with_dates(section, common, written.get(index, ())) for index, section in enumerate(sections))


def _with_dates(section: Section, common: Sequence[DateRef], written: Sequence[DateRef]) -> Section:
    dates = dict.fromkeys((*section.dates, *common))
    ranges = {(ref.start, ref.end) for ref in section.dates}
    # A timestamp's day found again by its digits says nothing new.
    dates.update(dict.fromkeys(ref for ref in written if (ref.start, ref.end) not in ranges))
    return section if len(dates) == len(section.dates) else msgspec.structs.replace(section, dates=tuple(dates))


def _by_section(sections: Sequence[Section], found: Sequence[tuple[Span, DateRef]]) -> dict[int, list[DateRef]]:
    """Dates by the section whose heading or body holds them; those in drawers and other metadata are left out."""
    dates: dict[int, list[DateRef]] = {}
    if not found:
        return dates
    ranges = [
        (segment.start, segment.end, index)
        for index, section in enumerate(sections)
        for segment in ((section.heading_segment, *section.segments) if section.heading_segment else section.segments)
    ]
    ranges.sort()
    position = 0
    for span, ref in found:
        while position < len(ranges) and ranges[position][1] <= span.start:
            position += 1
        if position == len(ranges):
            break
        if ranges[position][0] <= span.start:
            dates.setdefault(ranges[position][2], []).append(ref)
    return dates
