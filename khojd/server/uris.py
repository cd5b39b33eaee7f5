"""`file:` URIs and paths. Bytes that are no UTF-8 in a file name survive both ways."""

import os
import re
import sys
from urllib.parse import quote, unquote_to_bytes, urlsplit

from khojd.paths import plain

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")  # one letter is a drive's


def to_path(uri: str) -> str | None:
    """The absolute path of a `file:` URI on this machine, or None for any other URI."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # half of an IPv6 address
        return None
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


def elsewhere(uri: str) -> bool:
    """Whether it is of no file by its scheme: a buffer that has never been saved, a version of a repository."""
    scheme = _SCHEME.match(uri)
    return scheme is not None and scheme[1].lower() != "file"


def from_path(path: str) -> str:
    """The `file:` URI of an absolute path."""
    if sys.platform == "win32":
        path = "/" + plain(path).removeprefix("/")  # before the drive
    return "file://" + quote(os.fsencode(path), safe="/~!$&'()*+,;=@")
