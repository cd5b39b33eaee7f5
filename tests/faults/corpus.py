"""Small notes, made by rule, and what an index over them holds once the ids are taken out of it."""

import shutil
from pathlib import Path
from typing import Any

from khojd.embed.onnx import BundledEmbedder
from khojd.index.catalog import Catalog
from khojd.index.vectors import VectorStore
from khojd.index.words import Words

THINGS = [
    "kettle",
    "heron",
    "ladder",
    "violin",
    "compass",
    "harbour",
    "orchard",
    "lantern",
    "glacier",
    "sparrow",
    "bakery",
    "quarry",
]
QUERIES = ["note", "kettle", "heron", "planned harbour", "scratched violin", "project"]


def write_notes(root: Path, count: int) -> None:
    """`count` Org and Markdown notes in folders of 40. Most share their text with others, so that few texts are embedded."""
    for number in range(count):
        thing, other = THINGS[number % len(THINGS)], THINGS[(number * 5 + 3) % len(THINGS)]
        folder = root / f"part {number // 40}"
        folder.mkdir(parents=True, exist_ok=True)
        if number % 2:
            day = f"2024-05-0{number % 9 + 1}"
            text = f"---\ntags: [{thing}, note]\n---\n# The {thing}\n\nA note about the {thing}, planned for {day}.\n"
            (folder / f"{number}.md").write_text(text, encoding="utf-8")
        else:
            deadline = f"DEADLINE: <2024-06-1{number % 10} Mon>"
            text = f"* TODO Mend the {thing} :project:\n{deadline}\nIt is scratched.\n** Ask about the {other}\n"
            (folder / f"{number}.org").write_text(text, encoding="utf-8")


def rework_notes(root: Path) -> None:
    """What a person may do in between: edit, rename, move, delete, add."""
    for number, path in enumerate(sorted(root.rglob("*.*"))):
        if number % 5 == 0:
            path.write_text(
                path.read_text(encoding="utf-8") + f"\nAn afterthought about the {THINGS[number % 7]}.\n", encoding="utf-8"
            )
        elif number % 5 == 1:
            path.rename(path.with_stem(path.stem + " renamed"))
        elif number % 5 == 2:
            path.unlink()
    (root / "part 0").rename(root / "part moved")
    shutil.copytree(root / "part 1", root / "part copied")


def snapshot(index: Path) -> dict[str, Any]:
    """Everything a closed index says, by path and position instead of ids. Fails on what no index may hold.

    Orphaned vectors are given apart: they may wait for their removal.
    """
    catalog = Catalog.open(index)
    try:
        assert catalog.integrity() == []
        db = catalog.reader()
        entries = {
            row[0]: row[1:]
            for row in db.execute("""
                SELECT e.id, d.path, d.overlay, e.position, e.key, e.headings, e.start, e.end, e.start_line, e.start_column,
                e.end_line, e.end_column, e.segments, e.text, e.day, e.words, m.fingerprint
                FROM entries e JOIN documents d ON d.id = e.document_id LEFT JOIN models m ON m.id = e.vectors""")
        }
        places = {entry_id: (row[0], row[2]) for entry_id, row in entries.items()}
        assert len(set(places.values())) == len(places), "an entry stands twice in the catalog"
        words = Words.open(index / "words")
        try:
            assert words.count() == len(entries), "the words index holds more or less than the catalog"
            found = {}
            for query in QUERIES:
                ids = [entry_id for entry_id, _ in words.ask(query).search(100_000)]
                assert len(set(ids)) == len(ids), "an entry stands twice in the words index"
                found[query] = {places[entry_id] for entry_id in ids}
        finally:
            words.close()
        embedder = BundledEmbedder(threads=1)
        store = VectorStore.open(index / "vectors", embedder.id, embedder.dimensions)
        try:
            hashes = store.hashes()
            assert store.count() == len(hashes)
        finally:
            store.close()
            embedder.close()
        vectors = dict(db.execute("SELECT hash, vector FROM vectors"))
        chunks = sorted(
            (*places[row[0]], *row[1:])
            for row in db.execute(
                "SELECT c.entry_id, c.start, c.end, c.hash, m.fingerprint FROM chunks c LEFT JOIN models m ON m.id = c.model_id"
            )
        )
        used = {row[4] for row in chunks}
        assert hashes == set(vectors), "Chroma and the catalog hold different vectors"
        assert len(set(chunks)) == len(chunks), "a chunk stands twice in the catalog"
        return {
            "documents": sorted(
                db.execute(
                    """SELECT path, overlay, visible, folder, state, reason, size, mtime_ns, inode, hash, fingerprint, format,
                    language, encoding, title, notes FROM documents"""
                )
            ),
            "entries": sorted(entries.values(), key=lambda row: (row[0], row[1], row[2])),
            "sections": sorted(
                db.execute(
                    """SELECT d.path, s.position, e.position, s.parent, s.level, s.heading, s.start, s.end, s.line,
                    s.todo, s.priority
                    FROM sections s JOIN documents d ON d.id = s.document_id LEFT JOIN entries e ON e.id = s.entry_id"""
                ),
                key=lambda row: row[:2],
            ),
            "values": sorted(
                db.execute(
                    """SELECT d.path, s.position, v.place, v.kind, v.key, v.value FROM section_values v
                    JOIN sections s ON s.id = v.section_id JOIN documents d ON d.id = s.document_id"""
                )
            ),
            "dates": sorted(
                db.execute(
                    """SELECT d.path, s.position, v.kind, v.start, v.end FROM section_dates v
                    JOIN sections s ON s.id = v.section_id JOIN documents d ON d.id = s.document_id"""
                )
            ),
            "names": sorted(
                db.execute(
                    "SELECT d.path, d.overlay, n.key, n.kind, n.name FROM note_names n JOIN documents d ON d.id = n.document_id"
                )
            ),
            "link keys": sorted(
                db.execute("SELECT d.path, d.overlay, k.key FROM link_keys k JOIN documents d ON d.id = k.document_id")
            ),
            "links": sorted(
                db.execute(
                    """SELECT d.path, d.overlay, l.links, l.anchors, l.abbreviations FROM document_links l
                    JOIN documents d ON d.id = l.document_id"""
                )
            ),
            "chunks": chunks,
            "vectors": {hash_: vector for hash_, vector in vectors.items() if hash_ in used},
            "orphans": set(vectors) - used,
            "words": found,
            "tombstones": db.execute("SELECT count(*) FROM words_tombstones").fetchone()[0],
        }
    finally:
        catalog.close()
