"""Chat over the socket: what khojd adds to the time that a model takes, whether citations hold, what is found for questions."""

import re
import time
from pathlib import Path
from statistics import fmean
from typing import Any

from khojd.evaluate.collection import load_collection
from khojd.evaluate.metrics import recall
from khojd.server import uris
from tests.bench import chat_real, notes, process
from tests.bench.built import build
from tests.bench.client import Client
from tests.bench.daemon import Daemon
from tests.bench.model import ModelServer
from tests.bench.options import Options
from tests.bench.prose import Prose
from tests.bench.table import TARGET, Row, Table, figure, percentile, say, spread

NOTES = 13_000
TURNS = 100
CALM, FAST = 100, 5_000  # tokens per second
SECONDS = 10
CANCELS = 20
CITING = 30
DEPTH = 5
_SHARES = (0.5, 0.95)
_STAMP = re.compile(r" (\d{12,})")
_NOTE = re.compile(r'<note [^>\n]*path="([^"\n]*)"')


def tables(options: Options) -> list[Table]:
    folder, index = options.work / "chat", options.work / "chat-index"
    count = options.pick(NOTES, 1_000)
    say(f"writing and indexing {count:,} notes, random vectors")
    notes.short(folder, range(count))
    build(folder, index)
    rows: list[Row] = []
    with ModelServer() as model, Daemon(index, (folder,), settings=model.settings) as daemon, daemon.start() as client:
        client.ask("khoj/index/update", {"embed": True})
        ask(client, "a letter from the garden")
        model.when("arrived")
        rows.append(_overhead(client, model, options.pick(TURNS, 20)))
        seconds = options.pick(SECONDS, 2)
        rows += _streams(client, daemon, seconds)
        rows.append(_cancel(client, model, options.pick(CANCELS, 5)))
        rows.append(_citations(client, options.pick(CITING, 5)))
    notes_below = (
        f"{count:,} notes of about 2 kB; the model's server is a process of its own that sends each token as an event of its own.",
        "The client is a socket; times are from the server's sending to the client's having read, by one clock.",
    )
    found = [Table("Chat", tuple(rows), notes_below)]
    if (real := chat_real.table(options, folder, index)) is not None:
        found.append(real)
    place = None if options.shared is None else options.shared / "collections" / "locomo-sessions"
    if place is not None and place.is_dir():
        found.append(_retrieval(options, place))
    return found


def ask(client: Client, message: str) -> tuple[list[tuple[float, Any]], Any]:
    """The values that a question streams, each with the time at which it came, and the reply."""
    values: list[tuple[float, Any]] = []
    reply: Any = None
    for when, message_in in client.stream("khoj/chat", {"message": message, "partialResultToken": "answer"}):
        if "id" in message_in:
            reply = message_in["result"]
        elif message_in["params"].get("token") == "answer":
            values.append((when, message_in["params"]["value"]))
    return values, reply


# --- time ------------------------------------------------------------------------------------------------------------------------


def _overhead(client: Client, model: ModelServer, turns: int) -> Row:
    prose, times = Prose(17), []
    for _ in range(turns):
        question = prose.query()
        started = time.monotonic()
        ask(client, question)
        times.append(model.when("arrived") - started)
    return _row("question to the request's arrival at the model, no rewriting", spread(times, _SHARES), "p95 80 ms")


def _streams(client: Client, daemon: Daemon, seconds: int) -> list[Row]:
    rows = []
    for rate, target in ((CALM, "p95 5 ms"), (FAST, "p95 5 ms; no more at the end than at the start")):
        before = process.cpu_seconds(daemon.pid)
        delays, messages, took = _delays(client, rate * seconds, rate)
        work = (process.cpu_seconds(daemon.pid) - before) / took
        tenth = max(1, len(delays) // 10)
        first, last = percentile(delays[:tenth], 0.95), percentile(delays[-tenth:], 0.95)
        result = (
            f"{spread(delays, _SHARES)}; first tenth p95 {figure(first * 1000)}, last {figure(last * 1000)} ms; "
            f"{len(delays) / took:,.0f} tokens/s in {messages / took:,.0f} messages/s; processor {100 * work:.0f} %"
        )
        rows.append(_row(f"added to each token, {rate:,} a second for {seconds} s", result, target))
    delays, messages, took = _delays(client, FAST * seconds, 0)
    rows.append(_row("tokens as fast as they go", f"{len(delays) / took:,.0f} a second in {messages:,} messages", "5,000 a second"))
    return rows


def _delays(client: Client, tokens: int, rate: int) -> tuple[list[float], int, float]:
    """How late each token came, in how many messages, and how long it all took from first to last."""
    values, reply = ask(client, f"{{{{tokens={tokens} rate={rate}}}}}")
    texts = [(when, value["text"]) for when, value in values if value["kind"] == "text"]
    delays = [when - int(stamp) / 1e9 for when, text in texts for stamp in _STAMP.findall(text)]
    assert reply["state"] == "complete", reply
    # A stamp that was cut between two messages is lost to this count.
    assert len(delays) >= 0.99 * tokens, f"{len(delays)} of {tokens} tokens"
    return delays, len(texts), texts[-1][0] - texts[0][0]


def _cancel(client: Client, model: ModelServer, rounds: int) -> Row:
    times = []
    for _ in range(rounds):
        number = client.begin("khoj/chat", {"message": "{{hold}}", "partialResultToken": "answer"})
        client.hear("$/progress", lambda params: params["value"]["kind"] == "text")
        started = time.monotonic()
        client.tell("$/cancelRequest", {"id": number})
        times.append(model.when("left") - started)
        client.end(number)
    return _row(
        "cancel to the connection's end at the model", f"{spread(times, _SHARES)}, most {figure(max(times) * 1000)} ms", "200 ms"
    )


# --- citations -------------------------------------------------------------------------------------------------------------------


def _citations(client: Client, turns: int) -> Row:
    prose, right, all_of_them, removed = Prose(23), 0, 0, 0
    for _ in range(turns):
        values, reply = ask(client, f"{prose.query()} {{{{cite}}}}")
        streamed = [value["citation"] for _, value in values if value["kind"] == "citation"]
        assert len(streamed) == len(reply["citations"])
        answer = "".join(value["text"] for _, value in values if value["kind"] == "text")
        removed += reply["removed"]
        for citation in (*streamed, *reply["citations"]):
            all_of_them += 1
            right += _holds(citation) and answer.startswith(f"[{citation['number']}]", citation["at"])
        assert len(re.findall(r"\[\d+\]", answer)) == len(streamed), "a marker without a citation"
    result = f"{100 * right / all_of_them:.0f} % of {all_of_them:,}; {removed:,} made-up numbers taken out"
    return _row("citations whose place holds their quote", result, "100 %")


def _holds(citation: dict[str, Any]) -> bool:
    """Whether the file has the quote where the citation says; the notes are ASCII, so a character is one in every encoding."""
    path = uris.to_path(citation["location"]["uri"])
    assert path is not None
    lines = Path(path).read_text(encoding="utf-8").split("\n")
    start, end = citation["location"]["range"]["start"], citation["location"]["range"]["end"]
    taken = lines[start["line"] : end["line"] + 1]
    taken[-1] = taken[-1][: end["character"]]
    taken[0] = taken[0][start["character"] :]
    return bool("\n".join(taken) == citation["quote"])


# --- what is found ---------------------------------------------------------------------------------------------------------------


def _retrieval(options: Options, directory: Path) -> Table:
    """Recall of the passages in a prompt against that of a search for the question, on notes in files."""
    collection = load_collection(directory)
    folder = options.work / "locomo"
    folder.mkdir()
    for document in collection.documents:
        (folder / f"{document.id}.md").write_text(f"# {document.title}\n\n{document.text}\n", encoding="utf-8")
    queries = collection.judged()
    queries = queries[: options.pick(len(queries), 50)]
    packed, searched = [], []
    say(f"{collection.name}: embedding {len(collection.documents)} notes")
    with Daemon(options.work / "locomo-index", (folder,)) as daemon, daemon.start() as client:
        client.ask("khoj/index/update", {"embed": True})
        for query in queries:
            grades = collection.qrels[query.id]
            prompt = client.ask("khoj/chat", {"message": query.text, "dryRun": True})["prompt"][-1]["text"]
            packed.append(recall(_names(_NOTE.findall(prompt)), grades, DEPTH))
            hits = client.ask("khoj/search", {"query": query.text, "limit": 20})["hits"]
            searched.append(recall(_names(hit["path"] for hit in hits), grades, DEPTH))
    result, alone = fmean(packed), fmean(searched)
    say(f"  Recall@{DEPTH}: packed {result:.4f}, search {alone:.4f}")
    row = Row(
        f"{collection.name}, Recall@{DEPTH} of the notes in the prompt", f"{result:.3f}", f"hybrid search alone {alone:.3f}", TARGET
    )
    how = "No model: queries by rules. Notes in the order of their first passage, up to the fifth."
    return Table("Retrieval for questions", (row,), (f"{len(queries)} questions.", how))


def _names(paths: Any) -> list[str]:
    """Notes in order, each once, by the id of their document."""
    return list(dict.fromkeys(Path(path).stem for path in paths))


def _row(name: str, result: str, target: str) -> Row:
    say(f"  {name}: {result}")
    return Row(name, result, target, TARGET)
