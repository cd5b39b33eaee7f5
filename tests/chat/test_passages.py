"""Passages are exact pieces of notes, whatever the notes hold."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from khojd import config
from khojd.chat import ranges, summarise
from khojd.chat.model import Attached, Passage
from khojd.chat.passages import Library, merged
from khojd.content.lines import LineIndex
from khojd.errors import NotFound, QueryError
from khojd.graph.sheet import from_disk
from khojd.search.types import SearchRequest
from tests.chat.desk import desk

pieces = st.lists(
    st.sampled_from(
        [
            "Tea. ",
            "# Tea\n",
            "\n",
            "\r\n",
            "\r",
            "\n\n",
            "  ",
            "緑茶は七十度。",
            "x" * 700,
            "water " * 90,
            "🙂é",
            "- item\n",
            "* Org\n",
            "\u2028",
        ]
    ),
    max_size=40,
).map("".join)


def exact(text: str, passage: Passage) -> bool:
    lines = LineIndex(text)
    return text[passage.start : passage.end] == passage.text and lines.line(passage.start) == passage.line


def within(text: str, start: int, end: int) -> Passage:
    return Passage("/n.md", start, end, ranges.line_of(text, start), text[start:end])


@settings(max_examples=150, deadline=None)
@given(pieces, st.data())
def test_a_passage_is_widened_to_what_holds_it_within_its_entry(text: str, data: st.DataObject) -> None:
    places = st.integers(0, len(text))
    outer = sorted((data.draw(places), data.draw(places)))
    inner = sorted(data.draw(st.integers(outer[0], outer[1])) for _ in range(2))
    start, end = ranges.widened(text, (inner[0], inner[1]), (outer[0], outer[1]))
    assert outer[0] <= start <= end <= outer[1]
    assert end - start <= max(ranges.LONGEST + ranges.AROUND, ranges.WHOLE)
    shown = text[inner[0] : inner[1]].strip()
    if shown and inner[1] - inner[0] <= ranges.AROUND:
        assert shown in text[start:end]
    assert exact(text, within(text, start, end))


@settings(max_examples=150, deadline=None)
@given(pieces, st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 900)), max_size=8))
def test_joined_passages_do_not_overlap_and_lose_nothing(text: str, spans: Sequence[tuple[int, int]]) -> None:
    given_ = [within(text, min(start, len(text)), min(start + size, len(text))) for start, size in spans]
    given_ = [one for one in given_ if one.text]
    found = ranges.joined({"/n.md": text}, given_)
    for passage in found:
        assert exact(text, passage)
    for one in given_:
        assert any(other.start <= one.start and one.end <= other.end for other in found)
    ordered = sorted(found, key=lambda one: one.start)
    assert all(a.end <= b.start for a, b in pairwise(ordered))


@settings(max_examples=80, deadline=None)
@given(pieces)
def test_a_long_text_is_cut_into_parts_that_hold_all_of_it(text: str) -> None:
    parts = summarise.cut_up([within(text, 0, len(text))], 500)
    assert "".join("".join(part.text.split()) for part in parts) == "".join(text.split())
    for part in parts:
        assert exact(text, part)


NASTY = {
    "crlf.md": "# Tea\r\n\r\nGreen tea\r\nis steeped.\r\n\r\n## Pots\r\n\r\nTea in clay.\r\n",
    "bom.md": "\ufeff# Tea\n\nTea with a mark.\n",
    "org.org": "#+TITLE: Tea\n* Tea :drink:\n:PROPERTIES:\n:ID: a1\n:END:\nTea of 緑茶 🙂.\n"
    "** TODO Buy tea\nSCHEDULED: <2024-05-01 Wed>\nSoon.\n",
    "front.md": "---\ntitle: My tea\ntags: [tea]\n---\nTea below front matter.\n",
    "long.md": "# Tea\n\n" + "\n\n".join(f"Paragraph {n} on tea. " + "Water is hot. " * 20 for n in range(30)),
    "latin.txt": "Tee für zwei\n",
}


async def test_passages_that_are_found_are_exact_in_any_format(tmp_path: Path) -> None:
    async with desk(tmp_path, NASTY, model=False, embedding=True) as d:
        (d.root / "latin1.txt").write_bytes("Tea f\xfcr zwei\r\n".encode("latin-1"))
        await d.engine.update(embed=True)
        library = Library(d.engine)
        found = await library.search(["tea", "green tea clay pots"])
        assert {Path(one.path).name for one in found} >= {"crlf.md", "bom.md", "org.org", "front.md", "long.md", "latin1.txt"}
        for passage in found:
            text = await library.text(passage.path)
            assert exact(text, passage), passage.path
        (org,) = [one for one in found if one.path.endswith("org.org")]
        assert (org.title, org.headings[:1], org.date) == ("Tea", ("Tea",), "2024-05-01")


@pytest.mark.usefixtures("as_editor")
async def test_unsaved_text_counts_and_its_passages_are_exact(tmp_path: Path) -> None:
    async with desk(tmp_path, NASTY, model=False) as d:
        typed = "New first line.\n\n# Tea\n\nOolong tea was typed a moment ago.\n"
        d.engine.open_buffer("editor", d.path("crlf.md"), typed, 2)
        library = Library(d.engine)
        async with asyncio.timeout(60):
            while not (found := [one for one in await library.search(["oolong"]) if one.path == d.path("crlf.md")]):
                await asyncio.sleep(0.02)
        assert exact(typed, found[0])
        assert await library.text(d.path("crlf.md")) == typed


async def test_the_asking_editors_text_comes_first(tmp_path: Path) -> None:
    async with desk(tmp_path, NASTY, model=False) as d:
        from khojd.content.registry import settings_of

        path = d.path("front.md")
        sheet = from_disk(path, settings_of(d.engine.config.content))
        shown = type(sheet)(path, "Moved down.\n\n" + sheet.text, sheet.settings)
        (one,) = [one for one in await Library(d.engine).search(["front matter"], sheets={path: shown}) if one.path == path]
        assert exact(shown.text, one)


async def test_queries_that_cannot_be_read_are_left_out_while_others_can(tmp_path: Path) -> None:
    async with desk(tmp_path, NASTY, model=False) as d:
        library = Library(d.engine)
        assert await library.search(["tag:", "green tea"])
        with pytest.raises(QueryError):
            await library.search(["tag:"])
        assert await library.search([]) == []


async def test_a_place_that_is_gone_is_said_and_others_are_given(tmp_path: Path) -> None:
    async with desk(tmp_path, NASTY, model=False) as d:
        library = Library(d.engine)
        places = [Attached(d.path("gone.md")), Attached(d.path("bom.md")), Attached(d.path("org.org"), 0, 0, "selection")]
        named = await library.attached(places, "tea")
        assert [Path(one.path).name for one in named.passages] == ["bom.md"]
        assert [("gone.md" in note, "empty" in note) for note in named.notes] == [(True, False), (False, True)]
        with pytest.raises(NotFound, match="gone"):
            await library.text(d.path("gone.md"))


async def test_a_label_is_the_path_below_its_folder(tmp_path: Path) -> None:
    async with desk(tmp_path, {"a/b.md": "Tea.\n"}, model=False) as d:
        library = Library(d.engine)
        assert library.label(d.path("a/b.md")) == "a/b.md"
        assert library.label("/elsewhere/c.md") == "/elsewhere/c.md"
        (tmp_path / "more").mkdir()
        await d.engine.add_folder(config.Folder(path=str(tmp_path / "more")))
        assert library.label(d.path("a/b.md")) == "notes/a/b.md"


async def test_what_words_find_counts_while_its_vector_is_not_made(tmp_path: Path) -> None:
    async with desk(tmp_path, {"tea.md": "# Tea\n\nGreen tea is steeped at 70 degrees.\n"}, embedding=True) as d:
        (hit,) = (await d.engine.search(SearchRequest("how hot is green tea", explain=True))).hits
        assert hit.explanation is not None
        for cosine, kept in ((None, True), (0.1, False), (0.5, True)):
            why = replace(hit.explanation, coverage=0.15, semantic_score=cosine)
            assert bool(merged([[replace(hit, explanation=why)]])) == kept
