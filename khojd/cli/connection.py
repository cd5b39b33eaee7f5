"""The daemon that the commands talk to, and paths as it takes them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import khojd
from khojd import paths
from khojd.cli import output
from khojd.daemon.client import Client
from khojd.errors import ConfigError, NotFound, QueryError
from khojd.paths import plain

NAME = f"khojd {khojd.__version__} command line"


@contextmanager
def connect(*, telling: bool = True) -> Iterator[Client]:
    """A session with the daemon of the configured index, which is started if need be. Raises DaemonError.

    With `telling` it is said where a mistake in the configuration keeps the daemon from taking it up. ConfigError when the person
    names a configuration file and this daemon goes by another.
    """
    with Client.connect(name=NAME) as client:
        if "KHOJD_CONFIG" in os.environ:  # --config sets it
            _same_config(client)
        if telling:
            _tell_refused(client)
        yield client


def _tell_refused(client: Client) -> None:
    """The daemon is asked: reading the file here would take the modules of all settings."""
    from khojd.server.types import ValidateParams, ValidateResult

    try:
        text = paths.config_file().read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return  # not there, as with most; the rest `khojd status` tells
    for problem in client.call("khoj/config/validate", ValidateParams(text=text), ValidateResult).problems:
        output.say(f"note: what the configuration was before stays in force: {problem.message}")


def _same_config(client: Client) -> None:
    from khojd.server.types import DaemonStatus, NoParams

    status, own = client.call("khoj/daemon/status", NoParams(), DaemonStatus), paths.config_file()
    if Path(status.config).resolve() != own.resolve():
        raise ConfigError(
            f"the daemon of {status.index} goes by {status.config}, not by {own}: stop it first with `khojd stop`,"
            " or give the other configuration an index of its own with --index or index.path",
            file=str(own),
        )


def absolute(path: str) -> str:
    """The absolute path that a person means from here; `~` is expanded, links stay.

    Raises QueryError for an empty one: it would mean this directory, and comes of a variable that is not set.
    """
    if not path:
        raise QueryError("a path is empty; write . for this directory", part=path)
    try:
        return plain(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111
    except FileNotFoundError:
        raise QueryError(f"{path} is in the current directory, which is no longer there", part=path) from None


def place(path: str) -> Path:
    """The value of `--config` or `--index`; an empty one is refused as by `absolute`."""
    return Path(absolute(path))


def folders(paths: list[str] | None) -> tuple[str, ...]:
    """The folders of `--folder`. Raises NotFound for one that is not there."""
    found = tuple(map(absolute, paths or ()))
    for path in found:
        if not os.path.isdir(path):  # noqa: PTH112
            what = "is not a folder" if os.path.exists(path) else "does not exist"  # noqa: PTH110
            raise NotFound(f"--folder {path} {what}", path=path)
    return found
