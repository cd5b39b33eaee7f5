"""Whatever is renamed or moved: links lead where they led, and back again makes the same bytes."""

import posixpath
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from khojd.content import names
from khojd.errors import EditError
from khojd.graph.graph import Graph
from khojd.graph.rename import anchors, files, headings, tags
from khojd.graph.rename.moved import Moves
from khojd.graph.rename.plan import Plan
from khojd.graph.sheet import Sheet
from khojd.index import catalog_documents as documents
from khojd.index.catalog import Catalog
from khojd.index.reader import Job, read
from khojd.index.rows import FileStat
from tests.graph.vault import SETTINGS, Vault

STEMS = [
    "Tea",
    "green tea",
    "été",
    unicodedata.normalize("NFD", "Ångström"),
    "😀 smile",
    "plan (old)",
    "50% off",
    "a.b",
    "O'Brien & co",
]
DIRECTORIES = ["", "sub/", "sub/deep/", "my dir/", "ünder/"]
HEADINGS = ["Intro", "Log", "Log", "Two Words", "Über uns", "C++ & C#", "😀 smile", "what's new?", "lower"]
NEW_HEADINGS = ["Diary", "A *bold* one", "naïve thing", "x (y) [z]", "🫖 pot", "v1.2: done", "log book"]
NEW_STEMS = ["renamed", "New Name", "naïve", "😀😀", "x_y-z", "a [b] c", "1#2", "q|r", "100%25", "(x)"]

Files = dict[str, str]
Meanings = dict[tuple[str, int], tuple[str, str, str, int]]  # status, path, kind and section, by note and number of the link


def heading_anchor(style: str, heading: str, number: int) -> str:
    if style == "wiki":
        return "#" + " ".join("".join(" " if char in "#^[]|" else char for char in heading).split())
    if style == "org":
        return "::*" + heading.replace("[", "\\[").replace("]", "\\]")
    if style == "angle":
        return "#" + "".join(quote(char) if char in "<>#?%" else char for char in heading)
    if style == "slug" and names.slug(heading):
        return "#" + names.slug(heading) + (f"-{number}" if number else "")
    return (
        # Encoded no more than is needed: on the way back from a name that needs nothing, what was superfluous is not known.
        "#" + quote(heading, safe="+&'", encoding="utf-8")
        if heading.isascii()
        else "#" + "".join(quote(char, safe="") if char.isascii() else char for char in heading)
    )


@st.composite
def links(draw: st.DrawFn, source: str, paths: list[str], outlines: Mapping[str, list[str]]) -> str:
    target = draw(st.sampled_from(paths))
    org = source.endswith(".org")
    own = outlines[target]
    relative = posixpath.relpath(target, posixpath.dirname(source))
    style = draw(st.sampled_from(["file", "dotted"] if org else ["name", "path", "near", "slug", "literal", "root", "angle"]))
    anchor = ""
    if own and draw(st.sampled_from([True, False])):
        index = draw(st.integers(0, len(own) - 1))
        number = own[:index].count(own[index])
        kind = "org" if org else "wiki" if style in ("name", "path", "near") else "slug" if style in ("slug", "root") else "literal"
        if number == 0 or kind == "slug":
            anchor = heading_anchor("angle" if style == "angle" else kind, own[index], number)
    if org:
        prefix = "file:" if style == "file" else "" if relative.startswith("../") else "./"
        return f"[[{prefix}{relative}{anchor}][shown]]"
    short = names.without_suffix(target)
    if style == "name":
        return f"[[{posixpath.basename(short)}{anchor}|alias]]"
    if style == "path":
        return f"[[{short}{anchor}]]"
    if style == "near":
        near = names.without_suffix(relative)
        return f"![[{near if near.startswith('../') else './' + near}{anchor}]]"
    encoded = "".join(quote(char, safe="/&'") if char.isascii() else char for char in relative)
    if style == "root":
        encoded = "/" + "".join(quote(char, safe="/&'") if char.isascii() else char for char in target)
    if style == "angle":
        return f"[x](<{relative.replace('%', '%25')}{anchor}> 'T')"
    return f"[text]({encoded}{anchor})"


@st.composite
def vaults(draw: st.DrawFn) -> Files:
    stems = draw(st.lists(st.sampled_from(STEMS), min_size=2, max_size=5, unique=True))
    paths = [draw(st.sampled_from(DIRECTORIES)) + stem + draw(st.sampled_from([".md", ".md", ".org"])) for stem in stems]
    outlines = {path: draw(st.lists(st.sampled_from(HEADINGS), max_size=4)) for path in paths}
    made = {}
    for path in paths:
        end = draw(st.sampled_from(["\n", "\r\n"]))
        sign = "*" if path.endswith(".org") else "#"
        lines = [f"{sign} {heading}" for heading in outlines[path]]
        for written in draw(st.lists(links(path, paths, outlines), max_size=5)):
            lines.insert(draw(st.integers(0, len(lines))), "é😀 " + written)
        made[path] = end.join(["start", *lines, ""])
    return made


class Standing(Vault):
    """A vault without an index of words, which takes most of the time to make."""

    def __init__(self, directory: Path, content: Files) -> None:
        self.root = directory / "notes"
        self.catalog = Catalog.open(directory / "index")
        for name, text in content.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        with self.catalog.transaction() as db:
            for name in content:
                reading = read(Job(self.path(name)), SETTINGS)
                assert reading.document is not None
                documents.store_document(db, FileStat(self.path(name), folder=str(self.root), hash=reading.hash), reading.document)

    def graph(self, *shown: Sheet) -> Graph:
        return Graph(self.catalog.reader(), (str(self.root),), {sheet.path: sheet for sheet in shown}, lambda _: set())

    def close(self) -> None:
        self.catalog.close()


@contextmanager
def standing(content: Files) -> Iterator[Vault]:
    with tempfile.TemporaryDirectory() as directory:
        vault = Standing(Path(directory), content)
        try:
            yield vault
        finally:
            vault.close()


def meanings(vault: Vault, content: Files) -> Meanings:
    """Where each link leads that leads anywhere."""
    found: Meanings = {}
    graph = vault.graph()
    for name, text in content.items():
        sheet = vault.sheet(name, text)
        for number, link in enumerate(sheet.links):
            resolution = graph.resolve(sheet, link)
            if resolution.status == "found":
                place = resolution.places[0]
                found[name, number] = (resolution.status, posixpath.relpath(place.path, vault.root), place.kind, place.section)
    return found


def after(vault: Vault, content: Files, plan: Plan) -> Files:
    moves = Moves(plan.moves)
    changed = dict(content)
    for change in sorted(plan.changes, key=lambda one: (one.sheet.path, one.start), reverse=True):
        name = posixpath.relpath(change.sheet.path, vault.root)
        assert changed[name][: change.end] == change.sheet.text[: change.end]
        changed[name] = changed[name][: change.start] + change.text + changed[name][change.end :]
    return {posixpath.relpath(moves.new(vault.path(name)), vault.root): text for name, text in changed.items()}


def moved(vault: Vault, plan: Plan, name: str) -> str:
    return posixpath.relpath(Moves(plan.moves).new(vault.path(name)), vault.root)


QUICK = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def assert_same(before: Meanings, vault: Vault, plan: Plan, content: Files) -> None:
    with standing(content) as now:
        found = meanings(now, content)
        for (name, number), (status, path, kind, section) in before.items():
            expected = (status, moved(vault, plan, path), kind, section)
            assert found.get((moved(vault, plan, name), number)) == expected, (name, number, content)


@QUICK
@given(vaults(), st.data())
def test_a_renamed_note(content: Files, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(content)))
    new = data.draw(st.sampled_from(NEW_STEMS))
    with standing(content) as vault:
        before = meanings(vault, content)
        note = vault.graph().notes.at(vault.path(name))
        assert note is not None
        plan = files.renamed(vault.graph(), note, new, SETTINGS)
        changed = after(vault, content, plan)
        assert_same(before, vault, plan, changed)
        with standing(changed) as second:
            again = second.graph().notes.at(second.path(moved(vault, plan, name)))
            assert again is not None
            back = files.renamed(second.graph(), again, note.name, SETTINGS)
            assert after(second, changed, back) == content


@QUICK
@given(vaults(), st.data())
def test_a_renamed_heading(content: Files, data: st.DataObject) -> None:
    with standing(content) as vault:
        places = [
            (name, index)
            for name in sorted(content)
            for index, section in enumerate(vault.sheet(name, content[name]).sections)
            if section.level
        ]
        assume(places)
        name, index = data.draw(st.sampled_from(places))
        before = meanings(vault, content)
        note = vault.graph().notes.at(vault.path(name))
        assert note is not None
        sheet = vault.sheet(name, content[name])
        span = headings.text_span(sheet, index)
        assert span is not None
        plan = headings.renamed(vault.graph(), note, index, data.draw(st.sampled_from(NEW_HEADINGS)), SETTINGS)
        changed = after(vault, content, plan)
        assert_same(before, vault, plan, changed)
        with standing(changed) as second:
            again = second.graph().notes.at(second.path(name))
            assert again is not None
            back = headings.renamed(second.graph(), again, index, sheet.text[span.start : span.end], SETTINGS)
            assert after(second, changed, back) == content


PIECES = [
    "😀 #tea",
    "#tea/green,",
    "#teapot",
    "x#tea",
    "`#tea`",
    "text ^tea",
    "[[a#^tea]] é",
    "[x](a.md#^tea)",
    "# H #tea",
    "",
    "(#tea)",
]


@QUICK
@given(
    st.lists(st.lists(st.sampled_from(PIECES), max_size=6), min_size=2, max_size=3), st.sampled_from(["\n", "\r\n"]), st.booleans()
)
def test_a_renamed_tag(pieces: list[list[str]], end: str, front: bool) -> None:
    head = ["---", "tags: [tea, 'tea/red', other]", "---"] if front else []
    content = {f"{name}.md": end.join([*head, *lines, ""]) for name, lines in zip("abc", pieces, strict=False)}
    content["o.org"] = end.join(["#+FILETAGS: :tea:x:", "* 😀 tea :tea:teapot:", ""])
    with standing(content) as vault:
        changed = after(vault, content, tags.renamed(vault.graph(), "tea", "brew", SETTINGS))
        assert changed["o.org"] == content["o.org"].replace(":tea:", ":brew:")
        for name, text in changed.items():
            values = [mark.value for mark in vault.sheet(name, text).marks if mark.kind == "tag"]
            assert not [value for value in values if value == "tea" or value.startswith("tea/")]
            assert text.replace("brew", "tea") == content[name]
        with standing(changed) as second:
            assert after(second, changed, tags.renamed(second.graph(), "brew", "tea", SETTINGS)) == content


@QUICK
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=6), min_size=2, max_size=3), st.sampled_from(["\n", "\r\n"]))
def test_a_renamed_block(pieces: list[list[str]], end: str) -> None:
    content = {f"{name}.md": end.join([*lines, ""]) for name, lines in zip("abc", pieces, strict=False)}
    with standing(content) as vault:
        anchor = next((one for one in vault.sheet("a.md", content["a.md"]).anchors if one.name == "tea"), None)
        assume(anchor is not None)
        assert anchor is not None
        before = meanings(vault, content)
        note = vault.graph().notes.at(vault.path("a.md"))
        assert note is not None
        plan = anchors.renamed(vault.graph(), note, anchor, "new-1", SETTINGS)
        changed = after(vault, content, plan)
        assert_same(before, vault, plan, changed)
        with standing(changed) as second:
            again = next(one for one in second.sheet("a.md", changed["a.md"]).anchors if one.name == "new-1")
            note = second.graph().notes.at(second.path("a.md"))
            assert note is not None
            taken = sum(line.endswith("^tea") for line in pieces[0]) > 1  # another block has the old name still
            if not taken:
                assert after(second, changed, anchors.renamed(second.graph(), note, again, "tea", SETTINGS)) == content


@QUICK
@given(vaults(), st.data())
def test_moved_files_and_folders(content: Files, data: st.DataObject) -> None:
    with standing(content) as vault:
        movable = sorted({*content, *(posixpath.dirname(name) for name in content)} - {""})
        chosen = data.draw(st.lists(st.sampled_from(movable), min_size=1, max_size=3, unique=True))
        chosen = [one for one in chosen if not any(one.startswith(other + "/") for other in chosen)]
        pairs = []
        for number, old in enumerate(chosen):
            directory = data.draw(st.sampled_from(["", "new/", "sub2/x y/", "ünder2/"]))
            pairs.append((vault.path(old), vault.path(f"{directory}{number} {posixpath.basename(old)}")))
        before = meanings(vault, content)
        try:
            plan = files.moved(vault.graph(), tuple(pairs), SETTINGS)
        except EditError:
            raise AssertionError("moves are never refused") from None
        assert not plan.left
        assert_same(before, vault, plan, after(vault, content, plan))
