"""Org property drawers and the inheritance of properties.

Syntax: https://orgmode.org/worg/org-syntax.html#Property_Drawers. What inherits: the Org manual, "Property Inheritance".
"""

import re
from collections.abc import Iterable, Iterator, Mapping

# By upper-case key: the key as it was first written, and the value.
Inherited = Mapping[str, tuple[str, str]]

_OPEN = re.compile(r"[ \t]*:PROPERTIES:[ \t]*(?:\r\n?|\n)", re.IGNORECASE)
_LINE = re.compile(r"[ \t]*:(\S+):(?:[ \t]([^\r\n]*))?(\r\n?|\n|\Z)")
_PREAMBLE = re.compile(r"[ \t]*(?:#(?!\+(?:begin|end))[^\r\n]*)?(?:\r\n?|\n)", re.IGNORECASE)
_IDS = {"ID": "id", "CUSTOM_ID": "custom_id"}
_INHERITED = frozenset({"CATEGORY", "ARCHIVE", "COLUMNS", "LOGGING"})


# Kind, name and range of something that links can name.
Name = tuple[str, str, int, int]


def read_drawer(text: str, start: int, end: int) -> tuple[int, list[tuple[str, str]], list[Name]] | None:
    """The property drawer at `start` (a line start): its end with the line end, its properties as written, the ids among them.

    None when there is none that is well formed and closed before `end`; its lines are then text.
    """
    opening = _OPEN.match(text, start, end)
    if opening is None:
        return None
    position = opening.end()
    properties: list[tuple[str, str]] = []
    ids: list[Name] = []
    while line := _LINE.match(text, position, end):
        position = line.end()
        if line[1].upper() == "END" and not (line[2] or "").strip():
            return position, properties, ids
        if not line[3]:
            return None
        key, value = line[1], (line[2] or "").strip()
        properties.append((key, value))
        if value and (kind := _IDS.get(key.upper())):
            value_start = text.index(value, line.start(2))
            ids.append((kind, value, value_start, value_start + len(value)))
    return None


def find_keys(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The ranges of the keys in the property drawer that takes the lines from `start` to `end`."""
    opening = _OPEN.match(text, start, end)
    position = opening.end() if opening else end
    while line := _LINE.match(text, position, end):
        position = line.end()
        if position < end:
            yield line.span(1)


def file_drawer_start(text: str, end: int) -> int:
    """Where a file's own drawer may stand: after blank lines, comments and keywords at its top."""
    position = 0
    while line := _PREAMBLE.match(text, position, end):
        position = line.end()
    return position


def resolve(
    own: Iterable[tuple[str, str]], inherited: Inherited, *, everywhere: bool = False
) -> tuple[tuple[tuple[str, str], ...], Inherited]:
    """A section's properties, own ones first, and those its children inherit.

    `KEY+` appends to the section's own value, else to the inherited one. `everywhere`: all are inherited (`#+PROPERTY`).
    """
    values: dict[str, tuple[str, str]] = {}
    for key, value in own:
        if len(key) > 1 and key.endswith("+"):
            name = key[:-1]
            base = values.get(name.upper()) or inherited.get(name.upper())
            values[name.upper()] = (base[0], f"{base[1]} {value}".strip()) if base else (name, value)
        else:
            values[key.upper()] = (key, value)
    if not values:
        return tuple(inherited.values()), inherited
    passed = {key: pair for key, pair in values.items() if everywhere or _inherits(key) or key in inherited}
    rest = [pair for key, pair in inherited.items() if key not in values]
    return (*values.values(), *rest), {**inherited, **passed} if passed else inherited


def _inherits(key: str) -> bool:
    return key in _INHERITED or key.endswith("_ALL") or key == "HEADER-ARGS" or key.startswith("HEADER-ARGS:")
