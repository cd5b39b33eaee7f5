"""What a vault looks like after a WorkspaceEdit, worked out as an editor does it."""

from itertools import pairwise
from typing import Any

from tests.server.features.vault import Vault


def applied(vault: Vault, edit: dict[str, Any]) -> dict[str, str]:
    """The files that an edit touches, by their names afterwards, with their texts. The vault itself stays as it is."""
    files: dict[str, str] = {}
    changes = edit.get("documentChanges")
    if changes is None:
        changes = [{"textDocument": {"uri": uri}, "edits": edits} for uri, edits in edit["changes"].items()]
    for change in changes:
        kind = change.get("kind")
        if kind == "rename":
            old, new = vault.name(change["oldUri"]), vault.name(change["newUri"])
            files[new] = files.pop(old) if old in files else vault.text(old)
        elif kind == "create":
            files[vault.name(change["uri"])] = ""
        else:
            name = vault.name(change["textDocument"]["uri"])
            if name in files and files[name] == "":
                files[name] = "".join(one["newText"] for one in change["edits"])
            else:
                files[name] = _edited(vault, name, change["edits"])
    return files


def _edited(vault: Vault, name: str, edits: list[dict[str, Any]]) -> str:
    text = vault.text(name)
    spans = sorted(
        (vault.offset(name, edit["range"]["start"]), vault.offset(name, edit["range"]["end"]), edit["newText"]) for edit in edits
    )
    for (_, end, _), (start, _, _) in pairwise(spans):
        assert end <= start, f"edits of {name} overlap: {edits}"
    for start, end, new in reversed(spans):
        text = text[:start] + new + text[end:]
    return text
