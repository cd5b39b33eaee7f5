"""`khojd index`."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from khojd.cli import output
from khojd.cli.connection import absolute, connect
from khojd.cli.failure import Exit
from khojd.cli.search import Json
from khojd.daemon.address import config_file
from khojd.errors import NotFound, QueryError

if TYPE_CHECKING:
    from khojd.daemon.client import Client
    from khojd.server.types import IndexStatus, UpdateResult

_MOST_SHOWN = 10  # failed files


def index(
    context: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="Notes or folders to look at again (default: all).", show_default=False),
    ] = None,
    *,
    add: Annotated[list[str] | None, typer.Option("--add", metavar="FOLDER", help="Index this folder, too, from now on.")] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="FOLDER", help="Forget this folder. Its notes stay on disk.")
    ] = None,
    save: Annotated[bool, typer.Option("--save/--no-save", help="Write --add and --remove into the configuration file.")] = True,
    wait: Annotated[bool, typer.Option("--wait", help="Also wait until all is found by meaning.")] = False,
    pause: Annotated[
        bool, typer.Option("--pause", help="Read and embed nothing until resumed, or until the daemon leaves; searches go on.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after --pause, then as usual.")] = False,
    as_json: Json = False,
) -> None:
    """Read what changed in the notes, and choose the folders.

    Folders are watched, so this is needed to add one, or to wait until everything is searchable. Interrupting it
    loses nothing.
    """
    from khojd.cli.progress import Bar
    from khojd.server.types import AddParams, FoldersResult, IndexStatus, NoParams, RemoveParams, UpdateParams, UpdateResult

    if not (add and save):  # which makes the file
        config_file(context.find_root().params["named"])
    added = [absolute(path) for path in add or ()]
    removed = [absolute(path) for path in remove or ()]
    wanted = [_existing(absolute(path)) for path in paths or ()]
    if both := set(added) & set(removed):
        raise QueryError(f"{min(both)} is both to be added and to be removed")
    if pause and (resume or wait or added or removed or wanted):
        raise QueryError("--pause stands alone: while paused, nothing is read")
    with connect() as client:
        if pause:
            _pause(client, as_json=as_json)
            return
        if resume:
            client.call("khoj/index/resume", NoParams(), IndexStatus)
            output.say("resumed")
        for path in removed:
            client.call("khoj/index/remove", RemoveParams(path=path, persist=save), FoldersResult)
            output.say(f"removed {path}")
        for path in added:
            client.call("khoj/index/add", AddParams(path=path, persist=save), FoldersResult)
            output.say(f"added {path}" + ("" if save else ", until the daemon leaves"))
        status = client.call("khoj/index/status", NoParams(), IndexStatus)
        if not status.folders and not removed:
            raise NotFound("no folder is configured; add one with `khojd index --add FOLDER`")
        if status.paused:
            output.say("indexing is paused; waiting until it is resumed, in an editor or by `khojd index --resume`")
        with Bar() as bar:
            # What is added is read already; the look at all folders waits for that, and counts it.
            params = UpdateParams(paths=() if added else tuple(wanted), embed=wait)
            result = client.call("khoj/index/update", params, UpdateResult, on_progress=bar)
            status = client.call("khoj/index/status", NoParams(), IndexStatus)
            bar.all_done("reading", status.indexed + status.skipped + status.failed)
            if wait:
                bar.all_done("embedding", status.entries - status.vectors_pending)
        if as_json:
            output.json(result)
        else:
            print(_summary(result, status, embedded=wait))
        if result.failed:
            _tell_failed(client)
        for folder in status.folders:
            if folder.problem:
                output.say(f"warning: {output.harmless(folder.problem)}")
        if wait and status.model_problem:
            output.say(f"not found by meaning: {status.model_problem}")
            raise typer.Exit(Exit.INDEX)


def _pause(client: "Client", *, as_json: bool) -> None:
    from khojd.server.types import IndexStatus, NoParams

    status = client.call("khoj/index/pause", NoParams(), IndexStatus)
    if as_json:
        output.json(status)
    else:
        print("paused; `khojd index --resume` goes on")


def _existing(path: str) -> str:
    # A note that was deleted may be named, so that it is forgotten; a folder around it has to be there.
    if not os.path.lexists(path) and not os.path.isdir(os.path.dirname(path)):  # noqa: PTH112, PTH120
        raise NotFound(f"{path} does not exist", path=path)
    return path


def _summary(result: "UpdateResult", status: "IndexStatus", *, embedded: bool) -> str:
    done = [
        f"{number:,} {what}"
        for what, number in (
            ("added", result.added),
            ("changed", result.changed),
            ("renamed", result.renamed),
            ("removed", result.removed),
            ("unchanged", result.unchanged),
            ("skipped", result.skipped),
            ("failed", result.failed),
        )
        if number
    ]
    text = f"{output.count(status.indexed, 'file')}, {output.count(status.entries, 'entry', 'entries')} in the index"
    text += f"; {', '.join(done) or 'no notes found'} ({result.took_ms / 1000:.1f} s)"
    if not embedded and status.vectors_pending:
        text += f"; {output.count(status.vectors_pending, 'entry', 'entries')} will be found by meaning shortly"
    return text


def _tell_failed(client: "Client") -> None:
    from khojd.server.types import FilesParams, FilesResult

    files = client.call("khoj/index/files", FilesParams(states=("failed",), limit=_MOST_SHOWN + 1), FilesResult).files
    for file in files[:_MOST_SHOWN]:
        output.say(f"failed: {output.shown(file.path)}: {file.reason}")
    if len(files) > _MOST_SHOWN:
        output.say("and more: see `khojd status --files --state failed`")
