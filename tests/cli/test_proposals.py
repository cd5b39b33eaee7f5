"""Changes that an answer proposes, made by the command line once a person has said yes."""

from pathlib import Path

import pytest

from khojd.chat.model import text_hash
from khojd.cli.proposals import apply, offer
from khojd.server.types import Location, Position, Range
from khojd.server.types_chat import Proposal

TEXT = "# Tea\r\n\r\nBrew it 🍵 for 3 minutes.\r\n"


def proposal(path: Path, before: str, after: str, *, line: int = 2, character: int = 0, of: str = TEXT) -> Proposal:
    start = Position(line=line, character=character)
    return Proposal(
        id="p1",
        location=Location(uri=path.as_uri(), range=Range(start=start, end=start)),
        path=str(path),
        before=before,
        after=after,
        text_hash=text_hash(of) if of else "",
        why="the tea was bitter",
        edit=None,
    )


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "tea.md"
    path.write_bytes(TEXT.encode())
    path.chmod(0o600)
    return path


def test_a_change_is_made_and_nothing_else_changes_by_a_byte(note: Path) -> None:
    assert apply(proposal(note, "3 minutes", "2 minutes", character=14)) == ""
    assert note.read_bytes() == TEXT.replace("3 minutes", "2 minutes").encode()
    assert note.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in note.parent.iterdir()] == ["tea.md"]


def test_a_byte_order_mark_stays(note: Path) -> None:
    note.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert apply(proposal(note, "3 minutes", "2 minutes", character=14)) == ""
    assert note.read_bytes() == b"\xef\xbb\xbf" + TEXT.replace("3 minutes", "2 minutes").encode()


def test_text_can_be_put_in_where_nothing_was(note: Path) -> None:
    assert apply(proposal(note, "", "It is green.\r\n", line=3)) == ""
    assert note.read_bytes().decode() == TEXT + "It is green.\r\n"


def test_a_note_that_changed_elsewhere_is_changed_where_the_text_is_now(note: Path) -> None:
    note.write_bytes(b"Above.\n" + TEXT.encode())
    assert apply(proposal(note, "3 minutes", "2 minutes", character=14)) == ""
    assert note.read_bytes() == b"Above.\n" + TEXT.replace("3 minutes", "2 minutes").encode()


@pytest.mark.parametrize("now", ["Gone.\n", TEXT + TEXT])
def test_a_note_without_the_text_or_with_several_of_it_stays(note: Path, now: str) -> None:
    note.write_bytes(now.encode())
    assert "has changed" in apply(proposal(note, "3 minutes", "2 minutes", character=14))
    assert note.read_bytes() == now.encode()


def test_a_new_note_is_made_and_one_that_is_there_stays(tmp_path: Path, note: Path) -> None:
    new = tmp_path / "deep" / "new.md"
    assert apply(proposal(new, "", "# New\n", of="")) == ""
    assert new.read_text("utf-8") == "# New\n"
    assert "there already" in apply(proposal(note, "", "# New\n", of=""))
    assert note.read_bytes() == TEXT.encode()


def test_without_a_terminal_a_change_is_shown_and_not_made(note: Path, capsys: pytest.CaptureFixture[str]) -> None:
    offer([proposal(note, "3 minutes", "2 minutes", character=14)])
    said = capsys.readouterr()
    assert "-3 minutes" in said.out
    assert "+2 minutes" in said.out
    assert "not changed" in said.err
    assert note.read_bytes() == TEXT.encode()
