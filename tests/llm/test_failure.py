"""What a person is told of a failure, whichever SDK raised it, and what never gets out with it."""

from datetime import UTC, datetime
from typing import Any

import anthropic
import httpx
import httpx2
import msgspec
import ollama
import openai
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from khojd import config
from khojd.errors import ProviderError
from khojd.llm import failure
from khojd.llm.failure import Origin, redact

URL = "http://box:8080/v1"
KEY = "0123456789abcdef-very-secret"
REQUEST = httpx2.Request("POST", URL)
ORIGIN = Origin.of("work", config.Provider(key_file="~/key"), URL, KEY).asking("tiny")


def response(status: int, body: Any = None, **headers: str) -> httpx2.Response:
    content = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
    return httpx2.Response(status, content=content, headers=headers, request=REQUEST)


def raised(outer: BaseException, inner: BaseException) -> BaseException:
    try:
        raise outer from inner
    except BaseException as error:
        return error


@pytest.mark.parametrize(
    ("error", "reason", "words"),
    [
        (openai.APIConnectionError(request=REQUEST), "unreachable", "broke before an answer came"),
        (
            raised(openai.APIConnectionError(request=REQUEST), httpx2.ConnectError("All connection attempts failed")),
            "unreachable",
            f"no connection to {URL}. Is it running? Is providers.work.base_url right?",
        ),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"), "unreachable", "is not trusted"),
        (httpx.ConnectTimeout(""), "unreachable", "no connection"),
        (httpx.ReadTimeout(""), "timeout", "for too long"),
        (httpx.PoolTimeout(""), "busy", "in use"),
        (raised(openai.APITimeoutError(REQUEST), httpx2.ReadTimeout("")), "timeout", "for too long"),
        (httpx.UnsupportedProtocol("Request URL is missing an 'http://' or 'https://' protocol."), "request", "no address"),
        (ConnectionError("Failed to connect to Ollama."), "unreachable", "broke before"),
        (ConnectionRefusedError(111, "Connection refused"), "unreachable", "Is it running?"),
        (ollama.ResponseError('{"error": "model \'x\' not found"}', 404), "model", 'no model "tiny"'),
        (ollama.ResponseError("server busy, please try again. maximum pending requests exceeded", 503), "busy", "has no room"),
        (
            anthropic.APIStatusError(
                "x",
                response=response(529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
                body=None,
            ),
            "busy",
            "Overloaded",
        ),
        (openai.APIStatusError("x", response=response(401, {"error": "no"}), body=None), "auth", "key_file in [providers.work]"),
        (msgspec.DecodeError("malformed"), "garbled", "is no answer"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), "garbled", "is no answer"),
        (RuntimeError("surprise"), "server", "RuntimeError (surprise)"),
    ],
)
def test_what_clients_raise_is_said_plainly(error: BaseException, reason: str, words: str) -> None:
    found = failure.of_exception(error, ORIGIN)
    assert found.reason == reason
    assert words in found.message
    assert found.message.startswith("work: ")
    assert (found.data["provider"], found.data["model"]) == ("work", "tiny")


@pytest.mark.parametrize(
    ("error", "reason"),
    [(httpx.ReadError(""), "cut"), (httpx2.RemoteProtocolError("peer closed"), "cut"), (httpx.ReadTimeout(""), "timeout")],
)
def test_what_breaks_an_answer_that_had_begun_is_told_apart(error: BaseException, reason: str) -> None:
    assert failure.of_exception(error, ORIGIN, began=True).reason == reason


def test_a_failure_that_is_one_already_stays_as_it_is() -> None:
    error = ProviderError("x", provider="p", reason="endless")
    assert failure.of_exception(error, ORIGIN) is error


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "3"}, 3.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"Retry-After": "-1"}, 0.0),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}, 7.0),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({}, None),
    ],
)
def test_how_long_to_wait_is_read_as_a_number_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert failure.retry_after(headers, datetime(1994, 11, 6, 8, 49, 30, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"message": "the words", "type": "t", "code": 1}}, "the words"),
        ({"error": "the words"}, "the words"),
        ({"error": "the words", "error_type": "generation"}, "the words"),
        ({"message": "the words"}, "the words"),
        ({"detail": "the words"}, "the words"),
        ({"detail": [{"loc": ["body"], "msg": "the words"}]}, "the words"),
        ([{"error": {"code": 400, "message": "the words", "status": "INVALID_ARGUMENT"}}], "the words"),
        ({"type": "error", "error": {"type": "invalid_request_error", "message": "the words"}}, "the words"),
        ({"error": '{"error": {"message": "the words", "code": 400}}'}, "the words"),
        ({"error": {"message": "Provider returned error", "metadata": {"raw": "the words"}}}, "Provider returned error the words"),
        ("the words", "the words"),
        ("", "(HTTP 400)"),
        ({"error": {}}, "(HTTP 400)"),
        ({"error": None}, "(HTTP 400)"),
        ([], "(HTTP 400)"),
        (17, "17"),
    ],
)
def test_the_words_of_a_server_are_found_in_every_shape(body: Any, words: str) -> None:
    content = body if isinstance(body, str) else msgspec.json.encode(body)
    found = failure.of_status(400, {}, content, ORIGIN)
    assert found.reason == "request"
    assert found.message.endswith(words)


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        (400, "model 'no-such-model' not found", "model"),
        (404, "The model `x` does not exist or you do not have access to it.", "model"),
        (404, 'model "x" not found, try pulling it first', "model"),
        (400, "Invalid model name passed in model=x", "model"),
        (404, "models/x is not found for API version v1beta", "model"),
        (404, "No endpoints found for a/b.", "model"),
        (404, "Not Found", "request"),
        (403, "Your region is not allowed", "auth"),
        (402, "Insufficient credits. Add more using the settings page", "auth"),
        (407, "Proxy Authentication Required", "auth"),
        (413, "Payload Too Large", "request"),
        (405, "Method Not Allowed", "unsupported"),
        (501, "whatever", "unsupported"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set', "unsupported"),
        (400, "registry.ollama.ai/library/x does not support tools", "unsupported"),
        (500, "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj", "unsupported"),
        (500, "tools param requires --jinja flag", "unsupported"),
        (400, "the input length exceeds the context length", "overflow"),
        (400, "prompt is too long: 210000 tokens > 200000 maximum", "overflow"),
        (400, "The input token count (40000) exceeds the maximum number of tokens allowed (32768).", "overflow"),
        (500, "input (3602 tokens) is too large to process. increase the physical batch size", "overflow"),
        (429, "Request too large for model: Limit 6000 tokens per minute", "rate"),
        (503, "no healthy upstream", "busy"),
        (504, "Gateway Timeout", "timeout"),
        (408, "Request Timeout", "timeout"),
        (500, "Internal Server Error", "server"),
        (520, "unknown", "server"),
    ],
)
def test_what_servers_say_is_put_in_its_place(status: int, text: str, reason: str) -> None:
    found = failure.of_status(status, {}, text, ORIGIN)
    assert (found.reason, found.data["status"]) == (reason, status)


def test_the_delay_that_google_asks_for_is_known() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "33s"}]
    found = failure.of_status(429, {}, msgspec.json.encode({"error": {"message": "Quota", "details": details}}), ORIGIN)
    assert (found.reason, found.retry_after) == ("rate", 33.0)


def test_the_models_that_there_are_and_the_closest_are_named() -> None:
    found = failure.no_model(ORIGIN.asking("qwen3:4"), ["qwen3:4b", "llama3", *(f"other-{number}" for number in range(20))])
    assert found.reason == "model"
    assert found.message.startswith(f'work: there is no model "qwen3:4" at {URL}; it has: llama3, other-0')
    assert "and 14 more; closest: qwen3:4b" in found.message
    assert failure.no_model(ORIGIN, []).message == f'work: there is no model "tiny" at {URL}'


def test_the_password_of_an_address_is_not_shown() -> None:
    origin = Origin("work", "http://me:hunter2@box:8080/v1", "m")
    for error in (httpx.ConnectError("no"), httpx.ReadTimeout("")):
        assert "hunter2" not in failure.of_exception(error, origin).message
    assert "hunter2" not in failure.of_status(404, {}, "at http://me:hunter2@box:8080/v1", origin).message


PIECES = st.integers(0, len(KEY) - 8).flatmap(lambda start: st.integers(start + 8, len(KEY)).map(lambda end: KEY[start:end]))


@given(before=st.text(max_size=30), piece=PIECES, after=st.text(max_size=30))
@example(before="key=", piece=KEY, after="&x=1")
def test_no_piece_of_a_key_gets_out(before: str, piece: str, after: str) -> None:
    found = redact(before + piece + after, [KEY])
    assert not any(KEY[start : start + 8] in found for start in range(len(KEY) - 7))


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-abc*****xyz1. You can find",
        "Authorization: Bearer abcdefgh.ijkl",
        "https://example.invalid/v1?key=AIzaSyA1234567890abcdef&alt=sse",
        "http://user:hunter2@box/",
        "gsk_abcdef123456 and hf_abcdefgh",
    ],
)
def test_what_looks_like_a_key_is_hidden_though_it_is_none_of_ours(text: str) -> None:
    found = redact(text, [])
    for secret in ("sk-proj", "xyz1", "abcdefgh", "AIza", "hunter2", "gsk_"):
        assert secret not in found
    assert "***" in found


def test_a_short_key_does_not_take_words_apart() -> None:
    assert redact("none of the keys is a key: none", ["none"]) == "*** of the keys is a key: ***"
    assert redact("keyless", ["key"]) == "keyless"
    assert redact("plain words", [""]) == "plain words"
