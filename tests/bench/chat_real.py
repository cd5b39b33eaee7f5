"""Chat with a real llama-server and its tiny models behind a relay that tells the times."""

import http.client
import json
import time
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.bench.client import Client
from tests.bench.daemon import Daemon
from tests.bench.options import Options
from tests.bench.prose import Prose
from tests.bench.relay import Relay
from tests.bench.table import TARGET, Row, Table, figure, percentile, say, spread
from tests.llm import llama

QUESTION = "a letter from the garden"
TURNS = 100
CANCELS = 20
LONG = 600  # tokens of a long answer; more of the same would be taken for a model that is caught in a loop
_SHARES = (0.5, 0.95)


def table(options: Options, folder: Path, index: Path) -> Table | None:
    """Rows of an index that is built; None where there is no server to be had."""
    if why := llama.missing():
        say(f"no rows with a real model server: {why}")
        return None
    place = options.work / "llama"
    place.mkdir()
    rows = []
    with (
        llama.running(place) as server,
        Relay(server) as relay,
        Daemon(index, (folder,), settings=_settings(relay.url)) as daemon,
        daemon.start() as client,
    ):
        client.ask("khoj/index/update", {"embed": True})
        for model in ("", "bench/tiny-loop"):  # has the server load both
            _ask(client, QUESTION, model)
            relay.said()
        rows += _turns(client, relay, options.pick(TURNS, 20))
        rows.append(_long(client, relay))
        rows += _cancels(client, relay, server, options.pick(CANCELS, 5))
    notes = (
        "llama.cpp's server in router mode; tiny models that say the same sentence, as fast as they can. Its tokenizer counts the",
        "prompt before the request leaves. Times are from a relay between khojd and the server, by one clock.",
    )
    return Table("Chat with llama-server", tuple(rows), notes)


def _settings(url: str) -> str:
    return (
        f'[providers.bench]\nkind = "openai"\npreset = "llama-cpp"\nbase_url = "{url}/v1"\n'
        '[providers.bench.models.tiny-canned]\nthinking = "off"\n'
        '[models]\nchat = ["bench/tiny-canned"]\n[chat]\nrewrite = false\ntitles = false\n'
        f'[personas.default]\nmax_tokens = {LONG}\n[personas.endless]\nbased_on = "writer"\n'
    )


def _ask(client: Client, message: str, model: str = "") -> list[tuple[float, str]]:
    """The texts of an answer, each with the time at which it was read."""
    texts, params = [], {"message": message, "model": model, "partialResultToken": "answer"}
    for when, heard in client.stream("khoj/chat", params):
        value = heard["params"]["value"] if "params" in heard and heard["params"].get("token") == "answer" else {}
        if value.get("kind") == "text":
            texts.append((when, value["text"]))
        assert heard.get("result", {"state": "complete"})["state"] == "complete", heard
    return texts


def _turns(client: Client, relay: Relay, turns: int) -> list[Row]:
    prose, before, delays = Prose(17), [], list[float]()
    for _ in range(turns):
        started = time.monotonic()
        heard = _ask(client, prose.query())
        before.append(relay.when("arrived") - started)
        delays += _late(relay.said(), heard)
    return [
        _row("question to the request's arrival, tokens counted by the server", spread(before, _SHARES), "p95 80 ms"),
        _row(f"added to each token, {turns} short answers", spread(delays, _SHARES), "p95 5 ms"),
    ]


def _long(client: Client, relay: Relay) -> Row:
    heard = _ask(client, QUESTION, "bench/tiny-loop")
    said = relay.said()
    delays = _late(said, heard)
    tenth = max(1, len(delays) // 10)
    first, last = percentile(delays[:tenth], 0.95), percentile(delays[-tenth:], 0.95)
    rate = len(said) / (said[-1][0] - said[0][0])
    result = (
        f"{spread(delays, _SHARES)}; first tenth p95 {figure(first * 1000)}, last {figure(last * 1000)} ms; {rate:,.0f} tokens/s"
    )
    return _row(
        f"added to each of {len(said)} tokens, as fast as they come", result, "p95 5 ms; no more at the end than at the start"
    )


def _late(said: list[tuple[float, str]], heard: list[tuple[float, str]]) -> list[float]:
    """How long after each token was passed on its last character was read; [] for an answer that is not passed on as it is."""
    sent = "".join(text for _, text in said)
    got = "".join(text for _, text in heard)
    if got == sent.replace(" [1]", ""):
        return []  # nothing was found for this question, so its marker is taken out
    assert got == sent, f"what is said is what is heard: {sent!r}, {got!r}"
    ends = list(accumulate(len(text) for _, text in heard))
    late, place = [], 0
    for end, (when, _) in zip(accumulate(len(text) for _, text in said), said, strict=True):
        while ends[place] < end:
            place += 1
        late.append(heard[place][0] - when)
    return late


def _cancels(client: Client, relay: Relay, server: str, rounds: int) -> list[Row]:
    closed, free = [], []
    for token in map(str, range(rounds)):
        params = {"message": "Go on.", "model": "bench/tiny-loop", "persona": "endless", "partialResultToken": token}
        number = client.begin("khoj/chat", params)
        while client.hear("$/progress", lambda params: params["value"].get("kind") == "text")["token"] != token:
            pass  # of the answer before, which was kept
        started = time.monotonic()
        client.tell("$/cancelRequest", {"id": number})
        free.append(_free(server) - started)
        closed.append(relay.when("left") - started)
        client.end(number)
    return [
        _row(
            "cancel to the connection's end",
            f"{spread(closed, _SHARES)}, most {figure(max(closed) * 1000)} ms",
            "200 ms",
        ),
        _row("cancel to the server's having stopped", f"{spread(free, _SHARES)}, most {figure(max(free) * 1000)} ms", ""),
    ]


def _free(server: str) -> float:
    """When the server generates nothing more."""
    connection = http.client.HTTPConnection(urlsplit(server).netloc)
    while True:
        connection.request("GET", "/slots?model=tiny-loop")
        slots: Any = json.loads(connection.getresponse().read())
        if not any(slot["is_processing"] for slot in slots):
            connection.close()
            return time.monotonic()


def _row(name: str, result: str, target: str) -> Row:
    say(f"  {name}: {result}")
    return Row(name, result, target, TARGET if target else "")
