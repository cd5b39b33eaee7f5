"""`khojd eval`."""

import sys
from contextlib import closing, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from khojd.cli import output
from khojd.cli.search import Json

if TYPE_CHECKING:
    from khojd.evaluate.run import Evaluation, Mode


class Measured(StrEnum):
    """As khojd.evaluate.run has them; typer's choices are enums."""

    all = "all"
    lexical = "lexical"
    semantic = "semantic"
    rrf = "rrf"
    hybrid = "hybrid"
    reranked = "reranked"


def evaluate(
    directory: Annotated[
        Path, typer.Argument(metavar="COLLECTION_DIR", help="A folder with corpus.jsonl, queries.jsonl and qrels.tsv.")
    ],
    mode: Annotated[
        Measured, typer.Option(help="What to measure; rrf is reciprocal rank fusion of lexical and semantic.")
    ] = Measured.all,
    runs: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write TREC run files there, with the collection's own ids.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure search on a judged collection.

    The collection is in BEIR's layout. It is indexed through the real pipeline into a temporary index. Prints
    nDCG@10 (linear gain, as trec_eval), Recall@10, MRR@10 and the latency of whole searches.
    """
    from khojd import configfile
    from khojd.embed.factory import Choice, open_embedder
    from khojd.evaluate.run import MODES
    from khojd.evaluate.run import evaluate as measure

    modes = MODES if mode is Measured.all else (cast("Mode", mode.value),)
    config = configfile.load()
    embedder = open_embedder(Choice.of(config)) if modes != ("lexical",) else None
    if embedder is None:
        modes = tuple(each for each in modes if each == "lexical") or modes
    shown = _Progress()
    with closing(embedder) if embedder is not None else nullcontext(), shown:
        result = measure(directory, embedder, config, modes=modes, runs=runs, progress=shown)
    if as_json:
        output.json(result)
    else:
        _show(result)


class _Progress:
    """One line on a terminal's stderr that is written over; nothing elsewhere."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()

    def __enter__(self) -> "_Progress":
        return self

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._on:
            print(f"\r\x1b[K{what}: {done:,} of {total:,}", end="", file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        if self._on:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _show(result: "Evaluation") -> None:
    style = output.Style()
    facts = f"{result.documents:,} documents, {result.entries:,} entries, {result.queries:,} queries"
    print(f"{style(result.collection, 'bold')}: {facts}, indexed in {result.indexing_s:.1f} s")
    print(style(f"{'':10}{'nDCG@10':>9}{'Recall@10':>11}{'MRR@10':>9}{'p50 ms':>9}{'p95 ms':>9}", "dim"))
    for row in result.results:
        scores = f"{row.scores.ndcg:9.4f}{row.scores.recall:11.4f}{row.scores.mrr:9.4f}"
        times = f"{row.p50_ms:9.1f}{row.p95_ms:9.1f}" if row.mode != "rrf" else f"{'-':>9}{'-':>9}"
        print(f"{row.mode:10}{scores}{times}")
