"""Regular expressions that mean the same on every Python that is supported."""

import ast
import re
from pathlib import Path

import pytest

import khojd

ROOT = Path(khojd.__file__).parent
# A group, or what an f-string puts in, repeated possessively: `(?:…)*+`. A class or character may be.
_POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)(?:[*+?]|\{\d*,?\d*\})\+|\x00(?:[*+?]|\{\d*,?\d*\})\+")


def texts(tree: ast.AST) -> list[str]:
    """The string literals of a module; what an f-string puts in is a NUL."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            found.append("".join(part.value if isinstance(part, ast.Constant) else "\0" for part in node.values))  # type: ignore[misc]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return found


@pytest.mark.parametrize("module", sorted(ROOT.rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_group_is_repeated_possessively(module: Path) -> None:
    """Python before 3.11.5 matches such a group wrongly when it has alternatives (cpython issue 106052); `(?>(?:…)*)` is right."""
    for text in texts(ast.parse(module.read_text(encoding="utf-8"))):
        if "[" in text or "(?" in text:  # else it is no pattern
            assert not _POSSESSIVE_GROUP.search(text), text
