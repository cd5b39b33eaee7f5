"""Changes to notes that are proposed to a client: a WorkspaceEdit as far as that client understands them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lsprotocol import types as lsp
from msgspec import Struct

from khojd.errors import EditError
from khojd.graph.sheet import Sheet

if TYPE_CHECKING:
    from khojd.server.session import Session


class _Replacement(Struct, frozen=True):
    sheet: Sheet
    start: int
    end: int
    text: str
    label: str
    confirm: bool


class Edits:
    """A WorkspaceEdit in the making. Nothing is written: the client does that, after asking where it can.

    Texts are changed in the order of paths; within one, replacements may come in any order but must not overlap. Files are created
    before any text is changed, and renamed after all texts are, which name them by their old paths.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._replacements: dict[tuple[str, int, int], _Replacement] = {}
        self._created: list[lsp.CreateFile] = []
        self._written: dict[str, str] = {}  # new files' text
        self._renamed: list[lsp.RenameFile] = []
        self._annotations: dict[str, lsp.ChangeAnnotation] = {}

    def __bool__(self) -> bool:
        return bool(self._replacements or self._created or self._renamed)

    def replace(self, sheet: Sheet, start: int, end: int, text: str, *, label: str = "", confirm: bool = False) -> None:
        """Put `text` in place of the code points [start, end) of the note that `sheet` has as the client has it.

        `label` names the change to a person, `confirm` asks for a yes; both where the client can show them. The same range is
        changed once.
        """
        if sheet.text[start:end] != text:
            self._replacements[sheet.path, start, end] = _Replacement(sheet, start, end, text, label, confirm)

    def create(self, path: str, text: str, *, label: str = "", confirm: bool = False) -> None:
        """A new file with this text; `confirm` as for `replace`.

        Raises EditError, which says so, for a client that cannot create files.
        """
        self._require(lsp.ResourceOperationKind.Create, "create files", path)
        self._created.append(
            lsp.CreateFile(uri=self._session.uri(path), annotation_id=self._annotation(label, confirm=confirm), options=None)
        )
        self._written[path] = text

    def rename(self, old: str, new: str, *, label: str = "") -> None:
        """Give a file another path. Raises EditError, which says so, for a client that cannot rename files."""
        self._require(lsp.ResourceOperationKind.Rename, "rename files", old)
        annotation = self._annotation(label, confirm=False)
        before, after = self._session.uri(old), self._session.uri(new)
        self._renamed.append(lsp.RenameFile(old_uri=before, new_uri=after, annotation_id=annotation))

    def build(self) -> lsp.WorkspaceEdit:
        """The whole: `documentChanges` with the versions of what this client has open, plain `changes` where it knows no other."""
        texts: dict[str, list[_Replacement]] = {}
        for key in sorted(self._replacements):
            texts.setdefault(key[0], []).append(self._replacements[key])
        if not _takes_document_changes(self._session):
            return lsp.WorkspaceEdit(
                changes={self._session.uri(path): [self._plain(one) for one in changes] for path, changes in texts.items()}
            )
        changes: list[lsp.TextDocumentEdit | lsp.CreateFile | lsp.RenameFile | lsp.DeleteFile] = [*self._created]
        start = lsp.Position(0, 0)
        for path, text in self._written.items():
            inserted = lsp.TextEdit(lsp.Range(start, start), text)
            changes.append(_document(self._session.uri(path), None, [inserted]))
        for path, replaced in texts.items():
            # The version that the ranges are of: a client that has typed on meanwhile will not apply them.
            changes.append(
                _document(self._session.uri(path), replaced[0].sheet.version, [self._annotated(one) for one in replaced])
            )
        changes += self._renamed
        return lsp.WorkspaceEdit(document_changes=changes, change_annotations=self._annotations or None)

    # Inside

    def _require(self, kind: lsp.ResourceOperationKind, what: str, path: str) -> None:
        if not can_operate(self._session, kind):
            raise EditError(
                f"{path}: this editor does not let a language server {what} "
                f"(workspace.workspaceEdit.resourceOperations has no {kind.value!r})",
                path=path,
            )

    def _plain(self, one: _Replacement) -> lsp.TextEdit:
        return lsp.TextEdit(self._session.range(one.sheet, one.start, one.end), one.text)

    def _annotated(self, one: _Replacement) -> lsp.TextEdit | lsp.AnnotatedTextEdit:
        annotation = self._annotation(one.label, confirm=one.confirm)
        if annotation is None:
            return self._plain(one)
        where = self._session.range(one.sheet, one.start, one.end)
        return lsp.AnnotatedTextEdit(annotation_id=annotation, range=where, new_text=one.text)

    def _annotation(self, label: str, *, confirm: bool) -> str | None:
        if not label or not annotates(self._session):
            return None
        key = f"{label} (to confirm)" if confirm else label
        self._annotations.setdefault(key, lsp.ChangeAnnotation(label=label, needs_confirmation=confirm))
        return key


def _document(uri: str, version: int | None, edits: Sequence[lsp.TextEdit | lsp.AnnotatedTextEdit]) -> lsp.TextDocumentEdit:
    document = lsp.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version)
    return lsp.TextDocumentEdit(text_document=document, edits=list(edits))


def annotates(session: Session) -> bool:
    """Whether the client shows labels of changes and asks a person about those that need a yes."""
    return _takes_document_changes(session) and session.can("workspace.workspace_edit.change_annotation_support")


def can_operate(session: Session, kind: lsp.ResourceOperationKind) -> bool:
    """Whether the client creates, renames or deletes files as a part of an edit."""
    edit = session.client_capabilities.workspace and session.client_capabilities.workspace.workspace_edit
    return bool(edit and kind in (edit.resource_operations or ()))


def _takes_document_changes(session: Session) -> bool:
    """Who works on files can only be told so among `documentChanges`, even if it does not announce those (Neovim 0.7)."""
    edit = session.client_capabilities.workspace and session.client_capabilities.workspace.workspace_edit
    return bool(edit and (edit.document_changes or edit.resource_operations))
