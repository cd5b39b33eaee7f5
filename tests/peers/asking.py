"""Questions of an editor, and their answers as texts and names instead of ranges and URIs."""

from typing import Any

from tests.server.features.applied import applied
from tests.server.features.vault import Position, Vault

Place = tuple[str, int, str]  # the note, the line from 1 on, the text of the range

RENAMING = {"workspace": {"workspaceEdit": {"documentChanges": True, "resourceOperations": ["create", "rename", "delete"]}}}


def show(vault: Vault, name: str, text: str) -> Position:
    """Let an editor show this text, and give the position of its cursor mark."""
    return vault.edit(name, text) if name in vault.texts else vault.open(name, text)


def place(vault: Vault, location: dict[str, Any]) -> Place:
    name = vault.name(location["uri"])
    return name, location["range"]["start"]["line"] + 1, vault.cut(name, location["range"])


async def definition(vault: Vault, name: str, text: str) -> list[Place]:
    """Where the cursor's `|` or `<|>` leads; [] for nowhere."""
    found = await vault.ask("textDocument/definition", name, show(vault, name, text))
    return [place(vault, one) for one in found or ()]


async def references(vault: Vault, name: str, text: str, *, declaration: bool = False) -> list[Place]:
    """What refers to the thing at the cursor, in the order of names and lines."""
    cursor = show(vault, name, text)
    await vault.indexed()
    context = {"includeDeclaration": declaration}
    found = await vault.ask("textDocument/references", name, cursor, context=context)
    return sorted(place(vault, one) for one in found or ())


async def prepared(vault: Vault, name: str, text: str) -> tuple[str, str] | None:
    """The text that is chosen for a new name, and the name that is offered."""
    found = await vault.ask("textDocument/prepareRename", name, show(vault, name, text))
    return None if found is None else (vault.cut(name, found["range"]), found["placeholder"])


async def renamed(vault: Vault, name: str, text: str, new: str) -> dict[str, str]:
    """The notes that a rename at the cursor changes, with their texts afterwards."""
    cursor = show(vault, name, text)
    await vault.indexed()
    edit = await vault.ask("textDocument/rename", name, cursor, newName=new)
    return applied(vault, edit) if edit else {}


async def completed(vault: Vault, name: str, text: str) -> dict[str, str]:
    """The labels that are offered at the cursor, each with the note's text after it was chosen."""
    found = await vault.ask("textDocument/completion", name, show(vault, name, text))
    items = sorted(found["items"], key=lambda item: item["sortText"]) if found else []
    return {item["label"].strip(): chosen(vault, name, item) for item in items}


def chosen(vault: Vault, name: str, item: dict[str, Any]) -> str:
    """The note's text after a completion was chosen."""
    text = vault.text(name)
    edits = [item["textEdit"], *(item.get("additionalTextEdits") or [])]
    for edit in sorted(edits, key=lambda one: vault.offset(name, one["range"]["start"]), reverse=True):
        start, end = vault.offset(name, edit["range"]["start"]), vault.offset(name, edit["range"]["end"])
        text = text[:start] + edit["newText"] + text[end:]
    return text


async def links(vault: Vault, name: str, text: str) -> list[str]:
    """The texts of the links that can be clicked on."""
    show(vault, name, text)
    return [vault.cut(name, one["range"]) for one in await vault.ask("textDocument/documentLink", name)]


async def folds(vault: Vault, name: str, text: str) -> set[tuple[int, int]]:
    """First and last lines, from 1 on, of what can be folded."""
    show(vault, name, text)
    return {(one["startLine"] + 1, one["endLine"] + 1) for one in await vault.ask("textDocument/foldingRange", name)}


async def highlights(vault: Vault, name: str, text: str) -> list[tuple[int, str]]:
    """Lines and texts of what is marked."""
    found = await vault.ask("textDocument/documentHighlight", name, show(vault, name, text))
    return [(one["range"]["start"]["line"] + 1, vault.cut(name, one["range"])) for one in found or ()]


async def problems(vault: Vault, name: str, text: str) -> list[tuple[str, str]]:
    """Codes and texts of what is wrong, hints that concern no link left out."""
    show(vault, name, text)
    await vault.indexed()
    found = await vault.ask("textDocument/diagnostic", name)
    return [
        (one["code"], vault.cut(name, one["range"])) for one in found["items"] if one["code"] not in ("orphan", "near-duplicate")
    ]
