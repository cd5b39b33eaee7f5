"""Changes that an answer proposes, made by the command line once a person has said yes."""

from pathlib import Path

import pytest

from khojd.chat.model import text_hash
from khojd.cli.proposals import apply
from khojd.server.types_proposals import Change

TEXT = "# Tea\r\n\r\nBrew it 🍵 for 3 minutes.\r\n"


def change(path: Path, before: str, after: str, *, create: bool = False) -> Change:
    start = TEXT.index(before)
    return Change(
        path=str(path),
        create=create,
        start=start,
        end=start + len(before),
        before=before,
        after=after,
        text_hash="" if create else text_hash(TEXT),
        why="the tea was bitter",
        origin="Why is my tea bitter?",
    )


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "tea.md"
    path.write_bytes(TEXT.encode())
    path.chmod(0o600)
    return path


def test_a_change_is_made_and_nothing_else_changes_by_a_byte(note: Path) -> None:
    assert apply(change(note, "3 minutes", "2 minutes")) == ""
    assert note.read_bytes() == TEXT.replace("3 minutes", "2 minutes").encode()
    assert note.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in note.parent.iterdir()] == ["tea.md"]


def test_a_byte_order_mark_stays(note: Path) -> None:
    note.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert apply(change(note, "3 minutes", "2 minutes")) == ""
    assert note.read_bytes() == b"\xef\xbb\xbf" + TEXT.replace("3 minutes", "2 minutes").encode()


def test_a_link_to_a_note_stays_a_link(note: Path) -> None:
    link = note.with_name("link.md")
    link.symlink_to(note)
    assert apply(change(link, "3 minutes", "2 minutes")) == ""
    assert link.is_symlink()
    assert "2 minutes" in note.read_text("utf-8")


def test_a_note_that_is_another_by_now_stays(note: Path) -> None:
    note.write_bytes(b"Above.\n" + TEXT.encode())
    assert "ask again" in apply(change(note, "3 minutes", "2 minutes"))
    assert note.read_bytes() == b"Above.\n" + TEXT.encode()


def test_a_note_that_cannot_be_read_or_written_stays(tmp_path: Path, note: Path) -> None:
    assert "cannot be read" in apply(change(tmp_path / "none.md", "3 minutes", "2 minutes"))
    note.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read as UTF-8" in apply(change(note, "3 minutes", "2 minutes"))


def test_a_new_note_is_made_and_one_that_is_there_stays(tmp_path: Path, note: Path) -> None:
    new = tmp_path / "deep" / "new.md"
    assert apply(change(new, "", "# New\n", create=True)) == ""
    assert new.read_text("utf-8") == "# New\n"
    assert "there already" in apply(change(note, "", "# New\n", create=True))
    assert note.read_bytes() == TEXT.encode()
