"""A note that is about to be made: its path by a template, its text."""

from __future__ import annotations

import difflib
import os
import posixpath
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from khojd import templates
from khojd.content import names, registry
from khojd.content.model import ContentSettings
from khojd.errors import EditError
from khojd.graph.graph import Graph
from khojd.graph.sheet import Sheet
from khojd.templates import Mistake, Values

if TYPE_CHECKING:
    from khojd.config import NewNotes, Template
    from khojd.server.session import Session


class Wish(Struct, frozen=True):
    """What is wanted of a note that is to be made.

    root: the folder of notes it goes to. near: the note at hand, "" for none. folder: where in `root`, "" for where the template
    and the settings say.
    """

    title: str
    root: str
    template: str
    now: datetime
    near: str = ""
    folder: str = ""
    selection: str = ""


def chosen(settings: NewNotes, name: str) -> Template:
    """The template of that name. Raises EditError, which names those that there are."""
    known = templates.known(settings)
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    raise EditError(f"there is no template {name!r}; {meant}Known are {', '.join(known)} (notes.templates in config.toml)")


def path_of(graph: Graph, settings: NewNotes, wish: Wish, pattern: str = "") -> str:
    """The path for a new note; `pattern` (below `root`) takes the place of the template's. Raises EditError."""
    title = checked(wish.title)
    values = Values(title, wish.now)
    template = chosen(settings, wish.template)
    try:
        if pattern:
            directory, below = wish.root, templates.fill_path(pattern, values)
        else:
            directory, below = _directory(settings, template, wish, values), templates.fill_path(template.file, values)
    except Mistake as mistake:
        raise EditError(f"the template {wish.template!r}: {mistake.reason}") from None
    path = posixpath.normpath(posixpath.join(directory, below))
    if names.without_suffix(posixpath.basename(path)) == posixpath.basename(path):
        path += suffix(graph, settings, wish)
    if not path.startswith(wish.root + "/"):
        raise EditError(f"{path} is not below {wish.root}", path=path)
    return path


def suffix(graph: Graph, settings: NewNotes, wish: Wish) -> str:
    """That of new notes: as the settings say, else that of the note at hand, else of most notes of the folder."""
    if settings.format != "auto":
        return templates.SUFFIXES[settings.format]
    format = registry.processor(wish.near).format if wish.near else ""
    if format in templates.SUFFIXES:
        return posixpath.splitext(wish.near)[1] if format == "markdown" else templates.SUFFIXES[format]
    rows = graph.db.execute(
        "SELECT format, count(*) AS files FROM seen WHERE folder = ? AND format IN ('markdown', 'org')"
        " GROUP BY format ORDER BY files DESC, format LIMIT 1",
        (wish.root,),
    ).fetchone()
    return templates.SUFFIXES[rows[0]] if rows else ".md"


def text_of(settings: NewNotes, wish: Wish, path: str, newline: str = "\n") -> str:
    """The text of the new note at `path`; what was selected stands where the template says, else at its end."""
    template = chosen(settings, wish.template)
    format = registry.processor(path).format
    text = template.text or templates.TEXTS.get(format, "{title}\n\n{selection}")
    try:
        filled = templates.fill(text, Values(wish.title, wish.now, wish.selection))
        if wish.selection and not templates.uses(text, "selection"):
            filled = f"{filled.rstrip()}\n\n{wish.selection}"
    except Mistake as mistake:
        raise EditError(f"the template {wish.template!r}: {mistake.reason}") from None
    if wish.selection and not filled.endswith("\n"):
        filled += "\n"
    return newline.join(filled.replace("\r\n", "\n").split("\n")) if newline != "\n" else filled


def is_titled(settings: NewNotes, wish: Wish, path: str, reading: ContentSettings) -> bool:
    """Whether the template makes the title of the note plain: a heading or keyword says it."""
    bare = Wish(wish.title, wish.root, wish.template, wish.now)
    sheet = Sheet(path, text_of(settings, bare, path), reading)
    wanted = names.heading_key(wish.title)
    return wanted in (names.heading_key(sheet.parsed.title), *(names.heading_key(section.heading) for section in sheet.sections))


def taken(graph: Graph, path: str) -> bool:
    """Whether a file is there, or an editor shows one that is not saved yet."""
    return path in graph.sheets or graph.notes.at(path) is not None or graph.notes.exists(path)


def free(graph: Graph, path: str) -> str:
    """`path`, or with the first number that makes it free."""
    stem = names.without_suffix(path)
    ending = path[len(stem) :]
    number = 1
    while taken(graph, path):
        number += 1
        path = f"{stem}-{number}{ending}"
    return path


def checked(title: str) -> str:
    """A title without white space around it. Raises EditError for one that cannot be."""
    title = title.strip()
    if not title or templates.CONTROL.search(title):
        raise EditError(f"a note cannot have the title {title!r}: " + ("it has control characters" if title else "it is empty"))
    return title


def root_of(session: Session, near: str = "") -> str:
    """The folder of notes that holds `near`, else the first one. Raises EditError when there is none."""
    roots = [os.path.normpath(folder.path) for folder in session.engine.folders()]
    inside = [root for root in roots if near == root or near.startswith(root + "/")]
    if inside:
        return max(inside, key=len)
    if not roots:
        raise EditError("no folder of notes is configured, so there is no place for a new one: khojd index --add FOLDER")
    return roots[0]


def _directory(settings: NewNotes, template: Template, wish: Wish, values: Values) -> str:
    if wish.folder:
        return wish.folder
    for pattern in (template.folder, settings.folder):
        if pattern:
            return posixpath.join(wish.root, templates.fill_path(pattern, values))
    return posixpath.dirname(wish.near) if wish.near.startswith(wish.root + "/") else wish.root
