"""What a tool is, what it is given, and which there are. A plugin adds one with `Registry.add(tool(…))`.

A tool that changes something (`writes`) only proposes: it returns a Proposal, and a person decides. Whatever is wrong with the
arguments is said to the model in the result; a tool raises KhojdError for it, which the agent turns into text.
"""

from __future__ import annotations

import difflib
import re
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

import msgspec
from msgspec import Struct

from khojd.chat.defuse import one_line
from khojd.chat.model import Passage, Proposal
from khojd.errors import ChatError, NotFound
from khojd.llm import model as llm

if TYPE_CHECKING:
    from khojd.chat.passages import Library
    from khojd.engine import Engine
    from khojd.graph.sheet import Sheet

RESULT_TOKENS = 2000  # most of one result
_KEPT = ("type", "description", "enum", "items", "anyOf", "$ref", "properties", "required", "additionalProperties")
_NAME = re.compile(r"[a-z][a-z0-9_]{1,62}")  # what every provider takes
Arguments = TypeVar("Arguments", bound=Struct)
Number = Callable[[Sequence[Passage]], tuple[Passage, ...]]


class Result(Struct, frozen=True):
    """What a tool found. `text` is for the model, the numbered passages of `passages` included; `summary` is a line for people."""

    text: str
    summary: str = ""
    passages: tuple[Passage, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    failed: bool = False  # the call was at fault: its arguments, or its name


class Context:
    """What tools work with in one turn.

    filters and folders: what the conversation and its persona are limited to; they hold whatever a call says. sheets: the texts
    that the asking editor shows. number: gives passages their numbers, by which the answer cites them; one that has a number keeps
    it. tokens: most of one result. stop: set when the call's result is wanted no longer; threads look at it.
    """

    def __init__(
        self,
        engine: Engine,
        library: Library,
        *,
        number: Number,
        filters: str = "",
        folders: Sequence[str] = (),
        sheets: Mapping[str, Sheet] | None = None,
        tokens: int = RESULT_TOKENS,
    ) -> None:
        self.engine = engine
        self.library = library
        self.number = number
        self.filters = filters
        self.folders = tuple(folders)
        self.sheets: Mapping[str, Sheet] = sheets or {}
        self.tokens = tokens
        self.stop = threading.Event()

    def label(self, path: str) -> str:
        """A path as the model and people see it, on one line whatever it is."""
        return one_line(self.library.label(path))

    def call(self) -> Context:
        """The same for one call, with a `stop` of its own."""
        own = copy(self)
        own.stop = threading.Event()
        return own


Run = Callable[[Context, dict[str, Any]], Awaitable[Result]]


class Tool(Struct, frozen=True):
    """`run` gets arguments that are a JSON object, nothing more is known of them; `tool` makes one that has checked them."""

    spec: llm.Tool
    run: Run
    writes: bool = False

    @property
    def name(self) -> str:
        return self.spec.name


def tool(
    name: str,
    description: str,
    arguments: type[Arguments],
    run: Callable[[Context, Arguments], Awaitable[Result]],
    *,
    writes: bool = False,
) -> Tool:
    """A tool whose arguments are the fields of a Struct: their types and descriptions (`Meta`) are its JSON Schema."""

    async def checked(context: Context, given: dict[str, Any]) -> Result:
        try:
            # Models write "10" for 10, and null for what they leave out.
            value = msgspec.convert({key: one for key, one in given.items() if one is not None}, arguments, strict=False)
        except msgspec.ValidationError as error:
            raise ChatError(_fault(name, str(error), given, arguments)) from None
        return await run(context, value)

    return Tool(llm.Tool(name, description, _schema(arguments)), checked, writes)


class Registry:
    """Tools by name."""

    def __init__(self, tools: Iterable[Tool] = ()) -> None:
        self._tools: dict[str, Tool] = {}
        for one in tools:
            self.add(one)

    def add(self, tool: Tool) -> None:
        """Raises ChatError for a name that is taken, or that providers do not take."""
        if not _NAME.fullmatch(tool.name):
            raise ChatError(f"{tool.name!r} cannot be a tool's name: small letters, digits and _ (2 to 63)", name=tool.name)
        if tool.name in self._tools:
            raise ChatError(f"there is a tool {tool.name!r} already", name=tool.name)
        self._tools[tool.name] = tool

    def names(self) -> tuple[str, ...]:
        return tuple(self._tools)

    def select(self, names: Iterable[str] | None = None) -> tuple[Tool, ...]:
        """The tools of these names, each once; all for None. Raises NotFound for an unknown one, with the closest."""
        if names is None:
            return tuple(self._tools.values())
        found = {}
        for name in names:
            if name not in self._tools:
                raise NotFound(f"there is no tool {name!r}{closest(name, self._tools)}", tool=name, known=list(self._tools))
            found[name] = self._tools[name]
        return tuple(found.values())


def closest(name: str, known: Iterable[str]) -> str:
    """`; did you mean …? Known are …`"""
    names = list(known)
    close = difflib.get_close_matches(name.strip().lower(), names, n=1)
    meant = f"; did you mean {close[0]}?" if close else ";"
    return f"{meant} Known are {', '.join(names) or 'none'}"


def _schema(arguments: type[Struct]) -> dict[str, Any]:
    """As plain and short as small models need it: bounds and defaults are checked, and said when they are not kept to."""
    _, components = msgspec.json.schema_components([arguments])
    schema: dict[str, Any] = components[arguments.__name__]
    properties = {name: {key: value for key, value in one.items() if key in _KEPT} for name, one in schema["properties"].items()}
    plain: dict[str, Any] = {"type": "object", "properties": properties, "required": schema.get("required", [])}
    inner = {name: one for name, one in components.items() if name != arguments.__name__}
    return {**plain, "$defs": inner} if inner else plain


def _fault(name: str, reason: str, given: Mapping[str, Any], arguments: type[Struct]) -> str:
    hints = get_type_hints(arguments)
    unknown = [key for key in given if key not in hints]
    meant = closest(unknown[0], hints) if unknown else ""
    return f"{name}: {reason.replace('Object', 'the arguments', 1)}{meant}"
