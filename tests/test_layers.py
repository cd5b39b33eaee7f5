"""Imports point one way: server and cli -> engine -> search -> index -> sources -> content, embed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import khojd

ROOT = Path(khojd.__file__).parent

# Each part with the parts it may import; what is not listed stands alone.
BASE = {"errors", "paths", "config"}
CORE = BASE | {"llm", "content", "embed", "sources", "index", "graph", "search", "engine"}
ALLOWED = {
    "errors": set(),
    "paths": set(),
    "config": set(),
    "content": BASE | {"embed"},  # entries are measured in the bundled model's tokens
    "llm": BASE,
    "embed": BASE | {"llm"},
    "sources": BASE,
    "index": BASE | {"content", "embed", "sources"},
    "search": BASE | {"llm", "content", "embed", "sources", "index"},
    "graph": BASE | {"content", "sources", "index"},
    "layout": BASE | {"content"},
    "engine": CORE,
    "chat": CORE,
    "templates": BASE | {"content"},
    "configtext": {"config"},
    "configcheck": {"config", "configtext", "content", "embed", "errors", "llm", "search", "sources", "templates"},
    "configfile": BASE | {"configcheck", "configtext"},
    "configwatch": BASE | {"configfile", "sources"},
    "evaluate": CORE,
    "server": CORE | {"chat", "configfile", "layout", "templates", ""},
    "daemon": CORE | {"chat", "configfile", "configwatch", "server", ""},
    "doctor": CORE | {"configfile", "daemon", "server", ""},
    "cli": CORE | {"chat", "configfile", "configtext", "daemon", "server", "doctor", "evaluate", ""},
    "__main__": {"cli", "daemon", ""},
    "": set(),
}


def imports(path: Path) -> set[str]:
    """Parts of khojd that a module imports, at any depth of its code; "" is the package itself."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "khojd" else [node.module or ""]
        for name in names:
            if name.split(".")[0] == "khojd":
                part = [*name.split("."), ""][1]
                found.add(part if (ROOT / part).is_dir() or (ROOT / f"{part}.py").exists() else "")
    return found


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0].replace("__init__", "")


MODULES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_stands_below_it(path: Path) -> None:
    part = part_of(path)
    assert part in ALLOWED, f"khojd/{part} is new: say in this test what it may import"
    assert imports(path) - {part} <= ALLOWED[part]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


SDKS = {"openai", "ollama", "anthropic", "google.genai", "httpx", "httpx2", "pydantic"}


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("khojd.llm.router", SDKS | {"numpy", "urllib.request"}),
        ("khojd.configfile", SDKS | {"numpy", "asyncio.subprocess", "chromadb"}),
        ("khojd.daemon.service", SDKS | {"chromadb", "torch"}),
        ("khojd.chat.service", SDKS | {"chromadb", "torch", "pygls", "lsprotocol"}),
        ("khojd.daemon.bridge", {"msgspec", "pygls", "asyncio", "numpy", "chromadb", "json", "tomllib"}),
        ("khojd.engine", {"chromadb", "torch", "sentence_transformers", "pygls", "lsprotocol"}),
        ("khojd.cli.app", {"rich", "numpy", "onnxruntime", "chromadb", "tantivy", "asyncio", "pygls", "lsprotocol"}),
        ("khojd.index.reader", {"numpy", "onnxruntime", "chromadb", "tantivy", "asyncio"}),
    ],
)
def test_start_up_imports_stay_light(module: str, heavy: set[str]) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False, env=_environment())
    assert loaded.returncode == 0, loaded.stderr
    assert heavy.isdisjoint(loaded.stdout.split())


def _environment() -> dict[str, str]:
    # Without `site`, which imports what .pth files name; the packages are found by the path as it is here.
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
