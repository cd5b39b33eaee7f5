"""Ranges of a note that an editor shows in its own way, or acts on. Read for notes that are open, not for all."""

from collections.abc import Callable

from khojd.content import markdown_tokens, org_tokens, registry
from khojd.content.model import ContentSettings, Mark, Parsed

_READERS: dict[str, Callable[[str, Parsed, ContentSettings], list[Mark]]] = {
    "markdown": markdown_tokens.read,
    "org": org_tokens.read,
}


def read(path: str, text: str, parsed: Parsed, settings: ContentSettings) -> tuple[Mark, ...]:
    """The marks of a note's text by their start; `parsed` is what its processor made of the same text."""
    reader = _READERS.get(registry.processor(path).format)
    return tuple(sorted(reader(text, parsed, settings), key=lambda mark: (mark.start, -mark.end))) if reader else ()
