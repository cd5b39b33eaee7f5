"""docs/protocol.md says what the code does."""

import runpy
from pathlib import Path

from khojd import errors
from khojd.server import message
from khojd.server.schema import NOTIFICATIONS, schema
from khojd.server.types import PROTOCOL

ROOT = Path(__file__).resolve().parents[2]


def test_the_generated_parts_of_the_page_are_up_to_date() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "protocol_docs.py"))
    text = script["PAGE"].read_text(encoding="utf-8")
    assert script["render"](text) == text, "run python scripts/protocol_docs.py"


def test_the_types_of_the_typescript_front_ends_are_up_to_date() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "editor_types.py"))
    assert script["render"]() == script["MODULE"].read_text(encoding="utf-8"), "run python scripts/editor_types.py"


def test_the_page_lists_every_error_code() -> None:
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    codes = {value for name, value in vars(message).items() if isinstance(value, int) and name.isupper()}
    codes |= {kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.KhojdError)}
    codes.discard(errors.KhojdError.code)
    assert {code for code in codes if f"| {code} |" not in text} == set()


def test_the_schema_describes_each_message_it_names() -> None:
    whole = schema()
    assert whole["protocol"] == list(PROTOCOL)
    named = [kind for method in whole["methods"].values() for kind in (method["params"], method["result"])]
    named += [whole["notifications"][name]["params"] for name in NOTIFICATIONS]
    for reference in named:
        assert reference["$ref"].removeprefix("#/$defs/") in whole["$defs"]
    assert whole["$defs"]["Hit"]["properties"]["tags"]["items"] == {"type": "string"}
