"""Reading one client's messages."""

import asyncio

from khojd.server.framing import BrokenFraming, Oversized, content_length

_MAX_HEADER = 8192
_CHUNK = 65536


async def read_message(reader: asyncio.StreamReader, limit: int) -> bytes | None:
    """The body of the next message, or None when the client has left between two messages.

    Raises BrokenFraming for bytes that are no message and for half a message, and Oversized for one of more than `limit` bytes,
    after reading past it (in pieces, so that it is never in memory as a whole).
    """
    try:
        header = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise BrokenFraming("the client left in the middle of a header") from None
        return None
    except asyncio.LimitOverrunError:
        raise BrokenFraming("a message header without end") from None
    if len(header) > _MAX_HEADER:
        raise BrokenFraming(f"a message header of {len(header)} bytes")
    size = content_length(header[:-4])
    if size > limit:
        head = b""
        left = size
        while left:
            chunk = await reader.read(min(left, _CHUNK))
            if not chunk:
                raise BrokenFraming("the client left in the middle of a message")
            if len(head) < 1024:
                head += chunk[: 1024 - len(head)]
            left -= len(chunk)
        raise Oversized(size, limit, head)
    try:
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError:
        raise BrokenFraming("the client left in the middle of a message") from None
