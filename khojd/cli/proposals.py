"""Changes to notes that an answer proposes: shown as a diff, made only after a yes on a terminal."""

import difflib
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from khojd.chat.model import text_hash
from khojd.cli import output
from khojd.content.lines import LineIndex
from khojd.server.types_chat import Proposal

_MARK = "\ufeff"  # a byte-order mark is no part of the text


def offer(proposals: Sequence[Proposal]) -> None:
    """Ask about each; where nobody can be asked, only show them."""
    asks = sys.stdin.isatty() and sys.stderr.isatty()
    for proposal in proposals:
        _show(proposal)
        if not asks:
            output.say("not changed: answer `khojd chat` on a terminal, or in an editor, to confirm it")
        elif input("Make this change? [y/N] ").strip().lower() in ("y", "yes"):
            problem = apply(proposal)
            output.say(f"not changed: {problem}" if problem else f"changed {output.shown(proposal.path)}")


def apply(proposal: Proposal) -> str:
    """Make a change that a person has confirmed; why it could not be made, "" when it is done. The file is replaced whole."""
    path = Path(proposal.path)
    if not proposal.text_hash:
        return _create(path, proposal.after)
    try:
        data = path.read_bytes()
        whole = data.decode("utf-8")
        mode = path.stat().st_mode & 0o777
    except (OSError, UnicodeDecodeError) as error:
        return f"{path} cannot be read as UTF-8: {error}"
    text = whole.removeprefix(_MARK)
    if text_hash(text) == proposal.text_hash:
        place = proposal.location.range.start
        start = LineIndex(text).offset(place.line, place.character)  # the command line counts code points
    elif proposal.before and text.count(proposal.before) == 1:
        start = text.index(proposal.before)  # changed elsewhere
    else:
        return f"{path} has changed: the text that was to be replaced is not there, or not once"
    end = start + len(proposal.before)
    if text[start:end] != proposal.before:
        return f"{path} has other text at line {proposal.location.range.start.line + 1} than the change was made for"
    changed = text[:start] + proposal.after + text[end:]
    return _write(path, whole[: len(whole) - len(text)] + changed, mode)


def _create(path: Path, text: str) -> str:
    if path.exists():
        return f"{path} is there already"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return f"{path.parent} cannot be made: {error.strerror}"
    return _write(path, text, 0o644)


def _write(path: Path, text: str, mode: int) -> str:
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


def _show(proposal: Proposal) -> None:
    style = output.Style()
    print(
        style(f"\nA change is proposed to {output.shown(proposal.path)}", "bold")
        + (f": {output.harmless(proposal.why)}" if proposal.why else "")
    )
    lines = difflib.unified_diff(proposal.before.splitlines(), proposal.after.splitlines(), lineterm="", n=2)
    for line in [*lines][2:]:
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "dim")
        print(style(output.harmless(line), colour))
