"""Changes to notes that an answer proposes: shown as a diff, made only after a yes on a terminal."""

import difflib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from khojd.chat.model import text_hash
from khojd.cli import output
from khojd.errors import KhojdError
from khojd.server.types_proposals import ApplyParams, ApplyResult, Change

if TYPE_CHECKING:
    from khojd.daemon.client import Client
    from khojd.server.types_chat import ChatResult

_MARK = "\ufeff"  # a byte-order mark is no part of the text


def offer(client: "Client", result: "ChatResult") -> None:
    """Ask about each; where nobody can be asked, only show them."""
    asks = sys.stdin.isatty() and sys.stderr.isatty()
    for proposal in result.proposals:
        params = ApplyParams(turn=result.turn, proposal=proposal.id, edit_only=True)
        try:
            change = client.call("khoj/chat/apply", params, ApplyResult).change
        except KhojdError as error:
            output.say(f"a change was proposed that cannot be made: {error.message}")
            continue
        _show(change)
        if not asks:
            output.say("not changed: ask on a terminal, or in an editor, to confirm it")
        elif input("Make this change? [y/N] ").strip().lower() in ("y", "yes"):
            problem = apply(change)
            output.say(f"not changed: {problem}" if problem else f"changed {output.shown(change.path)}")


def apply(change: Change) -> str:
    """Make a change that a person has confirmed; why it could not be made, "" when it is done. The file is replaced whole."""
    path = Path(change.path)
    if change.create:
        return _create(path, change.after)
    try:
        data = path.read_bytes()
        whole = data.decode("utf-8")
        mode = path.stat().st_mode & 0o777
    except (OSError, UnicodeDecodeError) as error:
        return f"{path} cannot be read as UTF-8: {error}"
    text = whole.removeprefix(_MARK)
    if text_hash(text) != change.text_hash:
        return f"{path} is not on disk as the change was made for: save it in the editor that has it open, and ask again"
    mark = whole[: len(whole) - len(text)]
    return _write(path, mark + text[: change.start] + change.after + text[change.end :], mode)


def _create(path: Path, text: str) -> str:
    if os.path.lexists(path):
        return f"{path} is there already"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return f"{path.parent} cannot be made: {error.strerror}"
    return _write(path, text, 0o644)


def _write(path: Path, text: str, mode: int) -> str:
    path = path.resolve()  # a link to a note stays a link
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except OSError as error:
        return f"{path} cannot be written: {error.strerror}"
    return ""


def _show(change: Change) -> None:
    style = output.Style()
    print(style(f"\nProposed: {output.harmless(change.why)}", "bold") + f"  {style(output.shown(change.path), 'magenta')}")
    print(style(output.harmless(change.origin), "dim"))
    lines = difflib.unified_diff(change.before.splitlines(), change.after.splitlines(), lineterm="", n=2)
    for line in [*lines][2:]:
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "dim")
        print(style(output.harmless(line), colour))
