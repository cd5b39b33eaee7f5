"""Unsaved text of several editors."""

from khojd.sources.buffers import NOBODY, SHARED, Buffer, Buffers, Standing


def two_editors(*, shared: bool) -> Buffers:
    buffers = Buffers(shared=shared)
    buffers.set(Buffer("emacs", "/n/a.md", "one", 1))
    buffers.set(Buffer("code", "/n/a.md", "two", 1))
    buffers.set(Buffer("emacs", "/n/a.md", "three", 2))
    return buffers


def text(buffers: Buffers, owner: str) -> str | None:
    """What stands for the note in what an editor asks."""
    found = buffers.at(buffers.standing("/n/a.md", owner))
    return None if found is None else found.text


def test_each_editor_has_its_own_text() -> None:
    buffers = two_editors(shared=False)
    assert (text(buffers, "emacs"), text(buffers, "code"), text(buffers, "a command line")) == ("three", "two", None)
    assert len({buffers.overlay(owner) for owner in ("emacs", "code", "a command line")} | {SHARED}) == 4
    assert buffers.overlay("a command line") == NOBODY
    emacs = buffers.standing("/n/a.md", "emacs")
    assert buffers.close_owner("emacs") == ["/n/a.md"]
    assert (text(buffers, "emacs"), text(buffers, "code"), buffers.at(emacs)) == (None, "two", None)
    assert buffers.all() == [buffers.standing("/n/a.md", "code")]


def test_where_they_share_the_text_that_changed_last_stands_for_all() -> None:
    buffers = two_editors(shared=True)
    assert {text(buffers, owner) for owner in ("emacs", "code", "a command line")} == {"three"}
    assert buffers.close_owner("emacs") == ["/n/a.md"]
    assert text(buffers, "emacs") == "two"
    assert buffers.close("code", "/n/a.md")
    assert text(buffers, "emacs") is None
    assert not buffers.close("code", "/n/a.md")
    assert buffers.all() == []


def test_what_stood_for_one_editor_stands_there_no_more_once_they_share() -> None:
    buffers = two_editors(shared=False)
    before = buffers.all()
    buffers.shared = True
    assert buffers.all() == [Standing("/n/a.md", SHARED)]
    assert [buffers.at(standing) for standing in before] == [None, None]
