"""A named pipe between real ends (Windows)."""

import asyncio
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from khojd.daemon.address import socket_path
from khojd.daemon.listener import Listener
from khojd.daemon.token import Token, token_path

if sys.platform == "win32":
    from khojd.daemon.pipe import Pipe, connect
else:
    pytest.skip("named pipes are Windows's own", allow_module_level=True)

assert sys.platform == "win32"


@pytest.fixture
def address(tmp_path: Path) -> Path:
    return socket_path(tmp_path / "index")


@pytest.fixture
async def echo(address: Path) -> AsyncIterator[Listener]:
    """A daemon that says everything back, and `bye` when the client has said all."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write(b"bye")
        writer.close()

    listener = Listener(address)
    await listener.serve(answer)
    yield listener
    listener.close()


def attach(address: Path) -> Pipe:
    pipe = connect(address)
    assert pipe is not None
    return pipe


def exactly(pipe: Pipe, size: int) -> bytes:
    heard = b""
    while len(heard) < size:
        data = pipe.recv(size - len(heard))
        assert data, f"the pipe ended after {len(heard)} of {size} bytes"
        heard += data
    return heard


async def test_both_ends_speak_at_once_and_as_much_as_they_like(address: Path, echo: Listener) -> None:
    said = os.urandom(3_000_000)

    def talk() -> bytes:
        pipe = attach(address)
        speaking = threading.Thread(target=pipe.sendall, args=(said,))
        speaking.start()
        heard = exactly(pipe, len(said))
        speaking.join()
        pipe.close()
        return heard

    assert await asyncio.to_thread(talk) == said


async def test_who_has_said_all_still_hears_the_answer(address: Path, echo: Listener) -> None:
    def talk() -> bytes:
        pipe = attach(address)
        pipe.sendall(b"hello")
        pipe.shutdown(socket.SHUT_WR)
        heard = exactly(pipe, len(b"hellobye"))
        assert pipe.recv(1) == b""
        pipe.close()
        return heard

    assert await asyncio.to_thread(talk) == b"hellobye"


async def test_a_read_that_took_too_long_can_be_made_again(address: Path, echo: Listener) -> None:
    def talk() -> bytes:
        pipe = attach(address)
        pipe.settimeout(0.01)
        with pytest.raises(TimeoutError):
            pipe.recv(100)
        pipe.settimeout(None)
        pipe.sendall(b"late")
        heard = exactly(pipe, 4)
        pipe.close()
        return heard

    assert await asyncio.to_thread(talk) == b"late"


def test_an_interrupted_read_can_be_made_again(address: Path) -> None:
    came = threading.Event()
    speak = threading.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        await asyncio.to_thread(speak.wait)
        writer.write(b"late")
        await reader.read()
        writer.close()

    async def serve() -> None:
        listener = Listener(address)
        await listener.serve(answer)
        ready.set()
        await asyncio.to_thread(came.wait)
        # The main thread reads, or is about to: the signal's event stays set until it does.
        signal.raise_signal(signal.SIGINT)
        await asyncio.to_thread(left.wait)
        listener.close()

    ready, left = threading.Event(), threading.Event()
    daemon = threading.Thread(target=asyncio.run, args=(serve(),))
    daemon.start()
    ready.wait()
    pipe = attach(address)
    with pytest.raises(KeyboardInterrupt):
        pipe.recv(100)
    speak.set()
    assert exactly(pipe, 4) == b"late"
    pipe.close()
    left.set()
    daemon.join()


async def test_twenty_clients_at_once_are_all_let_in(address: Path, echo: Listener) -> None:
    def talk(number: int) -> bytes:
        pipe = attach(address)
        pipe.sendall(b"%02d" % number)
        heard = exactly(pipe, 2)
        pipe.close()
        return heard

    heard = await asyncio.gather(*(asyncio.to_thread(talk, number) for number in range(20)))
    assert heard == [b"%02d" % number for number in range(20)]


async def test_a_client_without_the_token_is_not_served(address: Path, echo: Listener) -> None:
    # As a client would read it that may read the pipe's name, and not the file.
    digits = token_path(address).read_bytes()
    token_path(address).write_bytes(digits[::-1])
    assert await asyncio.to_thread(connect, address) is None
    token_path(address).write_bytes(digits)
    (await asyncio.to_thread(attach, address)).close()


async def test_a_stranger_who_took_the_name_is_no_daemon(address: Path) -> None:
    Token.make(token_path(address))
    heard = asyncio.get_running_loop().create_future()

    async def lie(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = await reader.readexactly(64)
        writer.write(said)  # it knows no other half
        heard.set_result(said + await reader.read())
        writer.close()

    loop = asyncio.get_running_loop()
    assert isinstance(loop, asyncio.ProactorEventLoop)
    (server,) = await loop.start_serving_pipe(lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader(), lie), str(address))
    assert await asyncio.to_thread(connect, address) is None
    assert await heard == token_path(address).read_bytes()[:64]
    server.close()


async def test_nobody_is_found_where_no_daemon_listens(address: Path, echo: Listener) -> None:
    echo.hide()
    assert await asyncio.to_thread(connect, address) is None
    assert connect(address.with_name("khojd-none")) is None


async def test_clients_get_an_end_of_file_when_the_daemon_ends(address: Path) -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.close()

    listener = Listener(address)
    await listener.serve(leave)

    def talk() -> bytes:
        pipe = attach(address)
        pipe.sendall(b".")
        heard = pipe.recv(1)
        with pytest.raises(OSError):
            pipe.sendall(b"more")
        pipe.close()
        return heard

    assert await asyncio.to_thread(talk) == b""
    listener.close()


def test_the_file_with_the_token_is_for_its_user_only(address: Path) -> None:
    Token.make(token_path(address))
    allowed = re.findall(r"\(A;[^()]*;([^;()]+)\)", protection(token_path(address)))
    (user,) = set(allowed) - {"SY"}  # the system itself is no stranger
    assert user.startswith("S-1-5-")


def protection(path: Path) -> str:
    """The access rules of a file, in Windows's notation: (A;;FA;;;who) is full access."""
    import ctypes

    advapi = ctypes.WinDLL("advapi32", use_last_error=True)
    size = ctypes.c_uint32()
    advapi.GetFileSecurityW(str(path), 4, None, 0, ctypes.byref(size))
    descriptor = ctypes.create_string_buffer(size.value)
    assert advapi.GetFileSecurityW(str(path), 4, descriptor, size, ctypes.byref(size)), ctypes.WinError(ctypes.get_last_error())
    text = ctypes.c_wchar_p()
    assert advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW(descriptor, 1, 4, ctypes.byref(text), None)
    return str(text.value)
