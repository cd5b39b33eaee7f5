"""Asking for code actions at a cursor, and what notes are after one was chosen."""

from typing import Any

from tests.server.features.applied import applied
from tests.server.features.vault import Position, Vault

_EDITS = {"documentChanges": True, "resourceOperations": ["create", "rename"]}
_KINDS = {
    "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["", "quickfix", "refactor", "source"]}},
    "isPreferredSupport": True,
}
FULL: dict[str, Any] = {
    "textDocument": {"codeAction": _KINDS},
    "workspace": {"applyEdit": True, "workspaceEdit": _EDITS},
}
LAZY: dict[str, Any] = {
    **FULL,
    "textDocument": {"codeAction": {**_KINDS, "dataSupport": True, "resolveSupport": {"properties": ["edit"]}}},
}


async def at(vault: Vault, name: str, start: Position, end: Position | None = None, **context: Any) -> Any:
    """What is offered at a place, or for a range."""
    where = {"start": start, "end": end or start}
    return await vault.ask("textDocument/codeAction", name, range=where, context={"diagnostics": [], **context})


async def offered(vault: Vault, name: str, text: str, selected: str = "", **context: Any) -> list[dict[str, Any]]:
    """What is offered for a note with this text, at its cursor; or for `selected`, which stands in it once."""
    cursor = vault.edit(name, text) if name in vault.texts else vault.open(name, text)
    if not selected:
        return list(await at(vault, name, cursor, **context))
    return list(await at(vault, name, vault.at(name, selected), vault.at(name, selected, after=True), **context))


async def titles(vault: Vault, name: str, text: str, selected: str = "") -> list[str]:
    return [one["title"] for one in await offered(vault, name, text, selected)]


async def act(vault: Vault, name: str, text: str, title: str, selected: str = "") -> dict[str, str]:
    """The files that the action with this title changes, with their texts afterwards."""
    found = await offered(vault, name, text, selected)
    chosen = [one for one in found if one["title"] == title]
    assert chosen, f"{title} is not among {[one['title'] for one in found]}"
    action = chosen[0]
    if "edit" not in action:
        action = await vault.editor.request("codeAction/resolve", action)
    return applied(vault, action["edit"])
