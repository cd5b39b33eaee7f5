"""The secret that both ends of a pipe show, here over socket pairs, which every platform has."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from khojd.daemon.token import Token, token_path
from khojd.errors import DaemonError
from khojd.server.framing import frame
from khojd.server.reader import read_message

HALF = 64


async def meet(token: Token, client: Callable[[socket.socket], object]) -> tuple[bool, bytes | None, object]:
    """A daemon with `token` and what `client` does, in a thread: whether it was let in, its first message, what it returned."""
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.settimeout(30)
        reader, writer = await asyncio.open_connection(sock=ours)
        said = asyncio.create_task(asyncio.to_thread(client, theirs))
        welcome = await token.welcome(reader, writer)
        message = await read_message(reader, 1000) if welcome else None
        writer.close()
        return welcome, message, await said


def made(tmp_path: Path) -> tuple[Token, Token]:
    """The daemon's token, and the same as a client reads it."""
    path = tmp_path / "state" / "k.token"
    token = Token.make(path)
    read = Token.read(path)
    assert read is not None
    return token, read


async def test_a_client_with_the_token_is_served_and_its_messages_follow(tmp_path: Path) -> None:
    token, read = made(tmp_path)

    def client(connection: socket.socket) -> bool:
        known = read.greet(connection)
        connection.sendall(frame(b'{"id":1}'))
        return known

    assert await meet(token, client) == (True, b'{"id":1}', True)


async def test_a_message_in_one_piece_with_the_token_is_not_lost(tmp_path: Path) -> None:
    token, _ = made(tmp_path)
    digits = (tmp_path / "state" / "k.token").read_bytes()
    welcome, message, _ = await meet(token, lambda connection: connection.sendall(digits[:HALF] + frame(b"{}")))
    assert (welcome, message) == (True, b"{}")


@pytest.mark.parametrize("start", [0, HALF - 1])
@pytest.mark.parametrize("lie", [b"", b"x" * HALF + frame(b"{}"), frame(b"{}" * HALF)])  # no digit: none is right by chance
async def test_a_client_without_the_token_is_told_nothing(tmp_path: Path, start: int, lie: bytes) -> None:
    token, _ = made(tmp_path)
    digits = (tmp_path / "state" / "k.token").read_bytes()

    def client(connection: socket.socket) -> bytes:
        connection.sendall(digits[:start] + lie)
        connection.shutdown(socket.SHUT_WR)
        return received(connection)

    assert await meet(token, client) == (False, None, b"")


async def test_a_token_of_an_earlier_daemon_opens_nothing(tmp_path: Path) -> None:
    _, old = made(tmp_path)
    token, _ = made(tmp_path)
    assert await meet(token, old.greet) == (False, None, False)


@pytest.mark.parametrize("answer", [b"", b"0" * HALF, b"Content-Length: 2\r\n\r\n{}"])
async def test_a_stranger_in_the_daemons_place_hears_half_a_secret_and_no_more(tmp_path: Path, answer: bytes) -> None:
    _, read = made(tmp_path)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        knows = asyncio.create_task(asyncio.to_thread(read.greet, theirs))
        reader, writer = await asyncio.open_connection(sock=ours)
        heard = await reader.readexactly(HALF)
        writer.write(answer)
        writer.write_eof()
        assert await knows is False
        theirs.close()
        assert await reader.read() == b""
        assert heard == (tmp_path / "state" / "k.token").read_bytes()[:HALF]
        writer.close()


def received(connection: socket.socket) -> bytes:
    heard = b""
    try:
        while data := connection.recv(1000):
            heard += data
    except ConnectionError:  # closed with our words unread
        pass
    return heard


def test_the_file_lies_in_the_state_directory_one_for_each_address(own_home: Path) -> None:
    first, second = token_path(Path("khojd-1")), token_path(Path("khojd-2"))
    assert first != second
    assert own_home in first.parents


def test_half_a_file_or_none_is_no_token(tmp_path: Path) -> None:
    path = tmp_path / "k.token"
    assert Token.read(path) is None
    Token.make(path)
    path.write_bytes(path.read_bytes()[:-1])
    assert Token.read(path) is None


def test_a_file_that_cannot_be_written_or_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "k.token").mkdir()
    with pytest.raises(DaemonError, match=r"cannot write .*k\.token"):
        Token.make(tmp_path / "k.token")
    with pytest.raises(DaemonError, match=r"cannot read .*k\.token"):
        Token.read(tmp_path / "k.token")
