"""Python, the packages, the disk."""

import importlib
import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import khojd
from khojd import paths
from khojd.daemon.address import index_dir
from khojd.doctor.check import Check

# Distributions with the module to import; the same as in pyproject.toml, which a test compares.
PACKAGES = {
    "pygls": "pygls",
    "lsprotocol": "lsprotocol",
    "msgspec": "msgspec",
    "chromadb": "chromadb",
    "onnxruntime": "onnxruntime",
    "tokenizers": "tokenizers",
    "numpy": "numpy",
    "tantivy": "tantivy",
    "watchfiles": "watchfiles",
    "orgparse": "orgparse",
    "markdown-it-py": "markdown_it",
    "mdit-py-plugins": "mdit_py_plugins",
    "pyyaml": "yaml",
    "charset-normalizer": "charset_normalizer",
    "pathspec": "pathspec",
    "google-re2": "re2",
    "openai": "openai",
    "httpx2": "httpx2",
    "ollama": "ollama",
    "httpx": "httpx",
    "typer": "typer",
    "rich": "rich",
}
OLDEST_PYTHON = (3, 11)
SCARCE = 1_000_000_000  # bytes free below which an index may not fit
EMPTY = 50_000_000


def examine() -> Iterator[Check]:
    yield _python()
    yield _packages()
    yield _disk()


def _python() -> Check:
    found = f"khojd {khojd.__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    if sys.version_info < OLDEST_PYTHON:
        return Check("python", "fail", found, f"install Python {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or newer")
    return Check("python", "ok", f"{found}, {sys.executable}")


def _packages() -> Check:
    broken = []
    for name, module in PACKAGES.items():
        try:
            importlib.import_module(module)
        except Exception as error:  # a package with native code fails in ways of its own
            broken.append(f"{name} ({error or type(error).__name__})")
    if broken:
        return Check("packages", "fail", f"cannot be imported: {'; '.join(broken)}", "install khojd again into a fresh environment")
    shown = ("chromadb", "onnxruntime", "tantivy", "pygls")
    return Check("packages", "ok", f"{len(PACKAGES)} packages; " + ", ".join(f"{name} {_version(name)}" for name in shown))


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


def _disk() -> Check:
    index = index_dir(paths.config_file())
    place = next(path for path in (index, *index.parents) if path.exists())
    free = shutil.disk_usage(place).free
    message = f"{free / 1e9:.1f} GB free at {index}"
    fix = f"free some space at {place}, or set index.path to a directory on another disk"
    if free < EMPTY:
        return Check("disk", "fail", message, fix)
    if free < SCARCE:
        return Check("disk", "warn", message, fix)
    return Check("disk", "ok", message + _writable(place))


def _writable(place: Path) -> str:
    return "" if os.access(place, os.W_OK) else f"; {place} cannot be written"
