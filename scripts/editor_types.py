"""Write editor/common/src/protocol.ts, the types of the khoj/* messages for the front-ends in TypeScript, from the schema that
`khojd schema` prints: `python scripts/editor_types.py`. A test checks that the file is up to date."""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from khojd.server.schema import schema

MODULE = Path(__file__).resolve().parents[1] / "editor" / "common" / "src" / "protocol.ts"
_HEAD = "// The types of the khoj/* messages. Made from the daemon's own by scripts/editor_types.py: do not edit.\n"
_ATOMS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def render() -> str:
    """The whole module."""
    made = schema()
    low, high = made["protocol"]
    parts = [_HEAD, f"export const OLDEST_PROTOCOL = {low};\nexport const PROTOCOL = {high};\n"]
    parts += [_interface(name, definition) for name, definition in sorted(made["$defs"].items())]
    lines = ["/** Params, result and streamed values of each request. */", "export interface Requests {"]
    for name, method in made["methods"].items():
        params, result = _type(method["params"]), _type(method["result"])
        partial = _type(method["partial"]) if "partial" in method else "never"
        lines.append(f"  {json.dumps(name)}: {{ params: {params}; result: {result}; partial: {partial} }};")
    lines += ["}", "", "export interface Notifications {"]
    lines += [f"  {json.dumps(name)}: {_type(notification['params'])};" for name, notification in made["notifications"].items()]
    return "\n".join(parts) + "\n" + "\n".join(lines) + "\n}\n"


def _interface(name: str, definition: dict[str, Any]) -> str:
    """A message. What may be left out has a question mark."""
    lines = [f"/** {definition['description']} */"] if definition.get("description") else []
    lines.append(f"export interface {name} {{")
    required = definition.get("required", ())
    for member, value in definition.get("properties", {}).items():
        if value.get("description"):
            lines.append(f"  /** {value['description']} */")
        lines.append(f"  {member}{'' if member in required else '?'}: {_type(value)};")
    return "\n".join([*lines, "}\n"])


def _type(value: dict[str, Any]) -> str:
    """The TypeScript type of a schema. Raises ValueError for what the protocol has not used so far."""
    if "$ref" in value:
        return str(value["$ref"].rsplit("/", 1)[1])
    if "enum" in value:
        return " | ".join(json.dumps(choice) for choice in value["enum"])
    if options := value.get("anyOf") or value.get("oneOf"):
        return " | ".join(dict.fromkeys(_type(option) for option in options))
    kind = value.get("type")
    if kind == "array" and "prefixItems" in value:
        return f"[{', '.join(_type(item) for item in value['prefixItems'])}]"
    if kind == "array":
        item = _type(value["items"])
        return f"({item})[]" if " | " in item else f"{item}[]"
    if kind == "object":
        return f"Record<string, {_type(value['additionalProperties']) if 'additionalProperties' in value else 'unknown'}>"
    if kind in _ATOMS:
        return _ATOMS[kind]
    raise ValueError(f"no TypeScript for {value}")


if __name__ == "__main__":
    MODULE.write_text(render(), encoding="utf-8")
