"""A new link: from a note to a place, in the way of its format and its folder. What is written is read back before it is given."""

import posixpath
import re
from collections.abc import Iterator
from urllib.parse import quote

from khojd.content import names
from khojd.content.model import Link
from khojd.graph.graph import Graph
from khojd.graph.habit import Habit
from khojd.graph.model import Note, Place
from khojd.graph.sheet import Sheet

_WIKI_FORBIDDEN = re.compile(r"[\[\]|#^\r\n]")
_WIKI_ANCHOR = re.compile(r"[\[\]|#^\r\n]+")
_SAFE = "/~!$&'*+,;=:@-._"


def link(graph: Graph, sheet: Sheet, place: Place, habit: Habit, text: str = "") -> str:
    """A whole link in `sheet` to `place`, which shows `text` where the style has room for it.

    Where a name cannot stand in a wikilink it is a Markdown link.
    """
    if habit.style == "org":
        return _org(graph, sheet, place, text)
    if habit.style == "wiki" and (target := wiki_target(graph, sheet, place, habit)) is not None:
        shown = _WIKI_ANCHOR.sub(" ", text).strip()
        if habit.swapped:
            return f"[[{shown}|{target}]]" if shown else f"[[{target}]]"
        return f"[[{target}|{shown}]]" if shown and shown != target else f"[[{target}]]"
    shown = text or place.label or (place.note.title if place.note else "") or names.stem(place.path)
    return f"[{_bracketed(shown)}]({markdown_target(graph, sheet, place, habit)})"


def wiki_target(graph: Graph, sheet: Sheet, place: Place, habit: Habit) -> str | None:
    """The inside of a wikilink, without an alias; None where the name of the file cannot stand in one."""
    anchor = wiki_anchor(place)
    if place.path == sheet.path and anchor:
        return anchor
    for path in _paths(graph, sheet.path, place, habit):
        page = path.replace("___", "/")  # Logseq's name of the page, which is not that of its file
        if page != path and not _WIKI_FORBIDDEN.search(page) and _leads(graph, sheet, "wiki", page, place):
            return page + anchor
        if not _WIKI_FORBIDDEN.search(path) and _leads(graph, sheet, "wiki", path, place):
            return path + anchor
    return None


def markdown_target(graph: Graph, sheet: Sheet, place: Place, habit: Habit) -> str:
    """The destination of a Markdown link, percent-encoded as far as it must be."""
    anchor = _fragment(graph, place, habit)
    if place.path == sheet.path and anchor:
        return anchor
    root = graph.notes.root(sheet.path)
    if habit.paths == "root" and root and place.path.startswith(root + "/"):
        path = place.path[len(root) :]
    else:
        path = posixpath.relpath(place.path, posixpath.dirname(sheet.path))
    if not habit.suffix and names.without_suffix(path) != path and habit.style == "markdown":
        short = names.without_suffix(path)
        path = short if _leads(graph, sheet, "markdown", encoded(short), place) else path
    return encoded(path) + anchor


def encoded(path: str) -> str:
    """A path as a Markdown destination: letters of all scripts stay, white space and what has a meaning there does not."""
    return "".join(char if char.isalnum() or (ord(char) > 127 and not char.isspace()) else quote(char, safe=_SAFE) for char in path)


def escaped(target: str) -> str:
    """A target as it stands in an Org link."""
    return re.sub(r"[\[\]]|\\+(?=[\[\]]|$)", lambda found: "\\" + found[0] if found[0] in "[]" else found[0] * 2, target)


def wiki_anchor(place: Place) -> str:
    """What stands after the name of a note in a wikilink, with its `#`; "" for a whole note."""
    if place.kind == "heading":
        return "#" + " ".join(_WIKI_ANCHOR.sub(" ", place.label).split())
    if place.kind == "block":
        return "#^" + place.label
    return "#" + place.label if place.label else ""


def _fragment(graph: Graph, place: Place, habit: Habit) -> str:
    if place.kind == "heading":
        own = graph.outline(place.path, place.note).slugs.get(place.section, "")
        return "#" + (own if habit.slugs and own else encoded(place.label))
    if place.kind == "block":
        return "#^" + place.label
    return "#" + encoded(place.label) if place.label else ""


def _org(graph: Graph, sheet: Sheet, place: Place, text: str) -> str:
    shown = text or place.label or (place.note.title if place.note else "") or names.stem(place.path)
    outline = graph.outline(place.path, place.note)
    own = [anchor for anchor in outline.anchors if anchor.section == place.section]
    identity = next((anchor.name for anchor in own if anchor.kind == "id"), "")
    custom = next((anchor.name for anchor in own if anchor.kind == "custom_id"), "")
    whole = place.kind == "note"
    if identity and (place.kind == "heading" or (whole and place.section == 0)) and place.path.lower().endswith(".org"):
        target = f"id:{identity}"
    else:
        search = ""
        if place.kind == "heading":
            search = f"#{custom}" if custom else f"*{place.label}"
        elif place.label:
            search = place.label
        path = posixpath.relpath(place.path, posixpath.dirname(sheet.path))
        if place.path == sheet.path and search:
            target = search
        else:
            target = f"file:{path}::{search}" if search else f"file:{path}"
    described = shown.replace("[", "{").replace("]", "}")
    return f"[[{escaped(target)}][{described}]]" if described else f"[[{escaped(target)}]]"


def _paths(graph: Graph, source: str, place: Place, habit: Habit) -> Iterator[str]:
    """Ways to write the path of a note, the preferred one first; the last one is always unique."""
    root = graph.notes.root(place.path)
    full = place.path[len(root) + 1 :] if root else place.path
    written = full if habit.suffix or not _short(place.note, full) else names.without_suffix(full)
    if habit.paths == "relative":
        relative = posixpath.relpath(place.path, posixpath.dirname(source))
        relative = relative if habit.suffix else names.without_suffix(relative)
        yield relative if relative.startswith("../") else f"./{relative}"
    elif habit.paths == "name":
        parts = written.split("/")
        for count in range(1, len(parts)):
            yield "/".join(parts[-count:])
    yield written
    yield full


def _short(note: Note | None, path: str) -> bool:
    """Whether a link may leave the suffix out: Obsidian and its like do so for notes."""
    return (note is None or note.indexed) and names.without_suffix(path) != path


def _leads(graph: Graph, sheet: Sheet, kind: str, target: str, place: Place) -> bool:
    tried = graph.resolve(sheet, Link(kind, 0, 0, target, 0, len(target), 0))
    return tried.status == "found" and tried.places[0].path == place.path


def _bracketed(text: str) -> str:
    return re.sub(r"([\[\]\\])", r"\\\1", " ".join(text.split()))
