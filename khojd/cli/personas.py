"""`khojd personas`."""

from typing import TYPE_CHECKING, Annotated

import typer

from khojd.cli import output
from khojd.cli.connection import connect
from khojd.cli.search import Json

if TYPE_CHECKING:
    from khojd.server.types_conversations import Persona


def personas(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Show this one, with its prompt.", show_default=False)] = "",
    as_json: Json = False,
) -> None:
    """List who can answer.

    That are the built-in personas and those of your configuration; * marks the one that answers when none is named.
    """
    from khojd.server.types import NoParams
    from khojd.server.types_conversations import Persona, PersonaParams, PersonasResult

    with connect() as client:
        if name:
            one = client.call("khoj/personas/get", PersonaParams(name=name), Persona)
            output.json(one) if as_json else _show(one)
            return
        result = client.call("khoj/personas/list", NoParams(), PersonasResult)
    if as_json:
        output.json(result)
        return
    style = output.Style()
    width = max(len(one.name) for one in result.personas)
    for one in result.personas:
        mark = "*" if one.name == result.default else " "
        print(f"{mark} {style(output.harmless(f'{one.name:{width}}'), 'bold')}  {output.harmless(one.description)}")


def _show(one: "Persona") -> None:
    style = output.Style()
    rows = (
        ("name", one.name),
        ("about", one.description),
        ("based on", "built in" if one.built_in and not one.based_on else one.based_on),
        ("style", one.style),
        ("sources", one.citations),
        ("focus", one.focus),
        ("filters", one.filters),
        ("model", one.model or "as configured for all"),
        ("tools", ", ".join(one.tools)),
        ("longest", f"{one.max_tokens:,} tokens" if one.max_tokens else ""),
        ("greeting", one.greeting),
    )
    for label, value in rows:
        if value:
            print(f"{style(f'{label:8}', 'bold')} {output.harmless(value)}")
    print(f"\n{output.harmless(one.prompt)}")
