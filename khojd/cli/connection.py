"""The daemon that the commands talk to, and paths as it takes them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import khojd
from khojd import paths
from khojd.daemon.client import Client
from khojd.errors import ConfigError, NotFound
from khojd.paths import plain

NAME = f"khojd {khojd.__version__} command line"


@contextmanager
def connect() -> Iterator[Client]:
    """A session with the daemon of the configured index, which is started if need be. Raises DaemonError.

    ConfigError when the person names a configuration file and this daemon goes by another.
    """
    with Client.connect(name=NAME) as client:
        if "KHOJD_CONFIG" in os.environ:  # --config sets it
            _same_config(client)
        yield client


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
    """The absolute path that a person means from here; `~` is expanded, links stay."""
    return plain(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111


def folders(paths: list[str] | None) -> tuple[str, ...]:
    """The folders of `--folder`. Raises NotFound for one that is not there."""
    found = tuple(map(absolute, paths or ()))
    for path in found:
        if not os.path.isdir(path):  # noqa: PTH112
            what = "is not a folder" if os.path.exists(path) else "does not exist"  # noqa: PTH110
            raise NotFound(f"--folder {path} {what}", path=path)
    return found
