"""What the package asks and reads is what khojd's schema has. What it sends, the daemon checks in the other tests."""

import re
from collections.abc import Iterator
from typing import Any

from khojd.server.schema import schema
from tests.editors.emacs.conftest import PACKAGE

# Members of messages of LSP and JSON-RPC itself.
STANDARD = {
    *("start", "end", "line", "character", "range", "uri", "textDocument", "version", "edits", "edit", "newText", "kind"),
    *("changes", "documentChanges", "selection", "message", "code", "capabilities", "experimental", "khoj", "items", "token"),
    *("value", "command", "arguments", "label", "labelDetails", "description", "detail", "filterText", "textEdit", "data"),
    *("additionalTextEdits", "contents", "location", "name", "targetUri", "targetSelectionRange", "partialResultToken"),
    *("actions", "type", "result"),
}


def members(part: Any) -> Iterator[str]:
    """The names of all members of all messages."""
    if isinstance(part, dict):
        yield from part.get("properties", ())
        for inner in part.values():
            yield from members(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from members(inner)


def test_every_method_that_is_asked_is_one_of_khojds() -> None:
    known = schema()
    for path in PACKAGE.glob("*.el"):
        text = path.read_text("utf-8")
        asked = set(re.findall(r"'(khoj/[\w/]+)", text))
        assert asked <= {*known["methods"], *known["notifications"]}, path
    assert known["protocol"][0] <= 1 <= known["protocol"][1], "khoj-connection-protocol"


def test_every_member_that_is_read_is_one_of_a_message() -> None:
    known = {*members(schema()["$defs"]), *STANDARD}
    for path in PACKAGE.glob("*.el"):
        read = set(re.findall(r"\(plist-get (?:[\w-]+|\([^()]*(?:\([^()]*\)[^()]*)*\)) :([\w]+)\)", path.read_text("utf-8")))
        assert read <= known, (path, read - known)
