"""Small documents for the tests of the stores."""

import hashlib
import shutil
from pathlib import Path

from khojd.content.model import DateRef, Document, Entry, Section, Segment, Span
from khojd.index.document_rows import rows_of
from khojd.index.rows import DocumentRows, FileStat

Part = tuple[str, str]  # heading, body


def document(
    *parts: Part,
    title: str = "",
    tags: tuple[str, ...] = (),
    dates: tuple[DateRef, ...] = (),
    todo: str = "",
    properties: tuple[tuple[str, str], ...] = (),
) -> DocumentRows:
    """A document with one section and one entry for each part, laid out one after the other."""
    sections, entries, offset = [], [], 0
    for number, (heading, body) in enumerate(parts):
        line = 2 * number
        own = Segment(offset, offset + len(heading) + 1, line)
        text = Segment(own.end, own.end + len(body) + 1, line + 1)
        sections.append(
            Section(
                -1, 1, heading, Span(own.start, text.end), own, (text,), todo=todo, tags=tags, dates=dates, properties=properties
            )
        )
        key = hashlib.blake2b(repr((title, heading, body, tags, dates, todo, properties)).encode(), digest_size=16).digest()
        entries.append(Entry((number,), (heading,), Span(own.start, text.end), (text,), f"{body}\n", key))
        offset = text.end
    return rows_of(Document("org", title, "en", "utf-8", (), tuple(sections), tuple(entries)))


def file(path: str = "/notes/a.org", *, overlay: bool = False) -> FileStat:
    return FileStat(path, "/notes", size=10, mtime_ns=5, inode=7, hash=b"h" * 16, fingerprint="f", overlay=overlay)


def copy_of(source: Path, target: Path) -> None:
    """What a crash now would leave of `source`. Background merges remove files while they are copied: then it is copied again."""
    for _ in range(100):
        try:
            shutil.copytree(source, target)
            return
        except (shutil.Error, FileNotFoundError):
            shutil.rmtree(target, ignore_errors=True)
    raise AssertionError(f"{source} does not settle")
