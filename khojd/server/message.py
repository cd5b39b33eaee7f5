"""JSON-RPC messages: from bytes to an envelope whose params are still bytes, and back."""

import json
import re
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from khojd.errors import KhojdError
from khojd.server.framing import frame

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
NOT_INITIALIZED = -32002
REQUEST_FAILED = -32803
REQUEST_CANCELLED = -32800

MessageId = int | str


class Envelope(Struct):
    """The top level of a message. Only this level decides what a message is: a nested `jsonrpc` key is data."""

    jsonrpc: str
    id: MessageId | UnsetType | None = UNSET
    method: str | UnsetType = UNSET
    params: Raw = Raw(b"")
    result: Raw = Raw(b"")
    error: Raw = Raw(b"")


class RpcError(Exception):
    """A JSON-RPC error of the protocol itself; the errors of khojd's parts are KhojdErrors."""

    def __init__(self, code: int, message: str, **data: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


_ENVELOPE = msgspec.json.Decoder(Envelope)
_ENCODER = msgspec.json.Encoder()
_ID = re.compile(rb'"id"\s*:\s*(-?\d{1,15}|"[^"\\]{0,200}")\s*[,}]')


def decode(body: bytes) -> Envelope:
    """Raises RpcError (parse error, invalid request) for a body that is no single JSON-RPC message."""
    try:
        return _ENVELOPE.decode(body)
    except msgspec.ValidationError as error:
        raise RpcError(INVALID_REQUEST, f"not a JSON-RPC message: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error)
    # An editor may send half of a surrogate pair, which is JSON but no text; it takes one unit of UTF-16, as U+FFFD does.
    try:
        repaired = json.dumps(json.loads(body)).encode()
        return _ENVELOPE.decode(_LONE.sub(rb"\\ufffd", repaired))
    except (ValueError, RecursionError):
        raise RpcError(PARSE_ERROR, f"not JSON: {reason}") from None


# As json.dumps writes them: lower-case escapes, an escaped backslash never taken for the start of one.
_LONE = re.compile(
    rb"(?<!\\)((?:\\\\)*)\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f][0-9a-f]{2})|(?<!\\ud[89ab][0-9a-f]{2})\\ud[c-f][0-9a-f]{2}"
)


def find_id(head: bytes) -> MessageId | None:
    """The id of a request of which only the start is known, so that its client need not wait for a reply for ever."""
    before_params = head.split(b'"params"', 1)[0]
    found = _ID.search(before_params)
    return msgspec.json.decode(found[1], type=MessageId) if found else None


def encode(message: dict[str, Any]) -> bytes:
    """A framed message. Values are builtins and msgspec Structs, no lsprotocol objects."""
    try:
        return frame(_ENCODER.encode(message))
    except UnicodeEncodeError:
        # A file name that is no UTF-8 comes as lone surrogates, which JSON text cannot hold.
        text = json.dumps(msgspec.to_builtins(message), ensure_ascii=False)
        return frame(text.encode("utf-8", "replace"))


def error_body(error: KhojdError | RpcError) -> dict[str, Any]:
    """The `error` member of a reply."""
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data:
        body["data"] = msgspec.to_builtins(error.data, enc_hook=str)
    return body
