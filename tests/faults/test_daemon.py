"""A daemon that is killed, or whose index is damaged under it: its clients' next question is answered."""

import os
import signal
import sqlite3
from contextlib import closing

import pytest

from khojd.errors import DaemonError, IndexCorrupt
from khojd.server.types import IndexStatus, NoParams, SearchParams, SearchResult, UpdateParams, UpdateResult
from tests.e2e.conftest import Place
from tests.faults.corpus import write_notes

NOTES = 160


def found(place: Place) -> int:
    with place.client() as client:
        client.call("khoj/index/update", UpdateParams(), UpdateResult)
        return client.call("khoj/search", SearchParams(query="scratched note", mode="lexical", limit=200), SearchResult).count


def test_after_a_kill_in_the_middle_of_indexing_the_next_daemon_finishes(place: Place) -> None:
    write_notes(place.notes, NOTES)
    with place.client() as client:
        killed = place.pid

        def kill(_: object) -> None:
            os.kill(killed, signal.SIGKILL)

        with pytest.raises(DaemonError):
            client.call("khoj/index/update", UpdateParams(), UpdateResult, on_progress=kill)
    place.gone(killed)
    assert found(place) == NOTES
    assert place.pid != killed


def test_a_catalog_damaged_under_a_running_daemon_is_repaired_by_the_next_one(place: Place) -> None:
    write_notes(place.notes, NOTES)
    assert found(place) == NOTES
    first = place.pid
    os.kill(first, signal.SIGTERM)
    place.gone(first)
    file = place.index / "catalog.db"
    with closing(sqlite3.connect(file)) as db:
        ((page,),) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'entries'")
        ((size,),) = db.execute("PRAGMA page_size")
    with file.open("r+b") as raw:
        raw.seek((page - 1) * size)
        raw.write(b"\xa5" * size)
    with place.client() as client:
        second = place.pid
        with pytest.raises(IndexCorrupt):
            client.call("khoj/search", SearchParams(query="scratched", mode="lexical"), SearchResult)
    place.gone(second)
    assert found(place) == NOTES
    with place.client() as client:
        assert any("catalog" in problem for problem in client.call("khoj/index/status", NoParams(), IndexStatus).problems)
