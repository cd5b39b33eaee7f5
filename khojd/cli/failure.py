"""Exit statuses, and errors as a person sees them: one message on stderr, never a traceback."""

import sys
from enum import IntEnum

from khojd.cli import output
from khojd.errors import Cancelled, DaemonError, IndexCorrupt, KhojdError, ModelError, ProviderError, StoreError


class Exit(IntEnum):
    """The exit statuses of every command."""

    OK = 0
    NOTHING = 1  # nothing was found, or a check failed: the answer is no
    USAGE = 2  # an argument, a query, a path or the configuration is wrong
    DAEMON = 3  # the daemon cannot be started or spoken to
    INDEX = 4  # the index, its disk or the model is at fault
    INTERRUPTED = 130


def status_of(error: KhojdError) -> Exit:
    """The exit status that an error ends with."""
    if isinstance(error, DaemonError):
        # A daemon that could not start ended with the status of its own error.
        return {2: Exit.USAGE, 4: Exit.INDEX}.get(error.data.get("status", 0), Exit.DAEMON)
    if isinstance(error, StoreError | ModelError | ProviderError):
        return Exit.INDEX
    return Exit.INTERRUPTED if isinstance(error, Cancelled) else Exit.USAGE


def report(error: KhojdError | KeyboardInterrupt, *, as_json: bool = False) -> Exit:
    """Say what went wrong, on stderr and with `as_json` also as an object on stdout; the exit status to end with."""
    if isinstance(error, KeyboardInterrupt):
        print("\nkhojd: interrupted", file=sys.stderr)
        return Exit.INTERRUPTED
    if as_json:
        output.json({"error": {"code": error.code, "message": error.message, "data": error.data}})
    for line in output.harmless(f"khojd: {error.message}").splitlines():
        print(line, file=sys.stderr)
    if isinstance(error, IndexCorrupt):
        print("khojd starts anew to repair it, which loses nothing: ask again", file=sys.stderr)
    return status_of(error)
