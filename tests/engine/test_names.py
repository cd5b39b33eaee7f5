"""A note is found by its other names, and by what it says it is about."""

import pytest

from tests.engine.conftest import Notes

LONG = "The cluster is watched by a person who drinks tea. " * 12
MARKDOWN = f"""---
title: Container orchestration
aliases: [k8s, Kubernetes]
description: Steering many machines at once
---
# First steps
{LONG}
# Ingress
{LONG}
"""
ORG = f"""#+TITLE: Container orchestration
:PROPERTIES:
:ROAM_ALIASES: k8s "The helmsman"
:END:
* First steps
{LONG}
* Ingress
:PROPERTIES:
:ROAM_ALIASES: doorway
:END:
{LONG}
"""


async def headings(notes: Notes, query: str) -> list[tuple[str, ...]]:
    return [hit.headings for hit in await notes.hits(query, mode="lexical")]


@pytest.mark.parametrize(("name", "text"), [("a.md", MARKDOWN), ("a.org", ORG)])
async def test_an_alias_leads_to_the_beginning_of_its_note(notes: Notes, name: str, text: str) -> None:
    notes.write(name, text)
    notes.write("b.md", f"# Diary\nRead about the cluster. {LONG}\n")
    async with notes.open() as engine:
        await engine.update()
        assert await headings(notes, "k8s") == [("First steps",), ("Ingress",)]
        assert (await headings(notes, "k8s ingress"))[0] == ("Ingress",)  # the name is that of every part


async def test_an_org_heading_has_names_of_its_own(notes: Notes) -> None:
    notes.write("a.org", ORG)
    async with notes.open() as engine:
        await engine.update()
        assert await headings(notes, "doorway") == [("Ingress",)]
        assert (await headings(notes, "helmsman"))[0] == ("First steps",)


async def test_a_description_is_found_at_the_beginning_of_its_note(notes: Notes) -> None:
    notes.write("a.md", MARKDOWN)
    async with notes.open() as engine:
        await engine.update()
        assert await headings(notes, "steering machines") == [("First steps",)]


@pytest.mark.parametrize(("name", "text"), [("a.md", MARKDOWN), ("a.org", ORG)])
async def test_an_edited_alias_is_found_and_the_former_one_no_longer_and_nothing_is_embedded(
    notes: Notes, name: str, text: str
) -> None:
    path = notes.write(name, text)
    async with notes.open() as engine:
        await engine.update(embed=True)
        before = await notes.embedded()
        path.write_text(text.replace("k8s", "kube"), encoding="utf-8")
        await engine.update(embed=True)
        assert await headings(notes, "k8s") == []
        assert (await headings(notes, "kube"))[0] == ("First steps",)
        assert await notes.embedded() == before


async def test_where_a_note_begins_elsewhere_its_names_lead_there(notes: Notes) -> None:
    path = notes.write("a.org", ORG)
    async with notes.open() as engine:
        await engine.update()
        path.write_text(ORG.replace("* First steps\n", f"* Preface\n{LONG}Mind the gap.\n* First steps\n"), encoding="utf-8")
        await engine.update()
        assert (await headings(notes, "helmsman"))[0] == ("Preface",)
        path.write_text(ORG.replace(f"* First steps\n{LONG}\n", ""), encoding="utf-8")
        await engine.update()
        assert (await headings(notes, "helmsman"))[0] == ("Ingress",)
