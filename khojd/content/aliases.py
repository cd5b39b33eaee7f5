"""The other names of a note: front matter `aliases`, Logseq's `alias::`, Org roam's `ROAM_ALIASES`."""

import re
import shlex
from collections.abc import Iterable

KEYS = frozenset(("alias", "aliases", "roam_aliases", "roam_alias"))  # of properties, folded


def aliases(properties: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The names that a root section's `properties` give its note, without duplicates.

    Front matter has one pair for each alias. Logseq parts them by commas, Org by spaces, quoting those of several words.
    """
    found: dict[str, None] = {}
    for key, value in properties:
        folded = key.casefold()
        if folded in KEYS:
            for name in _org(value) if folded.startswith("roam") else _listed(value):
                if name := name.strip().removeprefix("[[").removesuffix("]]"):
                    found[name] = None
    return tuple(found)


def _listed(value: str) -> list[str]:
    return re.split(r",(?![^\[]*\]\])", value)


def _org(value: str) -> list[str]:
    try:
        return shlex.split(value, posix=True)
    except ValueError:  # an unclosed quote
        return value.split()
