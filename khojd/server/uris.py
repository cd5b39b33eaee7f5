"""`file:` URIs and paths. Bytes that are no UTF-8 in a file name survive both ways."""

import os
import sys
from urllib.parse import quote, unquote_to_bytes, urlsplit

from khojd.paths import plain


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
    if sys.platform == "win32":
        path = path.removeprefix("/")  # before the drive
    return plain(os.path.normpath(path)) if os.path.isabs(path) and "\0" not in path else None  # noqa: PTH117  as text


def from_path(path: str) -> str:
    """The `file:` URI of an absolute path."""
    if sys.platform == "win32":
        path = "/" + plain(path).removeprefix("/")  # before the drive
    return "file://" + quote(os.fsencode(path), safe="/~!$&'()*+,;=@")
