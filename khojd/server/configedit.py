"""Adding a folder to config.toml and taking one out, with everything else in the file left as its owner wrote it."""

import os
import re
from pathlib import Path

from khojd.config import Config, Folder
from khojd.configfile import parse
from khojd.errors import ConfigError

_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)
_FOLDERS = re.compile(r"^[ \t]*\[\[[ \t]*folders[ \t]*\]\][ \t]*(?:#.*)?$", re.MULTILINE)


def add_folder(file: Path, folder: Folder) -> None:
    """Append a `[[folders]]` table to `file`, creating it. Nothing changes when the folder is there already.

    Raises ConfigError when the file is not valid, or lists its folders in a way that cannot be added to.
    """
    text = _read(file)
    before = parse(text, str(file)) if text else Config()
    if any(_same(each.path, folder.path) for each in before.folders):
        return
    lines = ["[[folders]]", f"path = {_string(folder.path)}"]
    for name in ("include", "exclude"):
        if patterns := getattr(folder, name):
            lines.append(f"{name} = [{', '.join(map(_string, patterns))}]")
    if not folder.gitignore:
        lines.append("gitignore = false")
    if folder.hidden:
        lines.append("hidden = true")
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    _replace(file, text + gap + "\n".join(lines) + "\n", (*before.folders, folder), folder.path)


def remove_folder(file: Path, path: str) -> None:
    """Take the `[[folders]]` table of `path` out of `file`. Nothing changes when it is not there.

    Raises ConfigError when the file is not valid, or the table cannot be told apart from the rest.
    """
    text = _read(file)
    before = parse(text, str(file)) if text else Config()
    at = next((number for number, each in enumerate(before.folders) if _same(each.path, path)), None)
    if at is None:
        return
    tables = list(_FOLDERS.finditer(text))
    if len(tables) != len(before.folders):
        raise _by_hand(file, path)
    start = tables[at].start()
    following = _TABLE.search(text, tables[at].end())
    changed = text[:start] + (text[following.start() :] if following else "")
    # Never empty: that would be taken for a file that is still to be written.
    _replace(file, changed.rstrip("\n") + "\n", before.folders[:at] + before.folders[at + 1 :], path)


def _replace(file: Path, text: str, folders: tuple[Folder, ...], path: str) -> None:
    try:
        after = parse(text, str(file))
    except ConfigError as error:
        raise _by_hand(file, path) from error
    if after.folders != folders:
        raise _by_hand(file, path)
    target = file.resolve()  # a link into someone's dotfiles stays a link
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(text, encoding="utf-8")
        if target.exists():
            fresh.chmod(target.stat().st_mode & 0o777)
        fresh.replace(target)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror}", file=str(file)) from error


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}", file=str(file)) from error


def _by_hand(file: Path, path: str) -> ConfigError:
    return ConfigError(
        f"{file}: its folders are not [[folders]] tables, so {path} has to be changed by hand", file=str(file), key="folders"
    )


def _same(one: str, other: str) -> bool:
    return os.path.abspath(os.path.expanduser(one)) == os.path.abspath(os.path.expanduser(other))  # noqa: PTH100, PTH111


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped) + '"'
