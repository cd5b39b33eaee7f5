"""khoj/index/*: what is indexed, and doing something about it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from khojd.config import Folder
from khojd.index import status as core
from khojd.server import types
from khojd.server.configedit import add_folder, remove_folder
from khojd.server.method import Method
from khojd.server.progress import Work
from khojd.server.session import Session


async def status(session: Session, _: types.NoParams) -> types.IndexStatus:
    return index_status(await session.engine.status())


def index_status(value: core.IndexStatus) -> types.IndexStatus:
    """The status as it goes over the wire."""
    fields = {name: getattr(value, name) for name in value.__struct_fields__}
    running = value.running
    fields["running"] = running and types.Progress(what=running.what, done=running.done, total=running.total, left=running.left)
    fields["folders"] = tuple(types.FolderStatus(**msgspec.structs.asdict(folder)) for folder in value.folders)
    return types.IndexStatus(**fields)


async def files(session: Session, params: types.FilesParams) -> types.FilesResult:
    prefix = session.path(params.prefix) if params.prefix.startswith("file:") else params.prefix
    found = await session.engine.files(states=params.states, prefix=prefix, limit=params.limit, offset=params.offset)
    return types.FilesResult(
        files=tuple(types.FileStatus(uri=session.uri(file.path), **msgspec.structs.asdict(file)) for file in found)
    )


async def update(session: Session, params: types.UpdateParams) -> types.UpdateResult:
    """Look at files again. Progress goes to `workDoneToken`."""
    paths = session.paths(params.paths)
    async with _work(session, params.work_done_token, "Indexing") as work:
        report = await session.engine.update(paths, progress=work.report if work else None, embed=params.embed)
        if work:
            work.end(f"{report.added} added, {report.changed} changed, {report.removed} removed, {report.failed} failed")
    return types.UpdateResult(**msgspec.structs.asdict(report))


@asynccontextmanager
async def _work(session: Session, token: types.Token | None, title: str) -> AsyncIterator[Work | None]:
    if token is None:
        yield None
        return
    work = Work(session, token, title, cancellable=True)
    session.own_work += 1
    try:
        yield work
    finally:
        session.own_work -= 1
        work.end("stopped")


async def pause(session: Session, _: types.NoParams) -> types.IndexStatus:
    await session.engine.pause()
    return index_status(await session.engine.status())


async def resume(session: Session, _: types.NoParams) -> types.IndexStatus:
    await session.engine.resume()
    return index_status(await session.engine.status())


async def add(session: Session, params: types.AddParams) -> types.FoldersResult:
    """Index a folder. The request is the person's yes."""
    path = session.path(params.path)
    folder = Folder(
        path=path,
        include=params.include,
        exclude=params.exclude,
        gitignore=params.gitignore,
        hidden=params.hidden,
    )
    await session.engine.add_folder(folder)
    session.host.declined.discard(path)
    if params.persist:
        await asyncio.to_thread(add_folder, session.host.config_path, folder)
    return _folders(session)


async def remove(session: Session, params: types.RemoveParams) -> types.FoldersResult:
    path = session.path(params.path)
    await session.engine.remove_folder(path)
    if params.persist:
        await asyncio.to_thread(remove_folder, session.host.config_path, path)
    return _folders(session)


def _folders(session: Session) -> types.FoldersResult:
    return types.FoldersResult(folders=tuple(folder.path for folder in session.engine.folders()))


METHODS = (
    Method("khoj/index/status", types.NoParams, types.IndexStatus, status),
    Method("khoj/index/files", types.FilesParams, types.FilesResult, files),
    Method("khoj/index/update", types.UpdateParams, types.UpdateResult, update),
    Method("khoj/index/pause", types.NoParams, types.IndexStatus, pause),
    Method("khoj/index/resume", types.NoParams, types.IndexStatus, resume),
    Method("khoj/index/add", types.AddParams, types.FoldersResult, add),
    Method("khoj/index/remove", types.RemoveParams, types.FoldersResult, remove),
)
