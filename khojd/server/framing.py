"""LSP's framing: a header with Content-Length in bytes, then that many bytes of JSON. Imports nothing: clients use it too."""


class BrokenFraming(Exception):
    """The bytes are no LSP message; where the next one starts cannot be known."""


class Oversized(Exception):
    """A message over the limit. Its body was read and dropped; `head` is how it starts (at most 1,024 bytes)."""

    def __init__(self, size: int, limit: int, head: bytes) -> None:
        super().__init__(f"a message of {size} bytes is over the limit of {limit} (daemon.max_message_bytes)")
        self.size = size
        self.limit = limit
        self.head = head


def frame(body: bytes) -> bytes:
    """`body` with its header."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def content_length(header: bytes) -> int:
    """The length that a header (without its blank line) announces.

    Raises BrokenFraming when there is none, or it is no number.
    """
    for line in header.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon and name.strip().lower() == b"content-length":
            value = value.strip()
            if value.isdigit() and len(value) < 16:
                return int(value)
            raise BrokenFraming("Content-Length is not a number of bytes")
    raise BrokenFraming("a message header without Content-Length")
