"""khoj/personas/*: who can answer."""

from khojd.chat import personas as core
from khojd.server import types
from khojd.server import types_conversations as messages
from khojd.server.method import Method
from khojd.server.session import Session


async def personas(session: Session, params: types.NoParams) -> messages.PersonasResult:
    """The built-in personas and those of the configuration."""
    config = session.engine.config
    return messages.PersonasResult(personas=tuple(map(_persona, core.known(config).values())), default=core.find(config, "").name)


async def get(session: Session, params: messages.PersonaParams) -> messages.Persona:
    """One persona."""
    return _persona(core.find(session.engine.config, params.name))


def _persona(one: core.Resolved) -> messages.Persona:
    return messages.Persona(
        name=one.name,
        description=one.description,
        built_in=one.built_in,
        based_on=one.based_on,
        prompt=one.prompt,
        style=one.style,
        citations=one.citations,
        focus=one.focus,
        filters=one.filters,
        model=one.model,
        tools=one.tools,
        max_tokens=one.max_tokens,
        greeting=one.greeting,
    )


METHODS = (
    Method("khoj/personas/list", types.NoParams, messages.PersonasResult, personas),
    Method("khoj/personas/get", messages.PersonaParams, messages.Persona, get),
)
