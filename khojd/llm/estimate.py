"""Bounds on the number of tokens of a text, for any tokenizer: what a server does not count has to be guessed on the safe side."""

import re
from collections.abc import Iterable

from khojd.llm.model import Message, Tool

MESSAGE = 12  # tokens of the marks that a chat template puts around a message, at most
IMAGE = 2_048  # tokens of an image, at most, in the models that run locally

_PIECES = re.compile(r"[^\W\d_]+|\d|[^\w\s]|[_\n]")
_ACCENTED = re.compile(r"[\x80-\u024f]")
_FOREIGN = re.compile(r"[^\x00-\u024f]")
_CHARACTERS_PER_TOKEN = 3  # of a word in Latin letters; common tokenizers need one token for four or more
_TOKENS_PER_FOREIGN = 1.5  # a letter of another script can be two or three bytes to a tokenizer that has not learnt it


def most(text: str) -> int:
    """Tokens that `text` has at most, in practice: words by their length, digits, signs and line ends one each."""
    tokens = sum(-(-len(piece) // _CHARACTERS_PER_TOKEN) for piece in _PIECES.findall(text))
    if text.isascii():
        return tokens
    # Letters of other scripts stand in `tokens` too, which leaves the estimate on the safe side.
    return (
        tokens + len(_ACCENTED.findall(text)) + int(len(_FOREIGN.findall(text)) * (_TOKENS_PER_FOREIGN - 1 / _CHARACTERS_PER_TOKEN))
    )


def least(text: str) -> int:
    """Tokens that `text` has at least: no tokenizer joins words over a blank."""
    return len(text.split())


def most_of(messages: Iterable[Message], tools: Iterable[Tool] = ()) -> int:
    """Tokens that a prompt has at most."""
    said = sum(MESSAGE + most(_written(message)) + IMAGE * len(message.images) for message in messages)
    return said + sum(MESSAGE + most(f"{tool.name} {tool.description} {tool.parameters}") for tool in tools)


def least_of(messages: Iterable[Message]) -> int:
    """Tokens that a prompt has at least; the template and tools are not counted."""
    return sum(least(message.text) for message in messages)


def _written(message: Message) -> str:
    sources = [f"{source.title} {source.source}\n{source.text}" for source in message.sources]
    calls = [f"{call.name} {call.arguments}" for call in message.tool_calls]
    return "\n".join([message.text, *sources, *calls])
