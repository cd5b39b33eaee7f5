"""docs/lsp.md says what the code does."""

import re
from pathlib import Path

import msgspec
import pytest

from khojd.config import Features
from khojd.graph.problems import CODES
from khojd.server.features.table import FEATURES
from khojd.server.methods.table import COMMANDS

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "lsp.md").read_text(encoding="utf-8")


def test_each_switch_is_on_the_page() -> None:
    switches = {field.name for field in msgspec.structs.fields(Features)}
    assert {name for name in switches if f"`{name}`" not in PAGE and f"{name} = " not in PAGE} == set()


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_each_request_stands_in_the_row_with_the_switch_of_its_feature(feature: object) -> None:
    name, handlers = feature.name, feature.handlers  # type: ignore[attr-defined]
    (row,) = [line for line in PAGE.splitlines() if line.startswith("|") and f"`{name}`" in line.rsplit("|", 2)[1]]
    first = row.split("|")[1]
    for method in handlers:
        if method.endswith("/resolve"):
            assert "resolve" in first, method
        elif method == "textDocument/prepareRename":
            assert "prepare" in first
        elif method.startswith("textDocument/semanticTokens/"):
            assert all(part in first for part in method.split("/")[2:]), method
        else:
            assert re.search(rf"`(?:[\w/]+/)?{method.partition('/')[2]}`", first), method


def test_each_diagnostic_is_on_the_page_and_explained_on_the_shipped_one() -> None:
    shipped = (ROOT / "khojd" / "server" / "features" / "diagnostics.md").read_text(encoding="utf-8")
    assert {code for code in CODES if f"`{code}`" not in PAGE} == set()
    assert {code for code in CODES if f"## {code}\n" not in shipped} == set()


def test_the_commands_that_the_page_names_exist() -> None:
    named = set(re.findall(r"`(khoj\.[\w.]+)`", PAGE)) - {"khoj.features"}
    assert named
    assert named <= set(COMMANDS)
