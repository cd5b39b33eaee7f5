"""How the notes of a folder write their links, so that a new link looks like those that are there."""

import os
import posixpath
import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from khojd.content import names
from khojd.content.model import Link
from khojd.graph.notes import Notes
from khojd.graph.sheet import Sheet
from khojd.index import catalog_graph

ENOUGH = 5  # links of the note itself that tell its habit
SAMPLE = 100  # notes of its folder that are looked at otherwise

Style = Literal["wiki", "markdown", "org"]
Paths = Literal["name", "relative", "root"]


class Habit(Struct, frozen=True):
    """`paths`: by the shortest unique name, relative to the note, or from the top of its folder."""

    style: Style
    paths: Paths
    suffix: bool  # `.md` is written
    slugs: bool = True  # fragments as `#my-heading`; else as `#My%20heading`
    swapped: bool = False  # Dendron's `[[text|note]]`


def of(db: sqlite3.Connection, notes: Notes, sheet: Sheet, *, but: int = -1) -> Habit:
    """The habit of the note that is written, else of its folder, else what its format does by default.

    The link at the offset `but` is only being typed, and tells nothing.
    """
    slugs = not _obsidian(notes.root(sheet.path))
    if sheet.format == "org":
        return Habit("org", "relative", suffix=True)
    own = [link for link in sheet.links if _counts(link) and not link.start <= but <= link.end]
    if len(own) < ENOUGH:
        own += _sample(db, notes.root(sheet.path) or posixpath.dirname(sheet.path), sheet.path)
    counted = Counter(_kind(link) for link in own)
    swapped = sum(_dendron(link) for link in own) * 2 > sum(bool(link.text) for link in own if link.kind == "wiki")
    if not counted:
        return Habit("wiki", "name", suffix=False, slugs=slugs)
    style, paths, suffix = counted.most_common(1)[0][0]
    return Habit(style, paths, suffix, slugs, swapped and style == "wiki")


_COUNTED = ("wiki", "markdown")


def _kind(link: Link) -> tuple[Style, Paths, bool]:
    path = link.target.partition("#")[0].strip()
    suffix = names.without_suffix(path) != path
    if link.kind == "wiki":
        return "wiki", "relative" if path.startswith(("./", "../")) else "root" if "/" in path else "name", suffix
    return "markdown", "root" if path.startswith("/") else "relative", suffix


def _dendron(link: Link) -> bool:
    """Whether the note seems to stand on the right: words with spaces, then a name with dots and without."""
    return link.kind == "wiki" and "." in link.text and " " not in link.text and "." not in link.target


def _counts(link: Link) -> bool:
    """Whether it is a link to a note, and not to a place of its own or to an address."""
    return link.kind in _COUNTED and bool(link.target) and "://" not in link.target and link.target[0] != "#"


def _sample(db: sqlite3.Connection, folder: str, but: str) -> Iterator[Link]:
    """Links of the folder's notes but the one at hand, which the index knows as it was."""
    rows = db.execute(
        "SELECT l.document_id FROM document_links l JOIN seen d ON d.id = l.document_id"
        " WHERE d.format = 'markdown' AND d.folder = ? AND d.path <> ? LIMIT ?",
        (folder, but, SAMPLE),
    ).fetchall()
    for (document_id,) in rows:
        yield from filter(_counts, catalog_graph.links_of(db, document_id)[0])


def _obsidian(root: str) -> bool:
    return bool(root) and os.path.isdir(os.path.join(root, ".obsidian"))  # noqa: PTH112, PTH118


def at(habit: Habit, sheet: Sheet, offset: int) -> Habit:
    """The habit for a link at a place: in a table of Markdown the bar of a wikilink would end the cell."""
    if habit.style != "wiki" or not any(mark.kind == "table" and mark.start <= offset <= mark.end for mark in sheet.marks):
        return habit
    return in_form(habit, "markdown")


def in_form(habit: Habit, form: Style) -> Habit:
    """The habit for a link whose form is decided: a person who types `](` wants a Markdown link with a path."""
    if form == habit.style:
        return habit
    if form == "wiki":
        return Habit("wiki", "name", suffix=False, slugs=habit.slugs)
    return Habit(form, "relative", suffix=True, slugs=habit.slugs)
