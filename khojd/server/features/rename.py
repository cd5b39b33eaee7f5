"""textDocument/rename and prepareRename: a heading, a note, a tag, a block or an id, with every link to it in every file."""

from lsprotocol import types as lsp

from khojd.content.registry import PROCESSORS, settings_of
from khojd.errors import EditError
from khojd.graph.graph import Graph
from khojd.graph.rename import nameable, tags
from khojd.graph.rename.nameable import Nameable
from khojd.graph.rename.plan import Plan
from khojd.server.edits import Edits, annotates
from khojd.server.feature import Feature
from khojd.server.features import renamefiles
from khojd.server.session import Session


async def prepare(session: Session, params: lsp.PrepareRenameParams) -> lsp.PrepareRenamePlaceholder | None:
    """The range and the present name of what would be renamed; null where there is nothing. Raises EditError."""
    sheet = await session.sheet(params.text_document.uri, marks=True)
    offset = session.offset(sheet, params.position)
    found = await session.graph(lambda graph: nameable.at(graph, sheet, offset))
    if found is None:
        return None
    return lsp.PrepareRenamePlaceholder(session.range(sheet, found.start, found.end), found.name)


async def rename(session: Session, params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
    """The edit that renames; null when the name is the same. Raises EditError, which says why it cannot be."""
    sheet = await session.sheet(params.text_document.uri, marks=True)
    offset = session.offset(sheet, params.position)
    settings = settings_of(session.engine.config.content)

    def work(graph: Graph) -> tuple[Nameable, Plan, bool]:
        found = nameable.at(graph, sheet, offset)
        if found is None:
            raise EditError("there is nothing to rename here: no link, heading, tag or id, nor the note's title or first line")
        joins = found.kind == "tag" and tags.taken(graph, found.name, params.new_name.strip())
        return found, found.renamed(graph, params.new_name, settings), joins

    found, plan, joins = await session.graph(work)
    plan = await renamefiles.remembered(session, plan)
    if joins and not annotates(session):
        raise EditError(
            f"there is a tag {params.new_name!r} already, and both would become one; this editor cannot ask whether that is wanted"
        )
    edits = Edits(session)
    renamefiles.put(edits, session, plan, _label(found, params.new_name), confirm=joins)
    return edits.build() if edits else None


def _label(found: Nameable, name: str) -> str:
    kind = "id" if found.anchor is not None else found.kind
    return f"Rename {kind} {found.name!r} to {name.strip()!r}"


FEATURE = Feature(
    "rename",
    {
        lsp.TEXT_DOCUMENT_PREPARE_RENAME: prepare,
        lsp.TEXT_DOCUMENT_RENAME: rename,
        lsp.WORKSPACE_WILL_RENAME_FILES: renamefiles.will_rename,
        lsp.WORKSPACE_DID_RENAME_FILES: renamefiles.did_rename,
    },
    options=lambda _: renamefiles.options(PROCESSORS),
)
