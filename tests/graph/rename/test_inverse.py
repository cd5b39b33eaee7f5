"""A rename and its inverse give the same bytes, however a link was written beyond what it must be."""

import posixpath
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from khojd.content import names
from khojd.graph.rename import files, headings
from khojd.graph.rename.memory import Memory
from tests.graph.rename.test_properties import (
    NEW_HEADINGS,
    NEW_STEMS,
    QUICK,
    STEMS,
    Files,
    Standing,
    after,
    assert_same,
    meanings,
    moved,
)
from tests.graph.vault import SETTINGS, Vault

ODD = ["Tea", "green tea", "été", "50% off", "a.b", "sub/Tea 2", "sub/O'Brien & co"]
HEADINGS = ["Intro", "Two Words", "Über uns", "C++ & C#"]


@contextmanager
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


@contextmanager
def standing(base: Path, content: Files) -> Iterator[Vault]:
    """The notes in the same place as the ones before: a session keeps what it remembers by paths."""
    shutil.rmtree(base, ignore_errors=True)
    vault = Standing(base, content)
    try:
        yield vault
    finally:
        vault.close()


@st.composite
def oddly(draw: st.DrawFn, text: str, *, escapes: bool) -> str:
    """A path or heading for a Markdown link with more encoded than must be, in one way or another."""
    ways = st.sampled_from(["plain"] * 6 + ["upper", "lower"] + (["escape", "entity"] if escapes else []))
    found = []
    for char in text:
        way = draw(ways)
        if way == "upper" or (char in " %#?()<>\"\\&'" and char != "/"):
            found.append("".join(f"%{byte:02X}" for byte in char.encode()))
        elif way == "lower":
            found.append("".join(f"%{byte:02x}" for byte in char.encode()))
        elif way == "escape" and char in ".-_":
            found.append("\\" + char)
        elif way == "entity" and char not in "./":
            found.append(f"&#{ord(char)};")
        else:
            found.append(char)
    return "".join(found)


@st.composite
def odd_links(draw: st.DrawFn, source: str, target: str, heading: str) -> str:
    short = names.without_suffix(target)
    style = draw(st.sampled_from(["wiki", "cased", "markdown", "angle", "bare", "root", "round"]))
    if style in ("wiki", "cased"):
        name = draw(st.sampled_from([short, posixpath.basename(short), target, "./" + short if "/" not in source else short]))
        anchor = "#" + draw(st.sampled_from([heading, heading.upper(), heading.lower()])) if heading else ""
        written = name + anchor.replace("#C", "# C") if "[" not in anchor else name
        written = written if "#" not in heading else name
        return f"[[{draw(st.sampled_from(['', ' ']))}{written.upper() if style == 'cased' else written}|shown]]"
    relative = posixpath.relpath(target, posixpath.dirname(source))
    if style == "bare":
        relative = names.without_suffix(relative)
    path = draw(oddly(relative, escapes=True))
    if style == "root":
        path = "/" + draw(oddly(target, escapes=False))
    if style == "round":
        path = draw(st.sampled_from(["./", ".//", "./x/../"])) + path
    fragment = "#" + draw(oddly(heading, escapes=False)) if heading else ""
    return f"[t](<{path}{fragment}> 'T')" if style == "angle" else f"[t]({path}{fragment})"


@st.composite
def vaults(draw: st.DrawFn) -> tuple[Files, str]:
    """Notes, and the one that is renamed."""
    name = draw(st.sampled_from(ODD)) + ".md"
    source = draw(st.sampled_from(["src.md", "sub/src.md", name]))
    written = [draw(odd_links(source, name, draw(st.sampled_from(["", *HEADINGS])))) for _ in range(draw(st.integers(1, 4)))]
    content = {name: "".join(f"# {heading}\n\ntext\n\n" for heading in HEADINGS), "x/pad.md": "x\n", "sub/pad.md": "x\n"}
    end = draw(st.sampled_from(["\n", "\r\n"]))
    content[source] = content.get(source, "") + end.join(["é😀", *written, ""])
    return content, name


@QUICK
@given(vaults(), st.sampled_from(NEW_STEMS + STEMS))
def test_a_note_renamed_and_back(made: tuple[Files, str], new: str) -> None:
    content, name = made
    memory = Memory()
    with place() as base:
        with standing(base, content) as vault:
            before = meanings(vault, content)
            note = vault.graph().notes.at(vault.path(name))
            assert note is not None
            assume(names.key(new) not in {names.key(one) for one in content})
            plan = memory.restored(files.renamed(vault.graph(), note, new, SETTINGS))
            memory.keep(plan)
            changed = after(vault, content, plan)
            assert_same(before, vault, plan, changed)
        with standing(base, changed) as vault:
            again = vault.graph().notes.at(vault.path(moved(vault, plan, name)))
            assert again is not None
            back = memory.restored(files.renamed(vault.graph(), again, note.name, SETTINGS))
            assert after(vault, changed, back) == content


@QUICK
@given(vaults(), st.integers(1, len(HEADINGS)), st.sampled_from(NEW_HEADINGS))
def test_a_heading_renamed_and_back(made: tuple[Files, str], section: int, new: str) -> None:
    content, name = made
    memory = Memory()
    with place() as base:
        with standing(base, content) as vault:
            before = meanings(vault, content)
            note = vault.graph().notes.at(vault.path(name))
            assert note is not None
            plan = headings.renamed(vault.graph(), note, section, new, SETTINGS)
            memory.keep(plan)
            changed = after(vault, content, plan)
            assert_same(before, vault, plan, changed)
        with standing(base, changed) as vault:
            again = vault.graph().notes.at(vault.path(name))
            assert again is not None
            back = memory.restored(headings.renamed(vault.graph(), again, section, HEADINGS[section - 1], SETTINGS))
            assert after(vault, changed, back) == content


@pytest.mark.parametrize("written", ["[x](t%65a.md)", "[[TEA]]", "[x](<tea\\.md>)", "[x](t&#101;a.md)", "[x](tea.MD#in%74ro)"])
def test_what_was_typed_since_is_not_overwritten_by_what_was_remembered(tmp_path: Path, written: str) -> None:
    content = {"tea.md": "# Intro\n", "src.md": f"{written}\n"}
    memory = Memory()
    with standing(tmp_path / "v", content) as vault:
        note = vault.graph().notes.at(vault.path("tea.md"))
        assert note is not None
        plan = files.renamed(vault.graph(), note, "coffee", SETTINGS)
        memory.keep(plan)
        changed = after(vault, content, plan)
    assert "coffee" in changed["src.md"]
    changed["src.md"] = "new " + changed["src.md"]
    with standing(tmp_path / "v", changed) as vault:
        note = vault.graph().notes.at(vault.path("coffee.md"))
        assert note is not None
        back = memory.restored(files.renamed(vault.graph(), note, "tea", SETTINGS))
        text = after(vault, changed, back)["src.md"]
    assert text.startswith("new ")
    assert quote(text.lower(), safe="").count("tea") == 1
