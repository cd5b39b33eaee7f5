"""`khojd serve`, `khojd connect` and `khojd stop`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from khojd import paths
from khojd.cli import output
from khojd.cli.connection import connect as connect_to_daemon
from khojd.cli.failure import Exit
from khojd.daemon.address import Record, index_dir
from khojd.errors import DaemonError

Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Configuration file.")]
Index = Annotated[Path | None, typer.Option("--index", metavar="DIR", help="Index directory.")]


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


def connect(config: Config = None, index: Index = None) -> None:
    """Speak LSP on stdin and stdout, for editors.

    It is a bridge to the daemon, which is started if need be.
    """
    from khojd.daemon.bridge import main

    raise typer.Exit(main(index=index, config=config))


def stop(
    force: Annotated[bool, typer.Option("--force", help="Also when editors are attached or work is pending.")] = False,
) -> None:
    """Ask the daemon to leave.

    What it has not done yet is done when it is next started.
    """
    try:
        client = connect_to_daemon(spawn=False)
    except DaemonError:
        record = Record.read(index_dir(paths.config_file()))
        if record is not None and _alive(record.pid):
            raise
        print("no daemon was running")
        return
    with client as session:
        answer = session.retire(force=force)
    if not answer.retiring:
        output.say(f"the daemon stays: {answer.reason}; stop it all the same with `khojd stop --force`")
        raise typer.Exit(Exit.NOTHING)
    print("stopped")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
