"""What the link graph answers with. Offsets are code points of the named file's text."""

from typing import Literal

from msgspec import Struct

from khojd.content.model import Link
from khojd.content.targets import EMPTY, Target

Kind = Literal["note", "heading", "block", "target", "id", "file"]
Status = Literal[
    "found",  # one place
    "ambiguous",  # several notes could be meant: `places` are the candidates, the likeliest first
    "no-note",  # no such note or file
    "no-anchor",  # the note is there (`places`), the heading, block or target in it is not
    "external",  # an address of the web, a mail address, another program's scheme
    "outside",  # a file that exists outside the configured folders: shown, not indexed
    "refused",  # `..` leads above the configured folders; `reason` says so
    "empty",  # no target
]


class Note(Struct, frozen=True):
    """A file of the catalog; `indexed` is False for one that is known but not read (an image, a binary file)."""

    id: int
    path: str
    folder: str  # the configured folder it was found under
    format: str
    title: str  # explicit title, else ""
    name: str  # of its file, without a note's suffix
    hash: bytes  # blake2b-16 of the bytes on disk, or of an unsaved text
    unsaved: bool
    indexed: bool

    @property
    def unread(self) -> bool:
        """Whether it was opened a moment ago, so that the catalog does not know it yet; then it has no document's id."""
        return self.id < 0


class Place(Struct, frozen=True):
    """Where a link leads. `kind` `file` is one that khojd does not read.

    [start, end) is the name of a block, target or id; for a heading both are where its line begins; both are 0
    for a whole note. `line` is set where a link names a line by its number, `last_line` where it names several.
    """

    path: str
    kind: Kind
    start: int = 0
    end: int = 0
    label: str = ""  # heading, block id, target; "" for a whole note
    section: int = 0  # index of the section it is or stands in
    note: Note | None = None
    line: int | None = None  # 0-based
    last_line: int | None = None


class Resolution(Struct, frozen=True):
    """What a link means. `target` is the reading of the link that led there."""

    status: Status
    places: tuple[Place, ...] = ()
    reason: str = ""
    target: Target = EMPTY


class Reference(Struct, frozen=True):
    """A link that leads to a place, in the note it stands in, and the reading of it that does."""

    note: Note
    link: Link
    target: Target = EMPTY
    place: Place | None = None  # where exactly it leads


class Mention(Struct, frozen=True):
    """A note's title, name or alias in the text of another note, not linked."""

    note: Note
    start: int
    end: int
    name: str
