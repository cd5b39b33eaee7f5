"""Links and elements of Org files that people wrote, against those that Emacs's own Org finds in them."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from khojd.content import marks
from khojd.content.model import ContentSettings
from khojd.content.org import parse
from tests.conftest import program

DEFAULTS = ContentSettings()
SCRIPT = Path(__file__).with_name("org-elements.el")
KINDS = {
    "item": "list",
    **dict.fromkeys(("src-block", "example-block", "export-block", "fixed-width"), "code"),
    **dict.fromkeys(("comment", "comment-block"), "comment"),
    "table": "table",
    **dict.fromkeys(("drawer", "property-drawer"), "drawer"),
    **dict.fromkeys(("quote-block", "verse-block", "center-block"), "quote"),
}
Found = set[tuple[str, int, int]]


@pytest.fixture
def files(shared_data: Path) -> list[Path]:
    """Every fifth file of the Org project's wiki, without those that mix line ends, where Emacs counts otherwise."""
    found = sorted((shared_data / "corpora" / "org-worg").rglob("*.org"))[::5]
    return [path for path in found if b"\r" not in path.read_bytes() and path.name != "org-syntax.org"]


def emacs(files: list[Path]) -> Iterator[tuple[str, Found, Found]]:
    """Each text with its links and its elements."""
    ran = subprocess.run(
        [program("emacs"), "--batch", "-Q", "-l", str(SCRIPT), *map(str, files)],
        capture_output=True,
        encoding="utf-8",
        timeout=110,
        check=True,
    )
    found: list[Found] = [
        {(kind, int(start), int(end)) for kind, start, end in re.findall(r'\("([^"]+)" ([0-9]+) ([0-9]+)\)', line)}
        for line in ran.stdout.splitlines()
    ]
    for path, links, elements in zip(files, found[::2], found[1::2], strict=True):
        yield path.read_text(encoding="utf-8"), links, elements


def test_links_and_elements_are_where_emacs_finds_them(files: list[Path]) -> None:
    total = {"links": 0, "elements": 0}
    for text, links, elements in emacs(files):
        parsed = parse(text, DEFAULTS)
        theirs = {(start, end) for kind, start, end in links if kind != "radio"}
        ours = {(link.start, link.end): link for link in parsed.links}
        total["links"] += len(theirs)
        assert theirs - set(ours) == set()
        for more in set(ours) - theirs:
            line = text[text.rfind("\n", 0, more[0]) + 1 : more[1]]
            assert ours[more].kind == "plain" and re.match(r"[ \t]*(#\+\w+:|:\w+:)", line), line  # which Org keeps as raw values
        read = {(mark.kind, mark.start, mark.end) for mark in marks.read("a.org", text, parsed, DEFAULTS)}
        expected = {(KINDS[kind], start, end) for kind, start, end in elements}
        total["elements"] += len(expected)
        assert expected - read == set()
        assert {mark for mark in read - expected if mark[0] in ("list", "code", "table", "drawer")} == set()
    assert total["links"] > 500 and total["elements"] > 1000
