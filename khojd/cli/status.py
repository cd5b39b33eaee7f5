"""`khojd status`."""

import sys
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from khojd.cli import output
from khojd.cli.connection import connect
from khojd.cli.search import Json

if TYPE_CHECKING:
    from khojd.server.types import DaemonStatus, FilesResult, IndexStatus


class State(StrEnum):
    """As the protocol has them; typer's choices are enums."""

    indexed = "indexed"
    pending = "pending"
    skipped = "skipped"
    failed = "failed"


_COLOURS = {"indexed": "green", "pending": "yellow", "skipped": "dim", "failed": "red"}


def status(
    files: Annotated[bool, typer.Option("--files", help="List the files with their states and reasons.")] = False,
    state: Annotated[
        list[State] | None, typer.Option(help="With --files: only files in this state; may be given several times.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what is indexed, what is left, and what is wrong."""
    from khojd.server.types import DaemonStatus, FilesParams, FilesResult, IndexStatus, NoParams

    with connect(telling=False) as client:  # the problems are among the rows
        if files or state:
            wanted = FilesParams(states=tuple(each.value for each in state or ()))
            found = client.call("khoj/index/files", wanted, FilesResult)
            output.json(found) if as_json else _show_files(found)
            return
        index = client.call("khoj/index/status", NoParams(), IndexStatus)
        daemon = client.call("khoj/daemon/status", NoParams(), DaemonStatus)
    if as_json:
        output.json({"index": index, "daemon": daemon})
    else:
        _show(index, daemon)


def _show(index: "IndexStatus", daemon: "DaemonStatus") -> None:
    style = output.Style()
    rows = [("index", daemon.index)]
    for folder in index.folders:
        watching = {"events": "watched", "polling": "looked at every few seconds", "off": "not watched"}[folder.watching]
        problem = style(f"; {output.harmless(folder.problem)}", "red") if folder.problem else ""
        rows.append(("folder", f"{output.harmless(folder.path)}: {output.count(folder.files, 'file')}, {watching}{problem}"))
    if not index.folders:
        rows.append(("folder", "none yet; add one with `khojd index --add FOLDER`"))
    others = [f"{number:,} {name}" for name, number in (("pending", index.pending), ("skipped", index.skipped)) if number]
    if index.failed:
        others.append(style(f"{index.failed:,} failed", "red") + " (see `khojd status --files --state failed`)")
    rows.append(("files", ", ".join([f"{index.indexed:,} indexed", *others])))
    rows.append(("entries", _entries(index)))
    rows.append(("work", _work(index)))
    if index.files_per_second:
        rows.append(("speed", f"{index.files_per_second:,.0f} files/s read, {index.entries_per_second:,.0f} entries/s embedded"))
    rows.append(("model", _model(index)))
    if asked := index.cache_hits + index.cache_misses:
        rows.append(
            ("queries", f"{index.cache_misses:,} embedded, {index.cache_hits:,} from the cache ({index.cache_hits / asked:.0%})")
        )
    rows.append(
        (
            "size",
            f"catalog {output.size(index.catalog_bytes)}, words {output.size(index.words_bytes)}, "
            f"vectors {output.size(index.vectors_bytes)}",
        )
    )
    if index.buffers:
        rows.append(("buffers", f"{index.buffers:,} unsaved in editors stand in for their files"))
    rows += [("daemon", text) for text in _daemon(daemon)]
    for name, text in rows:
        print(f"{style(f'{name:8}', 'bold')} {text}")
    for problem in index.problems:
        print(f"{style('problem ', 'red')} {output.harmless(problem)}")
    sys.stdout.flush()


def _entries(index: "IndexStatus") -> str:
    text = f"{index.entries:,}"
    waiting = [
        f"{number:,} wait to be found by {what}"
        for what, number in (("words", index.words_pending), ("meaning", index.vectors_pending))
        if number
    ]
    return ", ".join([text, *waiting])


def _work(index: "IndexStatus") -> str:
    if index.paused:
        waiting = f", {output.count(index.queue, 'file')} waiting" if index.queue else ""
        return f"paused{waiting}; `khojd index --resume` goes on"
    if index.running is not None:
        return f"{index.running.what}, {index.running.done:,} of {index.running.total:,} done"
    if index.queue:
        return f"{output.count(index.queue, 'file')} waiting"
    if index.vectors_pending and index.model and not index.model_problem:
        return "embedding"
    opening = not index.model and not index.model_problem
    return "opening the model" if opening else "none; all is up to date"


def _model(index: "IndexStatus") -> str:
    if index.model_problem:
        return f"{index.model or 'none'}; {output.harmless(index.model_problem)}"
    if not index.model:
        # Where there is none to be opened, `model_problem` says why.
        return f"{index.model_target or 'the model'} is being opened; searches go by words until then"
    return (
        f"{index.model}, while {index.model_target} is being filled" if index.model_target not in ("", index.model) else index.model
    )


def _daemon(daemon: "DaemonStatus") -> list[str]:
    minutes = max(0, int(time.time() - daemon.started)) // 60
    names = ", ".join(output.harmless(client.name) or "unnamed" for client in daemon.clients)
    return [
        f"khojd {daemon.version}, process {daemon.pid}, {output.size(daemon.memory_bytes)} of memory, "
        f"up {minutes // 60} h {minutes % 60} min",
        f"{output.count(len(daemon.clients), 'client')}: {names}; it leaves when idle for {daemon.idle_minutes:g} min",
        f"configuration {daemon.config}",
        f"log {daemon.log}",
    ]


def _show_files(found: "FilesResult") -> None:
    style = output.Style()
    for file in found.files:
        state = style(f"{file.state:8}", _COLOURS[file.state])
        facts = [output.count(file.entries, "entry", "entries"), file.format, file.encoding] if file.state == "indexed" else []
        if file.entries_pending:
            facts.append(f"{file.entries_pending:,} not yet embedded")
        if file.unsaved:
            facts.append("unsaved")
        said = [output.harmless(text) for text in (file.reason, *facts, *file.notes) if text]
        print(f"{state} {output.shown(file.path)}" + (f"  {style(', '.join(said), 'dim')}" if said else ""))
    sys.stdout.flush()
