"""workspace/willRenameFiles and didRenameFiles: links follow files and folders that are moved in the editor."""

import asyncio
from collections.abc import Iterable, Mapping

from lsprotocol import types as lsp

from khojd.content.registry import settings_of
from khojd.graph.rename import files
from khojd.graph.rename.memory import Memory
from khojd.graph.rename.plan import Plan
from khojd.server.edits import Edits
from khojd.server.session import Session


async def will_rename(session: Session, params: lsp.RenameFilesParams) -> lsp.WorkspaceEdit | None:
    """The edit by which all links into the moved files, and the relative links in them, lead where they did.

    It names the files by their paths before. A link that cannot be written for its new place is told of, and stays.
    """
    pairs = tuple((old, new) for one in params.files if (old := session.note(one.old_uri)) and (new := session.note(one.new_uri)))
    pairs = tuple((old, new) for old, new in pairs if old != new)
    if not pairs:
        return None
    settings = settings_of(session.engine.config.content)
    plan = await remembered(session, await session.graph(lambda graph: files.moved(graph, pairs, settings)))
    for one in plan.left:
        session.tell(one.reason)
    edits = Edits(session)
    put(edits, session, Plan(plan.changes), "Links to moved files")
    return edits.build() if edits else None


async def did_rename(session: Session, params: lsp.RenameFilesParams) -> None:
    """Take in what has moved; the watcher would notice too. Old and new are looked at together, so that it counts as a move."""
    places = [uri for one in params.files for uri in (one.old_uri, one.new_uri)]
    roots = [folder.path for folder in session.engine.folders()]
    paths = dict.fromkeys(path for uri in places if (path := session.note(uri)) is not None)
    known = [path for path in paths if any(path == root or path.startswith(root + "/") for root in roots)]
    if known:
        await session.engine.update(known)


async def remembered(session: Session, plan: Plan) -> Plan:
    """The plan with links written as they were before the rename that it takes back; it is kept in mind for the same."""
    memory = session.keep(Memory)

    def work() -> Plan:
        found = memory.restored(plan)
        memory.keep(found)
        return found

    return await asyncio.to_thread(work)


def put(edits: Edits, session: Session, plan: Plan, label: str, *, confirm: bool = False) -> None:
    """Add a plan to `edits`. What is in files that are not open, or could mean something else, is confirmed."""
    for change in plan.changes:
        ask = confirm or change.unsure or change.sheet.path not in session.documents
        edits.replace(change.sheet, change.start, change.end, change.text, label=label, confirm=ask)
    for old, new in plan.moves:
        edits.rename(old, new, label=label)


def options(endings: Iterable[str]) -> Mapping[str, lsp.FileOperationRegistrationOptions]:
    """Which files and folders are told of: those that are read, and all folders."""
    kinds = lsp.FileOperationPatternKind
    formats = f"**/*.{{{','.join(sorted(ending[1:] for ending in endings))}}}"
    patterns = [
        lsp.FileOperationPattern(formats, matches=kinds.File, options=lsp.FileOperationPatternOptions(ignore_case=True)),
        lsp.FileOperationPattern("**", matches=kinds.Folder),
    ]
    wanted = lsp.FileOperationRegistrationOptions([lsp.FileOperationFilter(pattern, scheme="file") for pattern in patterns])
    return {lsp.WORKSPACE_WILL_RENAME_FILES: wanted, lsp.WORKSPACE_DID_RENAME_FILES: wanted}
