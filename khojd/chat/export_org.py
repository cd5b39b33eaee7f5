"""A conversation as Org."""

from collections.abc import Collection, Sequence

from khojd.chat import export_parts as parts
from khojd.chat.export_blocks import Blocks
from khojd.chat.export_orgtext import described, headline, plain, started
from khojd.chat.model import Citation, Conversation, Turn
from khojd.graph.compose import escaped


def org_of(conversation: Conversation, turns: Sequence[Turn], stale: Collection[Citation]) -> str:
    """The whole note."""
    head = f"#+TITLE: {parts.one_line(conversation.title) or 'Untitled'}"
    if turns:
        head += f"\n#+DATE: [{parts.when(turns[0])}]"
    blocks = [head]
    for number, turn in enumerate(turns, 1):
        blocks += _turn(turn, number, stale)
    return "\n\n".join(blocks) + "\n"


def _turn(turn: Turn, number: int, stale: Collection[Citation]) -> list[str]:
    heading, question = parts.asked(turn.question)
    facts = (
        ("CREATED", f"[{parts.when(turn)}]"),
        ("PERSONA", parts.one_line(turn.persona)),
        ("MODEL", parts.model(turn)),
        ("STATE", parts.state(turn)),
    )
    drawer = "\n".join(f":{name}: {value}" for name, value in facts if value)
    blocks = [f"* {headline(plain(heading))}\n:PROPERTIES:\n{drawer}\n:END:"]
    if question:
        blocks.append("\n".join(("#+begin_quote", *(started(plain(line)) for line in question.split("\n")), "#+end_quote")))
    found = list(parts.pieces(turn))
    if answer := Blocks(lambda marker: _marker(marker, number)).written(found):
        blocks.append(answer)
    footnotes = parts.footnotes(found)
    cited = [_source(source, number, footnote=footnotes) for source in parts.sources(turn, stale)]
    if cited:
        blocks.append("\n".join(cited) if footnotes else "Sources:\n" + "\n".join(cited))
    return blocks


def _marker(marker: parts.Marker, number: int) -> str:
    citation = marker.citation
    if marker.footnote:
        return f"[fn:{number}-{citation.number}]"
    return f"[[{_target(citation.path, citation.line)}][{citation.number}]]"


def _source(source: parts.Source, number: int, *, footnote: bool) -> str:
    link = f"[[{_target(source.path, source.line)}][{described(source.name)}]]"
    start = f"[fn:{number}-{source.number}]" if footnote else f"- ({source.number})"
    return f"{start} {link}{parts.quoted(source, plain)}"


def _target(path: str, line: int) -> str:
    return escaped(f"file:{parts.one_line(path)}::{line + 1}")
