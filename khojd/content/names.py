"""How the name of a note is compared: what a link calls it, and what its file is called."""

import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

NOTE_SUFFIXES = (".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd", ".org", ".org_archive", ".txt", ".text")


def fold(name: str) -> str:
    """`name` without differences of case, Unicode normalisation and white space."""
    if name.isascii():
        return " ".join(name.lower().split())
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold()).split())


def key(path: str) -> str:
    """By what a link's path, or a file's, is looked up: its last part, folded, without a note's suffix.

    Logseq writes the `/` of a page's name as `___` or `%2F` in the name of its file, so these part it, too.
    """
    parts = components(path)
    return parts[-1] if parts else ""


def components(path: str) -> tuple[str, ...]:
    """The folded parts of a path, the last one without a note's suffix; `.` and empty ones are left out."""
    folded = fold(without_suffix(path)).replace("%2f", "/").replace("___", "/")
    return tuple(part for part in (part.strip() for part in folded.split("/")) if part and part != ".")


def without_suffix(path: str) -> str:
    """`path` without the suffix of a note; any other suffix is a part of the name."""
    lowered = path[-12:].lower()
    for suffix in NOTE_SUFFIXES:
        if lowered.endswith(suffix) and len(path) > len(suffix):
            return path[: -len(suffix)]
    return path


def spellings(target: str) -> Iterator[str]:
    """A link's target as it is written, then with its percent-encoding undone."""
    yield target
    if "%" in target and (decoded := unquote(target)) != target and "\0" not in decoded:
        yield decoded


def heading_key(heading: str) -> str:
    """How headings are compared with what links call them: letters and digits count, case and punctuation do not.

    So `My heading!`, Obsidian's `My heading` and the slug `my-heading` are one. A heading of nothing but punctuation stays itself.
    """
    folded = fold(heading)
    key = "".join(char if char.isalnum() or unicodedata.category(char)[0] == "M" else " " for char in folded)
    return " ".join(key.split()) or folded


def slug(heading: str) -> str:
    """The fragment of a heading as GitHub makes it: lower case, no punctuation, spaces as hyphens."""
    kept = (char for char in heading.strip().lower() if char.isalnum() or char in "-_ " or unicodedata.category(char)[0] == "M")
    return "".join(kept).replace(" ", "-")


def stem(path: str) -> str:
    """The name of a file without the suffix of a note, as it is written."""
    return without_suffix(path.rstrip("/").rpartition("/")[2])
