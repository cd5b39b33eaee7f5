"""Slash commands at the beginning of a question."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import cast

from khojd.chat.model import Command
from khojd.errors import ChatError

COMMANDS: Mapping[str, str] = {
    "notes": "answer from the notes alone, and say so when they hold nothing",
    "general": "answer without the notes: none are sent",
    "search": "show the passages that fit, without an answer",
    "summarize": "what a note, a heading, a #tag or a span of time (last week) says; the open note when nothing is named",
    "research": "search and read in several steps before answering",
    "help": "this list",
}
_COMMAND = re.compile(r"/([A-Za-z][A-Za-z-]*)(?=\s|$)")


def split(question: str) -> tuple[Command, str]:
    """The command of a question and the rest of it; "" for none. A path (/home/ada) is none.

    Raises ChatError for an unknown command, and for one that nothing is asked with.
    """
    text = question.strip()
    found = _COMMAND.match(text)
    if found is None:
        return "", text
    name = found[1].lower()
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean /{close[0]}? There are" if close else "there are"
        raise ChatError(
            f"there is no command /{found[1]}; {hint} {', '.join('/' + one for one in COMMANDS)}",
            command=found[1],
            closest=close[0] if close else "",
        )
    rest = text[found.end() :].strip()
    if not rest and name not in ("help", "summarize"):
        raise ChatError(f"/{name} needs a question behind it", command=name)
    return cast("Command", name), rest


def help_text(tools: Iterable[str] = (), personas: Iterable[str] = ()) -> str:
    """What /help answers, in Markdown."""
    lines = ["Commands:", "", *(f"- `/{name}`: {what}" for name, what in COMMANDS.items())]
    lines += [
        "",
        'In a question, `@note` and `[[note]]` give that note along, and search filters hold (`tag:work`, `date:"last week"`).',
    ]
    if names := ", ".join(f"`{one}`" for one in tools):
        lines += ["", f"Tools of /research: {names}."]
    if names := ", ".join(f"`{one}`" for one in personas):
        lines += ["", f"Personas: {names}."]
    return "\n".join(lines)
