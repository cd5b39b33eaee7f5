"""Filters that no note can pass because nothing has their tag, state or property, and what was probably meant."""

import difflib
import sqlite3
from collections.abc import Iterable

from khojd.search.conditions import ANY, Filter, Property, Values

_TAGS = "SELECT DISTINCT value FROM section_values WHERE kind = 'tag'"
_KEYS = "SELECT DISTINCT key FROM section_values WHERE kind = 'prop'"
_STATES = "SELECT DISTINCT todo FROM sections WHERE todo <> ''"


def unknown(db: sqlite3.Connection, filters: Iterable[Filter]) -> list[str]:
    """A line for people for each tag, state or property of `filters` that no note has."""
    lines = []
    for one in filters:
        if one.negated:
            continue
        if isinstance(one, Values) and one.kind == "tag":
            lines += [_line("the tag", tag, _tags(db)) for tag in one.values]
        elif isinstance(one, Values) and one.kind == "todo":
            lines += [_line("the state", state, _known(db, _STATES)) for state in one.values if state != ANY]
        elif isinstance(one, Property):
            lines.append(_line("the property", one.key, _known(db, _KEYS)))
    return [line for line in lines if line]


def _line(what: str, value: str, known: dict[str, str]) -> str:
    if value in known:
        return ""
    close = [known[one] for one in difflib.get_close_matches(value, sorted(known), n=2, cutoff=0.7)]
    return f"no note has {what} “{value}”" + (f"; did you mean {' or '.join(close)}?" if close else "")


def _known(db: sqlite3.Connection, values: str) -> dict[str, str]:
    """What there is, case-folded, and as it is written."""
    return {value.casefold(): value for (value,) in db.execute(values)}


def _tags(db: sqlite3.Connection) -> dict[str, str]:
    """With those that others are below: project, where there is project/x."""
    found = _known(db, _TAGS)
    above = {tag[:at] for tag in found for at, sign in enumerate(tag) if sign == "/"}
    return found | {tag: tag for tag in above}
