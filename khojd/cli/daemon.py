"""`khojd serve`, `khojd connect` and `khojd stop`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from khojd import paths
from khojd.cli import output
from khojd.cli.connection import NAME, place
from khojd.cli.failure import Exit
from khojd.daemon.address import index_dir
from khojd.daemon.client import Client
from khojd.daemon.lock import Lock
from khojd.errors import DaemonError

if TYPE_CHECKING:
    from khojd.server.types import IndexStatus

_PATIENCE = 30.0  # seconds for a daemon to close its stores
_PAUSE = 0.02

Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", parser=place, help="Configuration file.")]
Index = Annotated[Path | None, typer.Option("--index", metavar="DIR", parser=place, help="Index directory.")]


def serve(
    config: Config = None,
    index: Index = None,
    detached: Annotated[
        bool, typer.Option("--detached", help="Let go of the terminal once it serves; errors before that are shown.")
    ] = False,
) -> None:
    """Run the daemon of the index.

    It leaves when it is idle for long enough. Commands and editors start it by themselves.
    """
    from khojd.daemon.serve import main

    raise typer.Exit(main(index=index, config=config, detached=detached))


def connect(
    config: Config = None,
    index: Index = None,
    address: Annotated[
        bool, typer.Option("--address", help="Only print where the daemon listens, for clients that speak to it directly.")
    ] = False,
) -> None:
    """Speak LSP on stdin and stdout, for editors.

    It is a bridge to the daemon, which is started if need be.
    """
    from khojd.daemon.bridge import main, tell_address

    raise typer.Exit((tell_address if address else main)(index=index, config=config))


def stop(
    force: Annotated[bool, typer.Option("--force", help="Also when editors are attached or an answer is being written.")] = False,
) -> None:
    """Ask the daemon to leave.

    What it has not done yet is done when it is next started.
    """
    from khojd.server.types import IndexStatus, NoParams

    try:
        client = Client.connect(spawn=False, name=NAME)
    except DaemonError:
        index = index_dir(paths.config_file())
        if Lock.held(index) and not _released(index):  # one that is leaving is waited for
            raise
        print("no daemon was running")
        return
    with client as session:
        status = session.call("khoj/index/status", NoParams(), IndexStatus)
        answer = session.retire(force=force)
    if not answer.retiring:
        output.say(f"the daemon stays: {answer.reason}; stop it all the same with `khojd stop --force`")
        raise typer.Exit(Exit.NOTHING)
    if not _released(index_dir(paths.config_file())):
        output.say(f"the daemon is leaving, and still busy after {_PATIENCE:.0f} seconds; its log says more")
        raise typer.Exit(Exit.DAEMON)
    left = _left(status)
    print(f"stopped; {left} when it is next started" if left else "stopped")


def _left(status: "IndexStatus") -> str:
    """What is put off."""
    parts = [f"{output.count(status.queue, 'file')} will be read"] if status.queue else []
    if status.vectors_pending and not status.model_problem:
        parts.append(f"{output.count(status.vectors_pending, 'entry', 'entries')} will be found by meaning")
    return " and ".join(parts)


def _released(index: Path) -> bool:
    """Wait until the daemon has closed its index: only then may its files be copied, moved or removed."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        lock = Lock.take(index)
        if lock is not None:
            lock.release()
            return True
        time.sleep(_PAUSE)
    return False
