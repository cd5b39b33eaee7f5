"""Answers painted for a terminal while they come."""

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from khojd.cli.markdown import Painter, link

ANSWER = "# Tea\n\nBrew **oolong** for `3 min` [1]:\n\n```python\n# not a heading\nbrew('**')\n```\n\n- one * two\n"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def painted(*pieces: str, on: bool = True) -> str:
    painter = Painter(on=on)
    return "".join([*map(painter.feed, pieces), painter.finish()])


def test_headings_bold_and_code_are_coloured_and_their_marks_are_not_shown() -> None:
    shown = painted("# Tea\n\nBrew **oolong** for `3 min`.")
    assert shown == "\x1b[0m\x1b[1;4mTea\x1b[0m\n\nBrew \x1b[0m\x1b[1moolong\x1b[0m for \x1b[0m\x1b[36m3 min\x1b[0m."


def test_code_blocks_stay_as_they_are() -> None:
    assert "# not a heading\nbrew('**')\n" in _COLOUR.sub("", painted(ANSWER))


def test_without_colours_nothing_is_changed() -> None:
    assert painted(ANSWER, on=False) == ANSWER


def test_an_answer_cannot_steer_the_terminal() -> None:
    assert "\x1b]0;" not in painted("title \x1b]0;owned\x07")
    assert link("1", "file:///a\x1b\\b").count("\x1b\\") == 2


def test_what_is_open_at_the_end_is_closed() -> None:
    assert painted("**bold").endswith("\x1b[0m")
    assert painted("```\ncode").endswith("\x1b[0m")
    assert painted("a *") == "a *"


@given(st.lists(st.integers(0, len(ANSWER)), max_size=12))
def test_the_pieces_it_comes_in_do_not_matter(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(ANSWER)]
    assert painted(*(ANSWER[a:b] for a, b in pairwise(edges))) == painted(ANSWER)


@given(st.text(alphabet="#*`~ab \n", max_size=80))
def test_no_text_is_lost_but_marks(text: str) -> None:
    assert (
        _COLOUR.sub("", painted(text)).replace("*", "").replace("`", "").replace("#", "").split()
        == text.replace("*", "").replace("`", "").replace("#", "").split()
    )
