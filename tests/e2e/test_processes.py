"""Daemons that come and go, and clients that find one all the same."""

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from khojd.daemon import bridge, client, handover
from khojd.daemon.address import Record
from khojd.daemon.client import Client, WorkDone
from khojd.daemon.logs import log_path
from khojd.errors import ConfigError, DaemonError, QueryError
from khojd.server.types import (
    PROTOCOL,
    DaemonStatus,
    IndexStatus,
    NoParams,
    RetireParams,
    RetireResult,
    SearchParams,
    SearchResult,
    UpdateParams,
    UpdateResult,
    ValidateParams,
    ValidateResult,
)
from tests.e2e.conftest import KILL, Place, alive
from tests.server.editor import framed

Said = dict[str, object]
HELLO: Said = {"processId": None, "rootUri": None, "capabilities": {}}
INITIALIZE: Said = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}
UNIX = pytest.mark.skipif(sys.platform == "win32", reason="there are no such sockets, signals and modes on Windows")
STATUS: Said = {"jsonrpc": "2.0", "id": 2, "method": "khoj/daemon/status"}
EXIT: Said = {"jsonrpc": "2.0", "method": "exit"}


def ask_pid(place: Place) -> int:
    with place.client() as attached:
        return attached.call("khoj/daemon/status", NoParams(), DaemonStatus).pid


def talk(child: "subprocess.Popen[bytes]", *messages: Said) -> bytes:
    """Say each message, waiting for the reply to a request; then wait for the end. All of standard output."""
    assert child.stdin is not None
    assert child.stdout is not None
    out = b""
    for message in messages:
        child.stdin.write(framed(message))
        child.stdin.flush()
        if "id" in message:
            header = child.stdout.readline()
            assert header.startswith(b"Content-Length: "), header
            out += header + child.stdout.read(2 + int(header.split(b":")[1]))
    rest, _ = child.communicate(timeout=60)
    return out + rest


def bodies(out: bytes) -> list[bytes]:
    """The messages of a stream that must hold nothing else."""
    found = []
    while out:
        header, _, rest = out.partition(b"\r\n\r\n")
        assert header.startswith(b"Content-Length: "), header[:80]
        size = int(header.split(b":")[1])
        found.append(rest[:size])
        out = rest[size:]
    return found


def test_twenty_clients_at_once_get_one_daemon(place: Place) -> None:
    bridges = [place.start("connect", *place.places) for _ in range(10)]
    with ThreadPoolExecutor(20) as pool:
        pids = [pool.submit(ask_pid, place) for _ in range(10)]
        answers = [pool.submit(talk, each, INITIALIZE, STATUS, EXIT) for each in bridges]
        assert {pid.result() for pid in pids} == {place.pid}
        for answer in answers:
            (hello,) = bodies(answer.result())[:1]
            assert b"khoj/search" in hello
    assert [each.returncode for each in bridges] == [0] * 10


def test_an_idle_daemon_leaves_and_comes_back(place: Place) -> None:
    place.configure(idle_minutes=0.05)
    first = ask_pid(place)
    place.gone(first)
    assert not place.address.exists()
    assert Record.read(place.index) is None
    second = ask_pid(place)
    assert second != first


@UNIX
def test_a_connection_that_says_nothing_does_not_keep_a_daemon(place: Place) -> None:
    place.configure(idle_minutes=0.05)
    with socket.socket(socket.AF_UNIX) as mute:
        with place.client() as attached:  # as long as it is there the daemon is, too
            mute.connect(str(place.address))
            first = attached.call("khoj/daemon/status", NoParams(), DaemonStatus).pid
        place.gone(first)
        assert mute.recv(1) == b""


def test_clients_find_a_daemon_while_others_are_leaving(place: Place) -> None:
    """Each round retires the daemon and attaches at once, in the middle of its departure."""
    for _ in range(5):
        with place.client() as attached:
            old = attached.call("khoj/daemon/status", NoParams(), DaemonStatus).pid
            assert attached.call("khoj/daemon/retire", RetireParams(force=True), RetireResult).retiring
            late = place.start("connect", *place.places)
            assert ask_pid(place) != old
            assert b"khoj/search" in bodies(talk(late, INITIALIZE, EXIT))[0]


def test_after_a_kill_the_next_client_gets_a_new_daemon(place: Place) -> None:
    first = ask_pid(place)
    os.kill(first, KILL)
    place.gone(first)
    assert place.address.exists() or sys.platform == "win32"  # the dead socket lies there still
    assert ask_pid(place) != first


def test_a_client_that_is_answered_nothing_any_more_is_told(place: Place) -> None:
    with place.client() as attached:
        os.kill(place.pid, KILL)
        with pytest.raises(DaemonError, match="left before it answered"):
            attached.call("khoj/daemon/status", NoParams(), DaemonStatus)


def test_the_loser_of_the_race_for_the_lock_leaves_without_an_error(place: Place) -> None:
    pid = ask_pid(place)
    loser = place.start("serve", *place.places)
    out, err = loser.communicate(timeout=60)
    assert (out, loser.returncode) == (b"", 0)
    assert b"has a daemon already" in err
    assert alive(pid)


@UNIX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_daemon_cleanly(place: Place, number: signal.Signals) -> None:
    daemon = place.start("serve", *place.places)
    assert daemon.stderr is not None
    assert b"serving" in daemon.stderr.readline()
    with place.client() as attached:
        assert attached.call("khoj/daemon/status", NoParams(), DaemonStatus).pid == daemon.pid
        daemon.send_signal(number)
        assert daemon.wait(60) == 0
    assert not place.address.exists()
    assert Record.read(place.index) is None


def test_clients_with_another_environment_find_the_same_daemon(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = ask_pid(place)
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert ask_pid(place) == pid
    other = place.start("connect", *place.places)
    assert str(pid).encode() in bodies(talk(other, INITIALIZE, STATUS, EXIT))[1]


def test_without_spawning_a_missing_daemon_is_an_error(place: Place) -> None:
    with pytest.raises(DaemonError, match="no daemon is running"):
        place.client(spawn=False)
    assert not place.index.exists()


def test_why_a_daemon_cannot_start_reaches_the_client(place: Place) -> None:
    place.config.write_text("[daemon]\nidle_minute = 3\n", encoding="utf-8")
    with pytest.raises(DaemonError, match=r"config\.toml: unknown key daemon\.idle_minute; did you mean idle_minutes"):
        place.client()
    late = place.start("connect", *place.places)
    out, err = late.communicate(framed(INITIALIZE), timeout=60)
    assert (out, late.returncode) == (b"", 3)
    assert b"unknown key daemon.idle_minute" in err


def test_a_newer_client_gets_an_unused_older_daemon_to_leave(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    old = ask_pid(place)
    monkeypatch.setattr(client, "PROTOCOL", (1, PROTOCOL[1] + 1))
    assert ask_pid(place) != old
    place.gone(old)


def test_a_newer_client_uses_an_older_daemon_that_others_use(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with place.client():
        old = place.pid
        monkeypatch.setattr(client, "PROTOCOL", (1, PROTOCOL[1] + 1))
        assert ask_pid(place) == old
        assert handover.retire(place.index, place.config, PROTOCOL[1] + 1) is False


def test_the_bridge_of_a_newer_khojd_gets_an_older_daemon_to_leave(place: Place) -> None:
    assert PROTOCOL[1] == bridge.PROTOCOL
    old = ask_pid(place)
    record = Record.read(place.index)
    assert record is not None
    # As an older khojd would have written it.
    Record(pid=old, address=record.address, protocol=(0, 0), version="0.0.1").write(place.index)
    newer = place.start("connect", *place.places)
    answers = bodies(talk(newer, INITIALIZE, STATUS, EXIT))
    assert b"khoj/search" in answers[0]
    place.gone(old)


def test_the_bridge_ends_with_an_error_when_the_daemon_dies(place: Place) -> None:
    attached = place.start("connect", *place.places)
    assert attached.stdin is not None
    assert attached.stdout is not None
    attached.stdin.write(framed(INITIALIZE))
    attached.stdin.flush()
    assert attached.stdout.readline().startswith(b"Content-Length: ")
    os.kill(place.pid, KILL)
    assert attached.wait(60) == 3


def test_the_bridge_writes_nothing_but_messages_and_leaves_with_its_editor(place: Place) -> None:
    (place.notes / "a.md").write_text("# Tea\n\ngreen\n", encoding="utf-8")
    attached = place.start("connect", *place.places)
    search: Said = {"jsonrpc": "2.0", "id": 3, "method": "khoj/search", "params": {"query": "tea", "mode": "lexical"}}
    unknown: Said = {"jsonrpc": "2.0", "id": 4, "method": "no/such"}
    out = talk(attached, INITIALIZE, STATUS, search, unknown)  # no exit: standard input just ends
    assert len(bodies(out)) >= 1
    assert attached.returncode == 0


def test_the_bridge_tells_where_the_daemon_listens_and_starts_it(place: Place) -> None:
    for _ in range(2):  # the second time it runs already
        out, err = place.start("connect", *place.places, "--address").communicate(timeout=60)
        assert (out.decode().splitlines(), err) == ([str(place.address)], b"")
    with place.client(spawn=False) as attached:
        assert attached.call("khoj/daemon/status", NoParams(), DaemonStatus).pid == place.pid


@UNIX
def test_where_there_can_be_no_daemon_the_bridge_says_why_instead_of_an_address(place: Place) -> None:
    place.index.write_text("a file in the index's place", encoding="utf-8")
    child = place.start("connect", *place.places, "--address")
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (bridge.FAILED, b"")
    assert str(place.index) in err.decode()


def test_the_daemon_holds_no_stream_of_the_process_that_started_it(place: Place) -> None:
    first = place.start("connect", *place.places)
    # communicate() returns at the end of both pipes, which a daemon that kept them would hold open.
    first.communicate(framed(INITIALIZE) + framed(EXIT), timeout=60)
    assert alive(place.pid)


@UNIX
def test_the_log_is_private_and_holds_no_notes(place: Place, own_home: Path) -> None:
    (place.notes / "a.md").write_text("# Diary\n\nmy secret thought\n", encoding="utf-8")
    with place.client() as attached:
        attached.call("khoj/index/update", UpdateParams(), UpdateResult)
        attached.call("khoj/search", SearchParams(query="secret thought", mode="lexical"), SearchResult)
        log = Path(attached.call("khoj/daemon/status", NoParams(), DaemonStatus).log)
    assert log == log_path(place.index)
    assert own_home in log.parents
    assert log.stat().st_mode & 0o777 == 0o600
    text = log.read_text(encoding="utf-8")
    assert "serving" in text
    assert "secret" not in text
    assert place.address.stat().st_mode & 0o777 == 0o600
    assert place.address.parent.stat().st_mode & 0o777 == 0o700


@UNIX
def test_a_good_edit_of_the_configuration_takes_effect_and_a_bad_one_is_said(place: Place, tmp_path: Path) -> None:
    with place.client() as attached:
        place.configure(idle_minutes=7.5)
        os.kill(place.pid, signal.SIGHUP)
        while attached.call("khoj/daemon/status", NoParams(), DaemonStatus).idle_minutes != 7.5:
            pass
        # Whole at once: the daemon may be looking at the file, and one that is being written is empty at first.
        edited = place.config.with_name("edited.toml")
        edited.write_text("[daemon]\nidle_minutes = -1\n", encoding="utf-8")
        edited.replace(place.config)
        os.kill(place.pid, signal.SIGHUP)
        while not (problems := attached.call("khoj/index/status", NoParams(), IndexStatus).problems):
            pass
        assert "daemon.idle_minutes = -1" in problems[0]
        assert attached.call("khoj/daemon/status", NoParams(), DaemonStatus).idle_minutes == 7.5


def test_the_client_streams_and_reports_and_raises_what_the_daemon_answers(place: Place) -> None:
    for number in range(30):
        (place.notes / f"{number}.md").write_text(f"# Tea {number}\n\ngreen {number}\n", encoding="utf-8")
    seen: list[WorkDone] = []
    parts: list[SearchResult] = []
    with place.client() as attached:
        assert attached.hello.protocol == PROTOCOL
        attached.call("khoj/index/update", UpdateParams(), UpdateResult, on_progress=seen.append)
        assert (seen[0].kind, seen[-1].kind) == ("begin", "end")
        final = attached.call(
            "khoj/search", SearchParams(query="tea", mode="lexical", limit=7), SearchResult, on_partial=parts.append
        )
        assert (len(parts[-1].hits), final.hits, final.count) == (7, (), 7)
        with pytest.raises(QueryError) as failure:
            attached.call("khoj/search", SearchParams(query='date>"whenever"'), SearchResult)
        assert failure.value.data["kind"] == "query"
        assert attached.call("khoj/config/validate", ValidateParams(text="x ="), ValidateResult).valid is False
        with pytest.raises(DaemonError, match="run khojd stop"):
            attached.call("khoj/nothing", None, SearchResult)


def test_words_come_first_and_meaning_next(place: Place) -> None:
    place.configure(model="bundled")
    (place.notes / "a.md").write_text("# Felines\n\nA kitten sleeps on the sofa.\n", encoding="utf-8")
    (place.notes / "b.md").write_text("# Taxes\n\nThe form is due in May.\n", encoding="utf-8")
    parts: list[SearchResult] = []
    with place.client() as attached:
        attached.call("khoj/index/update", UpdateParams(embed=True), UpdateResult)
        attached.call("khoj/search", SearchParams(query="cat resting"), SearchResult, on_partial=parts.append)
        status = attached.call("khoj/index/status", NoParams(), IndexStatus)
    assert [part.phase for part in parts] == ["words", "fused"]
    assert parts[0].hits == ()
    assert parts[1].hits[0].headings == ("Felines",)
    assert (status.embedded, status.vectors_pending) == (2, 0)


def test_an_interrupt_cancels_the_request_and_the_client_goes_on(place: Place) -> None:
    def interrupt(progress: WorkDone) -> None:
        if progress.kind == "begin":
            raise KeyboardInterrupt  # as the signal does, wherever the client happens to be

    with place.client() as attached:
        with pytest.raises(KeyboardInterrupt):
            attached.call("khoj/index/update", UpdateParams(), UpdateResult, on_progress=interrupt)
        assert attached.call("khoj/daemon/status", NoParams(), DaemonStatus).pid == place.pid


def test_every_error_of_the_daemon_is_raised_as_itself() -> None:
    raised = client.error_of(ConfigError.code, "bad", {"kind": "config", "key": "a.b"})
    assert isinstance(raised, ConfigError)
    assert raised.data == {"kind": "config", "key": "a.b"}
    assert isinstance(client.error_of(-32603, "oops", None), DaemonError)
    assert isinstance(Client, type)
