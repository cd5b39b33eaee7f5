"""What each tool finds, what it leaves out, and what it says of arguments that are wrong."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from khojd import config
from khojd.chat.model import text_hash
from khojd.chat.tokens import tokens
from khojd.chat.tools.registry import Context, Registry, Result, tool
from khojd.chat.tools.table import standard
from khojd.config import Folder
from khojd.content.model import ContentSettings
from khojd.errors import ChatError, NotFound
from khojd.graph.sheet import Sheet
from tests.chat.toolbox import Desk, desk

NOTES = {
    "office/plan.org": "#+title: The plan\n#+filetags: :j:\n* Goals\nShip the heron in May.\n* Money :private:\nThe sum is 900.\n",
    "office/meeting.md": "# Meeting\n\nThe meeting is on Friday, see [[plan]].\n\n## Next steps\n\n- call Ada\n- write to Bob\n",
    "home/garden.md": "---\ntags: [garden]\n---\n# Garden\n\nPlant the heron statue. #garden\n",
    "journal/2024-05-03.md": "Met Ada about the plan.\n",
    "journal/2024-06-01.md": "Rain. See [[Meeting]] and [the plan](../office/plan.org).\n",
}


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, NOTES) as made:
        yield made


def paths(vault: Desk, result: Result) -> list[str]:
    return [Path(one.path).relative_to(vault.root).as_posix() for one in result.passages]


# search_notes


async def test_search_finds_passages_with_numbers_and_the_exact_text_of_the_file(vault: Desk) -> None:
    result = await vault.call("search_notes", query="heron")
    assert set(paths(vault, result)) == {"office/plan.org", "home/garden.md"}
    assert [one.number for one in result.passages] == [1, 2]
    for one in result.passages:
        assert Path(one.path).read_text()[one.start : one.end] == one.text
        assert f'<note n="{one.number}" path="{vault.library.label(one.path)}"' in result.text
        assert one.text in result.text
        assert one.origin == "tool"
    again = await vault.call("search_notes", query="heron statue garden", limit=1)
    assert again.passages[0].number == next(one.number for one in result.passages if "garden" in one.path)
    assert result.summary == "2 passages of 2 notes"


async def test_filters_of_a_query_count_and_wrong_ones_are_explained(vault: Desk) -> None:
    assert paths(vault, await vault.call("search_notes", query="heron file:home")) == ["home/garden.md"]
    assert "did you mean tag:" in await vault.refusal("search_notes", query="heron tags:garden")
    nothing = await vault.call("search_notes", query="zeppelin")
    assert nothing.passages == ()
    assert nothing.text.startswith("Nothing is found.")


async def test_filters_of_the_conversation_hold_whatever_a_query_says(vault: Desk) -> None:
    bound = vault.context(filters='file:"office/**"\n-tag:private')
    assert paths(vault, await vault.call("search_notes", bound, query="heron")) == ["office/plan.org"]
    assert (await vault.call("search_notes", bound, query="heron file:home")).passages == ()
    assert (await vault.call("search_notes", bound, query="sum tag:private")).passages == ()
    folders = vault.context(folders=[str(vault.root / "home")])
    assert paths(vault, await vault.call("search_notes", folders, query="heron file:office file:home")) == ["home/garden.md"]


async def test_what_does_not_fit_is_counted(vault: Desk) -> None:
    result = await vault.call("search_notes", vault.context(tokens=90), query="heron")
    assert len(result.passages) == 1
    assert "1 more passage left out for lack of room" in result.text


# grep_notes


async def test_grep_finds_lines_with_what_is_around_them(vault: Desk) -> None:
    result = await vault.call("grep_notes", pattern=r"\bada\b")
    assert set(paths(vault, result)) == {"office/meeting.md", "journal/2024-05-03.md"}
    (listed,) = [one for one in result.passages if one.path.endswith("meeting.md")]
    assert listed.text == "\n- call Ada\n- write to Bob"
    assert listed.headings == ("Meeting", "Next steps")
    assert (await vault.call("grep_notes", pattern="ADA", case_sensitive=True)).passages == ()
    assert paths(vault, await vault.call("grep_notes", pattern="Ada", file="journal/**")) == ["journal/2024-05-03.md"]


async def test_grep_is_bound_by_the_filters_and_by_parts_of_notes_that_they_hide(vault: Desk) -> None:
    everything = await vault.call("grep_notes", pattern="heron|sum", context_lines=5)
    assert "900" in everything.text
    bound = await vault.call("grep_notes", vault.context(filters="-tag:private"), pattern="heron|sum", context_lines=5)
    assert set(paths(vault, bound)) == {"office/plan.org", "home/garden.md"}
    assert "900" not in bound.text
    home = await vault.call("grep_notes", vault.context(filters="file:home"), pattern="heron", file="*")
    assert paths(vault, home) == ["home/garden.md"]


async def test_grep_says_what_is_wrong_with_a_pattern_and_when_there_is_more(vault: Desk) -> None:
    assert "not a regular expression" in await vault.refusal("grep_notes", pattern="(a")
    result = await vault.call("grep_notes", pattern="e", limit=2)
    assert "there are more than 2 matches" in result.text


async def test_grep_shows_a_line_where_the_editor_has_it_now(vault: Desk) -> None:
    path = str(vault.root / "journal/2024-05-03.md")
    typed = "New first line.\nMet Ada about the plan.\n"
    sheet = Sheet(path, typed, ContentSettings(), version=3)
    result = await vault.call("grep_notes", vault.context(sheets={path: sheet}), pattern="Met Ada", context_lines=0)
    (one,) = result.passages
    assert (one.line, one.text) == (1, "Met Ada about the plan.")
    gone = Sheet(path, "Something else.\n", ContentSettings(), version=4)
    result = await vault.call("grep_notes", vault.context(sheets={path: gone}), pattern="Met Ada")
    assert result.passages == ()
    assert "1 matching line that an editor has changed since" in result.text


# read_note


@pytest.mark.parametrize(
    "name", ["office/plan.org", "plan", "The plan", "[[plan]]", "[[office/plan.org][the plan]]", "notes/office/plan.org"]
)
async def test_a_note_is_read_by_path_name_title_and_link(vault: Desk, name: str) -> None:
    result = await vault.call("read_note", note=name)
    (one,) = result.passages
    assert one.text == NOTES["office/plan.org"].rstrip("\n")
    assert result.text.startswith("Lines 1 to 6 of the 6 of office/plan.org:")


async def test_a_note_is_read_by_absolute_path_and_from_a_heading_of_a_link(vault: Desk) -> None:
    assert paths(vault, await vault.call("read_note", note=str(vault.root / "home/garden.md"))) == ["home/garden.md"]
    (one,) = (await vault.call("read_note", note="[[Meeting#Next steps]]")).passages
    assert one.text.startswith("## Next steps")


async def test_a_range_of_lines_is_read(vault: Desk) -> None:
    (one,) = (await vault.call("read_note", note="meeting", from_line=7, to_line=7)).passages
    assert (one.text, one.line, one.headings) == ("- call Ada", 6, ("Meeting", "Next steps"))
    assert "has lines 1 to 8: there are none from 9" in await vault.refusal("read_note", note="meeting", from_line=9)
    assert "there are none from 5 to 4" in await vault.refusal("read_note", note="meeting", from_line=5, to_line=4)


async def test_a_long_note_is_read_in_parts_that_say_how_to_go_on(tmp_path: Path) -> None:
    text = "".join(f"Line {number} of a long note.\n" for number in range(1, 401))
    async with desk(tmp_path, {"long.md": text}) as vault:
        read, at = "", 1
        for _ in range(20):
            result = await vault.call("read_note", vault.context(tokens=1000), note="long", from_line=at)
            assert tokens(result.text) <= 1100
            read += result.passages[0].text + "\n"
            if "go on with from_line" not in result.text:
                break
            at = int(result.text.rsplit("from_line ", 1)[1].split()[0])
        assert read == text


async def test_a_note_with_one_endless_line_is_cut_and_says_so(tmp_path: Path) -> None:
    async with desk(tmp_path, {"one.md": "word " * 20_000}) as vault:
        result = await vault.call("read_note", note="one")
        assert tokens(result.text) <= 2300
        assert "of its characters are left out" in result.text


async def test_notes_that_are_not_there_are_named_with_those_like_them(vault: Desk) -> None:
    assert "like it are office/meeting.md" in await vault.refusal("read_note", note="meeting minutes")
    assert "list_notes shows" in await vault.refusal("read_note", note="zeppelin")
    assert "there is no note ''" in await vault.refusal("read_note", note="  ")


async def test_several_notes_of_a_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    async with desk(tmp_path, {"a/log.md": "A.\n", "b/log.md": "B.\n"}) as vault:
        assert "may mean 2 notes; give the path: a/log.md, b/log.md" in await vault.refusal("read_note", note="log")
        assert (await vault.call("read_note", note="b/log")).passages[0].text == "B."


async def test_nothing_outside_of_the_folders_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("The password is heron.\n")
    (tmp_path / "apart").mkdir()
    (tmp_path / "apart" / "more.md").write_text("Another password is heron.\n")
    root = tmp_path / "notes"
    root.mkdir()
    (root / "link.md").symlink_to(secret)
    (root / "linked").symlink_to(tmp_path / "apart")
    (root / "alias.md").symlink_to(root / "own.md")
    async with desk(tmp_path, {"own.md": "Mine, heron.\n", "img.png": "x"}) as vault:
        for name in (
            str(secret),
            "../secret.md",
            "notes/../../secret.md",
            f"{vault.root}/../secret.md",
            "[[../secret]]",
            "[[file:../secret.md]]",
            f"[[file:{secret}]]",
            "[x](../secret.md)",
            "link.md",
            "linked/more.md",
            "[[linked/more]]",
            "img.png",
            "~/secret.md",
            "/etc/passwd",
            "own.md\0",
        ):
            assert "password" not in await vault.refusal("read_note", note=name)
        assert (await vault.call("read_note", note="alias.md")).passages[0].text == "Mine, heron."
        for result in (
            await vault.call("search_notes", query="heron password"),
            await vault.call("grep_notes", pattern="heron"),
            await vault.call("list_notes"),
        ):
            assert "password" not in result.text
            assert "more.md" not in result.text
        assert "link.md" not in (await vault.call("list_notes")).text


async def test_a_filter_hides_its_part_of_a_note_from_reading(vault: Desk) -> None:
    bound = vault.context(filters="-tag:private")
    result = await vault.call("read_note", bound, note="plan")
    assert "Ship the heron" in result.text
    assert "900" not in result.text
    assert "parts that the filters of this conversation leave out" in result.text
    tagged = vault.context(filters="tag:garden")
    assert "Plant the heron" in (await vault.call("read_note", tagged, note="garden")).text
    assert "there is no note 'plan'" in await vault.refusal("read_note", tagged, note="plan")


@pytest.mark.usefixtures("as_editor")
async def test_what_an_editor_typed_is_hidden_by_filters_as_what_is_saved(vault: Desk) -> None:
    path = str(vault.root / "office/plan.org")
    typed = NOTES["office/plan.org"].replace("900", "1000").replace("Ship", "Sell")
    vault.engine.open_buffer("editor", path, typed, 2)
    sheet = Sheet(path, typed, ContentSettings(), version=2)
    bound = vault.context(filters="-tag:private", sheets={path: sheet})
    try:
        said = (await vault.call("read_note", bound, note="plan")).text
    except ChatError as error:
        said = error.message
        assert "changed a moment ago" in said
    assert "1000" not in said


# list_notes


async def test_notes_are_listed_by_folder_tag_and_date_newest_first(vault: Desk) -> None:
    everything = (await vault.call("list_notes")).text
    assert everything.startswith("Notes 1 to 5 of 5")
    assert everything.index('["journal/2024-06-01.md", "", "2024-06-01"]') < everything.index('["journal/2024-05-03.md"')
    assert '["office/plan.org", "The plan", ""]' in (await vault.call("list_notes", folder="office")).text
    assert (await vault.call("list_notes", folder="notes/office/")).summary == "2 notes"
    assert (await vault.call("list_notes", tag="garden")).text.count(".md") == 1
    assert "2024-05-03.md" in (await vault.call("list_notes", date="2024-05")).text
    assert (await vault.call("list_notes", date="2024-05", folder="office")).text == "There are no such notes."


async def test_lists_come_in_pages_and_say_so(tmp_path: Path) -> None:
    async with desk(tmp_path, {f"n{number:03}.md": "x\n" for number in range(120)}) as vault:
        first, third = await vault.call("list_notes"), await vault.call("list_notes", page=3)
        assert first.text.startswith("Notes 1 to 50 of 120")
        assert first.text.endswith("More are on page 2.")
        assert third.text.startswith("Notes 101 to 120 of 120")
        assert "there is no page 4: 120 notes fill 3" in await vault.refusal("list_notes", page=4)
        short = await vault.call("list_notes", vault.context(tokens=300))
        assert "left out for lack of room" in short.text
        assert tokens(short.text) <= 300


async def test_lists_are_bound_and_wrong_folders_and_dates_explained(vault: Desk) -> None:
    bound = vault.context(filters="file:office")
    assert (await vault.call("list_notes", bound)).summary == "2 notes"
    assert (await vault.call("list_notes", bound, folder="home")).text == "There are no such notes."
    assert "at the top are home, journal, office" in await vault.refusal("list_notes", folder="ofice")
    assert "no .." in await vault.refusal("list_notes", folder="../")
    assert "somewhen" in await vault.refusal("list_notes", date="somewhen")


# backlinks


async def test_backlinks_show_the_lines_that_link(vault: Desk) -> None:
    result = await vault.call("backlinks", note="plan")
    assert paths(vault, result) == ["journal/2024-06-01.md", "office/meeting.md"]
    assert "see [[plan]]" in result.text
    bound = await vault.call("backlinks", vault.context(filters="file:office"), note="plan")
    assert paths(vault, bound) == ["office/meeting.md"]
    assert "No other note links to home/garden.md." in (await vault.call("backlinks", note="garden")).text
    assert "1 further link" in (await vault.call("backlinks", note="plan", limit=1)).text


# propose_edit


async def test_a_replacement_is_proposed_and_nothing_is_written(vault: Desk) -> None:
    before = vault.texts()
    result = await vault.call(
        "propose_edit", action="replace", note="meeting", old="on Friday", new="on Monday", why="it was  moved\nto Monday"
    )
    (one,) = result.proposals
    text = NOTES["office/meeting.md"]
    assert (text[one.start : one.end], one.before, one.after) == ("on Friday", "on Friday", "on Monday")
    assert one.path == str(vault.root / "office/meeting.md")
    assert one.text_hash == text_hash(text)
    assert one.why == "change office/meeting.md: it was moved to Monday"
    assert "Nothing is changed yet: the person decides" in result.text
    assert vault.texts() == before


async def test_a_replacement_needs_a_text_that_stands_once(vault: Desk) -> None:
    assert "does not stand in the note" in await vault.refusal(
        "propose_edit", action="replace", note="meeting", old="on Sunday", new="x"
    )
    assert "stands 2 times" in await vault.refusal("propose_edit", action="replace", note="meeting", old="eeting", new="x")
    assert "needs old" in await vault.refusal("propose_edit", action="replace", note="meeting", new="x")
    assert "the same as" in await vault.refusal("propose_edit", action="replace", note="meeting", old="Friday", new="Friday")
    assert "Invalid enum value 'delete'" in await vault.refusal("propose_edit", action="delete", note="meeting", new="")


@pytest.mark.parametrize(
    ("note", "heading", "new", "after"),
    [
        ("meeting", "Next steps", "- ask Eve", "- write to Bob\n- ask Eve"),
        ("meeting", "## next steps", "Then rest.\n", "- write to Bob\n\nThen rest."),
        ("meeting", "", "## More", "- write to Bob\n\n## More"),
        ("meeting", "Meeting", "Bring tea.", "The meeting is on Friday, see [[plan]].\n\nBring tea."),
        ("plan", "Goals", "And more.", "Ship the heron in May.\n\nAnd more."),
        ("plan", "money", "Spend it.", "The sum is 900.\n\nSpend it."),
    ],
)
async def test_text_is_appended_at_the_end_of_a_section(vault: Desk, note: str, heading: str, new: str, after: str) -> None:
    (one,) = (await vault.call("propose_edit", action="append", note=note, heading=heading, new=new)).proposals
    assert one.after == after
    text = Path(one.path).read_text()
    changed = text[: one.start] + one.after + text[one.end :]
    assert changed.endswith("\n")
    assert changed.count("\n\n\n") == 0


async def test_a_heading_that_is_not_there_is_named_with_those_that_are(vault: Desk) -> None:
    said = await vault.refusal("propose_edit", action="append", note="meeting", heading="Steps", new="x")
    assert "no heading 'Steps'; its headings are 'Meeting', 'Next steps'" in said


async def test_line_ends_of_a_proposal_are_those_of_the_note(tmp_path: Path) -> None:
    async with desk(tmp_path, {"dos.md": "# A\r\n\r\nOne.\r\nTwo.\r\n", "empty.md": ""}) as vault:
        (one,) = (await vault.call("propose_edit", action="replace", note="dos", old="One.\nTwo.", new="1\n2\n3")).proposals
        assert (one.before, one.after) == ("One.\r\nTwo.", "1\r\n2\r\n3")
        (one,) = (await vault.call("propose_edit", action="append", note="dos", new="Three.\n")).proposals
        assert one.after == "Two.\r\n\r\nThree."


async def test_a_new_note_is_proposed_inside_of_the_folders_alone(vault: Desk) -> None:
    (one,) = (await vault.call("propose_edit", action="create", note="office/ideas.md", new="# Ideas")).proposals
    assert (one.path, one.before, one.after, one.text_hash) == (str(vault.root / "office/ideas.md"), "", "# Ideas\n", "")
    assert not (vault.root / "office/ideas.md").exists()
    (one,) = (await vault.call("propose_edit", action="create", note="Ideas", new="x")).proposals
    assert one.path == str(vault.root / "Ideas.md")
    for name, why in (
        ("../x.md", "cannot be the path"),
        ("/etc/x.md", "in none of the folders"),
        ("a\nb.md", "cannot be the path"),
        (".git/x.md", "would not be read as a note"),
        ("x.sh", "ends in .md, .org or .txt"),
        ("office/plan.org", "is there already"),
        ("folder/", "cannot be the path"),
    ):
        assert why in await vault.refusal("propose_edit", action="create", note=name, new="x")
    bound = vault.context(filters='file:"office/**" file:"lab/**"\n-file:"office/old/**"', folders=[str(vault.root)])
    assert (await vault.call("propose_edit", bound, action="create", note="lab/a.md", new="x")).proposals
    for name in ("home/a.md", "office/old/a.md"):
        assert "outside of what this conversation" in await vault.refusal(
            "propose_edit", bound, action="create", note=name, new="x"
        )


async def test_what_filters_hide_is_not_changed_and_unseen_characters_are_pointed_out(vault: Desk) -> None:
    bound = vault.context(filters="-tag:private")
    said = await vault.refusal("propose_edit", bound, action="replace", note="plan", old="900", new="1")
    assert "left out by the filters" in said
    (one,) = (await vault.call("propose_edit", action="replace", note="meeting", old="Friday", new="Fri\u200b\u202eday")).proposals
    assert "the new text has 2 invisible characters" in one.why


# Arguments, and tools of others


async def test_arguments_of_a_wrong_kind_are_explained_and_lenient_ones_taken(vault: Desk) -> None:
    assert "missing required field `query`" in await vault.refusal("search_notes", limit=3)
    assert "unknown field `q`" in await vault.refusal("search_notes", q="heron", query="heron")
    assert "Expected `int` <= 30" in await vault.refusal("search_notes", query="heron", limit=1000)
    assert len((await vault.call("search_notes", query="heron", limit="1")).passages) == 1
    assert (await vault.call("list_notes", folder=None, page=None)).summary == "5 notes"


async def test_a_folder_is_named_first_where_there_are_several(tmp_path: Path) -> None:
    other = tmp_path / "archive"
    other.mkdir()
    (other / "old.md").write_text("An old heron.\n")
    async with desk(tmp_path, {"new.md": "A new heron.\n"}, more=[Folder(path=str(other))]) as vault:
        assert paths_of(await vault.call("read_note", note="archive/old.md")) == [str(other / "old.md")]
        assert '["archive/old.md", "", ""]' in (await vault.call("list_notes", folder="archive")).text
        (one,) = (await vault.call("propose_edit", action="create", note="archive/x.md", new="x")).proposals
        assert one.path == str(other / "x.md")


def paths_of(result: Result) -> list[str]:
    return [one.path for one in result.passages]


async def test_a_tool_of_someone_else_is_added_once_and_found_by_name(vault: Desk) -> None:
    from msgspec import Struct

    class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
        pass

    async def today(context: Context, arguments: Nothing) -> Result:
        return Result(date(2024, 5, 3).isoformat())

    registry: Registry = vault.registry
    made = tool("today", "What day it is.", Nothing, today)
    registry.add(made)
    assert registry.names()[-1] == "today"
    assert (await vault.call("today")).text == "2024-05-03"
    with pytest.raises(ChatError, match="there is a tool 'today' already"):
        registry.add(made)
    with pytest.raises(ChatError, match="cannot be a tool's name"):
        registry.add(tool("To day", "", Nothing, today))
    with pytest.raises(NotFound, match="did you mean today"):
        registry.select(["tody"])
    assert [one.name for one in registry.select(["today", "read_note", "today"])] == ["today", "read_note"]


def test_the_configuration_knows_the_names_of_all_tools() -> None:
    assert standard().names() == config.TOOLS
