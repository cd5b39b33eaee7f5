"""The daemon's progress as a bar on stderr; where stderr is no terminal, one line per kind of work."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from khojd.cli import output
from khojd.daemon.client import WorkDone

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_WORK = {"scanning": ("Looking at", "file"), "reading": ("Reading", "file"), "embedding": ("Embedding", "entry")}
_PLURALS = {"entry": "entries"}


class Bar:
    """Shows what `$/progress` tells. A context manager; call it with each value."""

    def __init__(self) -> None:
        self._tasks: dict[str, TaskID] = {}
        self._totals: dict[str, int] = {}
        self._progress: Progress | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._progress = Progress(*columns, console=Console(file=sys.stderr))
            self._progress.start()
        return self

    def __call__(self, value: WorkDone) -> None:
        numbers: dict[str, Any] | None = value.khoj
        if numbers is None:
            return
        what, done, total = str(numbers["what"]), int(numbers["done"]), int(numbers["total"])
        self._totals[what] = max(total, self._totals.get(what, 0))
        if self._progress is not None and total:
            if what not in self._tasks:
                self._tasks[what] = self._progress.add_task(_WORK[what][0], total=None)
            self._progress.update(self._tasks[what], completed=done, total=total)

    def all_done(self, what: str, total: int) -> None:
        """Everything of one kind is done, whoever asked for it: the daemon may have been at it before we came."""
        if self._progress is not None and total:
            self(WorkDone(kind="report", khoj={"what": what, "done": total, "total": total}))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._progress is not None:
            if kind is None:
                # The last report may have been left out as too frequent.
                for what, task in self._tasks.items():
                    self._progress.update(task, completed=self._totals[what], total=self._totals[what])
            self._progress.stop()
        elif kind is None:
            for what, total in self._totals.items():
                verb, noun = _WORK[what]
                if total:
                    output.say(f"{verb} {output.count(total, noun, _PLURALS.get(noun, ''))}: done")
