"""Unsaved text of several editors."""

from khojd.sources.buffers import Buffer, Buffers


def test_the_text_that_changed_last_stands() -> None:
    buffers = Buffers()
    buffers.set(Buffer("emacs", "/n/a.md", "one", 1))
    buffers.set(Buffer("code", "/n/a.md", "two", 1))
    buffers.set(Buffer("emacs", "/n/a.md", "three", 2))
    current = buffers.current("/n/a.md")
    assert current is not None
    assert (current.owner, current.text) == ("emacs", "three")


def test_when_one_editor_leaves_the_other_ones_text_stands() -> None:
    buffers = Buffers()
    buffers.set(Buffer("code", "/n/a.md", "two", 1))
    buffers.set(Buffer("emacs", "/n/a.md", "three", 2))
    assert buffers.close_owner("emacs") == ["/n/a.md"]
    current = buffers.current("/n/a.md")
    assert current is not None
    assert current.text == "two"
    assert buffers.close("code", "/n/a.md")
    assert buffers.current("/n/a.md") is None
    assert not buffers.close("code", "/n/a.md")
