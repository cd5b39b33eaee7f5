"""Org files that people wrote, read in place, against orgparse as an independent reading of the same syntax."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from orgparse.node import OrgEnv, parse_lines

from khojd.content.model import ContentSettings
from khojd.content.org import parse
from khojd.content.org_headline import DEFAULT_KEYWORDS
from tests.content.test_org import check_lines
from tests.content.test_org_links import checked
from tests.content.test_org_marks import read

CORPORA = ("org-worg", "org-spacemacs", "nasty/nasty-org-mode")
INLINE_TASKS = "*" * 15


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*.org")):
        yield path.name, path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")


@pytest.mark.parametrize("corpus", CORPORA)
def test_trees_keywords_priorities_tags_and_planning_agree_with_orgparse(shared_data: Path, corpus: str) -> None:
    files = 0
    for name, text in texts(shared_data / "corpora" / corpus):
        if INLINE_TASKS in text:
            continue  # orgparse takes an inline task for headings
        files += 1
        lines = text.split("\n")
        root = parse_lines(lines, name, OrgEnv(todos=sorted(DEFAULT_KEYWORDS), dones=[], filename=name))
        nodes = list(root[1:])
        number = {id(node): index for index, node in enumerate([root, *nodes])}
        sections = parse(text, ContentSettings()).sections[1:]
        assert [(node.linenumber - 1, node.level, number[id(node.get_parent())]) for node in nodes] == [
            (section.heading_segment.line, section.level, section.parent) for section in sections if section.heading_segment
        ], name
        for node, section in zip(nodes, sections, strict=True):
            where = f"{name}:{node.linenumber}"
            assert (node.todo or "", node.priority or "") == (section.todo, section.priority), where
            if not any(set(tag) & set("#%") for tag in section.tags):  # which orgparse knows not
                assert node.tags == set(section.tags), where
            following = lines[node.linenumber].strip().lower() if node.linenumber < len(lines) else ""
            if not following.startswith((": ", "#+begin")):  # orgparse takes a planning line in an example for one
                planned = [ref.kind for ref in section.dates if ref.kind in ("scheduled", "deadline", "closed")]
                assert sum(map(bool, (node.scheduled, node.deadline, node.closed))) == len(planned), where
    assert files > 20


@pytest.mark.parametrize("corpus", CORPORA)
def test_only_metadata_is_left_out_of_the_text(shared_data: Path, corpus: str) -> None:
    for _, text in texts(shared_data / "corpora" / corpus):
        check_lines(text)


def test_an_inline_task_of_the_org_project_is_no_heading(shared_data: Path) -> None:
    path = shared_data / "corpora/nasty/nasty-org-mode/testing/examples/agenda-search.org"
    text = path.read_text(encoding="utf-8")
    last = parse(text, ContentSettings()).sections[-1]
    assert last.heading == "Test heading with inlinetask"
    assert "".join(text[s.start : s.end] for s in last.segments).endswith("text inside inlinetask\nbar\n")


@pytest.mark.parametrize("corpus", CORPORA)
def test_links_anchors_and_marks_stand_where_they_say(shared_data: Path, corpus: str) -> None:
    links = 0
    for _, text in texts(shared_data / "corpora" / corpus):
        links += len(checked(text).links)
        read(text)
    assert links > 20
