"""Heading paths: the headings from the top of a file to a section."""

from collections.abc import Sequence

from khojd.content.model import Section

# A path of thousands of headings (a file may nest 10,000) would cost memory in the square of the depth and says no more than its
# ends.
TOP = 8  # headings kept from the top
NEAREST = 16  # headings kept at the section


class HeadingPaths:
    """The heading path of each section: its ancestors' headings from the top, its own last; () for the root.

    Where there are more than TOP + NEAREST, those in the middle are left out. Sections without a heading add nothing.
    """

    def __init__(self, sections: Sequence[Section]) -> None:
        self._paths: list[tuple[str, ...]] = []
        for section in sections:
            above = self._paths[section.parent] if section.parent >= 0 else ()
            path = above if section.heading_segment is None else (*above, section.heading)
            self._paths.append(path if len(path) <= TOP + NEAREST else (*path[:TOP], *path[-NEAREST:]))

    def of(self, position: int) -> tuple[str, ...]:
        return self._paths[position]
