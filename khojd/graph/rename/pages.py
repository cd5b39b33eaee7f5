"""Tags that lead to a note as their page follow it when it is called otherwise: `#page` in Logseq, `tags.page` in Dendron.

In other folders a tag that is called as a note is has nothing to do with it.
"""

import posixpath
import re
from collections.abc import Callable, Iterator

from khojd.content import names
from khojd.content.markdown_marks import find_tags
from khojd.content.model import Mark
from khojd.graph import tags
from khojd.graph.graph import Graph
from khojd.graph.model import Note
from khojd.graph.notes import Notes
from khojd.graph.rename.moved import Moves
from khojd.graph.rename.plan import Change, Left, Texts
from khojd.graph.sheet import Sheet

_ORG = re.compile(r"[\w@#%]+")
_DENDRON = "tags."


def of_moved(graph: Graph, after: Graph, moves: Moves, texts: Texts) -> Iterator[Change | Left]:
    """What becomes of the tags whose pages are among the files that move. `after` is the graph as it is then."""
    for old, _ in moves.pairs:
        for note in graph.notes.below(old):
            now = moves.new(note.path)
            stem = names.stem(now)
            if not note.indexed or stem == note.name or not _has_tags(graph.notes, note):
                continue
            if note.name.startswith(_DENDRON) and not stem.startswith(_DENDRON):
                continue  # it is no page of a tag any more

            def called(value: str, path: str, note: Note = note, now: str = now, stem: str = stem) -> str:
                """The tag's new name; "" for one of another page, or that leads there still."""
                if _page(graph.notes, value, path) != note.path or _page(after.notes, value, moves.new(path)) == now:
                    return ""
                if not note.name.startswith(_DENDRON):
                    return re.sub(r"%2[Ff]|___", "/", stem)
                name = stem.removeprefix(_DENDRON)
                return name if "/" not in value else name.replace(".", "/")

            yield from _changes(graph, texts, tags.of_page(graph.notes, note), called)


def of_heading(graph: Graph, note: Note, before: str, now: str, texts: Texts) -> Iterator[Change | Left]:
    """What becomes of the tags that name a page by the heading that it begins with."""
    if not _is_logseq(graph.notes, note.path):
        return

    def called(value: str, path: str) -> str:
        by_file = names.key(value) == names.key(note.path)
        return now if not by_file and _page(graph.notes, value, path) == note.path else ""

    yield from _changes(graph, texts, {before.casefold()}, called)


def _changes(graph: Graph, texts: Texts, wanted: set[str], called: Callable[[str, str], str]) -> Iterator[Change | Left]:
    having = {id for tag in wanted for id in tags.documents(graph.db, tag, nested=False)}
    paths = {note.path for note in map(graph.notes.by_id, sorted(having)) if note is not None}
    for path in sorted(paths | set(graph.sheets)):
        sheet = texts.sheet(path)
        for mark in sheet.marks if tags.may_stand(sheet.text, wanted) else ():
            if mark.kind == "tag" and mark.value.casefold() in wanted and (name := called(mark.value, path)):
                yield _written(sheet, mark, name)


def _written(sheet: Sheet, mark: Mark, name: str) -> Change | Left:
    before = sheet.text[max(mark.start - 2, 0) : mark.start]
    change = Change(sheet, mark.start, mark.end, name)
    bracketed = Change(sheet, mark.start, mark.end, f"[[{name}]]")
    if sheet.format == "org":
        ways = [change] if _ORG.fullmatch(name) else []
    elif re.search(r"[\[\]]", name):
        ways = []
    elif before == "[[":
        ways = [change]
    elif before.endswith("#"):
        ways = [change if [found for _, found in find_tags("#" + name)] == [name] else bracketed]
    else:
        ways = [one for one in (change, bracketed) if _reads(one, name)]
    if ways:
        return ways[0]
    line = sheet.lines.line(mark.start) + 1
    return Left(sheet.path, f"the tag {mark.value!r} in line {line} of {sheet.path} cannot be {name!r}")


def _reads(change: Change, name: str) -> bool:
    """Whether a name in a list of tags would be read as this one tag."""
    text = change.sheet.text[: change.start] + change.text + change.sheet.text[change.end :]
    after = Sheet(change.sheet.path, text, change.sheet.settings)
    end = change.start + len(change.text)
    return any(mark.kind == "tag" and mark.value == name and change.start <= mark.start < end for mark in after.marks)


def _page(notes: Notes, tag: str, source: str) -> str:
    return next((place.path for place in tags.pages(notes, tag, source)), "")


def _has_tags(notes: Notes, note: Note) -> bool:
    return note.name.startswith(_DENDRON) or _is_logseq(notes, note.path)


def _is_logseq(notes: Notes, path: str) -> bool:
    """Whether a note is in a graph of Logseq: the settings are there, or the two directories that it keeps notes in."""
    root = notes.root(path)
    directory = posixpath.dirname(path)
    while root and (directory == root or directory.startswith(root + "/")):
        if notes.exists(f"{directory}/logseq") or (notes.exists(f"{directory}/pages") and notes.exists(f"{directory}/journals")):
            return True
        directory = posixpath.dirname(directory)
    return False
