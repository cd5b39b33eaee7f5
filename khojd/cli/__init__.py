"""The command line. docs/cli.md documents every command, its JSON and the exit statuses.

All but `serve`, `connect`, `config`, `schema`, `eval` and the offline parts of `doctor` are clients of the daemon, so nothing of
the engine is imported here; what is heavy is imported by the command that needs it.
"""

import errno
import os
import sys

from khojd.cli.failure import Exit, report
from khojd.errors import KhojdError

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main(arguments: list[str] | None = None) -> int:
    """Run a command line (by default the process's own) and return its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # whoever started khojd has closed it
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    # A note may hold any character, a terminal's encoding not.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        status = _run(given)
        sys.stdout.flush()  # the interpreter's own attempt would end in words of Python's
    except OSError as error:
        if error.errno not in (*_UNWRITABLE, errno.EPIPE) or error.filename is not None:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what is left in the buffer
        if error.errno == errno.EPIPE:  # it was enough for whoever read it
            return Exit.NOTHING
        print(f"khojd: the output cannot be written: {os.strerror(error.errno or 0)}", file=sys.stderr)
        return Exit.USAGE
    return status


def _run(given: list[str]) -> int:
    try:
        from khojd.cli.app import app

        app(given, prog_name="khojd")
    except SystemExit as end:
        # typer makes an interruption an exit without a word.
        return report(KeyboardInterrupt()) if end.code == Exit.INTERRUPTED else end.code if isinstance(end.code, int) else 0
    except (KhojdError, KeyboardInterrupt) as error:
        return report(error, as_json="--json" in given)
    return 0
