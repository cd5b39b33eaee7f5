"""The daemon's log: a private, rotating file in the state directory."""

import logging
import os
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from khojd import paths
from khojd.daemon.address import key

_SIZE = 2_000_000
_KEPT = 3
# They log whole messages or requests, which hold note text.
_TALKATIVE = ("pygls", "chromadb", "urllib3", "asyncio", "watchfiles", "markdown_it")
# Clients of model servers: below WARNING some of them log headers, which hold keys, so not even `debug` lets them.
_SECRETIVE = ("httpx", "httpx2", "httpcore", "httpcore2", "openai", "anthropic", "google_genai", "google.auth")


def log_path(index: Path) -> Path:
    """The log of the daemon of `index`."""
    return paths.state_dir() / f"{key(index)}.log"


def start(path: Path, level: str) -> None:
    """Send all logging to `path`; the process's umask makes it private."""
    paths.private_dir(path.parent)
    handler = RotatingFileHandler(path, maxBytes=_SIZE, backupCount=_KEPT, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    set_level(level)


def set_level(level: str) -> None:
    logging.getLogger().setLevel(level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel("DEBUG" if level == "debug" else "WARNING")
    for name in _SECRETIVE:
        logging.getLogger(name).setLevel("WARNING")


def detach(path: Path) -> None:
    """Let go of the terminal or pipe the daemon was started from; what crashes below Python still reaches the log."""
    sys.stdout.flush()
    sys.stderr.flush()
    nothing = os.open(os.devnull, os.O_RDWR)
    out = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.dup2(out, 2)
    os.close(nothing)
    os.close(out)
