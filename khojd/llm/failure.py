"""What went wrong with a model server, whatever its SDK calls it -> ProviderError that says what to do.

Three ways in: `of_status` (an HTTP answer that is none), `of_body` (an error in the middle of a stream), `of_exception`
(anything an SDK or HTTP client raises; known by the names of its classes, so that no SDK is imported here). The text that a
server sent is shown, shortened, after keys, the addresses' passwords and everything that repeats the prompt are taken out.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from khojd import config
from khojd.errors import ProviderError, ProviderReason

SHOWN = 300  # characters of a server's own text
HIDDEN = "***"
BASE_URL = "Is base_url right? It usually ends in /v1"
_KEY_SETTINGS = ("key_env", "key_command", "key_file", "key_keyring")


class Origin(Struct, frozen=True):
    """Who was asked for what: what a message names, and what it must not show.

    `secrets` are keys; `said` is what was sent of the user's (prompt, texts), of which nothing may come back in a message.
    """

    provider: str
    base_url: str = ""
    model: str = ""
    key_setting: str = ""  # key_env etc., the one that is set
    secrets: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, settings: config.Provider, base_url: str, key: str) -> "Origin":
        setting = next((setting for setting in _KEY_SETTINGS if getattr(settings, setting)), "")
        return cls(name, base_url, key_setting=setting, secrets=(key,) if key else ())

    def asking(self, model: str = "", said: Iterable[str] = ()) -> "Origin":
        """The same server, asked for something."""
        return msgspec.structs.replace(self, model=model, said=tuple(said))

    @property
    def address(self) -> str:
        """The base URL without a user and password."""
        try:
            parts = urlsplit(self.base_url)
        except ValueError:
            return self.base_url.rpartition("@")[2]
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    def error(self, reason: ProviderReason, text: str, **more: Any) -> ProviderError:
        return ProviderError(f"{self.provider}: {text}", provider=self.provider, reason=reason, model=self.model, **more)


# What a server's text gives away

_MARKED_KEY = re.compile(
    r"\b(?:sk|pk|rk|gsk|hf|xai|nvapi|csk|tgp|fw)[-_][\w*.-]{6,}|\bAIza[\w*-]{8,}|(?<=bearer )[^\s\"',]+|(?<=api_key=)[^\s&\"']+"
    r"|(?<=key=)[^\s&\"']{8,}|(?<=://)[^/\s@]+(?=@)",
    re.IGNORECASE,
)


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` without the secrets, pieces of them (8 characters and more), and what is marked as a key or a password by its form."""
    for secret in secrets:
        if secret:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", HIDDEN, text)
            text = _without(text, secret, piece=8, step=1, instead=HIDDEN)
    return _MARKED_KEY.sub(HIDDEN, text)


def _without(text: str, other: str, *, piece: int, step: int, instead: str) -> str:
    """`text` with each stretch that stands in `other` too replaced. Found are all of at least `piece + step - 1` characters."""
    parts, done, at = [], 0, 0
    while at + piece <= len(text):
        place = other.find(text[at : at + piece])
        if place < 0:
            at += step
            continue
        start, end, back, front = at, at + piece, place, place + piece
        while start > done and back > 0 and text[start - 1] == other[back - 1]:
            start, back = start - 1, back - 1
        while end < len(text) and front < len(other) and text[end] == other[front]:
            end, front = end + 1, front + 1
        parts += [text[done:start], instead]
        done = at = end
    return "".join([*parts, text[done:]])


def shown(text: str, origin: Origin) -> str:
    """A server's text as a message may show it: one short line without keys and without what was sent."""
    text = re.sub(r"""(['"]input['"]: *).*""", r"\1…", text[:4000], flags=re.DOTALL)  # pydantic shows what it was given
    text = redact(text, origin.secrets)[: 2 * SHOWN]
    for said in origin.said:
        text = _without(text, said, piece=16, step=8, instead="…")
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


# What a server's answer says


class _Said(Struct, frozen=True):
    """The parts of an error body."""

    text: str = ""
    kind: str = ""  # error.type, error_type, status
    code: str = ""
    param: str = ""
    prompt_tokens: int = 0
    context: int = 0
    retry_after: float | None = None


def _said(body: Any) -> _Said:
    """An error body in any of the shapes that are about: an object with `error` (object or text), `message` or `detail`; text."""
    if isinstance(body, bytes | str):
        try:
            body = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _Said(body.decode("utf-8", "replace") if isinstance(body, bytes) else body)
    if isinstance(body, list):  # Google wraps it in a list; pydantic lists its findings
        body = body[0] if body else {}
    if not isinstance(body, dict):
        return _Said("" if body is None else str(body))
    error = body.get("error", body)
    if isinstance(error, str):
        if error.lstrip().startswith("{") and isinstance(
            inner := _json(error), dict
        ):  # Ollama passes its runner's error on as text
            return _said(inner)
        return _Said(error, kind=str(body.get("error_type") or body.get("type") or ""))
    if not isinstance(error, dict):
        error = body
    text = error.get("message") or error.get("msg") or error.get("detail") or ""
    if isinstance(text, dict | list):
        return _said(text)
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None  # a gateway's upstream
    return _Said(
        f"{text} {raw}" if isinstance(raw, str) else str(text),
        kind=str(error.get("type") or error.get("status") or ""),
        code=str(error.get("code") or ""),
        param=str(error.get("param") or ""),
        prompt_tokens=_number(error.get("n_prompt_tokens")),
        context=_number(error.get("n_ctx")),
        retry_after=_retry_delay(error.get("details")),
    )


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _retry_delay(details: Any) -> float | None:
    """Google's google.rpc.RetryInfo."""
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(delay, str) and (match := re.fullmatch(r"(\d+(?:\.\d+)?)s", delay)):
            return float(match[1])
    return None


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds of the header Retry-After (a number or an HTTP date) or retry-after-ms; None without one that can be read."""
    lower = {name.lower(): value for name, value in headers.items()}
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(lower[name]) / unit)
        except (KeyError, ValueError):
            continue
    try:
        when = parsedate_to_datetime(lower["retry-after"])
    except (KeyError, ValueError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - (now or datetime.now(UTC))).total_seconds())


_OVERFLOW = re.compile(
    r"exceed_context_size|context_length_exceeded|maximum context|context (?:length|size|window)|max_total_tokens|max_model_len"
    r"|prompt is too long|too many (?:input )?tokens|too large to process|(?:input|prompt|request).{0,40}exceeds? .{0,30}token"
    r"|input token count.{0,40}exceeds|`inputs` (?:tokens|must have)|reduce (?:the length|your prompt)",
    re.IGNORECASE | re.DOTALL,
)
_NO_MODEL = re.compile(
    r"model_not_found|unknown model|invalid model|no such model|models?\b.{0,200}?(?:not found|not exist|not available|not recogni)"
    r"|no (?:endpoints|models?) (?:found|loaded)|try pulling",
    re.IGNORECASE | re.DOTALL,
)
_UNSUPPORTED = re.compile(
    r"not support|unsupported (?!parameter|value)|--jinja|--embeddings?\b|--rerank|--enable-auto-tool-choice|not implemented"
    r"|logits computation",  # llama.cpp, of a model for embeddings
    re.IGNORECASE,
)
_LOADING = re.compile(r"loading model|model is loading|overloaded|server busy|queue is full|at capacity", re.IGNORECASE)
_NO_CREDIT = re.compile(r"insufficient_quota|insufficient (?:credits|balance|funds)|billing|payment required", re.IGNORECASE)
_LIMIT = re.compile(
    r"(?:maximum (?:context length|of)|context (?:length|size|window) (?:is|of)|limit is)\D{0,20}(\d{3,})", re.IGNORECASE
)


def of_status(status: int, headers: Mapping[str, str], body: bytes | str, origin: Origin) -> ProviderError:
    """An HTTP answer that is not what was asked for. Raises nothing; `status` 200 is for a body that is no answer."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    html = "html" in kind.lower() or text.lstrip()[:200].lower().startswith(("<!doctype", "<html"))
    if 300 <= status < 400:
        to = next((value for name, value in headers.items() if name.lower() == "location"), "elsewhere")
        where = shown(to, origin)
        return origin.error(
            "request", f"{origin.address} sends us on to {where}: set base_url to the server's own address", status=status
        )
    if html and status not in (401, 403, 429, 502, 503, 504):
        return origin.error(
            "garbled",
            f"a web page came from {origin.address} instead of an answer (HTTP {status}). {BASE_URL}",
            status=status,
        )
    said = _Said() if html else _said(text)
    if status < 300 and not (said.kind or said.code or '"error"' in text):
        words = f"{kind or 'no content type'}, {shown(text, origin)}" if text.strip() else "empty"
        return origin.error("garbled", f"what came from {origin.address} is no answer ({words}). {BASE_URL}", status=status)
    if status < 300:
        return of_body(text, origin)
    return _judge(said, status, origin, retry_after(headers))


def of_body(body: Any, origin: Origin) -> ProviderError:
    """An error that came in an answer's place with HTTP 200: a decoded JSON value, or text."""
    said = _said(body)
    code = int(said.code) if said.code.isdigit() and 400 <= int(said.code) < 600 else 0
    return _judge(said, code, origin, None)


def no_address(origin: Origin) -> ProviderError:
    """The base URL is none."""
    return origin.error("request", f"base_url is no address of a server: {origin.address}; one is like http://127.0.0.1:8080/v1")


def no_model(origin: Origin, known: Iterable[str], status: int = 0) -> ProviderError:
    """The model is not there; `known` are those that are, () where that is not known."""
    names = sorted(known)
    has = ""
    if names:
        close = difflib.get_close_matches(origin.model, names, n=3, cutoff=0.4)
        listed = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        has = f"; it has: {listed}" + (f"; closest: {', '.join(close)}" if close and len(names) > 1 else "")
    return origin.error("model", f'there is no model "{origin.model}" at {origin.address}{has}', status=status, known=names[:50])


def _judge(said: _Said, status: int, origin: Origin, after: float | None) -> ProviderError:
    text = shown(said.text, origin)
    words = f"{said.code} {said.kind} {said.text}"
    its = f": {text}" if text else ""
    at = f" (HTTP {status})" if status else ""
    asked = f' "{origin.model}"' if origin.model else ""
    after = said.retry_after if after is None else after

    def error(reason: ProviderReason, what: str, **more: Any) -> ProviderError:
        return origin.error(reason, what, status=status, **({"param": said.param} if said.param else {}), **more)

    if _NO_CREDIT.search(words) and status in (0, 402, 403, 429):
        return error("auth", f"the account behind the key has no credit left{at}{its}")
    if status in (0, 400, 413, 422, 500) and _OVERFLOW.search(words):
        limit = said.context or next((int(match[1]) for match in [_LIMIT.search(said.text)] if match), 0)
        sizes = {name: value for name, value in (("prompt_tokens", said.prompt_tokens), ("context", limit)) if value}
        of = f" ({said.prompt_tokens} of {said.context} tokens)" if said.prompt_tokens and said.context else its
        return error("overflow", f"what was sent is longer than the model{asked} can take{of}", **sizes)
    if status in (401, 403) or re.search(r"authentication_error|invalid_api_key|invalid api key", words, re.IGNORECASE):
        return error("auth", _key_advice(origin) + at + its)
    if status == 407:
        return error("auth", f"the HTTP proxy wants a user and password{at}: put them into HTTPS_PROXY")
    if status == 429 or re.search(r"rate.?limit|too many requests", words, re.IGNORECASE):
        when = f"; it asks to wait {after:.0f} s" if after else ""
        return error("rate", f"too many requests{at}{when}{its}", retry_after=after)
    if status in (503, 529) or (status in (0, 500) and _LOADING.search(words)):
        return error("busy", f"the server is loading the model{asked} or has no room{at}{its}", retry_after=after)
    if origin.model and status in (0, 400, 404, 422) and _NO_MODEL.search(words):
        return no_model(origin, (), status)
    if status in (405, 501) or (status != 404 and _UNSUPPORTED.search(words)):
        return error("unsupported", f"the model{asked} or its server cannot do this{at}{its}")
    if status == 404:
        return error("request", f"{origin.address} does not know this request{at}{its}. {BASE_URL}")
    if status in (408, 504):
        return error("timeout", f"the server or one before it waited too long{at}{its}", retry_after=after)
    if 400 <= status < 500:
        return error("request", f"the server finds fault with the request{at}{its}")
    return error("server", f"an error of the server's own{at}{its}", retry_after=after)


def _key_advice(origin: Origin) -> str:
    where = f"[providers.{origin.provider}]"
    if origin.key_setting:
        return f"the key is refused; it comes from {origin.key_setting} in {where}"
    return f"the server wants a key: set one of {', '.join(_KEY_SETTINGS)} in {where}"


# What a client raises

_STATUS_ATTRIBUTES = ("status_code", "code")  # openai, anthropic, ollama, httpx; google-genai


def of_exception(error: BaseException, origin: Origin, *, began: bool = False) -> ProviderError:
    """What an SDK or HTTP client raised. `began`: the answer had begun, so that what is broken off is an answer (`cut`)."""
    if isinstance(error, ProviderError):
        return error
    chain = list(_causes(error))
    for cause in chain:
        response = getattr(cause, "response", None)
        status = next((value for name in _STATUS_ATTRIBUTES if isinstance(value := getattr(cause, name, None), int)), 0)
        if 300 <= status < 600:
            return of_status(status, getattr(response, "headers", None) or {}, _body(cause, response), origin)
    names = {name for cause in chain for name in (kind.__name__ for kind in type(cause).__mro__)}
    reason = "; ".join(dict.fromkeys(text for cause in chain if (text := _words(cause))))
    its = f" ({shown(reason, origin)})" if reason else ""
    if names & {"UnsupportedProtocol", "InvalidURL", "LocalProtocolError"}:
        return no_address(origin)
    if names & {"DecodingError", "DecodeError", "JSONDecodeError", "UnicodeDecodeError", "APIResponseValidationError"}:
        return origin.error("garbled", f"what came from {origin.address} is no answer{its}. Is base_url right?")
    if began:
        if names & {"TimeoutException", "TimeoutError"}:
            return origin.error("timeout", "nothing more of the answer came for too long")
        return origin.error("cut", f"the connection broke in the middle of the answer{its}")
    if names & {"ConnectTimeout", "ConnectError", "ConnectionRefusedError", "gaierror", "ProxyError", "SSLError"}:
        return origin.error("unreachable", _no_connection(reason, origin) + its)
    if "PoolTimeout" in names:
        return origin.error("busy", "all connections to it are in use")
    if names & {"TimeoutException", "TimeoutError", "APITimeoutError"}:
        return origin.error("timeout", f"no answer came from {origin.address} for too long")
    if names & {"TransportError", "OSError", "APIConnectionError", "RequestError"}:
        return origin.error("unreachable", f"the connection to {origin.address} broke before an answer came{its}")
    return origin.error("server", f"{type(error).__name__}{its}")


def _causes(error: BaseException | None) -> Iterable[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _body(cause: BaseException, response: Any) -> bytes | str:
    try:
        content = response.content
    except Exception:  # no response, or one that was not read: what the exception itself says must do
        content = None
    if isinstance(content, bytes | str) and content:
        return content
    details = next((value for name in ("body", "details", "error") if (value := getattr(cause, name, None))), None)
    return details if isinstance(details, bytes | str) else msgspec.json.encode(details) if details else str(cause)


def _words(cause: BaseException) -> str:
    text = str(cause).strip()
    return "" if text in ("Connection error.", "Request timed out.", "All connection attempts failed") else text


def _no_connection(reason: str, origin: Origin) -> str:
    lower = reason.lower()
    setting = f"providers.{origin.provider}.base_url"
    if "certificate" in lower:
        return f"the certificate of {origin.address} is not trusted; SSL_CERT_FILE names another authority's"
    if "name or service" in lower or "nodename" in lower or "name resolution" in lower or "getaddrinfo" in lower:
        return f"the host of {origin.address} is not known. Is {setting} right, and is there a network?"
    return f"no connection to {origin.address}. Is it running? Is {setting} right?"
