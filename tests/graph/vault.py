"""Notes on disk and in a catalog, with the link graph over them."""

from collections.abc import Mapping
from pathlib import Path

from khojd.content.model import ContentSettings
from khojd.graph.graph import Graph
from khojd.graph.model import Resolution
from khojd.graph.sheet import Sheet
from khojd.index import catalog_documents as documents
from khojd.index.catalog import Catalog
from khojd.index.catalog_queue import words_pending
from khojd.index.reader import Job, read
from khojd.index.rows import FileStat
from khojd.index.words import Words

SETTINGS = ContentSettings()


class Vault:
    """`files` maps paths below the folder to their text, or to bytes."""

    def __init__(self, directory: Path, files: Mapping[str, str | bytes]) -> None:
        self.root = directory / "notes"
        self.catalog = Catalog.open(directory / "index")
        self.words = Words.create(directory / "words")
        for name, text in files.items():
            self.write(name, text)
        self.words.commit()

    def write(self, name: str, text: str | bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        reading = read(Job(str(path)), SETTINGS)
        stat = FileStat(path=str(path), folder=str(self.root), hash=reading.hash)
        with self.catalog.transaction() as db:
            if reading.document is None:
                documents.set_state(db, stat, reading.state, reading.reason)
                return
            change = documents.store_document(db, stat, reading.document)
        added = {*change.added}
        self.words.add(row for row in words_pending(self.catalog.reader(), 10_000) if row.entry_id in added)

    def path(self, name: str) -> str:
        return str(self.root / name)

    def sheet(self, name: str, text: str | None = None) -> Sheet:
        """A note as an editor shows it: as on disk, or with `text`."""
        return Sheet(self.path(name), (self.root / name).read_text() if text is None else text, SETTINGS)

    def graph(self, *shown: Sheet) -> Graph:
        return Graph(self.catalog.reader(), (str(self.root),), {sheet.path: sheet for sheet in shown}, self.words.phrase)

    def follow(self, name: str, written: str) -> Resolution:
        """Where the first link of `written` leads, as if it stood in the note."""
        sheet = self.sheet(name, written)
        assert sheet.links, f"no link in {written!r}"
        return self.graph(sheet).resolve(sheet, sheet.links[0])

    def leads(self, name: str, written: str) -> list[str]:
        """`path#label` of each place, after the status unless that is `found`."""
        found = self.follow(name, written)
        shown = [
            Path(place.path).relative_to(self.root).as_posix() + (f"#{place.label}" if place.label else "")
            if Path(place.path).is_relative_to(self.root)
            else place.path
            for place in found.places
        ]
        return shown if found.status == "found" else [found.status, *shown]

    def close(self) -> None:
        self.words.close()
        self.catalog.close()
