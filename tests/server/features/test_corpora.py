"""Every feature on real notes and on torture texts: an answer or a clear error, and never a range outside of its note."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from khojd.errors import EditError, NotFound, QueryError
from tests.server.editor import Failure
from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Vault

CORPORA = {"dendron-vault": 40, "org-worg": 12, "logseq-graph": 8, "nasty": 6}  # every so many-th file is taken
PLACES = 6
AT_A_PLACE = (
    "textDocument/definition",
    "textDocument/hover",
    "textDocument/completion",
    "textDocument/documentHighlight",
    "textDocument/prepareRename",
)
OF_A_NOTE = (
    "textDocument/documentSymbol",
    "textDocument/foldingRange",
    "textDocument/documentLink",
    "textDocument/semanticTokens/full",
    "textDocument/codeLens",
    "textDocument/diagnostic",
)
CLEAR = {error.code for error in (EditError, NotFound, QueryError)}


def ranges(answer: Any) -> Iterator[dict[str, Any]]:
    """All ranges in an answer that belong to the note asked about."""
    if isinstance(answer, list):
        for item in answer:
            yield from ranges(item)
    elif isinstance(answer, dict):
        if "targetUri" in answer or "uri" in answer:
            return  # another note's, perhaps
        if set(answer) == {"start", "end"} and isinstance(answer["start"], dict):
            yield answer
        elif "startLine" not in answer:
            for key, value in answer.items():
                if key not in ("data", "relatedInformation", "command"):
                    yield from ranges(value)


async def converse(vault: Vault, name: str, luck: random.Random) -> None:
    text = vault.text(name)
    vault.open(name, text=None)
    for method in OF_A_NOTE:
        answer = await vault.ask(method, name)
        for found in ranges(answer):
            vault.cut(name, found)
    for _ in range(PLACES):
        cursor = vault.position(name, luck.randrange(len(text) + 1))
        for method in AT_A_PLACE:
            try:
                answer = await vault.ask(method, name, cursor)
            except Failure as failure:
                assert failure.code in CLEAR, f"{method} at {cursor} of {name}: {failure}"
                continue
            for found in ranges(answer):
                vault.cut(name, found)
        for found in await vault.ask("textDocument/references", name, cursor, context={"includeDeclaration": True}) or ():
            other = vault.name(found["uri"])
            vault.cut(other, found["range"])
        (chain,) = await vault.ask("textDocument/selectionRange", name, positions=[cursor])
        while chain is not None:
            vault.cut(name, chain["range"])
            chain = chain.get("parent")
    vault.close(name)


@pytest.mark.parametrize("corpus", CORPORA)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
async def test_features_hold_on_real_notes(make_vault: MakeVault, shared_data: Path, corpus: str, encoding: str) -> None:
    luck = random.Random(corpus)
    sources = sorted(
        path for path in (shared_data / "corpora" / corpus).rglob("*") if path.suffix in (".md", ".org", ".txt") and path.is_file()
    )
    files = {}
    for path in sources[:: CORPORA[corpus]]:
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue
        if len(text) < 200_000 and not text.startswith("\ufeff"):
            files[path.relative_to(shared_data / "corpora" / corpus).as_posix()] = text
    assert files, f"{corpus} has no notes"
    vault = await make_vault(files, encoding=encoding)
    for name in files:
        await converse(vault, name, luck)
