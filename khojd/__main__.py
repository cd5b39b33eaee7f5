"""The `khojd` command. An editor waits for `khojd connect`, so nothing is imported before the command is known."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # as typing has it; importing typing costs 2 ms
if TYPE_CHECKING:
    from pathlib import Path


def main() -> int:
    """Run the command line; the exit status is returned."""
    try:
        return _run(sys.argv[1:])
    except KeyboardInterrupt:  # while the command's modules were read; from then on it says so itself
        print("\nkhojd: interrupted", file=sys.stderr)
        return 130


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["connect"] and (places := _places([a for a in arguments[1:] if a != "--address"])) is not None:
        from khojd.daemon import bridge

        return bridge.tell_address(**places) if "--address" in arguments else bridge.main(**places)
    if arguments[:1] == ["serve"] and (places := _places([a for a in arguments[1:] if a != "--detached"])) is not None:
        # Many may be started at once for one index, and all but one leave at once: before the command line's libraries load.
        from khojd.daemon.serve import main as serve

        return serve(**places, detached="--detached" in arguments)
    from khojd.cli import main as cli

    return cli() or 0


def _places(arguments: list[str]) -> dict[str, Path | None] | None:
    """The values of `--index` and `--config`; None for anything else, which the command line explains."""
    from pathlib import Path

    places: dict[str, Path | None] = {}
    while arguments:
        name, *arguments = arguments
        name, equals, value = name.partition("=")
        if name not in ("--index", "--config"):
            return None
        if not equals:
            if not arguments:
                return None
            value, *arguments = arguments
        if not value:
            return None
        places[name[2:]] = Path(value)
    return places


if __name__ == "__main__":
    sys.exit(main())
