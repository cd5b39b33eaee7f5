"""Personas: the built-in ones, one's own, what they take from each other."""

from typing import Any

import pytest

from khojd.chat import personas
from khojd.config import BUILT_IN_PERSONAS, Chat, Config, Persona
from khojd.errors import ConfigError, NotFound


def config(chat: Chat | None = None, **own: Persona) -> Config:
    return Config(personas=own, chat=chat or Chat())


def test_the_built_in_ones_are_there_without_any_configuration() -> None:
    known = personas.known(config())
    assert tuple(known) == BUILT_IN_PERSONAS
    for persona in known.values():
        assert persona.built_in
        assert persona.based_on == ""
        assert persona.description
        assert persona.prompt
        assert persona.greeting
    assert len({persona.prompt for persona in known.values()}) == 4
    assert [persona.style for persona in known.values()] == ["balanced", "detailed", "concise", "balanced"]


def test_one_of_ones_own_takes_from_its_bases_what_it_does_not_say() -> None:
    mine = config(
        editor=Persona(based_on="writer", description="My editor", max_tokens=500, model="local/tiny"),
        strict=Persona(based_on="editor", style="concise", prompt="  Be strict.  ", tools=("read_note",)),
    )
    strict, writer = personas.find(mine, "strict"), personas.find(mine, "writer")
    assert (strict.prompt, strict.style, strict.tools) == ("Be strict.", "concise", ("read_note",))
    assert (strict.max_tokens, strict.model, strict.description) == (500, "local/tiny", "My editor")
    assert (strict.citations, strict.greeting) == (writer.citations, writer.greeting) == ("footnote", "What shall we write?")
    assert (strict.based_on, strict.built_in) == ("editor", False)


def test_without_a_base_it_stands_on_the_default_one() -> None:
    found = personas.find(config(mine=Persona(prompt="Mine.")), "mine")
    assert (found.based_on, found.style, found.citations, found.tools) == ("default", "balanced", "inline", ())


def test_a_table_with_a_built_in_name_changes_that_one_and_keeps_the_rest() -> None:
    plain = personas.find(config(), "developer")
    changed = personas.find(config(developer=Persona(max_tokens=300)), "developer")
    assert changed.max_tokens == 300
    assert (changed.prompt, changed.focus, changed.style, changed.built_in) == (plain.prompt, plain.focus, "concise", True)
    other = personas.find(config(developer=Persona(based_on="writer")), "developer")
    assert (other.prompt, other.based_on) == (personas.find(config(), "writer").prompt, "writer")


def test_a_changed_default_reaches_all_that_stand_on_it() -> None:
    mine = config(default=Persona(filters="-tag:private", style="detailed"), work=Persona(filters="tag:work"))
    known = personas.known(mine)
    assert known["default"].filters == known["researcher"].filters == "-tag:private"
    assert known["work"].filters == "tag:work"
    assert known["work"].style == "detailed"
    assert known["developer"].style == "concise"


def test_tools_can_be_taken_away() -> None:
    assert personas.find(config(), "researcher").tools != ()
    assert personas.find(config(quiet=Persona(based_on="researcher", tools=())), "quiet").tools == ()


def test_no_name_means_the_configured_one() -> None:
    assert personas.find(config(chat=Chat(persona="writer")), "").name == "writer"


def test_an_unknown_name_is_an_error_with_the_closest() -> None:
    with pytest.raises(NotFound, match="'writer'") as failure:
        personas.find(config(), "wirter")
    assert failure.value.data["closest"] == "writer"
    with pytest.raises(NotFound, match="there are default, researcher, developer, writer"):
        personas.find(config(), "xyzzy")


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"a": Persona(based_on="b"), "b": Persona(based_on="c"), "c": Persona(based_on="b")}, "b -> c -> b"),
        ({"me": Persona(based_on="me")}, "me -> me"),
        ({"a": Persona(based_on="nobody")}, "personas.a.based_on = 'nobody'"),
    ],
)
def test_a_base_that_is_unknown_or_leads_back_is_an_error(own: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        personas.check(config(**own))
    with pytest.raises(ConfigError, match=said):
        personas.known(config(**own))


def test_style_focus_and_place_of_sources_become_instructions() -> None:
    told = personas.find(
        config(mine=Persona(prompt="Mine.", style="concise", citations="footnote", focus="tea.")), "mine"
    ).instructions()
    assert told.startswith("Mine.\nYour field is tea. ")
    assert "short" in told
    assert "footnotes" in told
    variants = {
        personas.find(config(mine=Persona(prompt="Mine.", style=style, citations=citations)), "mine").instructions()
        for style in ("concise", "balanced", "detailed")
        for citations in ("inline", "footnote", "none")
    }
    assert len(variants) == 9
    assert not any("Your field" in one for one in variants)
