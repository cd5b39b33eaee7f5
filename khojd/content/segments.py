"""Offsets of a text that is made of pieces of a file, and of the file: there and back."""

from collections.abc import Sequence

from khojd.content.model import Segment


def file_offset(segments: Sequence[Segment], offset: int) -> int:
    """The offset in the file of an offset in the entry's text."""
    for segment in segments:
        length = segment.end - segment.start
        if offset < length:
            return segment.start + offset
        offset -= length
    return segments[-1].end if segments else 0


def text_offset(segments: Sequence[Segment], offset: int) -> int:
    """The offset in the entry's text of an offset in the file; of one outside the text, that of the next place in it."""
    before = 0
    for segment in segments:
        if offset < segment.end:
            return before + max(0, offset - segment.start)
        before += segment.end - segment.start
    return before
