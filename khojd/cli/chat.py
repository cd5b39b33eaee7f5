"""`khojd chat`."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from khojd.cli import output
from khojd.cli.connection import absolute, connect, folders
from khojd.cli.failure import Exit, report
from khojd.cli.search import Folder
from khojd.errors import KhojdError, NotFound

if TYPE_CHECKING:
    from khojd.cli.answer import Answer
    from khojd.daemon.client import Client
    from khojd.server.types_chat import ChatParams, ChatResult

_HELP = (
    "/new begins a new conversation, /retry asks the last question anew, /quit ends; control-C stops an answer."
    " /help lists the chat's own commands."
)


def chat(
    question: Annotated[
        list[str] | None,
        typer.Argument(metavar="[QUESTION]", help="One question; without it questions are asked until the end of the input."),
    ] = None,
    *,
    conversation: Annotated[str, typer.Option("--conversation", "-c", metavar="ID", help="Go on with a conversation.")] = "",
    last: Annotated[bool, typer.Option("--last", "-l", help="Go on with the latest conversation.")] = False,
    persona: Annotated[
        str, typer.Option(metavar="NAME", help="Who answers: default, researcher, developer, writer, your own.")
    ] = "",
    model: Annotated[str, typer.Option(metavar="PROVIDER/MODEL", help="Which model answers (default: as configured).")] = "",
    filters: Annotated[
        str | None, typer.Option("--filter", metavar="FILTERS", help="Only notes that these search filters let through.")
    ] = None,
    folder: Folder = None,
    note: Annotated[list[str] | None, typer.Option("--note", metavar="FILE", help="A note that the question is about.")] = None,
    image: Annotated[
        list[str] | None, typer.Option("--image", metavar="FILE", help="A picture that the question is about.")
    ] = None,
    thinking: Annotated[bool, typer.Option("--thinking", help="Show what the model thinks before it answers.")] = False,
    show_prompt: Annotated[
        bool, typer.Option("--show-prompt", help="Print what would be sent to the model, and send nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON (docs/cli.md).")] = False,
) -> None:
    """Ask your notes. The answer comes as it is written, with its sources.

    Without a chat model in the configuration the best passages are quoted; nothing leaves the machine. A question may begin with
    /notes, /general, /search, /summarize, /research or /help, and name notes as @note or [[note]].
    """
    from khojd.cli.answer import Answer
    from khojd.server import uris
    from khojd.server.types import TextDocument
    from khojd.server.types_chat import ChatContext, ChatParams

    asked = " ".join(question or ())
    talks = sys.stdin.isatty() and not (show_prompt or as_json)
    if not asked and not talks:
        asked = "" if sys.stdin.isatty() else sys.stdin.read().strip()
        if not asked:
            raise typer.BadParameter("a question is needed here")
    params = ChatParams(
        message=asked,
        conversation=conversation,
        persona=persona,
        model=model,
        filters=filters,
        folders=folders(folder),
        context=tuple(ChatContext(text_document=TextDocument(uri=uris.from_path(absolute(path)))) for path in note or ()),
        images=tuple(absolute(path) for path in image or ()),
        dry_run=show_prompt,
    )
    with connect() as client:
        if last and not conversation:
            params = _changed(params, conversation=_latest(client))
        if show_prompt:
            _show_prompt(client, params, as_json=as_json)
        elif as_json:
            result = _call(client, params, None)
            output.json(result)
            _leave(result)
        elif asked:
            _leave(_ask(client, params, Answer(asked, thinking=thinking)))
        else:
            _talk(client, params, thinking=thinking)


def _changed(params: "ChatParams", **values: Any) -> "ChatParams":
    from msgspec.structs import replace

    return replace(params, **values)


def _call(client: "Client", params: "ChatParams", answer: "Answer | None") -> "ChatResult":
    from khojd.server.types_chat import ChatResult, Part

    if answer is None:
        return client.call("khoj/chat", params, ChatResult)
    return client.stream("khoj/chat", params, ChatResult, Part, answer)


def _ask(client: "Client", params: "ChatParams", answer: "Answer") -> "ChatResult":
    from khojd.cli.proposals import offer

    result = _call(client, params, answer)
    answer.end(result)
    offer(client, result)
    return result


def _leave(result: "ChatResult") -> None:
    if result.state == "failed":
        raise typer.Exit(Exit.INDEX)


def _latest(client: "Client") -> str:
    from khojd.server.types_conversations import ConversationsParams, ConversationsResult

    found = client.call("khoj/conversations/list", ConversationsParams(limit=1), ConversationsResult).conversations
    if not found:
        raise NotFound("there is no conversation yet")
    return found[0].id


def _show_prompt(client: "Client", params: "ChatParams", *, as_json: bool) -> None:
    import msgspec

    result = _call(client, params, None)
    if as_json:
        output.json(result.requests)
        return
    style = output.Style()
    for step in result.steps:
        if step.kind in ("model", "notice"):
            output.say(output.harmless(f"note: {step.text}" if step.kind == "notice" else step.text))
    for request in result.requests:
        if request.provider:
            where = "on this machine" if request.local else "not on this machine"
            to = f"{request.provider}/{request.model} ({where})"
            print(style(output.harmless(f"=== {to}, {request.what or 'for the answer'}"), "bold"))
        for message in request.messages:
            pictures = f" and {output.count(message.images, 'picture')}" if message.images else ""
            print(style(f"--- {message.role}{pictures}", "dim"))
            print(output.harmless("\n\n".join((message.text, *message.sources))))
        for tool in request.tools:
            print(style(f"--- tool {output.harmless(tool.name)}", "dim"))
            print(output.harmless(f"{tool.description}\n{msgspec.json.encode(tool.parameters).decode()}"))
        if request.open:
            print(style(f"({output.harmless(request.open)})", "dim"))


def _talk(client: "Client", params: "ChatParams", *, thinking: bool) -> None:
    """Question and answer until the input ends."""
    try:
        import readline  # noqa: F401  line editing for input(), where there is such a thing
    except ImportError:
        pass
    _greet(client, params.persona)
    output.say(_HELP)
    last: ChatParams | None = None  # of the question before, with what was attached to it
    turn = ""  # of that question
    while True:
        try:
            line = input("› ").strip()
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()
            continue
        if line in ("/quit", "/exit"):
            return
        if line == "/new":
            params, last = _changed(params, conversation=""), None
            continue
        if not line:
            continue
        if line != "/retry":
            last = _changed(params, message=line)
        elif last is not None:
            last = _changed(last, conversation=params.conversation, replaces=turn)
        else:
            output.say("nothing was asked yet")
            continue
        params, turn = _turn(client, last, thinking=thinking)


def _turn(client: "Client", params: "ChatParams", *, thinking: bool) -> "tuple[ChatParams, str]":
    """One question of a talk; what the next one goes on with, and the id of its turn."""
    from khojd.cli.answer import Answer

    answer = Answer(params.message, thinking=thinking)
    try:
        _ask(client, params, answer)
    except KeyboardInterrupt:
        output.say("\nstopped")
    except KhojdError as error:
        report(error)
    if not answer.conversation:
        return _changed(params, replaces=""), params.replaces
    # What was attached belongs to the question it came with.
    return _changed(params, conversation=answer.conversation, context=(), images=(), replaces=""), answer.turn


def _greet(client: "Client", persona: str) -> None:
    from khojd.server.types import NoParams
    from khojd.server.types_conversations import PersonasResult

    known = client.call("khoj/personas/list", NoParams(), PersonasResult)
    greeting = next((one.greeting for one in known.personas if one.name == (persona or known.default)), "")
    if greeting:
        print(output.harmless(greeting))
