"""Personas: who answers, in what manner, from which notes, with which model and tools.

Four are built in; a table `[personas.NAME]` adds one, based on another, or changes a built-in one of that name.
"""

import difflib
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from khojd.config import BUILT_IN_PERSONAS, Config, Persona
from khojd.errors import ConfigError, NotFound

Style = Literal["concise", "balanced", "detailed"]
CitationStyle = Literal["inline", "footnote", "none"]

_DEFAULT = Persona(
    description="Answers questions about your notes",
    prompt=(
        "You help one person with their own notes: you find what they wrote, connect it, and answer their questions."
        " Answer in the language of the question. Say plainly what the notes say, where they disagree, and what they leave open;"
        " when they do not hold the answer, say so first. Keep names, numbers and dates as they are written. Do not guess."
    ),
    style="balanced",
    citations="inline",
    tools=(),
    greeting="Ask about your notes.",
)
_BUILT_IN: Mapping[str, Persona] = {
    "default": _DEFAULT,
    "researcher": Persona(
        description="Looks into a question from several sides and weighs what the notes hold",
        prompt=(
            "You do research in one person's own notes. Look at a question from several sides before you answer: search with other"
            " words, read around what you find, follow links, and look for what speaks against your first answer. Begin with the"
            " answer in a few sentences, then the evidence for it. Keep apart what a note states, what follows from several notes"
            " together, and what you suppose. Mind dates: a newer note may correct an older one. End with what is still open and"
            " where one could look next. Answer in the language of the question."
        ),
        style="detailed",
        tools=("search_notes", "grep_notes", "read_note", "list_notes", "backlinks"),
        greeting="What shall I look into?",
    ),
    "developer": Persona(
        description="Technical questions: code, commands, decisions",
        prompt=(
            "You are a programmer's colleague who knows the programmer's notes. Give code and commands in fenced blocks with their"
            " language, complete enough to be used as they stand, and as the notes have them where the notes have them. Name"
            " versions, files and settings exactly. Tell apart what the notes record of this person's systems and what is general"
            " knowledge. Point out what is risky or cannot be undone before you show it. Answer in the language of the question."
        ),
        style="concise",
        focus="software: code, tools, systems, and why they were built as they are",
        greeting="What are you working on?",
    ),
    "writer": Persona(
        description="Drafts and reworks text from your notes, in your manner",
        prompt=(
            "You help one person write: outlines, drafts and revisions made from their own notes. Take their way of writing from"
            " the notes and keep to it. Give the text itself, without words about it before or after; when something that the text"
            " needs is missing in the notes, leave a short gap in square brackets that says what, and invent nothing. When you"
            " revise, keep what the person meant. Write in the language of the notes unless another one is asked for."
        ),
        citations="footnote",
        greeting="What shall we write?",
    ),
}
_STYLES: Mapping[Style, str] = {
    "concise": "Keep answers short: what was asked and nothing else, in one paragraph or a few points.",
    "balanced": "Answer as long as the question needs: the answer first, then what explains it.",
    "detailed": "Answer thoroughly: in sections where there is much to say, with the reasons, the exceptions and the examples.",
}
_CITATIONS: Mapping[CitationStyle, str] = {
    "inline": "Put the number of the source right behind each statement that rests on it.",
    "footnote": "Put the numbers of the sources at the ends of sentences; they are shown as footnotes.",
    "none": "Put the numbers of the sources at the ends of paragraphs; readers do not see them.",
}


class Resolved(Struct, frozen=True):
    """A persona with all that it has from those it is based on. `model` "" is models.chat, `max_tokens` 0 no limit of its own."""

    name: str
    description: str
    prompt: str
    style: Style
    citations: CitationStyle
    focus: str
    filters: str
    model: str
    tools: tuple[str, ...]
    max_tokens: int
    greeting: str
    based_on: str  # "" for one that is built in
    built_in: bool

    def instructions(self) -> str:
        """What the model is told of the persona, after the rules that hold for all: prompt, focus, length, where sources stand."""
        field = self.focus.rstrip(".")
        focus = f"Your field is {field}. Say so when a question lies outside of it." if field else ""
        return "\n".join(filter(None, (self.prompt, focus, _STYLES[self.style], _CITATIONS[self.citations])))


def known(config: Config) -> dict[str, Resolved]:
    """All personas by name: the built-in ones, then one's own. Raises ConfigError as `check` does."""
    check(config)
    return {name: _resolved(name, config) for name in dict.fromkeys((*BUILT_IN_PERSONAS, *config.personas))}


def find(config: Config, name: str) -> Resolved:
    """The persona of that name, "" for the configured one. Raises NotFound that names the closest, ConfigError as `check` does."""
    wanted = name or config.chat.persona
    names = dict.fromkeys((*BUILT_IN_PERSONAS, *config.personas))
    if wanted not in names:
        close = difflib.get_close_matches(wanted, names, 1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(names)}"
        raise NotFound(f"there is no persona {wanted!r}{hint}", persona=wanted, closest=close[0] if close else "")
    check(config)
    return _resolved(wanted, config)


def check(config: Config) -> None:
    """Raise ConfigError for a persona that is based on an unknown one, or by some way on itself."""
    for name in config.personas:
        _line(name, config)


def _resolved(name: str, config: Config) -> Resolved:
    line = _line(name, config)

    def first(key: str) -> str:
        return next((value for one in line if (value := getattr(one, key).strip())), "")

    own = config.personas.get(name)
    style, citations = first("style"), first("citations")
    return Resolved(
        name=name,
        description=first("description"),
        prompt=first("prompt"),
        style=style,  # type: ignore[arg-type]  # the configuration takes no other
        citations=citations,  # type: ignore[arg-type]
        focus=first("focus"),
        filters=first("filters"),
        model=first("model"),
        tools=next(one.tools for one in line if one.tools is not None),
        max_tokens=next((one.max_tokens for one in line if one.max_tokens), 0),
        greeting=first("greeting"),
        based_on="" if own is None or _is_change(name, own) else own.based_on,
        built_in=name in BUILT_IN_PERSONAS,
    )


def _line(name: str, config: Config) -> list[Persona]:
    """The persona and those that it is based on, the built-in default last."""
    found: list[Persona] = []
    way = [name]
    while (own := config.personas.get(way[-1])) is not None:
        here = way[-1]
        found.append(own)
        if _is_change(here, own):
            break
        if own.based_on in way:
            circle = " -> ".join([*way, own.based_on])
            raise ConfigError(f"personas.{name}.based_on leads back to itself: {circle}", key=f"personas.{name}.based_on")
        if own.based_on not in config.personas and own.based_on not in _BUILT_IN:
            names = ", ".join(dict.fromkeys((*BUILT_IN_PERSONAS, *config.personas)))
            message = f"personas.{here}.based_on = {own.based_on!r}: there is no such persona; there are {names}"
            raise ConfigError(message, key=f"personas.{here}.based_on", value=own.based_on, allowed=names)
        way.append(own.based_on)
    built_in = _BUILT_IN.get(way[-1])
    if built_in is not None:
        found.append(built_in)
    if way[-1] != "default":
        found += [persona for persona in (config.personas.get("default"), _DEFAULT) if persona is not None]
    return found


def _is_change(name: str, own: Persona) -> bool:
    """Whether a table changes the built-in persona of its name: what it does not give stays as it is there."""
    return name in _BUILT_IN and own.based_on in (name, "default")
