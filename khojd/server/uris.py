"""`file:` URIs and paths. Bytes that are no UTF-8 in a file name survive both ways."""

import os
from urllib.parse import quote, unquote_to_bytes, urlsplit


def to_path(uri: str) -> str | None:
    """The absolute path of a `file:` URI on this machine, or None for any other URI."""
    parts = urlsplit(uri)
    if parts.scheme.lower() != "file" or parts.netloc.lower() not in ("", "localhost"):
        return None
    # A `?` or `#` that a client left unquoted is part of the name: files have neither query nor fragment.
    rest = uri.split(":", 1)[1]
    if rest.startswith("//"):
        rest = rest[2 + len(parts.netloc) :]
    path = os.fsdecode(unquote_to_bytes(rest))
    return os.path.normpath(path) if path.startswith("/") and "\0" not in path else None


def from_path(path: str) -> str:
    """The `file:` URI of an absolute path."""
    return "file://" + quote(os.fsencode(path), safe="/~!$&'()*+,;=@")
