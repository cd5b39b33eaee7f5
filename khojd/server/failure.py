"""What may be said of an unexpected error without telling a note's text."""

import re
import traceback
from collections.abc import Iterator, Sequence

from cattrs.errors import AttributeValidationNote, IterableValidationNote


def where(error: BaseException) -> str:
    """The places an error came through, without its message."""
    return "".join(traceback.format_tb(error.__traceback__)).rstrip()


def reason(error: BaseException) -> str:
    """Why params could not be read, with the place, as msgspec says it of khoj/*; cattrs nests the causes in groups."""
    steps: list[str] = []
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
        steps += _steps(error)
    if isinstance(error, KeyError):
        return f"Object missing required field `{steps[-1][1:] if steps else error.args[0]}`{_at(steps[:-1])}"
    if isinstance(error, TypeError | AttributeError):
        return f"Expected `object`{_at(steps[:-1])}"
    return f"{error}{_at(steps)}"


def _steps(error: BaseException) -> Iterator[str]:
    """The ways down that cattrs notes on its errors, as JSON paths have them."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            yield "." + re.sub(r"_+(.)", lambda found: found[1].upper(), note.name)
        elif isinstance(note, IterableValidationNote):
            yield f"[{note.index}]"


def _at(steps: Sequence[str]) -> str:
    return f" - at `${''.join(steps)}`" if steps else ""
