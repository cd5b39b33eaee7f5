"""Which files of a folder are notes."""

import os
import string
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from khojd.config import Folder
from khojd.errors import ConfigError
from khojd.sources.rules import Rules
from khojd.sources.scan import scan


def make(root: Path, *files: str) -> None:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text", encoding="utf-8")


def found(root: Path, **settings: object) -> set[str]:
    rules = Rules(Folder(path=str(root), **settings))  # type: ignore[arg-type]
    names = {str(Path(fact.path).relative_to(root)) for fact in scan(rules)}
    # What a single path is judged by is what the walk goes by.
    for path in root.rglob("*"):
        if path.is_file() and not any(part.is_symlink() for part in path.parents):
            assert rules.accepts(str(path)) == (str(path.relative_to(root)) in names), path
    return names


def test_hidden_files_and_tool_folders_are_left_out(tmp_path: Path) -> None:
    make(tmp_path, "a.md", ".hidden.md", ".git/x.md", ".obsidian/app.json", "node_modules/p/readme.md", "sub/b.org")
    assert found(tmp_path) == {"a.md", "sub/b.org"}


def test_hidden_files_are_read_when_asked_for_but_tool_folders_never(tmp_path: Path) -> None:
    make(tmp_path, "a.md", ".hidden.md", ".notes/b.md", ".git/x.md")
    assert found(tmp_path, hidden=True) == {"a.md", ".hidden.md", ".notes/b.md"}


def test_locks_backups_and_swap_files_of_editors_are_no_notes(tmp_path: Path) -> None:
    make(tmp_path, "a.org", "#a.org#", "a.org~", ".a.org.swp", "4913")
    (tmp_path / ".#a.org").symlink_to("user@host.1234")
    assert found(tmp_path, hidden=True) == {"a.org"}


def test_include_patterns_narrow_and_exclude_patterns_win(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "b.org", "drafts/c.md", "drafts/keep.org")
    assert found(tmp_path, include=("*.md",)) == {"a.md", "drafts/c.md"}
    assert found(tmp_path, include=("*.md",), exclude=("/drafts/",)) == {"a.md"}


def test_gitignore_files_have_their_meaning_at_every_level(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "a.log", "keep.log", "build/x.md", "sub/build/y.md", "sub/z.tmp", "sub/other.log")
    (tmp_path / ".gitignore").write_text("*.log\n!keep.log\n/build/\n", encoding="utf-8")
    (tmp_path / "sub/.gitignore").write_text("*.tmp\n!other.log\n", encoding="utf-8")
    assert found(tmp_path) == {"a.md", "keep.log", "sub/build/y.md", "sub/other.log"}
    assert "a.log" in found(tmp_path, gitignore=False)


def test_nothing_below_an_ignored_directory_comes_back(tmp_path: Path) -> None:
    make(tmp_path, "private/a.md", "b.md")
    (tmp_path / ".gitignore").write_text("private/\n!private/a.md\n", encoding="utf-8")
    assert found(tmp_path) == {"b.md"}


def test_gitignore_above_the_folder_counts_inside_a_work_tree_only(tmp_path: Path) -> None:
    make(tmp_path, "notes/a.md", "notes/secret.md")
    (tmp_path / ".gitignore").write_text("notes/secret.md\n", encoding="utf-8")
    assert found(tmp_path / "notes") == {"a.md", "secret.md"}
    (tmp_path / ".git").mkdir()
    assert found(tmp_path / "notes") == {"a.md"}


def test_a_changed_gitignore_is_read_again_after_forget(tmp_path: Path) -> None:
    make(tmp_path, "a.md")
    rules = Rules(Folder(path=str(tmp_path)))
    assert rules.accepts(str(tmp_path / "a.md"))
    (tmp_path / ".gitignore").write_text("a.md\n", encoding="utf-8")
    rules.forget()
    assert not rules.accepts(str(tmp_path / "a.md"))


def test_a_path_outside_the_folder_is_not_accepted(tmp_path: Path) -> None:
    assert not Rules(Folder(path=str(tmp_path / "notes"))).accepts(str(tmp_path / "other.md"))


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("[", "has a [ without ]"),
        ("drafts/[ab", "has a [ without ]"),
        ("[]", "has a [ without ]"),
        ("[z-a]", "is not a gitignore pattern (bad character range z-a"),
        ("[[:alpha:]]*", "are not known here"),
        ("back\\", "is not a gitignore pattern"),
        ("", "is empty"),
        (" ", "is empty"),
        ("!", "is empty"),
        ("/", "names nothing"),
        ("# drafts", "is a comment"),
        ("!keep.md", "takes something back, and nothing stands before it"),
        ("./drafts", "has a part that is empty, . or .."),
        ("../other", "has a part that is empty, . or .."),
        ("a//b", "has a part that is empty, . or .."),
        ("~/notes/drafts", "patterns start at the folder of notes"),
        ("{root}/drafts", "patterns start at the folder of notes"),
    ],
)
@pytest.mark.parametrize("key", ["include", "exclude"])
def test_a_pattern_that_would_do_nothing_is_an_error_that_names_it(tmp_path: Path, key: str, pattern: str, reason: str) -> None:
    pattern = pattern.replace("{root}", str(tmp_path))
    with pytest.raises(ConfigError) as caught:
        Rules(Folder(path=str(tmp_path), **{key: (pattern,)}))  # type: ignore[arg-type]
    assert f'{key}[0] = "{pattern}" is not allowed: ' in caught.value.message
    assert reason in caught.value.message
    assert "e.g. *.md" in caught.value.message
    assert caught.value.data["value"] == pattern


@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")  # [[] is pathspec's to compile
@given(st.text(string.ascii_letters + "/*?[]!#-.~^\\ é", max_size=12), st.text("ab/.é", min_size=1, max_size=8))
@example("[[]", "[")
def test_any_text_is_a_pattern_that_can_be_asked_or_an_error(text: str, name: str) -> None:
    try:
        rules = Rules(Folder(path="/notes", exclude=(text,), gitignore=False))
    except ConfigError as error:
        assert error.data["value"] == text
    else:
        assert rules.file(name) in (True, False)


@pytest.mark.parametrize("bad", ["[", "[z-a]", "[[:alpha:]]", "back\\"])
def test_a_line_of_a_gitignore_file_that_cannot_be_read_leaves_the_others_in_force(tmp_path: Path, bad: str) -> None:
    make(tmp_path, "a.md", "b.log")
    (tmp_path / ".gitignore").write_text(f"{bad}\n*.log\n", encoding="utf-8")
    assert found(tmp_path) == {"a.md"}


def test_rules_are_made_without_a_look_at_the_disk(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    make(tmp_path, "notes/a.md", "notes/b.md")
    rules = Rules(Folder(path=str(tmp_path / "notes")))
    (tmp_path / ".gitignore").write_text("a.md\n", encoding="utf-8")
    assert [fact.path for fact in scan(rules)] == [str(tmp_path / "notes/b.md")]
    (tmp_path / ".gitignore").write_text("b.md\n", encoding="utf-8")
    rules.forget()
    assert [fact.path for fact in scan(rules)] == [str(tmp_path / "notes/a.md")]


@pytest.mark.skipif(sys.platform == "win32", reason="has no named pipes in folders")
def test_what_was_read_of_a_gitignore_file_before_it_changed_is_not_kept(tmp_path: Path) -> None:
    rules = Rules(Folder(path=str(tmp_path)))
    os.mkfifo(tmp_path / ".gitignore")  # so that the look is held up in the middle of its reading
    look = threading.Thread(target=rules.file, args=("e.md",))
    look.start()
    with (tmp_path / ".gitignore").open("w", encoding="utf-8") as before:
        rules.forget()
        before.write("*.md\n")
    look.join()
    (tmp_path / ".gitignore").unlink()
    assert rules.file("e.md")
