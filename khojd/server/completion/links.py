"""Notes, headings, blocks and ids to link to."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from lsprotocol import types as lsp
from msgspec import structs

from khojd.content import names
from khojd.content.targets import Target
from khojd.graph import anchors, compose, suggest
from khojd.graph.cursor import Typing
from khojd.graph.graph import Graph
from khojd.graph.habit import Habit
from khojd.graph.model import Note, Place
from khojd.graph.outline import Heading, Outline, heading_place
from khojd.graph.sheet import Sheet
from khojd.server import uris
from khojd.server.completion.items import COMMAND, Choice, nearness

MOST = 50
_SHOWN = re.compile(r"(?:!\[(?:\[|[^\[\]]*\]\(<?)|<img\s[^<>]*[\"'])$", re.IGNORECASE)
_MEANING = 1.5  # what the note that fits the sentence best has before one that does not; a step of `nearness` is 0.5 to 1


class Links:
    """What can be linked to at one place of a note."""

    def __init__(self, graph: Graph, sheet: Sheet, typing: Typing, habit: Habit) -> None:
        self.graph = graph
        self.sheet = sheet
        self.typing = typing
        self.habit = habit

    def notes(self, meant: Mapping[str, int]) -> list[Choice]:
        """Notes by name and by what the sentence is about; `meant` has ranks of paths, 0 for the best one."""
        found = suggest.notes(self.graph.db, self.typing.typed, MOST, files=self._shows())
        known = {named.path for named in found}
        missing = [note for path in meant if path not in known and (note := self.graph.notes.at(path)) is not None and note.indexed]
        found += suggest.of_documents(self.graph.db, [note.id for note in missing])
        wanted = posixpath.basename(unquote(self.typing.typed))
        scored = []
        for named in found:
            near = max(nearness(named.name, wanted), nearness(named.title, wanted) - 0.1)
            if near and named.path != self.sheet.path:
                bonus = _MEANING / (1 + meant[named.path] / 4) if named.path in meant else 0.0
                scored.append((near + bonus, named))
        scored.sort(key=lambda pair: -pair[0])
        choices = []
        for score, named in scored[:MOST]:
            note = self.graph.notes.by_id(named.document_id)
            if note is None:
                continue
            text, start = self._note_text(Place(note.path, "note", note=note), named)
            shown = named.name if named.kind else named.title or named.name.replace("___", "/")
            root = self.graph.notes.root(note.path)
            where = note.path[len(root) + 1 :] if root else note.path
            words = f"{self.typing.typed} " if "/" in self.typing.typed else ""
            written = named.name.replace("___", "/")
            filter = words + " ".join(dict.fromkeys((written, named.name, named.title, names.stem(note.path)))).strip()
            data = {"path": note.path, "section": 0}
            choices.append(Choice(shown, text, lsp.CompletionItemKind.File, filter, score, where, start, data))
        return choices

    def _shows(self) -> bool:
        """Whether it is an embed or an image that is being typed."""
        line = self.sheet.lines.starts[self.sheet.lines.line(self.typing.start)]
        return _SHOWN.search(self.sheet.text[line : self.typing.start]) is not None

    def headings(self) -> list[Choice]:
        """The headings of the note that the link names, of this note when it names none."""
        where = self._named_note()
        if where is None:
            return []
        path, note = where
        outline = self.graph.outline(path, note)
        scored = []
        for position, heading in enumerate(outline.headings):
            near = nearness(heading.text, self.typing.typed) or nearness(names.slug(heading.text), self.typing.typed)
            if near and heading.text:
                scored.append((near - position / 10_000, heading))
        scored.sort(key=lambda pair: -pair[0])
        choices = []
        for score, heading in scored[:MOST]:
            text = self._anchor_text(heading_place(heading, path, note), outline)
            shown = "  " * (heading.level - 1) + heading.text
            data = {"path": path, "section": heading.section}
            choices.append(Choice(shown, text, lsp.CompletionItemKind.Reference, heading.text, score, "", None, data))
        return choices

    def any_headings(self) -> list[Choice]:
        """The headings of all notes."""
        choices = []
        for position, named in enumerate(suggest.headings(self.graph.db, self.typing.typed, MOST, format="markdown")):
            note = self.graph.notes.by_id(named.document_id)
            near = nearness(named.heading, self.typing.typed)
            if note is None or not near:
                continue
            place = Place(note.path, "heading", named.start, named.start, named.heading, named.section, note)
            if self.typing.form == "markdown":
                text: str | None = self._destination(place) + self.typing.closing
            else:
                target = compose.wiki_target(self.graph, self.sheet, place, self.habit)
                text = target + "]]" if target is not None else None
            if text is not None:
                data = {"path": note.path, "section": named.section}
                score = near - position / 10_000
                choices.append(
                    Choice(
                        named.heading,
                        text,
                        lsp.CompletionItemKind.Reference,
                        named.heading,
                        score,
                        names.stem(note.path),
                        None,
                        data,
                    )
                )
        return choices

    def custom_ids(self) -> list[Choice]:
        where = self._named_note()
        if where is None:
            return []
        path, note = where
        prefix = f"file:{self.typing.note}::#" if self.typing.note else "#"
        return [
            Choice(anchor.name, f"[[{prefix}{anchor.name}]]", lsp.CompletionItemKind.Reference, anchor.name, near)
            for anchor in self.graph.outline(path, note).anchors
            if anchor.kind == "custom_id" and (near := nearness(anchor.name, self.typing.typed))
        ]

    def blocks(self, target: Sheet) -> list[Choice]:
        """The paragraphs and list items of a note; one without an id gets one."""
        scored = []
        for position, block in enumerate(anchors.blocks(target)):
            text = " ".join(target.text[block.start : block.end].split())
            near = max(nearness(text, self.typing.typed), nearness(block.identity, self.typing.typed) if block.identity else 0.0)
            if near:
                scored.append((near - position / 10_000, text, block))
        scored.sort(key=lambda one: -one[0])
        choices = []
        for score, text, block in scored[:MOST]:
            identity, insertion, command = block.identity, None, None
            if not identity:
                identity, insertion = anchors.block_id(target, block)
                if target.path != self.sheet.path:
                    command, insertion = _anchor_command(target, block.start, "block", identity), None
            filter = f"{text} {block.identity}".strip()
            data: dict[str, Any] = {"path": target.path, "start": block.start}
            choices.append(
                Choice(
                    *(text[:80], f"{identity}]]", lsp.CompletionItemKind.Text, filter, score),
                    detail="" if block.identity else "gets a block id",
                    data=data,
                    insertion=insertion,
                    command=command,
                )
            )
        return choices

    def ids(self) -> list[Choice]:
        """Org headings of all notes, this one as it is now; one without an ID gets one."""
        known = {anchor.section: anchor.name for anchor in reversed(self.sheet.anchors) if anchor.kind == "id"}
        choices = []
        for heading in self.graph.outline(self.sheet.path, None).headings:
            if heading.text and (near := nearness(heading.text, self.typing.typed)):
                choices.append(self._own_id(heading, known.get(heading.section, ""), near))
        for position, named in enumerate(suggest.headings(self.graph.db, self.typing.typed, MOST, format="org")):
            near = nearness(named.heading, self.typing.typed)
            if not near or named.path == self.sheet.path:
                continue
            identity, command = named.identity, None
            if not identity:
                identity = anchors.new_id()
                command = _command(named.path, named.line, "id", identity)
            root = self.graph.notes.root(named.path)
            where = named.path[len(root) + 1 :] if root else named.path
            detail = where if named.identity else f"{where}, gets an ID"
            data = {"path": named.path, "section": named.section}
            choices.append(
                _id_choice(named.heading, identity, near - position / 10_000, detail)._replace(data=data, command=command)
            )
        return choices

    def _own_id(self, heading: Heading, known: str, near: float) -> Choice:
        identity = known or anchors.new_id()
        choice = _id_choice(heading.text, identity, near, "" if known else "gets an ID")
        insertion = None if known else anchors.org_id(self.sheet, heading.section, identity)
        return choice._replace(insertion=insertion, data={"path": self.sheet.path, "section": heading.section})

    def target(self) -> str | None:
        """The path of the note that a link which is being typed names."""
        found = self._named_note()
        return None if found is None else found[0]

    def _named_note(self) -> tuple[str, Note | None] | None:
        if not self.typing.note.strip():
            return self.sheet.path, self.graph.notes.at(self.sheet.path)
        by_name = self.typing.form == "wiki"
        found = self.graph.follow(Target("name" if by_name else "path", self.typing.note.strip()), self.sheet.path)
        return (found.places[0].path, found.places[0].note) if found.places else None

    def _note_text(self, place: Place, named: suggest.Named) -> tuple[str, int | None]:
        """What to insert, and from where when not from the typed text on."""
        if self.typing.form == "org":
            return compose.link(self.graph, self.sheet, place, self.habit, named.name if named.kind else ""), None
        if self.typing.form == "markdown":
            return self._destination(place) + self.typing.closing, None
        target = compose.wiki_target(self.graph, self.sheet, place, self.habit)
        if target is None:
            return compose.link(self.graph, self.sheet, place, self.habit, named.name), self.typing.start - 2
        if named.kind == 1 and not self._in_row():  # an alias is what the person wants to read
            return (f"{named.name}|{target}]]" if self.habit.swapped else f"{target}|{named.name}]]"), None
        return target + "]]", None

    def _destination(self, place: Place) -> str:
        """A path as a URL, that begins as the typed one does: at the folder, or with `./`."""
        typed = self.typing.typed
        habit = structs.replace(self.habit, paths="root") if typed.startswith("/") else self.habit
        written = compose.markdown_target(self.graph, self.sheet, place, habit)
        return f"./{written}" if typed.startswith("./") and written[:1] not in (".", "/", "#") else written

    def _in_row(self) -> bool:
        """Whether the line is a table's row, where a bar would end the cell."""
        return self.sheet.line_text(self.sheet.lines.line(self.typing.start)).lstrip(" \t>").startswith("|")

    def _anchor_text(self, place: Place, outline: Outline) -> str:
        if self.typing.form == "org":
            if self.typing.note:
                search = f"*{compose.escaped(place.label)}"
                return f"[[file:{self.typing.note}::{search}][{place.label.replace('[', '{').replace(']', '}')}]]"
            return f"[[*{compose.escaped(place.label)}]]"
        if self.typing.form == "markdown":
            own = outline.slugs.get(place.section, "")
            return (own if self.habit.slugs and own else compose.encoded(place.label)) + self.typing.closing
        return compose.wiki_anchor(place).removeprefix("#") + "]]"


def _anchor_command(target: Sheet, offset: int, kind: str, identity: str) -> lsp.Command:
    return _command(target.path, target.lines.line(offset), kind, identity)


def _id_choice(heading: str, identity: str, score: float, detail: str) -> Choice:
    described = heading.replace("[", "{").replace("]", "}")
    return Choice(heading, f"[[id:{identity}][{described}]]", lsp.CompletionItemKind.Reference, heading, score, detail)


def _command(path: str, line: int, kind: str, identity: str) -> lsp.Command:
    arguments = {"uri": uris.from_path(path), "line": line, "kind": kind, "id": identity}
    return lsp.Command(title="Give it an id", command=COMMAND, arguments=[arguments])
