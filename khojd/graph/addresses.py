"""Links out of the notes: where else the same address is linked."""

from khojd.content import targets
from khojd.content.model import Link
from khojd.graph.graph import Graph
from khojd.graph.model import Note, Reference
from khojd.graph.sheet import Sheet
from khojd.index import catalog_graph


def of(sheet: Sheet, link: Link) -> str:
    """The address that a link leads to; "" for one within the notes."""
    reading = targets.read(link, dict(sheet.parsed.abbreviations))[0]
    return reading.path if reading.kind == "external" else ""


def links_to(graph: Graph, address: str) -> list[Reference]:
    """All links to an address, in the order of paths and of the text."""
    found: list[tuple[Note, list[Link]]] = []
    rows = graph.db.execute(
        "SELECT d.id FROM document_links l JOIN documents d ON d.id = l.document_id WHERE d.visible = 1 AND instr(l.links, ?)",
        (address.encode("utf-8", "surrogatepass"),),
    )
    for (document_id,) in rows:
        note = graph.notes.by_id(document_id)
        if note is not None and note.path not in graph.sheets:
            links, abbreviations = catalog_graph.links_of(graph.db, document_id)
            found.append((note, [link for link in links if _leads(link, abbreviations, address)]))
    for path, sheet in graph.sheets.items():
        note = graph.notes.at(path)
        if note is not None:
            abbreviations = dict(sheet.parsed.abbreviations)
            found.append((note, [link for link in sheet.links if _leads(link, abbreviations, address)]))
    return [Reference(note, link) for note, links in sorted(found, key=lambda one: one[0].path) for link in links]


def _leads(link: Link, abbreviations: dict[str, str], address: str) -> bool:
    if link.kind == "reference":  # its definition does
        return False
    reading = targets.read(link, abbreviations)[0]
    return reading.kind == "external" and reading.path == address
