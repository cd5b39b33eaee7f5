"""The filters by name, as data: the parser, the documentation and completion read this one table."""

from msgspec import Struct

from khojd.search.conditions import DATE_FIELDS

VALUE_OPERATORS = (":",)
DATE_OPERATORS = (":", "=", ">=", ">", "<=", "<")

# What `type:` takes -> documents.format.
TYPES = {"org": "org", "markdown": "markdown", "md": "markdown", "text": "text", "txt": "text", "plain": "text"}
ALIASES = {"dt": "date"}


class FilterName(Struct, frozen=True):
    """A filter a query may hold. `name` is how it is written, "" for exact words."""

    name: str
    operators: tuple[str, ...]
    what: str
    example: str


FILTERS = (
    FilterName("", (), 'exact words, one after another; -"…" for entries without them', '+"ground truth"'),
    FilterName("file", VALUE_OPERATORS, "part of a file's name, a folder's name, or a glob", 'file:"journal/2024-*.md"'),
    FilterName(
        "tag",
        VALUE_OPERATORS,
        "a tag, or one below it (project holds project/x); several narrow, a comma is or",
        "tag:project,work",
    ),
    FilterName("todo", VALUE_OPERATORS, "a TODO keyword, or any", "todo:NEXT,WAITING"),
    FilterName("priority", VALUE_OPERATORS, "a priority, or any", "priority:A"),
    FilterName("prop", VALUE_OPERATORS, "a property that is there, or that has a value", 'prop:author="Ada Lovelace"'),
    FilterName("type", VALUE_OPERATORS, "the kind of file: " + ", ".join(TYPES), "type:org"),
    FilterName("lang", VALUE_OPERATORS, "the language, as a two-letter code", "lang:de"),
    FilterName("date", DATE_OPERATORS, "any date of the entry; dt for short", 'date:"last week"'),
    FilterName("scheduled", DATE_OPERATORS, "the day it is scheduled for", "scheduled<=today"),
    FilterName("deadline", DATE_OPERATORS, "the day it is due, or any", 'deadline:"next 7 days"'),
    FilterName("closed", DATE_OPERATORS, "the day it was closed", "closed>=2024-05"),
    FilterName("modified", DATE_OPERATORS, "the day the file was changed", "modified:yesterday"),
)

NAMES = {one.name: one for one in FILTERS if one.name} | {
    short: one for short in ALIASES for one in FILTERS if one.name == ALIASES[short]
}
DATE_NAMES = frozenset((*DATE_FIELDS, *ALIASES))


def meant(word: str) -> str | None:
    """The filter that `word` is a slip of: another case, a plural, two letters swapped, or for a long name one letter wrong.

    Short names are close to too many ordinary words (data:, late:) for more than that.
    """
    folded = word.casefold()
    if folded in NAMES:
        return folded
    for name in NAMES:
        if len(name) > 2 and (folded == name + "s" or _swapped(folded, name) or (len(name) > 5 and _one_off(folded, name))):
            return name
    return {"language": "lang", "languages": "lang", "property": "prop", "properties": "prop"}.get(folded)


def _swapped(one: str, other: str) -> bool:
    different = [n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b]
    return (
        len(one) == len(other)
        and len(different) == 2
        and different[1] == different[0] + 1
        and one[different[0]] == other[different[1]]
        and one[different[1]] == other[different[0]]
    )


def _one_off(one: str, other: str) -> bool:
    """Whether one letter changed, added or left out makes them equal."""
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1:
        return False
    same = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    return one[same + (len(one) == len(other)) :] == other[same + 1 :]
