"""A request that is cancelled ends its work on threads, too, which others wait for."""

import asyncio
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

from khojd.content.model import ContentSettings
from khojd.graph.graph import Graph
from khojd.graph.sheet import Sheet
from khojd.graph.stop import Stop, Stopped
from khojd.index.threads import GRAPHS
from khojd.server.sheets import on_thread
from tests.server.editor import Failure
from tests.server.features.conftest import MakeVault

FOR_EVER = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) SELECT count(*) FROM numbers"


def following(graph: Graph) -> None:
    """Links without end, each looked up anew."""
    (sheet,) = graph.sheets.values()
    while True:
        graph.over(graph.sheets).resolve(sheet, sheet.links[0])


def counting(graph: Graph) -> None:
    graph.db.execute(FOR_EVER).fetchone()


@pytest.mark.parametrize("work", [following, counting])
async def test_cancelled_work_on_the_graph_leaves_its_thread_free(make_vault: MakeVault, work: Callable[[Graph], None]) -> None:
    vault = await make_vault({"a.md": "# A\n", "b.md": "See [[a]].\n"})
    vault.open("b.md")
    shown = {vault.path("b.md"): Sheet(vault.path("b.md"), vault.text("b.md"), ContentSettings())}
    begun = [Event() for _ in range(GRAPHS)]

    def begin(event: Event) -> Callable[[Graph], None]:
        def run(graph: Graph) -> None:
            event.set()
            work(graph)

        return run

    tasks = [asyncio.create_task(vault.engine.graph(begin(event), shown)) for event in begun]
    for event in begun:
        await asyncio.to_thread(event.wait)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # All threads were taken: this would wait for ever.
    async with asyncio.timeout(60):
        found = await vault.ask("textDocument/definition", "b.md", vault.at("b.md", "[[a]]"))
    assert vault.name(found[0]["uri"]) == "a.md"


async def test_a_cancelled_request_is_told_so_and_can_be_asked_again(make_vault: MakeVault) -> None:
    vault = await make_vault({"tea.md": "# Tea\n", **{f"{number}.md": "See [[tea]].\n" for number in range(50)}})
    number, reply = vault.editor.ask(
        "textDocument/references",
        {
            "textDocument": {"uri": vault.uri("tea.md")},
            "position": {"line": 0, "character": 3},
            "context": {"includeDeclaration": False},
        },
    )
    vault.editor.notify("$/cancelRequest", {"id": number})
    with pytest.raises(Failure) as failure:
        await reply
    assert failure.value.code == -32800
    assert len(await references(vault)) == 50


async def references(vault: Any) -> Any:
    return await vault.ask("textDocument/references", "tea.md", {"line": 0, "character": 3}, context={"includeDeclaration": False})


async def test_work_on_other_threads_ends_at_its_next_step() -> None:
    begun, ended = Event(), Event()

    def work(stop: Stop) -> None:
        begun.set()
        try:
            while True:
                stop.check()
        except Stopped:
            ended.set()
            raise

    task = asyncio.create_task(on_thread(work))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(60):
        await asyncio.to_thread(ended.wait)
