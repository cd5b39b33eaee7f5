"""The socket's directory (a pipe's token on Windows), and the daemon that may listen there."""

import sys
from pathlib import Path

from khojd import paths
from khojd.daemon.address import check_private, index_dir, socket_path
from khojd.daemon.client import Client
from khojd.daemon.lock import Lock
from khojd.daemon.token import token_path
from khojd.doctor.check import Check
from khojd.errors import KhojdError
from khojd.server.types import DaemonStatus, NoParams


def examine() -> tuple[Client | None, list[Check]]:
    """A session with the daemon if one runs (it is not started), and the checks."""
    index = index_dir(paths.config_file())
    checks = [_socket_directory()]
    if not Lock.held(index):
        checks.append(Check("daemon", "ok", "not running; commands and editors start it"))
        return None, checks
    try:
        session = Client.connect(spawn=False, name="khojd doctor")
        status = session.call("khoj/daemon/status", NoParams(), DaemonStatus)
    except KhojdError as error:
        fix = "wait a moment if it is starting or leaving; otherwise end the process that has the index open"
        checks.append(Check("daemon", "fail", f"a daemon has the index, but cannot be reached: {error.message}", fix))
        return None, checks
    message = f"khojd {status.version}, process {status.pid}, {status.memory_bytes / 1e6:.0f} MB of memory, log {status.log}"
    own = paths.config_file()
    if Path(status.config).resolve() != own.resolve():
        message = f"{message}; it goes by {status.config}, not by {own}"
        checks.append(Check("daemon", "warn", message, "stop it with `khojd stop`, or examine it with that --config"))
    else:
        checks.append(Check("daemon", "ok", message))
    return session, checks


def _socket_directory() -> Check:
    try:
        address = socket_path(index_dir(paths.config_file()))
    except KhojdError as error:
        return Check("socket", "fail", error.message, "set XDG_RUNTIME_DIR to a directory with a short path")
    if sys.platform == "win32":
        return Check("socket", "ok", f"{address}, for whoever can read {token_path(address)}")
    directory = address.parent
    if not directory.exists():
        return Check("socket", "ok", f"{directory} will be made when the daemon starts")
    try:
        check_private(directory)
    except KhojdError as error:
        return Check("socket", "fail", error.message, f"remove {directory}, or run chmod 700 on it if it is yours")
    return Check("socket", "ok", f"{address}, in a directory of your own with mode 0700")
