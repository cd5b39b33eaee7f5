"""The command line. docs/cli.md documents every command, its JSON and the exit statuses.

All but `serve`, `connect`, `config`, `schema`, `eval` and the offline parts of `doctor` are clients of the daemon, so nothing of
the engine is imported here; what is heavy is imported by the command that needs it.
"""

import sys

from khojd.cli.failure import Exit, report
from khojd.errors import KhojdError


def main(arguments: list[str] | None = None) -> int:
    """Run a command line (by default the process's own) and return its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    # A note may hold any character, a terminal's encoding not.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        from khojd.cli.app import app

        app(given, prog_name="khojd")
    except SystemExit as end:
        # typer makes an interruption an exit without a word.
        return report(KeyboardInterrupt()) if end.code == Exit.INTERRUPTED else end.code if isinstance(end.code, int) else 0
    except (KhojdError, KeyboardInterrupt) as error:
        return report(error, as_json="--json" in given)
    return 0
