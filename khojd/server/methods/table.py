"""All khoj/* methods, by name and by the name of their command."""

from khojd.server.method import Method
from khojd.server.methods import (
    actions,
    chat,
    chat_show,
    config,
    conversations,
    daemon,
    index,
    links,
    models,
    notes,
    personas,
    proposals,
    search,
)

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        *search.METHODS,
        *chat.METHODS,
        *chat_show.METHODS,
        *proposals.METHODS,
        *conversations.METHODS,
        *personas.METHODS,
        *index.METHODS,
        *links.METHODS,
        *actions.METHODS,
        *notes.METHODS,
        *models.METHODS,
        *config.METHODS,
        *daemon.METHODS,
    )
}
COMMANDS: dict[str, Method] = {method.command: method for method in METHODS.values()}
