"""Notes that a question names: `@note`, `@"some note"`, `[[note]]`, `[[note#heading]]`, `[[id:…][text]]`."""

import posixpath
import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from khojd.chat.model import Attached
from khojd.content.registry import settings_of
from khojd.engine import Engine
from khojd.graph.graph import Graph
from khojd.graph.model import Place, Resolution
from khojd.graph.sheet import Sheet

AT = re.compile(r'(?<![\w@])@(?:"([^"\n]+)"|([\w./~+-]*[\w/]))')
LINK = re.compile(r"\[\[[^\[\]\n]+\](?:\[[^\[\]\n]*\])?\]")
_ORG = re.compile(r"\[\[(?:id|file):|\]\[")
_CODE = re.compile(r"`[^`\n]+`")
MOST = 12  # places of one question
_CANDIDATES = 5


class Mentions(Struct, frozen=True):
    """`question` has names in place of the marks; `notes` say what could not be found."""

    places: tuple[Attached, ...]
    question: str
    notes: tuple[str, ...] = ()


async def mentioned(engine: Engine, question: str, *, sheets: Mapping[str, Sheet], near: Sequence[str] = ()) -> Mentions:
    """The places that a question names. `near` are notes at hand: of several notes with one name theirs come first."""
    if "@" not in question and "[[" not in question:
        return Mentions((), question)
    top = near[0] if near else ""
    settings = settings_of(engine.config.content)
    folders = [folder.path for folder in engine.folders()]

    def work(graph: Graph) -> Mentions:
        places: list[Attached] = []
        notes: list[str] = []
        code = [found.span() for found in _CODE.finditer(question)]

        def put(written: str, found: Resolution) -> None:
            if found.status == "found" or (found.status == "no-anchor" and found.places):
                places.append(attached(graph, found.places[0]))
                if found.status == "no-anchor":
                    notes.append(f"{written}: {found.reason}; the whole note is given")
            elif found.status == "ambiguous":
                names = [shown(place.path, folders) for place in found.places[:_CANDIDATES]]
                notes.append(f"{written} may be any of {', '.join(names)}: the first is given")
                places.append(attached(graph, found.places[0]))
            elif found.status != "external":
                notes.append(f"{written} is no note{_closest(graph, written, folders)}")

        def named(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            if any(start <= match.start() < end for start, end in code):
                return match[0]
            put(match[0], graph.notes.by_name(name, top))
            return name

        def linked(match: re.Match[str]) -> str:
            if any(start <= match.start() < end for start, end in code):
                return match[0]
            suffix = ".org" if _ORG.search(match[0]) else ".md"
            base = posixpath.dirname(top) if top else (folders[0] if folders else "")
            sheet = Sheet(posixpath.join(base, f"question{suffix}"), match[0] + "\n", settings)
            for link in sheet.links[:1]:
                put(match[0], graph.resolve(sheet, link))
                return link.text or link.target
            return match[0]

        text = AT.sub(named, LINK.sub(linked, question))
        if len(places) > MOST:
            notes.append(f"{len(places) - MOST} of the notes named are left out: {MOST} at most are given")
        return Mentions(tuple(dict.fromkeys(places))[:MOST], text, tuple(notes))

    return await engine.graph(work, sheets)


def attached(graph: Graph, place: Place) -> Attached:
    """A place as a range of its note: a heading with all below it, a block with the section it stands in, else all of it."""
    if place.kind in ("note", "file") or not place.section:
        return Attached(place.path, origin="mention")
    headings = graph.outline(place.path, place.note).headings
    own = next((one for one in headings if one.section == place.section), None)
    if own is None:
        return Attached(place.path, origin="mention")
    end = next((one.start for one in headings if one.start > own.start and one.level <= own.level), -1)
    return Attached(place.path, own.start, end, origin="mention")


def shown(path: str, folders: Sequence[str]) -> str:
    """A path below its folder."""
    root = max((one for one in folders if path.startswith(one + "/")), key=len, default="")
    return path[len(root) + 1 :] if root else path


def _closest(graph: Graph, written: str, folders: Sequence[str]) -> str:
    name = written.strip('@[]"').rpartition("/")[2].partition("#")[0]
    pattern = "%" + name[:40].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = graph.db.execute(
        "SELECT DISTINCT d.path FROM note_names n JOIN seen d ON d.id = n.document_id"
        " WHERE n.name LIKE ? ESCAPE '\\' ORDER BY length(n.name) LIMIT ?",
        (pattern, _CANDIDATES),
    ).fetchall()
    return f"; there is {', '.join(shown(row[0], folders) for row in rows)}" if rows else ""
