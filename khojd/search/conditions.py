"""Filters as values: what a query's filters say, without the text they were written in.

`render` writes each back as query text; parsing that gives the same value. Days are proleptic Gregorian ordinals, half-open.
"""

from typing import Literal, get_args

from msgspec import Struct

DateField = Literal["date", "scheduled", "deadline", "closed", "modified"]
Operator = Literal[":", ">", ">=", "<", "<="]
Kind = Literal["tag", "todo", "priority", "type", "lang"]

DATE_FIELDS: tuple[str, ...] = get_args(DateField)
ANY = "any"


class Phrase(Struct, frozen=True):
    """Exact words, one after another."""

    words: str
    negated: bool = False

    def render(self) -> str:
        return f"{'-' if self.negated else '+'}{quoted(self.words)}"


class File(Struct, frozen=True):
    """A glob over the path; see khojd/search/paths.py."""

    glob: str
    ignore_case: bool = False
    negated: bool = False

    def render(self) -> str:
        return f"{_sign(self)}file:{'i:' if self.ignore_case else ''}{quoted(self.glob)}"


class Values(Struct, frozen=True):
    """One of several values, case-folded. `todo` and `priority` know `any`; `type` and `lang` are as the index has them."""

    kind: Kind
    values: tuple[str, ...]
    negated: bool = False

    def render(self) -> str:
        return f"{_sign(self)}{self.kind}:{','.join(_bare_or_quoted(value) for value in self.values)}"


class Property(Struct, frozen=True):
    """A property with that key; `value` None asks only whether it is there. Both case-folded."""

    key: str
    value: str | None = None
    negated: bool = False

    def render(self) -> str:
        value = "" if self.value is None else "=" + quoted(self.value)
        return f"{_sign(self)}prop:{quoted(self.key)}{value}"


class DateIs(Struct, frozen=True):
    """A date of that field lies in [low, high); None is open. `expression` is the text it was written as, `any` for both open."""

    field: DateField
    operator: Operator
    expression: str
    low: int | None
    high: int | None
    negated: bool = False

    def render(self) -> str:
        return f"{_sign(self)}{self.field}{self.operator}{quoted(self.expression)}"


Filter = Phrase | File | Values | Property | DateIs


class Query(Struct, frozen=True):
    """`text` is what is searched for, without any filter; `filters` stand in a fixed order, each once."""

    text: str
    filters: tuple[Filter, ...] = ()

    def render(self) -> str:
        """Query text that parses to this query again (on the same day)."""
        return " ".join([*([quoted(self.text)] if self.text else []), *(one.render() for one in self.filters)])


def quoted(text: str) -> str:
    """In double quotes, with quotes and backslashes inside escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _bare_or_quoted(value: str) -> str:
    return value if value.replace("-", "").replace("_", "").isalnum() else quoted(value)


def _sign(one: File | Values | Property | DateIs) -> str:
    return "-" if one.negated else ""
