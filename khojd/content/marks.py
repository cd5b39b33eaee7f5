"""Ranges of a note that an editor shows in its own way, or acts on. Read for notes that are open, not for all."""

from khojd.content import registry
from khojd.content.model import ContentSettings, Mark, Parsed


def read(path: str, text: str, parsed: Parsed, settings: ContentSettings) -> tuple[Mark, ...]:
    """The marks of a note's text by their start; `parsed` is what its processor made of the same text."""
    del parsed, settings
    return () if registry.processor(path).format == "text" else _UNREAD


_UNREAD: tuple[Mark, ...] = ()
