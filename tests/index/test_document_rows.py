"""What of a document goes from the process that parses it to the one that writes it."""

import sqlite3
from pathlib import Path

import msgspec
import pytest

from khojd.content.model import ContentSettings, Section
from khojd.content.registry import read_text
from khojd.index import catalog_documents as documents
from khojd.index import catalog_graph as graph
from khojd.index.catalog import Catalog
from khojd.index.document_rows import rows_of
from khojd.index.reader import Job, decode_readings, encode_batch, read, read_batch
from khojd.index.rows import FileStat
from tests.index.makers import document as small
from tests.index.makers import file

SETTINGS = ContentSettings(entry_tokens=8)
NOTES = {
    "empty.md": "",
    "text.txt": "Nothing but a line 😀\r\nand another\r\n",
    "note.md": "---\ntitle: Titled\naliases: [Other, Third]\ndescription: about it\n---\nSee [[hub#Part|there]] ^block\n"
    "# One #tag\nOn 2024-05-20 [x](y.md)\n## Two\n\nmore words of it, enough for another entry of its own\n",
    "heading.md": "# The Only Heading\nBody.\n## Below\nText.\n",
    "plan.org": "#+LINK: w https://example.org/%s\n#+TITLE: Plan\n* TODO [#A] Do :red:blue:\nSCHEDULED: <2024-01-02 Tue>\n"
    ":PROPERTIES:\n:ID: abc\n:Owner: Éva\n:END:\n[[w:page][a page]] <<spot>> on [2024-01-03 Wed]\n** COMMENT Left out\ntext\n",
}


def test_a_worker_process_answers_what_this_process_would_have_read(tmp_path: Path) -> None:
    for name, text in NOTES.items():
        (tmp_path / name).write_bytes(text.encode())
    (tmp_path / "binary.md").write_bytes(bytes(range(9)))
    jobs = [Job(str(tmp_path / name)) for name in (*NOTES, "binary.md", "missing.md")]
    answered = decode_readings(read_batch(encode_batch(jobs, SETTINGS)))
    assert answered == [read(job, SETTINGS) for job in jobs]
    assert [reading.document is not None for reading in answered] == [True] * len(NOTES) + [False] * 2


@pytest.mark.parametrize("name", NOTES)
def test_the_catalog_has_all_of_a_document(tmp_path: Path, name: str) -> None:
    document = read_text(f"/notes/{name}", NOTES[name], SETTINGS)
    catalog = Catalog.open(tmp_path / "index")
    try:
        with catalog.transaction() as db:
            documents.store_document(db, file("/notes/before.org"), small(("A", "one"), ("B", "two")))  # takes the first ids
            change = documents.store_document(db, FileStat(f"/notes/{name}", "/notes"), rows_of(document))
        db, known = catalog.reader(), (change.document_id,)
        links, abbreviations = graph.links_of(db, change.document_id)
        assert (links, abbreviations) == (document.links, dict(document.abbreviations))
        assert graph.anchors_of(db, change.document_id) == document.anchors
        sections = db.execute("SELECT id, entry_id FROM sections WHERE document_id = ? ORDER BY position", known).fetchall()
        assert [stored(db, section_id) for section_id, _ in sections] == [said(section) for section in document.sections]
        pairs = zip(change.added, document.entries, strict=True)
        assert {at: entry_id for at, (_, entry_id) in enumerate(sections) if entry_id} == {
            at: entry_id for entry_id, entry in pairs for at in entry.sections
        }
        entries = db.execute("SELECT headings, text, key FROM entries WHERE document_id = ? ORDER BY position", known).fetchall()
        assert [(tuple(msgspec.json.decode(headings)), *rest) for headings, *rest in entries] == [
            (entry.headings, entry.text, entry.key) for entry in document.entries
        ]
    finally:
        catalog.close()


def stored(db: sqlite3.Connection, section_id: int) -> tuple[object, ...]:
    row = db.execute(
        "SELECT parent, level, heading, start, end, todo, priority FROM sections WHERE id = ?", (section_id,)
    ).fetchone()
    values = db.execute("SELECT kind, key, value FROM section_values WHERE section_id = ? ORDER BY place", (section_id,)).fetchall()
    dates = set(db.execute("SELECT kind, start, end FROM section_dates WHERE section_id = ?", (section_id,)))
    return (*row, values, dates)


def said(section: Section) -> tuple[object, ...]:
    values = [("tag", "", tag) for tag in section.tags] + [("prop", *pair) for pair in section.properties]
    values += [("id", "", name) for name in section.ids]
    dates = {(date.kind, date.start, date.end) for date in section.dates}
    place = (section.span.start, section.span.end, section.todo, section.priority)
    return (section.parent, section.level, section.heading, *place, values, dates)
