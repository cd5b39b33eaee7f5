"""Changes to notes that a model proposes, and where they belong in the text as it is now. Nothing here writes."""

import posixpath
import re
import secrets

from khojd.chat.model import Proposal, text_hash
from khojd.content import names
from khojd.errors import EditError
from khojd.graph.sheet import Sheet

LONGEST = 100_000  # characters of a change
_ITEM = re.compile(r"\s*(?:[-+*]|\d+[.)])\s")
_INVISIBLE = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")


def replaced(path: str, text: str, old: str, new: str) -> Proposal:
    """`old`, which stands once in `text`, becomes `new`. Line ends follow the note's. Raises EditError."""
    old, new = as_in(text, old), as_in(text, new)
    count = text.count(old)
    if count != 1:
        what = "does not stand" if not count else f"stands {count} times"
        hint = "read the note again and copy the text exactly" if not count else "give more of the text around it"
        raise EditError(f"the text to replace {what} in the note: {hint}", path=path)
    if old == new:
        raise EditError("the new text is the same as the old one", path=path)
    start = text.index(old)
    return _proposal(path, text, start, start + len(old), new)


def appended(sheet: Sheet, heading: str, new: str) -> Proposal:
    """`new` at the end of a heading's section, before its subsections; of the note for no heading. Parses the note.

    What is replaced is the last line there, with itself and the new text: it tells the place when the note has changed. Raises
    EditError for no such heading, or several.
    """
    text = sheet.text
    low, high = _section(sheet, heading) if heading.strip() else (0, len(text))
    end = low + len(text[low:high].rstrip())
    start = max(text.rfind("\n", low, end), text.rfind("\r", low, end), low - 1) + 1
    before, body = text[start:end], as_in(text, new).strip("\r\n")
    newline = newline_of(text)
    # Items of a list follow one another, and so do an Org heading and its text; else a blank line stands between.
    close = (_ITEM.match(before) and _ITEM.match(body)) or (sheet.format == "org" and sheet.heading_at(start) is not None)
    after = before + (newline * (1 if close else 2) if before else "") + body
    return _proposal(sheet.path, text, start, end, after if text[end:] else after + newline)


def created(path: str, text: str) -> Proposal:
    """A new note."""
    return _proposal(path, "", 0, 0, text if text.endswith("\n") else text + "\n", new=True)


def fit(proposal: Proposal, text: str) -> tuple[int, int]:
    """The range of the text as it is now that becomes `proposal.after`.

    Raises EditError when the text has changed so that what is to be replaced is gone, or stands there more than once.
    """
    if text_hash(text) == proposal.text_hash:
        return proposal.start, proposal.end
    before, after = as_in(text, proposal.before), as_in(text, proposal.after)
    if after != before and after.strip() and text.startswith(after, proposal.start):
        raise EditError(f"{proposal.path} has this text already", path=proposal.path)
    count = text.count(before) if before else 0
    if count == 1:
        start = text.index(before)
        return start, start + len(before)
    why = "is no longer there" if not count else f"stands there {count} times now"
    if not before:
        why = "was empty then and is not now"
    raise EditError(
        f"{proposal.path} has changed since: what was to be replaced {why}; ask for the change again", path=proposal.path
    )


def as_in(text: str, part: str) -> str:
    """`part` with the line ends of `text`: models write LF."""
    bare = part.replace("\r\n", "\n").replace("\r", "\n")
    return bare if newline_of(text) == "\n" else bare.replace("\n", newline_of(text))


def newline_of(text: str) -> str:
    """The line end that a text uses first."""
    found = re.search(r"\r\n|\n|\r", text)
    return found[0] if found else "\n"


def hidden(text: str) -> str:
    """What of a text a person does not see: `2 invisible characters`, "" for nothing."""
    count = len(_INVISIBLE.findall(text))
    return f"{count} invisible character{'' if count == 1 else 's'}" if count else ""


def _section(sheet: Sheet, heading: str) -> tuple[int, int]:
    """From a heading to where its own text ends."""
    wanted = names.heading_key(heading.lstrip("#* "))
    found = [at for at, section in enumerate(sheet.sections) if section.level and names.heading_key(section.heading) == wanted]
    if len(found) != 1:
        known = [section.heading for section in sheet.sections if section.level]
        shown = ", ".join(repr(one) for one in known[:20]) or "none"
        what = f"{len(found)} headings" if found else "no heading"
        raise EditError(f"{posixpath.basename(sheet.path)} has {what} {heading!r}; its headings are {shown}", path=sheet.path)
    span = sheet.sections[found[0]].span
    children = [one.span.start for one in sheet.sections[found[0] + 1 :] if one.span.start < span.end]
    return span.start, min(children, default=span.end)


def _proposal(path: str, text: str, start: int, end: int, after: str, *, new: bool = False) -> Proposal:
    if len(after) > LONGEST:
        raise EditError(f"a change of {len(after):,} characters is too long; {LONGEST:,} at most", path=path)
    if "\0" in after or re.search("[\ud800-\udfff]", after):
        raise EditError("the new text holds characters that no file may hold", path=path)
    digest = "" if new else text_hash(text)
    return Proposal(secrets.token_hex(8), path, start, end, text[start:end], after, digest)
