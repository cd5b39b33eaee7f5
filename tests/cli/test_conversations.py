"""`khojd conversations` and `khojd personas` against a daemon; answers are the best passages, for no model is configured."""

import pytest

from tests.cli.khojd import Khojd


@pytest.fixture
def conversation(khojd: Khojd) -> str:
    """The id of a conversation with two questions."""
    first = khojd.json("chat", "Which pads squeal?")
    khojd.json("chat", "--conversation", first["conversation"][:12], "What about the chain?")
    found: str = first["conversation"]
    return found


def test_conversations_are_listed_last_one_first_and_searched(khojd: Khojd, conversation: str) -> None:
    other = khojd.json("chat", "How is onion soup made?")["conversation"]
    lines = khojd("conversations").stdout.splitlines()
    assert lines[0].startswith(f"{other[:8]}  ")
    assert lines[0].endswith("  1 turn  How is onion soup made?")
    assert f"{conversation[:8]}  " in lines[1]
    assert [one["id"] for one in khojd.json("conversations", "ONION", "made")["conversations"]] == [other]
    assert [one["id"] for one in khojd.json("conversations", "list", "-n", "1")["conversations"]] == [other]
    nothing = khojd("conversations", "zeppelin", status=1)
    assert (nothing.stdout, nothing.stderr) == ("", "nothing was found\n")


def test_someone_new_is_told_how_to_begin(newcomer: Khojd) -> None:
    result = newcomer("conversations", status=1)
    assert result.stdout == ""
    assert "khojd chat" in result.stderr
    assert newcomer.json("conversations", status=1) == {"conversations": [], "problem": ""}


def test_the_status_says_that_conversations_cannot_be_kept(newcomer: Khojd) -> None:
    (newcomer.index / "conversations.db").mkdir(parents=True)  # no file can be made there
    assert any("conversations cannot be kept" in problem for problem in newcomer.json("status")["index"]["problems"])
    assert "conversations cannot be kept" in newcomer("conversations", status=1).stderr


def test_a_conversation_is_shown_with_its_sources(khojd: Khojd, conversation: str) -> None:
    shown = khojd("conversations", "show", conversation[:10]).stdout
    assert shown.startswith("Which pads squeal?\n" + conversation)
    assert "\n1. Which pads squeal?\n" in shown
    assert "\n2. What about the chain?\n" in shown
    assert "The pads squeal." in shown
    assert "[1] notes/bike.md:" in shown
    assert "queries: " not in shown
    assert "\nqueries: Which pads squeal?\n" in khojd("conversations", "show", "--steps", conversation[:10]).stdout
    whole = khojd.json("conversations", "show", conversation)
    assert [turn["question"] for turn in whole["turns"]] == ["Which pads squeal?", "What about the chain?"]
    assert whole["turns"][0]["citations"][0]["state"] == "fresh"


def test_a_conversation_is_renamed(khojd: Khojd, conversation: str) -> None:
    out = khojd("conversations", "rename", conversation, "My", "bike").stdout
    assert out.endswith("  2 turns  My bike\n")
    assert khojd.json("conversations", "rename", conversation, "")["title"] == "Which pads squeal?"


def test_a_fork_takes_turns_by_number_or_id(khojd: Khojd, conversation: str) -> None:
    turns = khojd.json("conversations", "show", conversation)["turns"]
    assert khojd.json("conversations", "fork", conversation)["turns"] == 2
    by_number = khojd.json("conversations", "fork", conversation, "1")
    assert (by_number["turns"], by_number["forkedFrom"]) == (1, turns[0]["id"])
    assert khojd.json("conversations", "fork", conversation, turns[1]["id"])["forkedFrom"] == turns[1]["id"]
    # Ids begin with a digit more often than not: a short number is never the beginning of one.
    for number in ("0", "3", "4", "5", "9999"):
        assert "which has 2 turns" in khojd.refused("conversations", "fork", conversation, number)


def test_an_export_goes_to_stdout_or_a_file_and_never_over_one_by_accident(khojd: Khojd, conversation: str) -> None:
    text = khojd("conversations", "export", conversation).stdout
    assert text.startswith("# Which pads squeal?\n\n## Which pads squeal?\n")
    assert f"(<{khojd.notes}/bike.md#L" in text
    assert khojd("conversations", "export", conversation, "--output", "out.org").stdout == "wrote out.org\n"
    written = (khojd.home / "out.org").read_text(encoding="utf-8")
    assert written.startswith("#+TITLE: Which pads squeal?\n")
    assert f"[[file:{khojd.notes}/bike.md::" in written
    (khojd.home / "out.org").write_text("mine", encoding="utf-8")
    refused = khojd("conversations", "export", conversation, "-o", "out.org", status=2)
    assert "--force" in refused.stderr
    assert (khojd.home / "out.org").read_text(encoding="utf-8") == "mine"
    khojd("conversations", "export", conversation, "-o", "out.org", "--format", "markdown", "--force")
    assert (khojd.home / "out.org").read_text(encoding="utf-8") == text
    assert "cannot be written" in khojd.refused("conversations", "export", conversation, "-o", "nowhere/out.md")
    assert "neither org nor markdown" in khojd("conversations", "export", conversation, "-f", "html", status=2).stderr


def test_deleting_wants_a_yes(khojd: Khojd) -> None:
    id = khojd.json("chat", "Delete me")["conversation"]
    assert "--yes" in khojd("conversations", "delete", id, status=2).stderr
    assert khojd("conversations", "delete", id, "--yes").stdout.startswith(f"deleted {id[:8]}")
    assert id in khojd.refused("conversations", "show", id)


@pytest.mark.parametrize("command", [("show",), ("delete", "--yes"), ("fork",), ("export",), ("rename",)])
def test_an_unknown_id_is_named(khojd: Khojd, command: tuple[str, ...]) -> None:
    title = ("x",) if command == ("rename",) else ()
    assert "there is no conversation 'feedfeed'" in khojd.refused("conversations", *command, "feedfeed", *title)


def test_personas_are_listed_and_shown(khojd: Khojd) -> None:
    lines = khojd("personas").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["*", "researcher", "developer", "writer"]
    assert lines[0].startswith("* default ")
    shown = khojd("personas", "developer").stdout
    assert "based on built in\n" in shown
    assert khojd.json("personas", "developer")["prompt"] in shown
    assert khojd.json("personas")["default"] == "default"
    assert "did you mean 'writer'" in khojd.refused("personas", "wirter")
