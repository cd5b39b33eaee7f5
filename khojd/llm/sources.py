"""Passages in the text of a message, for servers that do not take them apart from it."""

from khojd.llm.model import Message


def in_text(message: Message) -> str:
    """The message's text after its sources, each with the number by which the answer cites it."""
    passages = [f"[{source.number}] {source.title} ({source.source})\n{source.text}" for source in message.sources]
    return "\n\n".join([*passages, message.text] if message.text else passages)
