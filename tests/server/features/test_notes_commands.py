"""khoj/notes/*, khoj/links/insert, khoj/contents/update, as methods and as commands."""

from datetime import datetime
from typing import Any

import pytest

from khojd import config
from tests.server.editor import Failure
from tests.server.features.acting import at
from tests.server.features.applied import applied
from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Vault

NOTES = {
    "index.md": "# Index\n\n[[tea]]\n",
    "tea.md": "---\ntitle: All about tea\n---\n# Leaves\n\n## Brewing it\n\nHot water.\n",
    "sub/plan.org": "* Plan\n** Beds\n",
}
CAN: dict[str, dict[str, Any]] = {
    "workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True, "resourceOperations": ["create"]}},
    "window": {"showDocument": {"support": True}},
}


def settings(*templates: config.Template, **notes: str) -> config.Config:
    return config.Config(
        index=config.Index(watch="off"),
        embedding=config.Embedding(model="off"),
        notes=config.NewNotes(templates=templates, **notes),  # type: ignore[arg-type]
    )


class Desk:
    """An editor that applies and shows, with what it was asked to."""

    def __init__(self, *, applies: bool = True) -> None:
        self.edits: list[dict[str, Any]] = []
        self.shown: list[str] = []
        self._applies = applies

    async def open(self, make_vault: MakeVault, notes: dict[str, str], **options: Any) -> Vault:
        self.vault = await make_vault(
            notes,
            answers={"workspace/applyEdit": self._apply, "window/showDocument": self._show},
            **{"capabilities": CAN, **options},
        )
        return self.vault

    async def run(self, command: str, **params: Any) -> dict[str, Any]:
        """The answer of a command."""
        done = await self.vault.editor.request("workspace/executeCommand", {"command": command, "arguments": [params]})
        assert isinstance(done, dict)
        return done

    @property
    def files(self) -> dict[str, str]:
        """What the last edit makes of the notes."""
        return applied(self.vault, self.edits[-1])

    def _apply(self, params: Any) -> Any:
        self.edits.append(params["edit"])
        return {"applied": True} if self._applies else {"applied": False, "failureReason": "no"}

    def _show(self, params: Any) -> Any:
        self.shown.append(self.vault.name(params["uri"]))
        return {"success": True}


async def test_todays_note_is_made_and_shown(make_vault: MakeVault) -> None:
    desk = Desk()
    vault = await desk.open(make_vault, NOTES)
    before = datetime.now().astimezone().date()
    answer = await desk.run("khoj.notes.today")
    days = {f"{day.isoformat()}.md": f"# {day.isoformat()}\n\n" for day in (before, datetime.now().astimezone().date())}
    assert desk.files.items() <= days.items()
    assert (answer["applied"], [vault.name(answer["uri"])]) == (True, list(desk.files))
    assert desk.shown == list(desk.files)


async def test_the_note_of_a_day_that_is_there_is_shown(make_vault: MakeVault) -> None:
    desk = Desk()
    vault = await desk.open(make_vault, {**NOTES, "2024-05-01.md": "x", "log/2024-05-02 Meeting.md": "x"})
    answer = await desk.run("khoj.notes.today", date="2024-05-01")
    assert (answer["applied"], vault.name(answer["uri"]), answer["reason"]) == (False, "2024-05-01.md", "it is there already")
    assert (desk.edits, desk.shown) == ([], ["2024-05-01.md"])
    await desk.run("khoj.notes.today", date="2024-05-02")  # the note of a meeting is not the day's
    assert desk.files == {"2024-05-02.md": "# 2024-05-02\n\n"}


@pytest.mark.parametrize(
    ("there", "made"),
    [
        (["journals/2024_04_30.md", "2024-04-29-post.md"], "journals/2024_05_01.md"),
        (["vault/daily.journal.2024.04.29.md", "vault/daily.journal.2024.04.30.md"], "vault/daily.journal.2024.05.01.md"),
        (["vault/daily.journal.2024.04.30.md"], "2024-05-01.md"),  # one is no habit
        (["days/2024/04/2024-04-30.md", "days/2023/12/2023-12-31.md"], "days/2024/05/2024-05-01.md"),
        (["20240430.org", "20240429.org", "notes/2024-04-28.md"], "20240501.org"),
        (["a {b}/2024-04-30.md"], "a {b}/2024-05-01.md"),
        (["202404301200 Zettel.md", "20240430.1200.md"], "2024-05-01.md"),
    ],
)
async def test_a_daily_note_is_named_and_placed_as_the_others(make_vault: MakeVault, there: list[str], made: str) -> None:
    desk = Desk()
    await desk.open(make_vault, {"index.md": "x", **dict.fromkeys(there, "x")})
    await desk.run("khoj.notes.today", date="2024-05-01")
    text = "#+title: 2024-05-01\n\n" if made.endswith(".org") else "# 2024-05-01\n\n"
    assert desk.files == {made: text}


async def test_a_daily_template_of_the_settings_comes_before_the_habit(make_vault: MakeVault) -> None:
    desk = Desk()
    daily = config.Template(name="daily", folder="days/{date:%Y}", file="{date:%d %b}.org", text="* {date:%A} {{x}}\n{selection}")
    await desk.open(make_vault, {"2024-04-30.md": "x"}, settings=settings(daily))
    await desk.run("khoj.notes.today", date="2024-05-01")
    assert desk.files == {"days/2024/01 May.org": "* Wednesday {x}\n"}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"date": "yesterday"}, "'yesterday' is no day; write it as 2024-05-01"),
        ({"template": "dayly"}, "there is no template 'dayly'; did you mean daily[?] Known are note, daily"),
        ({"folder": "/etc"}, "/etc is no folder of notes"),
    ],
)
async def test_bad_wishes_for_a_daily_note_are_refused(make_vault: MakeVault, params: dict[str, str], message: str) -> None:
    desk = Desk()
    await desk.open(make_vault, NOTES)
    with pytest.raises(Failure, match=message):
        await desk.run("khoj.notes.today", **params)
    assert desk.edits == []


async def test_a_new_note_is_made_of_its_template(make_vault: MakeVault) -> None:
    desk = Desk()
    meeting = config.Template(name="meeting", folder="meetings", file="{date:%Y}/{title}", text="# Meeting: {title} ({slug})\n")
    vault = await desk.open(make_vault, NOTES, settings=settings(meeting))
    year = datetime.now().astimezone().year
    answer = await desk.run("khoj.notes.new", title=" With Ann/Bob: tea? ", template="meeting")
    (path,) = desk.files
    assert path in (f"meetings/{year}/With Ann-Bob- tea.md", f"meetings/{year + 1}/With Ann-Bob- tea.md")
    assert desk.files[path] == "# Meeting: With Ann/Bob: tea? (with-annbob-tea)\n"
    assert (answer["applied"], vault.name(answer["uri"]), desk.shown) == (True, path, [path])
    await desk.run("khoj.notes.new", title="Green tea", folder="sub/new")
    assert desk.files == {"sub/new/green-tea.md": "# Green tea\n\n"}
    await desk.run("khoj.notes.new", title="Green tea", folder=vault.uri("sub"))
    assert desk.files == {"sub/green-tea.md": "# Green tea\n\n"}


async def test_new_notes_have_the_format_of_the_settings_or_of_most_notes(make_vault: MakeVault) -> None:
    desk = Desk()
    await desk.open(make_vault, {"a.org": "x", "b.org": "x", "c.md": "x"})
    await desk.run("khoj.notes.new", title="T")
    assert desk.files == {"t.org": "#+title: T\n\n"}
    await desk.open(make_vault, {"a.org": "x"}, settings=settings(format="markdown", folder="inbox"))
    await desk.run("khoj.notes.new", title="T")
    assert desk.files == {"inbox/t.md": "# T\n\n"}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"title": "Tea"}, r"tea\.md is there already; choose another title or folder"),
        ({"title": "  "}, "a note cannot have the title '': it is empty"),
        ({"title": "a\nb"}, "it has control characters"),
        ({"title": ".."}, "gives no name for a file with the title '..'"),
        ({"title": "x", "folder": "../out"}, "/out is in none of the folders of notes"),
        ({"title": "x", "folder": "/etc"}, "/etc is in none of the folders of notes"),
        ({"title": "x", "folder": "a\u0000b"}, "cannot be a folder"),
        ({"title": "x", "template": "none"}, "there is no template 'none'"),
        ({"title": "x" * 400}, "the name is too long for a file"),
    ],
)
async def test_bad_wishes_for_a_new_note_are_refused(make_vault: MakeVault, params: dict[str, str], message: str) -> None:
    desk = Desk()
    await desk.open(make_vault, NOTES)
    with pytest.raises(Failure, match=message) as caught:
        await desk.run("khoj.notes.new", **params)
    assert caught.value.data["kind"] == "edit"
    assert desk.edits == []


async def test_a_note_that_is_open_but_not_saved_is_not_made_again(make_vault: MakeVault) -> None:
    desk = Desk()
    vault = await desk.open(make_vault, NOTES)
    vault.open("fresh.md", "typing")
    with pytest.raises(Failure, match=r"fresh\.md is there already"):
        await desk.run("khoj.notes.new", title="Fresh")


async def test_an_editor_that_cannot_is_told_what_it_lacks(make_vault: MakeVault) -> None:
    desk = Desk()
    await desk.open(make_vault, NOTES, capabilities={"workspace": {"applyEdit": True}})
    with pytest.raises(
        Failure, match=r"does not let a language server create files \(workspace\.workspaceEdit\.resourceOperations"
    ):
        await desk.run("khoj.notes.new", title="x")
    await desk.open(make_vault, NOTES, capabilities={"workspace": {"workspaceEdit": CAN["workspace"]["workspaceEdit"]}})
    with pytest.raises(Failure, match=r"takes no changes from a language server \(workspace\.applyEdit\)"):
        await desk.run("khoj.notes.new", title="x")


async def test_a_note_that_the_editor_refuses_is_not_shown(make_vault: MakeVault) -> None:
    desk = Desk(applies=False)
    await desk.open(make_vault, NOTES)
    answer = await desk.run("khoj.notes.new", title="x")
    assert (answer["applied"], answer["reason"], desk.shown) == (False, "no", [])


# --- links and tables of contents ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_a_link_is_put_in(make_vault: MakeVault, encoding: str) -> None:
    desk = Desk()
    vault = await desk.open(make_vault, NOTES, encoding=encoding)
    cursor = vault.open("x.md", "🍵 see | now\r\n")
    where: dict[str, Any] = {"textDocument": {"uri": vault.uri("x.md")}, "position": cursor}
    await desk.run("khoj.links.insert", **where, target=vault.path("tea.md"))
    assert desk.files == {"x.md": "🍵 see [[tea]] now\r\n"}
    await desk.run("khoj.links.insert", **where, target=vault.uri("tea.md"), heading="brewing it", text="how")
    assert desk.files == {"x.md": "🍵 see [[tea#Brewing it|how]] now\r\n"}
    await desk.run("khoj.links.insert", **where, query="hot water")
    assert desk.files == {"x.md": "🍵 see [[tea#Brewing it]] now\r\n"}
    past = {**where, "position": {"line": 99, "character": 99}}
    await desk.run("khoj.links.insert", **past, target=vault.path("tea.md"))
    assert desk.files == {"x.md": "🍵 see  now\r\n[[tea]]"}


async def test_a_link_that_leads_nowhere_is_not_put_in(make_vault: MakeVault) -> None:
    desk = Desk()
    vault = await desk.open(make_vault, NOTES)
    cursor = vault.open("x.md", "see | now")
    where: dict[str, Any] = {"textDocument": {"uri": vault.uri("x.md")}, "position": cursor}
    tea = vault.path("tea.md")
    for params, message in (
        ({"target": vault.path("none.md")}, r"none\.md is no note of the configured folders"),
        ({"target": tea, "heading": "Brewing"}, "has no heading 'Brewing'; did you mean 'Brewing it'?"),
        ({"query": "zzzz"}, "nothing is found for 'zzzz'"),
        ({}, "takes either a target or a query"),
        ({"target": tea, "query": "x"}, "takes either a target or a query"),
    ):
        with pytest.raises(Failure, match=message):
            await desk.run("khoj.links.insert", **where, **params)
    assert desk.edits == []


async def test_a_table_of_contents_is_made_anew_on_command(make_vault: MakeVault) -> None:
    desk = Desk()
    vault = await desk.open(make_vault, NOTES)
    vault.open("x.md", "<!-- toc -->\n<!-- tocstop -->\n# A\n")
    where = {"textDocument": {"uri": vault.uri("x.md")}}
    assert (await desk.run("khoj.contents.update", **where))["applied"]
    after = {"x.md": "<!-- toc -->\n\n- [[#A]]\n\n<!-- tocstop -->\n# A\n"}
    assert desk.files == after
    vault.edit("x.md", after["x.md"])
    answer = await desk.run("khoj.contents.update", **where)
    assert (answer["applied"], answer["reason"], len(desk.edits)) == (False, "it is up to date", 1)
    with pytest.raises(Failure, match="has no table of contents; <!-- toc -->"):
        await desk.run("khoj.contents.update", textDocument={"uri": vault.uri("tea.md")})
    with pytest.raises(Failure, match="has no table of contents; a heading tagged :TOC:"):
        await desk.run("khoj.contents.update", textDocument={"uri": vault.uri("sub/plan.org")})


async def test_an_old_editor_makes_and_sees_a_note_by_the_command_of_an_action(make_vault: MakeVault) -> None:
    desk = Desk()
    vault = await desk.open(make_vault, NOTES)  # it knows no code actions, only commands
    cursor = vault.open("x.md", "[[coc|oa]]")
    found = await at(vault, "x.md", cursor)
    chosen = next(one for one in found if one["title"] == "Create cocoa.md")
    answer = await desk.run(chosen["command"], **chosen["arguments"][0])
    assert (answer["applied"], desk.files, desk.shown) == (True, {"cocoa.md": "# cocoa\n\n"}, ["cocoa.md"])


async def test_commands_can_be_switched_off_but_those_that_other_features_need(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, khoj={"protocol": 1, "features": {"commands": False}})
    commands = vault.editor.capabilities["executeCommandProvider"]["commands"]
    assert commands == ["khoj.chat.show", "khoj.links.anchor", "khoj.actions.apply"]
