"""The protocol as JSON Schema: what `khojd schema` prints, and what the tables of docs/protocol.md are made from."""

from typing import Any

import msgspec

import khojd
from khojd import errors
from khojd.server import types
from khojd.server.methods.table import METHODS

NOTIFICATIONS: dict[str, type[types.Message]] = {"khoj/statusChanged": types.IndexStatus}
HELLOS: tuple[type[types.Message], ...] = (types.ClientHello, types.ServerHello)

_REF = "#/$defs/{name}"


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12 with every message in `$defs`, and which message belongs to which method."""
    kinds: list[type] = [*HELLOS, types.Progress, *NOTIFICATIONS.values()]
    kinds += [kind for method in METHODS.values() for kind in (method.params, method.result, *method.partial)]
    _, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "khojd protocol",
        "version": khojd.__version__,
        "protocol": list(types.PROTOCOL),
        "methods": {
            method.name: {
                "params": _ref(method.params),
                "result": _ref(method.result),
                **({"partial": {"oneOf": [_ref(kind) for kind in method.partial]}} if method.partial else {}),
                "command": method.command,
            }
            for method in METHODS.values()
        },
        "notifications": {name: {"params": _ref(kind)} for name, kind in NOTIFICATIONS.items()},
        "$defs": components,
    }


def _ref(kind: type) -> dict[str, str]:
    return {"$ref": _REF.format(name=kind.__name__)}


def tables() -> str:
    """Every method and message as Markdown."""
    definitions = schema()["$defs"]
    lines: list[str] = []
    told: set[str] = set()
    for method in METHODS.values():
        lines += [f"### {method.name}", "", f"Command `{method.command}`. {_first(method.answer.__doc__)}".rstrip(), ""]
        lines += _message("params", method.params.__name__, definitions, told)
        for kind in method.partial:
            lines += _message("streamed", kind.__name__, definitions, told)
        lines += _message("result", method.result.__name__, definitions, told)
    for name, kind in NOTIFICATIONS.items():
        lines += [f"### {name}", "", "Notification to clients that said hello.", ""]
        lines += _message("params", kind.__name__, definitions, told)
    lines += ["### The hello", ""]
    for hello in HELLOS:
        lines += _message(_first(hello.__doc__).rstrip("."), hello.__name__, definitions, told)
    lines += ["### Messages within messages", ""]
    for name in sorted(set(definitions) - told):
        lines += _message("", name, definitions, told)
    return "\n".join(lines).rstrip() + "\n"


def errors_table() -> str:
    """The codes of khojd's own errors, as a Markdown table."""
    rows = [(kind.code, kind.name, _first(kind.__doc__)) for kind in _tree(errors.KhojdError)]
    head = "| code | `data.kind` | meaning |\n|---|---|---|\n"
    return head + "".join(f"| {code} | `{name}` | {meaning} |\n" for code, name, meaning in rows)


def _tree(kind: type[errors.KhojdError]) -> list[type[errors.KhojdError]]:
    own = [] if kind is errors.KhojdError else [kind]
    return [*own, *(each for child in kind.__subclasses__() for each in _tree(child))]


def _message(role: str, name: str, definitions: dict[str, Any], told: set[str]) -> list[str]:
    head = f"{role}: `{name}`" if role else f"`{name}`"
    if name in told:
        return [f"{head}, see above", ""]
    told.add(name)
    definition = definitions[name]
    members = {member: value for member, value in definition["properties"].items() if member != "workDoneToken"}
    if not members:
        return [f"{head}, no members", ""]
    required = set(definition.get("required", ()))
    lines = [head, "", "| member | type | |", "|---|---|---|"]
    for member, value in members.items():
        note = value.get("description", "")
        if member not in required and value.get("default") not in (None, "", (), [], False, 0):
            note = f"{note}; default {value['default']}".lstrip("; ")
        optional = "" if member in required else "?"
        lines.append(f"| `{member}{optional}` | {_kind(value)} | {note} |")
    return [*lines, ""]


def _kind(value: dict[str, Any]) -> str:
    if "$ref" in value:
        return f"`{value['$ref'].rsplit('/', 1)[1]}`"
    if "anyOf" in value:
        return " or ".join(_kind(each) for each in value["anyOf"])
    if "enum" in value:
        return ", ".join(f"`{each}`" for each in value["enum"])
    if value.get("type") == "array":
        if "prefixItems" in value:
            return f"[{', '.join(_kind(each) for each in value['prefixItems'])}]"
        return f"array of {_kind(value['items'])}" if value.get("items") else "array"
    kind = str(value.get("type", "any"))
    bounds = [f"{word} {value[name]}" for name, word in (("minimum", "≥"), ("maximum", "≤")) if name in value]
    return " ".join([kind, *bounds])


def _first(text: str | None) -> str:
    return " ".join((text or "").split())
