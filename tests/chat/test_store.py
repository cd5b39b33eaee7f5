"""Conversations survive: what is kept, found, forked and put aside, and what becomes of it when khojd or the disk fails."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from khojd.chat import store_file
from khojd.chat.model import Citation, Passage, Proposal, Step, Turn, Usage, text_hash
from khojd.chat.store import Conversations, new_conversation, new_id
from khojd.errors import ChatError, IndexCorrupt, IndexTooNew, NotFound, StoreError
from tests.conftest import missing, program

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Conversations]:
    opened = await Conversations.open(tmp_path / "index")
    yield opened
    await opened.close()


def turn(conversation: str, question: str, answer: str = "", **more: Any) -> Turn:
    return Turn(
        **{"id": new_id(), "conversation": conversation, "question": question, "answer": answer, "state": "complete", **more}
    )


async def talk(store: Conversations, *questions: str) -> tuple[str, list[Turn]]:
    """A conversation of these questions; its id and turns."""
    one = await store.begin(questions[0])
    turns = [turn(one.id, question, f"Answer to {question}") for question in questions]
    for each in turns:
        await store.add(each)
    return one.id, turns


async def questions(store: Conversations, id: str, *, aside: bool = False) -> list[str]:
    return [each.question for each in await store.turns(id, aside=aside)]


async def test_a_turn_is_kept_whole(store: Conversations, tmp_path: Path) -> None:
    one = await store.begin("What of tea?", persona="writer", filters="tag:tea")
    passage = Passage("/n/a.md", 3, 7, 1, "tea\n", "Tea", ("Top", "茶"), "2024-05-01", "mention", 0.5, 1)
    whole = turn(
        one.id,
        "What of tea?",
        "Drink it [1]. 茶 🍵 \0 end",
        thinking="hm",
        command="notes",
        passages=(passage,),
        citations=(Citation(1, 9, "/n/a.md", 3, 6, 1, "tea", text_hash("tea"), weak=True),),
        steps=(Step("tool", "read", "read_note", {"path": "/n/a.md", "big": 2**80, "deep": [{"x": None}, 1.5]}),),
        proposals=(Proposal("p1", "/n/a.md", 3, 6, "tea", "coffee", "h"),),
        usage=Usage(prompt_tokens=10, cost=0.25),
        queries=("tea",),
        removed=2,
        created=5.0,
        finished=6.5,
    )
    await store.add(whole)
    await store.close()
    again = await Conversations.open(tmp_path / "index")
    assert await again.turns(one.id) == [whole]
    assert await again.turn(whole.id) == whole
    found = await again.get(one.id)
    assert (found.turns, found.persona, found.filters, found.title, found.titled) == (1, "writer", "tag:tea", "What of tea?", False)
    assert found.updated >= found.created == one.created
    await again.close()


async def test_only_its_owner_can_read_the_file_and_its_log(store: Conversations, tmp_path: Path) -> None:
    await talk(store, "secret")
    files = [path for path in (tmp_path / "index").iterdir() if path.name.startswith("conversations.db")]
    assert len(files) >= 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "index").stat().st_mode) == 0o700


async def test_saving_again_replaces_a_turn_in_its_place(store: Conversations) -> None:
    id, turns = await talk(store, "one", "two", "three")
    await store.save(replace(turns[1], answer="longer"))
    assert await questions(store, id) == ["one", "two", "three"]
    assert (await store.turns(id))[1].answer == "longer"


async def test_the_list_is_ordered_by_the_last_change_and_comes_in_pages(store: Conversations) -> None:
    ids = [(await talk(store, f"question {number}"))[0] for number in range(5)]
    assert [one.id for one in await store.list()] == ids[::-1]
    await store.add(turn(ids[0], "again"))
    assert [one.id for one in await store.list(limit=2)] == [ids[0], ids[4]]
    assert [one.id for one in await store.list(limit=2, offset=4)] == [ids[1]]
    assert (await store.list())[0].turns == 2


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["tea", "soup"]),
        ("KETTLE", ["tea"]),
        ("straße", ["soup"]),
        ("STRASSE", ["soup"]),
        ("露天", ["tea"]),
        ("天", ["tea"]),
        ("cafe\u0301", ["soup"]),
        ("ＫＥＴＴＬＥ", ["tea"]),
        ("tea kettle", ["tea"]),
        ("kettle soup", []),
        ("100%", ["soup"]),
        ("1_0%", []),
        ("' OR 1=1 --", []),
        ("zq " * 3000, []),
        (" ".join(f"zq{number}" for number in range(3000)), []),
    ],
)
async def test_search_finds_every_word_in_titles_questions_and_answers(store: Conversations, query: str, found: list[str]) -> None:
    soup, _ = await talk(store, "how is soup made in the Straße?", "next")
    await store.add(turn(soup, "more", "In the Café, 100% butter"))
    tea, _ = await talk(store, "how warm?")
    await store.add(turn(tea, "and?", "The kettle by the 露天風呂"))
    await store.rename(tea, "About tea")
    names = {soup: "soup", tea: "tea"}
    assert [names[one.id] for one in await store.list(query)] == found


async def test_search_does_not_find_what_was_put_aside(store: Conversations) -> None:
    _, turns = await talk(store, "tea", "coffee")
    await store.put_aside(turns[1].id)
    assert await store.list("coffee") == []
    assert len(await store.list("tea")) == 1


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("What did I decide about the roof?\nAnd why?", "What did I decide about the roof?"),
        ("\n\n  /notes   what of tea ", "what of tea"),
        ("/summarize [[Project X]] what is left to do?", "what is left to do?"),
        ("/summarize [[Project X]]", "Summarize Project X"),
        ("/summarize [[file:x.org][The plan]] @journal", "Summarize The plan journal"),
        ('compare @"old plan" with @plan.md', "compare with"),
        ("mail to a@b.example", "mail to a@b.example"),
        ("/help", "Help"),
        ("/etc/hosts says what?", "/etc/hosts says what?"),
        ("a\tb\x1b[31m\u2028c", "a b [31m"),
        ("word " * 30, "word word word word word word word word word word word word…"),
        ("温" * 100, "温" * 60 + "…"),
        ("e\u0301" * 100, "e\u0301" * 30 + "…"),
        ("", "Untitled"),
        ("…?!", "…?!"),
    ],
)
def test_a_title_comes_from_the_first_question(question: str, title: str) -> None:
    assert new_conversation(question).title == title


async def test_a_persons_title_stays_a_models_does_not_replace_it(store: Conversations) -> None:
    id, _ = await talk(store, "first question", "second")
    assert (await store.entitle(id, "By a\nmodel")).title == "By a model"
    assert (await store.entitle(id, "By another")).title == "By a model"
    mine = await store.rename(id, "  Mine\x00 \x1b ")
    assert (mine.title, mine.titled) == ("Mine", True)
    assert (await store.entitle(id, "By a model")).title == "Mine"
    back = await store.rename(id, "")
    assert (back.title, back.titled) == ("first question", False)
    assert len((await store.rename(id, "x" * 1000)).title) == 200


async def test_the_automatic_title_follows_the_first_question_when_that_is_asked_anew(store: Conversations) -> None:
    id, turns = await talk(store, "What of tee?")
    await store.put_aside(turns[0].id)
    await store.add(turn(id, "What of tea?"))
    await store.add(turn(id, "And coffee?"))
    await store.save(replace(turns[0], answer="late"))
    assert (await store.get(id)).title == "What of tea?"
    await store.rename(id, "Drinks")
    await store.put_aside((await store.turns(id))[0].id)
    await store.add(turn(id, "What of cocoa?"))
    assert (await store.get(id)).title == "Drinks"


async def test_persona_and_filters_change_alone(store: Conversations) -> None:
    one = await store.begin("q", persona="writer", filters="tag:a")
    assert (await store.change(one.id, filters="")).persona == "writer"
    changed = await store.change(one.id, persona="developer")
    assert (changed.persona, changed.filters) == ("developer", "")


async def test_a_question_asked_anew_puts_the_old_ones_aside_and_loses_nothing(store: Conversations) -> None:
    id, turns = await talk(store, "one", "two", "three")
    assert [each.question for each in await store.put_aside(turns[1].id)] == ["two", "three"]
    assert await questions(store, id) == ["one"]
    assert await questions(store, id, aside=True) == ["two", "three"]
    assert (await store.get(id)).turns == 1
    await store.add(turn(id, "two, better"))
    assert await questions(store, id) == ["one", "two, better"]
    # What still ran when it was put aside is saved where it is.
    await store.save(replace(turns[2], answer="late"))
    assert await questions(store, id) == ["one", "two, better"]
    assert (await store.turns(id, aside=True))[1].answer == "late"
    with pytest.raises(NotFound, match="put aside before"):
        await store.put_aside(turns[1].id)


async def test_a_fork_has_all_that_led_to_its_turn(store: Conversations) -> None:
    id, turns = await talk(store, "one", "two", "three")
    fork = await store.fork(turns[1].id)
    assert (fork.title, fork.forked_from, fork.turns) == ("one", turns[1].id, 2)
    copies = await store.turns(fork.id)
    assert [replace(copy, id="", conversation="") for copy in copies] == [
        replace(original, id="", conversation="") for original in turns[:2]
    ]
    assert {copy.conversation for copy in copies} == {fork.id}
    await store.add(turn(fork.id, "else"))
    await store.delete(id)
    assert await questions(store, fork.id) == ["one", "two", "else"]


async def test_a_fork_of_what_was_put_aside_has_the_turns_of_its_time(store: Conversations) -> None:
    id, (one, two, three) = await talk(store, "one", "two", "three")
    await store.put_aside(three.id)
    third = turn(id, "three, better")
    await store.add(third)
    await store.put_aside(two.id)
    await store.add(turn(id, "two, better"))
    assert await questions(store, (await store.fork(three.id)).id) == ["one", "two", "three"]
    assert await questions(store, (await store.fork(third.id)).id) == ["one", "two", "three, better"]
    assert await questions(store, (await store.fork(two.id)).id) == ["one", "two"]
    assert await questions(store, (await store.fork(one.id)).id) == ["one"]


async def test_a_running_turn_cannot_be_forked_but_those_before_it_can(store: Conversations) -> None:
    id, (one,) = await talk(store, "one")
    running = turn(id, "two", state="running")
    await store.add(running)
    with pytest.raises(ChatError, match="not whole yet"):
        await store.fork(running.id)
    assert await questions(store, (await store.fork(one.id)).id) == ["one"]


async def test_what_is_deleted_is_gone_from_the_disk(store: Conversations, tmp_path: Path) -> None:
    id, turns = await talk(store, "the pangolin in the cellar", "two")
    await store.put_aside(turns[1].id)
    other, _ = await talk(store, "stays")
    await store.delete(id)
    assert [one.id for one in await store.list()] == [other]
    files = b"".join(path.read_bytes() for path in (tmp_path / "index").iterdir())
    assert b"pangolin" not in files
    assert b"stays" in files
    with pytest.raises(NotFound):
        await store.turns(id)
    with pytest.raises(NotFound):
        await store.turn(turns[0].id)
    with pytest.raises(NotFound, match=id):
        await store.save(replace(turns[0], answer="late"))


async def test_unknown_ids_are_named(store: Conversations) -> None:
    for call in (store.get, store.turns, store.delete, store.put_aside, store.fork, store.turn, store.resolve, store.resolve_turn):
        with pytest.raises(NotFound, match="feedfeedfeedfeed"):
            await call("feedfeedfeedfeed")
    with pytest.raises(NotFound, match="feedfeedfeedfeed"):
        await store.rename("feedfeedfeedfeed", "x")
    with pytest.raises(NotFound, match="feedfeedfeedfeed"):
        await store.add(turn("feedfeedfeedfeed", "q"))


async def test_the_beginning_of_an_id_is_enough_when_it_is_the_only_one(store: Conversations) -> None:
    ids = sorted([(await talk(store, f"q{number}"))[0] for number in range(20)])
    assert await store.resolve(ids[3]) == ids[3]
    shortest = next(length for length in range(1, 17) if len({id[:length] for id in ids}) == 20)
    assert [await store.resolve(id[:shortest].upper()) for id in ids] == ids
    with pytest.raises(NotFound, match="several conversations"):
        await store.resolve(next(id for id in ids if sum(other[0] == id[0] for other in ids) > 1)[0])  # 20 ids, 16 digits
    for wrong in ("", "%", "_", "zz", "'"):
        with pytest.raises(NotFound):
            await store.resolve(wrong)


async def test_many_at_once_keep_their_order_and_lose_nothing(store: Conversations) -> None:
    ids = [(await store.begin(f"q{number}")).id for number in range(4)]

    async def speak(id: str) -> None:
        for number in range(10):
            each = turn(id, str(number), state="running")
            await store.add(each)
            await asyncio.gather(*(store.save(replace(each, answer="x" * length)) for length in range(4)))
            await store.save(replace(each, answer="done", state="complete"))

    await asyncio.gather(*map(speak, ids))
    for id in ids:
        turns = await store.turns(id)
        assert [(each.question, each.answer, each.state) for each in turns] == [(str(n), "done", "complete") for n in range(10)]


async def test_a_call_that_is_cancelled_leaves_the_store_usable(store: Conversations) -> None:
    id, turns = await talk(store, "one")
    task = asyncio.create_task(store.save(replace(turns[0], answer="cancelled?")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.add(turn(id, "two"))
    assert await questions(store, id) == ["one", "two"]


async def test_text_that_no_utf8_holds_is_kept_as_well_as_can_be(store: Conversations) -> None:
    one = await store.begin("q \ud800")
    kept = turn(one.id, "q \ud800", "a \udfff b", steps=(Step("tool", "t", data={"k\ud800": ["\ud800"]}),))
    await store.add(kept)
    (back,) = await store.turns(one.id)
    assert (back.question, back.answer, back.steps[0].data) == ("q ?", "a ? b", {"k?": ["?"]})


async def test_after_it_is_closed_every_call_says_so(tmp_path: Path) -> None:
    store = await Conversations.open(tmp_path)
    await store.close()
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.list()


# --- faults --------------------------------------------------------------------------------------------------------------------

SPEAKS = """
import asyncio, sys
from pathlib import Path
from msgspec.structs import replace
from khojd.chat.model import Turn
from khojd.chat.store import Conversations, new_id

async def main():
    store = await Conversations.open(Path(sys.argv[1]))
    one = await store.begin("the question")
    await store.add(Turn(new_id(), one.id, "whole", answer="whole answer", state="complete"))
    turn = Turn(new_id(), one.id, "cut off")
    await store.add(turn)
    for number in range(1_000_000):
        turn = replace(turn, answer=turn.answer + f"{number} ")
        await store.save(turn)
        print(number, flush=True)

asyncio.run(main())
"""


async def test_a_turn_that_is_killed_is_failed_and_keeps_its_text(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", SPEAKS, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    for _ in range(5):
        line = process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()
    for _ in range(2):  # the second start finds nothing to mend
        store = await Conversations.open(tmp_path)
        assert store.problem == ""
        (one,) = await store.list("cut off")
        whole, cut = await store.turns(one.id)
        assert (whole.state, whole.answer) == ("complete", "whole answer")
        assert (cut.state, cut.reason) == ("failed", "khojd ended before the answer was whole")
        assert f" {int(line)} " in cut.answer
        assert cut.finished > 0
        await store.close()


async def damage(directory: Path, what: str) -> dict[str, list[Turn]]:
    """Damage a file of 50 conversations, each with two turns of some pages; what was in it."""
    store = await Conversations.open(directory)
    kept = dict([await talk(store, f"question {number} " + "x" * 3000, "more " * 1000) for number in range(50)])
    await store.close()
    file = directory / store_file.FILE
    data = file.read_bytes()
    half = len(data) // 8192 * 4096
    if what == "junk":
        file.write_bytes(b"no database at all " * 1000)
    elif what == "cut":
        file.write_bytes(data[:half])
    elif what == "page":
        file.write_bytes(data[:half] + bytes(4096 * 3) + data[half + 4096 * 3 :])
    else:
        with sqlite3.connect(file) as db:
            db.execute("DROP TABLE turns")
        db.close()
    return kept


@pytest.mark.parametrize(("what", "least"), [("junk", (0, 0)), ("no turns", (50, 0)), ("cut", (0, 0)), ("page", (40, 80))])
async def test_a_damaged_file_is_set_aside_and_what_can_be_read_of_it_is_taken_over(
    tmp_path: Path, what: str, least: tuple[int, int]
) -> None:
    kept = await damage(tmp_path, what)
    before = (tmp_path / store_file.FILE).read_bytes()
    (tmp_path / store_file.SUSPECT).touch()
    store = await Conversations.open(tmp_path)
    (aside,) = tmp_path.glob("conversations.db.damaged-*")
    assert aside.read_bytes() == before
    listed = await store.list()
    turns = {one.id: await store.turns(one.id) for one in listed}
    assert f"{aside}; what could be read of it was taken over: {len(listed)} conversations" in store.problem
    assert (len(listed), sum(map(len, turns.values()))) >= least
    for id, found in turns.items():
        assert [turn for turn in kept[id] if turn in found] == found
    new, _ = await talk(store, "a new beginning")
    await store.close()
    store = await Conversations.open(tmp_path)
    assert (store.problem, (await store.list())[0].id, len(await store.list())) == ("", new, len(listed) + 1)
    await store.close()


async def test_damage_that_is_met_on_the_way_is_mended_at_once(tmp_path: Path) -> None:
    kept = await damage(tmp_path, "page")
    store = await Conversations.open(tmp_path)
    told: list[str] = []
    store.watch(told.append)
    assert (store.problem, told) == ("", [])
    with pytest.raises(IndexCorrupt, match="do not read back"):
        await store.list("nowhere")
    assert "taken over" in store.problem
    assert told == [store.problem]
    assert await store.list("nowhere") == []
    found = await store.list()
    assert 40 <= len(found) <= len(kept)
    await store.add(turn(found[0].id, "goes on"))
    await store.close()


async def test_one_turn_that_does_not_read_back_hides_no_other(store: Conversations, tmp_path: Path) -> None:
    id, turns = await talk(store, "one", "two", "three")
    with sqlite3.connect(tmp_path / "index" / store_file.FILE) as db:
        db.execute("UPDATE turns SET body = '{\"id\": 5}' WHERE id = ?", (turns[1].id,))
    db.close()
    one, two, three = await store.turns(id)
    assert (one, three) == (turns[0], turns[2])
    assert (two.id, two.conversation, two.state) == (turns[1].id, id, "failed")
    assert "does not read back" in two.reason


async def test_a_file_of_a_newer_khojd_is_left_as_it_is_and_nobody_is_told_to_remove_it(tmp_path: Path) -> None:
    store = await Conversations.open(tmp_path)
    await talk(store, "precious")
    await store.close()
    with sqlite3.connect(tmp_path / store_file.FILE) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = (tmp_path / store_file.FILE).read_bytes()
    with pytest.raises(IndexTooNew, match="update khojd") as failure:
        await Conversations.open(tmp_path)
    assert "remove" not in failure.value.message
    assert failure.value.data["found"] == 99
    assert [path.name for path in tmp_path.iterdir()] == [store_file.FILE]
    assert (tmp_path / store_file.FILE).read_bytes() == before


async def test_an_older_file_is_brought_up_to_date(tmp_path: Path) -> None:
    store = await Conversations.open(tmp_path)
    id, _ = await talk(store, "old")
    await store.close()
    steps = {**store_file.MIGRATIONS, 2: "ALTER TABLE conversations ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'"}
    db = store_file.open_writable(tmp_path, steps)
    assert db.execute("SELECT id, colour FROM conversations").fetchall() == [(id, "red")]
    db.close()
    # A step that fails leaves the version before it, whole.
    with pytest.raises(sqlite3.OperationalError):
        store_file.open_writable(tmp_path, {**steps, 3: "DELETE FROM conversations; SELECT * FROM nowhere"})
    db = store_file.open_writable(tmp_path, steps)
    assert db.execute("SELECT count(*) FROM conversations").fetchall() == [(1,)]
    db.close()


@pytest.mark.skipif(sys.platform == "win32", reason="mounts of Linux")
@pytest.mark.parametrize("scenario", ["full", "full_from_the_start", "read_only", "read_only_and_empty"])
def test_where_nothing_can_be_written_reading_goes_on(tmp_path: Path, scenario: str) -> None:
    command = [program("unshare"), "--user", "--map-root-user", "--mount"]
    if subprocess.run([*command, "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)], capture_output=True).returncode:
        missing("the right to mount in a namespace of one's own")
    run = [*command, sys.executable, "-m", "tests.chat.scarce", scenario, str(tmp_path)]
    ran = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert ran.returncode == 0, ran.stderr
