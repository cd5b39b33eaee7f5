"""`khojd doctor`."""

import sys

import typer

from khojd.cli import output
from khojd.cli.failure import Exit
from khojd.cli.search import Json

_MARKS = {"ok": ("ok  ", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "red")}


def doctor(as_json: Json = False) -> None:
    """Check installation, settings, index and daemon.

    Each line says how to mend what is wrong; the exit status is 1 when something is. A running daemon is asked, never disturbed;
    without one, the index is opened for reading.
    """
    from khojd.doctor import Check, examine

    style = output.Style()
    checks: list[Check] = []
    for check in examine():
        checks.append(check)
        if not as_json:
            mark, colour = _MARKS[check.state]
            print(f"{style(mark, colour)} {style(f'{check.name:12}', 'bold')} {output.harmless(check.message)}")
            if check.fix:
                print(f"     {'':12} {style('fix:', 'bold')} {output.harmless(check.fix)}")
            sys.stdout.flush()
    failed = sum(check.state == "fail" for check in checks)
    if as_json:
        output.json({"ok": not failed, "checks": checks})
    else:
        warned = sum(check.state == "warn" for check in checks)
        print(f"{output.count(failed, 'failure')}, {output.count(warned, 'warning')}")
    if failed:
        raise typer.Exit(Exit.NOTHING)
