"""Walking folders with everything people have in them."""

import os
from pathlib import Path

import pytest

from khojd.config import Folder
from khojd.sources.rules import Rules
from khojd.sources.scan import inside, look, scan


def paths(root: Path, **options: object) -> list[str]:
    facts = scan(Rules(Folder(path=str(root))), **options)  # type: ignore[arg-type]
    return sorted(os.path.relpath(fact.path, root) for fact in facts)


def test_links_to_directories_are_followed_and_loops_end(tmp_path: Path) -> None:
    root = tmp_path / "notes"
    (root / "sub").mkdir(parents=True)
    (root / "sub/a.md").write_text("a", encoding="utf-8")
    (root / "sub/loop").symlink_to(root)
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "b.md").write_text("b", encoding="utf-8")
    (root / "linked").symlink_to(outside)
    assert paths(root) == ["linked/b.md", "sub/a.md"]


def test_a_link_to_nothing_is_said_and_not_dropped(tmp_path: Path) -> None:
    (tmp_path / "gone.md").symlink_to(tmp_path / "nowhere.md")
    (fact,) = scan(Rules(Folder(path=str(tmp_path))))
    assert fact.problem == "the link points to nothing"


def test_a_link_to_itself_is_said(tmp_path: Path) -> None:
    (tmp_path / "self.md").symlink_to(tmp_path / "self.md")
    (fact,) = scan(Rules(Folder(path=str(tmp_path))))
    assert "symbolic links" in fact.problem


def test_a_name_that_is_not_text_is_said(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/caf\xe9.md", "wb") as file:  # noqa: PTH123 - Path takes no bytes
        file.write(b"text")
    (fact,) = scan(Rules(Folder(path=str(tmp_path))))
    assert fact.problem == "the file's name is not valid UTF-8"
    assert fact.path.endswith(r"/caf\xe9.md")


def test_sockets_and_pipes_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    assert paths(tmp_path) == []
    assert look(str(tmp_path / "pipe.md")) is None


def test_other_folders_inside_are_left_to_their_own_rules(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/a.md").write_text("a", encoding="utf-8")
    (tmp_path / "b.md").write_text("b", encoding="utf-8")
    assert paths(tmp_path, others=[str(tmp_path / "inner")]) == ["b.md"]


def test_a_part_of_a_folder_can_be_walked(tmp_path: Path) -> None:
    for name in ("x/a.md", "y/b.md"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("a", encoding="utf-8")
    assert paths(tmp_path, below="y") == ["y/b.md"]


def test_a_folder_that_is_not_there_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(scan(Rules(Folder(path=str(tmp_path / "none")))))


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/n/a.md", "/n"), ("/n/deep/a.md", "/n/deep"), ("/n", "/n"), ("/notes/a.md", None), ("/n/deeper/a.md", "/n")],
)
def test_a_path_belongs_to_the_deepest_folder_that_holds_it(path: str, expected: str | None) -> None:
    assert inside(path, ["/n", "/n/deep"]) == expected
