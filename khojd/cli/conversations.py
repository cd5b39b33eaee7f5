"""`khojd conversations`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from khojd.cli import output
from khojd.cli.connection import absolute, connect
from khojd.cli.failure import Exit
from khojd.cli.search import Json
from khojd.errors import NotFound, QueryError

if TYPE_CHECKING:
    from khojd.server.types_conversations import Conversation, ConversationResult, ConversationTurn

_LONGEST_TITLE = 1000  # characters


def _id(given: str) -> str:
    if not given:
        raise NotFound("the id of the conversation is empty; `khojd conversations` lists them")
    return given


def _title(words: list[str]) -> list[str]:
    if len(" ".join(words)) > _LONGEST_TITLE:
        raise QueryError(f"the title is longer than {_LONGEST_TITLE:,} characters")
    return words


Id = Annotated[str, typer.Argument(metavar="ID", callback=_id, help="The conversation's id, or its beginning.", show_default=False)]
_SHOWN = 8  # digits of an id
_LONGEST_NUMBER = 4  # digits of the number of a turn; longer ones begin an id


class _ListByDefault(TyperGroup):
    """What is no command is what to look for."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ListByDefault,
    help="List, show and export what was asked and answered.\n\n`khojd conversations [QUERY]` is short for `list`.",
    rich_markup_mode=None,
)


@app.command("list")
def list_(
    query: Annotated[
        list[str] | None,
        typer.Argument(metavar="QUERY", help="Words that are all in the title, the questions or the answers.", show_default=False),
    ] = None,
    *,
    limit: Annotated[int, typer.Option("-n", "--limit", min=0, help="Number of conversations; 0 is all.")] = 0,
    as_json: Json = False,
) -> None:
    """List conversations, last changed first."""
    from khojd.server.types_conversations import ConversationsParams, ConversationsResult

    with connect() as client:
        params = ConversationsParams(query=" ".join(query or ()), limit=limit)
        result = client.call("khoj/conversations/list", params, ConversationsResult)
    if as_json:
        output.json(result)
    else:
        for one in result.conversations:
            print(_line(one))
    if result.problem:
        output.say(f"problem: {result.problem}")
    if not result.conversations:
        if not as_json:
            output.say("nothing was found" if query else "there is no conversation yet; `khojd chat` begins one")
        raise typer.Exit(Exit.NOTHING)


@app.command()
def show(
    conversation: Id,
    *,
    aside: Annotated[bool, typer.Option("--aside", help="Also what was put aside when a question was asked anew.")] = False,
    steps: Annotated[bool, typer.Option("--steps", help="Also what was done for each answer, and which models it took.")] = False,
    as_json: Json = False,
) -> None:
    """Show a conversation with its sources.

    The sources are where their text is now; one whose text is no longer in its note says so.
    """
    from khojd.server.types_conversations import ConversationParams, ConversationResult

    with connect() as client:
        params = ConversationParams(conversation=conversation, aside=aside)
        result = client.call("khoj/conversations/get", params, ConversationResult)
    if as_json:
        output.json(result)
    else:
        _show(result, steps=steps)


@app.command()
def rename(
    conversation: Id,
    title: Annotated[list[str], typer.Argument(metavar="TITLE", callback=_title, help='"" for one from the first question.')],
    as_json: Json = False,
) -> None:
    """Give a conversation another title."""
    from khojd.server.types_conversations import Conversation, RenameConversationParams

    with connect() as client:
        params = RenameConversationParams(conversation=conversation, title=" ".join(title))
        result = client.call("khoj/conversations/rename", params, Conversation)
    output.json(result) if as_json else print(_line(result))


@app.command()
def delete(
    conversation: Id,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Remove a conversation from the disk."""
    from khojd.server.types_conversations import (
        ConversationParams,
        ConversationResult,
        DeleteConversationParams,
        DeletedConversation,
    )

    if not yes and not sys.stdin.isatty():
        raise typer.BadParameter("nobody is here to be asked; give --yes", param_hint="--yes")
    with connect() as client:
        if not yes:
            params = ConversationParams(conversation=conversation)
            found = client.call("khoj/conversations/get", params, ConversationResult).conversation
            if not typer.confirm(f"{_line(found)}\nDelete it?", err=True):
                raise typer.Exit(Exit.NOTHING)
            conversation = found.id
        gone = client.call("khoj/conversations/delete", DeleteConversationParams(conversation=conversation), DeletedConversation)
    output.json(gone) if as_json else print(f"deleted {_line(gone.conversation)}")


@app.command()
def fork(
    conversation: Id,
    turn: Annotated[
        str, typer.Argument(metavar="TURN", help="The last turn to take over: its number, or its id.", show_default=False)
    ] = "",
    as_json: Json = False,
) -> None:
    """Begin a new conversation with turns of another.

    It begins with all questions and answers up to TURN, by default all of them; the other one stays as it is.
    """
    from khojd.server.types_conversations import (
        Conversation,
        ConversationParams,
        ConversationResult,
        ForkConversationParams,
    )

    with connect() as client:
        params = ForkConversationParams(conversation=conversation)
        if turn:
            wanted = ConversationParams(conversation=conversation, aside=True)
            params = ForkConversationParams(turn=_turn(client.call("khoj/conversations/get", wanted, ConversationResult), turn))
        result = client.call("khoj/conversations/fork", params, Conversation)
    output.json(result) if as_json else print(_line(result))


@app.command()
def export(
    conversation: Id,
    *,
    format: Annotated[
        str, typer.Option("--format", "-f", metavar="org|markdown", help="Default: as the file's name says, else markdown.")
    ] = "",
    file: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Also over a file that is there.")] = False,
) -> None:
    """Print a conversation as Markdown or Org.

    Each question is a heading, and each source a link to its line in the note as it is now.
    """
    from khojd.server.types_conversations import ExportConversationParams, ExportedConversation

    if format not in ("", "org", "markdown"):
        raise typer.BadParameter(f"{format!r} is neither org nor markdown", param_hint="--format")
    chosen = format or ("org" if file is not None and file.suffix.lower() == ".org" else "markdown")
    if file is not None and file.exists() and not force:
        raise typer.BadParameter(f"{file} is there already; give --force to write over it", param_hint="--output")
    with connect() as client:
        params = ExportConversationParams(conversation=conversation, format="org" if chosen == "org" else "markdown")
        exported = client.call("khoj/conversations/export", params, ExportedConversation)
    if file is None:
        sys.stdout.write(exported.text)
        sys.stdout.flush()
        return
    target = Path(absolute(str(file)))
    try:
        target.write_text(exported.text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise NotFound(f"{target} cannot be written: {error.strerror}", path=str(target)) from None
    print(f"wrote {output.shown(str(target))}")


def _turn(result: "ConversationResult", wanted: str) -> str:
    """The id of a turn by its number, from 1, or by the beginning of its id. Raises NotFound."""
    turns = result.turns
    if wanted.isdecimal() and len(wanted) <= _LONGEST_NUMBER:
        found = [turns[int(wanted) - 1].id] if 1 <= int(wanted) <= len(turns) else []
    else:
        found = [turn.id for turn in (*turns, *result.aside) if turn.id.startswith(wanted.lower())]
    if len(found) != 1:
        many = output.count(len(turns), "turn")
        raise NotFound(f"{wanted!r} is no turn of this conversation, which has {many}; give a number or an id", turn=wanted)
    return found[0]


def _line(one: "Conversation") -> str:
    style = output.Style()
    facts = [output.moment(one.updated), output.count(one.turns, "turn")]
    return f"{style(one.id[:_SHOWN], 'yellow')}  {style('  '.join(facts), 'dim')}  {output.harmless(one.title)}"


def _show(result: "ConversationResult", *, steps: bool) -> None:
    style = output.Style()
    one = result.conversation
    print(style(output.harmless(one.title), "bold"))
    facts = [one.id, output.moment(one.created)]
    facts += [f"{name} {value}" for name, value in (("persona", one.persona), ("filters", one.filters)) if value]
    facts += [f"forked at {one.forked_from}"] if one.forked_from else []
    print(style(output.harmless("  ".join(facts)), "dim"))
    for number, turn in enumerate(result.turns, 1):
        _show_turn(turn, f"{number}.", steps=steps)
    for turn in result.aside:
        _show_turn(turn, "put aside:", steps=steps)


def _show_turn(turn: "ConversationTurn", label: str, *, steps: bool) -> None:
    from khojd.cli.replay import replay

    style = output.Style()
    print(f"\n{style(label, 'yellow')} {style(output.harmless(turn.question.strip()), 'bold')}")
    print(style(f"{output.moment(turn.created)}  {turn.id}", "dim"), end="\n\n")
    if steps and turn.steps:
        print("\n".join(style(output.harmless(f"{step.kind}: {step.text}"), "dim") for step in turn.steps), end="\n\n")
    replay(turn)
