"""The HTTP client that is handed to an SDK, so that what leaves the machine is decided here and not by the environment."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sized
from typing import Any, Final

import anyio._backends._asyncio  # noqa: F401  else the first request loads it, which holds the loop for 20 ms
import httpx2
import msgspec

from khojd import config
from khojd.errors import ProviderError
from khojd.llm import failure
from khojd.llm.guard import clean
from khojd.llm.model import Health
from khojd.llm.table import is_local

HEALTH_SECONDS: Final = 10.0
ASKING_SECONDS: Final = 30.0  # for an answer to anything but a chat
SHOWN_BYTES: Final = 16_384  # read of what is no stream

# What an SDK may say besides its keys. Others tell of the system (x-stainless-os) or come from environment variables.
_HEADERS: Final = frozenset(
    {
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "content-type",
        "content-length",
        "transfer-encoding",
        "user-agent",
        "anthropic-version",
    }
)


def client(
    base_url: str,
    settings: config.Provider,
    keys: Mapping[str, str],
    answered: Callable[[httpx2.Response], Awaitable[None]] | None = None,
) -> httpx2.AsyncClient:
    """A client that sends `keys` as headers, and follows no redirect, which would take keys and notes elsewhere.

    `answered` is called with each response before the SDK has it.

    Proxies of the environment are used for servers on other machines only. Takes tens of milliseconds where certificates are read.
    """
    here = is_local(base_url)
    plain = here and base_url.startswith("http:")

    async def only_what_is_needed(request: httpx2.Request) -> None:
        for header in [header for header in request.headers if header not in _HEADERS]:
            del request.headers[header]
        request.headers.update(keys)

    return Client(
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else True,  # without authorities: such a server has no certificate
        trust_env=not here,
        follow_redirects=False,
        timeout=asking(settings),
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=settings.concurrency, keepalive_expiry=60.0),
        event_hooks={"request": [only_what_is_needed], "response": [answered] if answered else []},
    )


class Client(httpx2.AsyncClient):
    """Sends a request once more when the kept connection that it went to turns out to have been closed by the server.

    llama.cpp's server closes connections after streams without saying so: the next request may be quicker than that.
    """

    async def send(self, request: httpx2.Request, **how: Any) -> httpx2.Response:
        new = answered = False

        async def trace(event: str, _: object) -> None:
            nonlocal new, answered
            new = new or event.startswith("connection.connect")
            answered = answered or event == "http11.receive_response_headers.complete"

        request.extensions = {**request.extensions, "trace": trace}
        try:
            return await super().send(request, **how)
        except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
            if new or answered:
                raise
        return await super().send(request, **how)


def asking(settings: config.Provider) -> httpx2.Timeout:
    return httpx2.Timeout(ASKING_SECONDS, connect=settings.connect_seconds, pool=None)


def chatting(settings: config.Provider) -> httpx2.Timeout:
    """For answers; the limits proper are khojd/llm/guard.py's."""
    patience = max(settings.first_seconds, settings.idle_seconds) + 1.0
    return httpx2.Timeout(patience, connect=settings.connect_seconds, pool=None)


def encoded(body: Any) -> bytes:
    """JSON; halves of surrogate pairs, which a note may hold, become U+FFFD."""
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        return msgspec.json.encode(clean(body))


async def no_stream(response: httpx2.Response, origin: failure.Origin) -> ProviderError:
    """The error of a server that was asked for a stream of events and answers with something else and HTTP 200."""
    body = b""
    try:
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) >= SHOWN_BYTES:
                break
    except httpx2.HTTPError as error:
        return failure.of_exception(error, origin)
    kind = response.headers.get("content-type", "") or "nothing of the kind"
    if "html" in kind or body.lstrip().startswith(b"<"):
        return failure.of_status(response.status_code, response.headers, body, origin)
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = None
    if isinstance(said, dict | list) and b'"error"' in body:
        return failure.of_body(said, origin)
    return origin.error("garbled", f"{origin.address} was asked for a stream and sent {kind}. Is base_url right?")


def models_there(count: int) -> str:
    """A number of models in words."""
    return f"{count} model" if count == 1 else f"{count} models"


async def health(listing: Awaitable[Sized], origin: failure.Origin) -> Health:
    """How a server is that is known by its list of models; never raises."""
    started = time.perf_counter()
    try:
        async with asyncio.timeout(HEALTH_SECONDS):
            models = await listing
    except ProviderError as error:
        return Health(False, error.message)
    except TimeoutError:
        return Health(False, f"{origin.provider}: no answer from {origin.address} within {HEALTH_SECONDS:g} s")
    latency = (time.perf_counter() - started) * 1000
    return Health(True, f"{origin.address} answers and has {models_there(len(models))}", latency)
