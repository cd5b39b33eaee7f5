"""`khojd index`, `status` and `stop`: from an empty start to a stopped daemon."""

import json
import re
import subprocess
import sys

import pytest

from khojd.cli.status import _show
from khojd.server.types import DaemonStatus, FilesParams, FilesResult, IndexStatus, NoParams
from tests.cli.khojd import Khojd


def test_a_newcomer_is_told_to_add_a_folder(newcomer: Khojd) -> None:
    assert "khojd index --add FOLDER" in newcomer("search", "tea", status=1).stderr
    assert newcomer.refused("index") == "no folder is configured; add one with `khojd index --add FOLDER`"
    assert "none yet; add one with" in newcomer("status").stdout


def test_adding_a_folder_makes_it_searchable_and_lasting(newcomer: Khojd) -> None:
    newcomer.write("tea.md", "# Tea\n\nSteep for three minutes.\n")
    added = newcomer("index", "--add", "notes", "--wait")
    assert f"added {newcomer.notes}" in added.stderr
    assert "1 file, 1 entry in the index; 1 added (" in added.stdout
    assert f'path = "{newcomer.notes}"' in newcomer.config.read_text(encoding="utf-8")
    newcomer("stop")
    assert newcomer("search", "steep").stdout.startswith("notes/tea.md:")
    removed = newcomer("index", "--remove", "notes")
    assert f"removed {newcomer.notes}" in removed.stderr
    assert "tea" not in newcomer.config.read_text(encoding="utf-8")
    newcomer("search", "steep", status=1)
    assert (newcomer.notes / "tea.md").exists()


def test_a_folder_that_is_not_saved_is_forgotten_with_the_daemon(newcomer: Khojd) -> None:
    newcomer.write("tea.md", "Steep for three minutes.\n")
    assert "until the daemon leaves" in newcomer("index", "--add", "notes", "--no-save").stderr
    assert newcomer.json("search", "steep")["count"] == 1
    newcomer("stop")
    newcomer("search", "steep", status=1)


def test_folders_that_cannot_be_added_are_refused(khojd: Khojd) -> None:
    assert "does not exist" in khojd.refused("index", "--add", "missing")
    assert "is a file" in khojd.refused("index", "--add", "notes/bike.md")
    assert "is not one of the folders" in khojd.refused("index", "--remove", "run")
    assert "both" in khojd.refused("index", "--add", "notes", "--remove", "notes")


def test_a_folder_that_is_away_is_told_and_the_others_are_read(newcomer: Khojd) -> None:
    newcomer.write("tea.md", "Steep for three minutes.\n")
    newcomer.config.parent.mkdir(parents=True, exist_ok=True)
    newcomer.config.write_text(f'[[folders]]\npath = "{newcomer.notes}"\n[[folders]]\npath = "{newcomer.notes}-away"\n')
    done = newcomer("index", "--wait")
    assert "1 file, 1 entry in the index" in done.stdout
    assert f"warning: {newcomer.notes}-away is not there" in done.stderr


def test_paths_outside_and_paths_that_are_missing_are_refused(khojd: Khojd) -> None:
    assert "none of the folders" in khojd.refused("index", "run")
    assert "does not exist" in khojd.refused("index", "missing/note.md")


def test_one_note_can_be_read_again_and_forgotten(khojd: Khojd) -> None:
    new = khojd.write("new.md", "A pangolin.\n")
    khojd.json("index", "notes/new.md")
    assert khojd.json("search", "--mode", "lexical", "pangolin")["count"] == 1
    new.unlink()
    khojd.json("index", "notes/new.md")
    khojd("search", "--mode", "lexical", "pangolin", status=1)


def test_the_answer_as_json_counts_files(khojd: Khojd) -> None:
    report = khojd.json("index")
    assert set(report) >= {"added", "changed", "renamed", "removed", "unchanged", "skipped", "failed", "tookMs", "cancelled"}
    assert (report["added"], report["unchanged"], report["skipped"]) == (0, 5, 1)


def test_status_counts_files_and_names_the_folder(khojd: Khojd) -> None:
    khojd("index", "--wait")  # whatever the tests before have changed
    out = khojd("status").stdout
    assert f"{khojd.notes}: " in out
    assert "5 indexed, 1 skipped" in out
    assert "all is up to date" in out
    both = khojd.json("status")
    assert both["index"]["indexed"] == 5
    assert both["daemon"]["config"] == str(khojd.config)


def test_status_lists_each_file_with_its_state_and_reason(khojd: Khojd) -> None:
    out = khojd("status", "--files", "--state", "skipped").stdout
    assert out.startswith("skipped  notes/picture.txt  binary")
    files = khojd.json("status", "--files")["files"]
    assert {file["state"] for file in files} == {"indexed", "skipped"}
    assert len(files) == 6


def test_an_interrupted_run_is_cancelled_at_the_daemon(newcomer: Khojd) -> None:
    newcomer.write("tea.md", "Steep for three minutes.\n")
    newcomer("index", "--add", "notes", "--wait")
    with newcomer.client() as session:
        session.call("khoj/index/pause", NoParams(), IndexStatus)
        newcomer.write("more.md", "Now it waits for ever.\n")

        def waiting() -> bool:
            clients = session.call("khoj/daemon/status", NoParams(), DaemonStatus).clients
            return any(client.requests and "command line" in client.name for client in clients)

        result = newcomer.interrupted("index", "--wait", when=waiting)
        assert (result.returncode, result.stdout) == (130, "")
        assert result.stderr.startswith("indexing is paused; waiting until it is resumed")
        assert result.stderr.endswith("khojd: interrupted\n")
        assert not waiting()
        session.call("khoj/index/resume", NoParams(), IndexStatus)
        assert newcomer.json("index", "--wait")["cancelled"] is False
        names = [file.path for file in session.call("khoj/index/files", FilesParams(states=("indexed",)), FilesResult).files]
    assert str(newcomer.notes / "more.md") in names


def test_indexing_is_paused_and_resumed_by_hand(newcomer: Khojd) -> None:
    newcomer.write("tea.md", "Steep for three minutes.\n")
    newcomer("index", "--add", "notes", "--wait")
    assert newcomer("index", "--pause").stdout == "paused; `khojd index --resume` goes on\n"
    assert newcomer.json("index", "--pause")["paused"] is True
    assert "paused; `khojd index --resume` goes on" in newcomer("status").stdout
    newcomer.write("more.md", "A pangolin waits.\n")
    newcomer("search", "--mode", "lexical", "pangolin", status=1)
    assert newcomer.json("search", "--mode", "lexical", "steep")["count"] == 1
    assert "resumed" in newcomer("index", "--resume", "--wait").stderr
    assert newcomer.json("search", "--mode", "lexical", "pangolin")["count"] == 1
    assert newcomer.json("status")["index"]["paused"] is False


@pytest.mark.parametrize("other", ["--resume", "--wait", "notes"])
def test_a_pause_is_asked_for_alone(khojd: Khojd, other: str) -> None:
    assert "--pause stands alone" in khojd.refused("index", "--pause", other)


def test_a_daemon_in_use_stays_unless_forced(newcomer: Khojd) -> None:
    newcomer("status")
    with newcomer.client():
        stays = newcomer("stop", status=1)
        assert "other clients are attached: a test" in stays.stderr
        assert newcomer("stop", "--force").stdout == "stopped\n"
    assert newcomer("stop").stdout == "no daemon was running\n"


def test_a_daemon_that_has_still_to_embed_stops_and_says_what_is_left_for_its_next_start(newcomer: Khojd) -> None:
    for number in range(400):
        newcomer.write(f"{number}.md", f"# Note {number}\n\n" + f"The heron number {number} stands in the pond. " * 40)
    newcomer("index", "--add", "notes")
    said = newcomer("stop").stdout
    assert re.fullmatch(r"stopped; \d+ entr(y|ies) will be found by meaning when it is next started\n", said)
    assert newcomer.json("status")["index"]["vectorsPending"] > 0


def test_why_the_daemon_cannot_start_is_told_with_the_status_of_its_cause(newcomer: Khojd) -> None:
    newcomer.config.write_text("[daemon]\nidle_minute = 3\n", encoding="utf-8")
    assert "did you mean idle_minutes?" in newcomer.refused("search", "tea")
    newcomer.config.unlink()
    other = newcomer.home / "file"
    other.write_text("not a directory", encoding="utf-8")
    assert "is not a directory" in newcomer.refused("--index", "file", "search", "tea", status=4)
    (newcomer.home / "run" / "khojd").write_text("in the way", encoding="utf-8")
    assert "khojd: " in newcomer("search", "tea", status=3).stderr


def test_places_can_be_given_before_the_command(newcomer: Khojd) -> None:
    newcomer.write("tea.md", "Steep for three minutes.\n")
    other = newcomer.home / "other.toml"
    other.write_text(f'[[folders]]\npath = "{newcomer.notes}"\n', encoding="utf-8")
    places = ("--config", "other.toml", "--index", "elsewhere")
    newcomer(*places, "index")
    assert newcomer(*places, "search", "steep").stdout.startswith("notes/tea.md")
    assert (newcomer.home / "elsewhere" / "catalog.db").exists()
    newcomer(*places, "stop", "--force")


@pytest.mark.parametrize(
    "command",
    [
        ("search", "tea"),
        ("status",),
        ("index",),
        ("index", "--add", "notes", "--no-save"),
        ("index", "--remove", "notes"),
        ("config", "show"),
        ("config", "check"),
        ("doctor",),
        ("stop",),
    ],
)
def test_a_configuration_file_that_is_named_must_be_there(newcomer: Khojd, command: tuple[str, ...]) -> None:
    said = newcomer.refused("--config", "othr.toml", *command)
    assert f"--config {newcomer.home / 'othr.toml'} does not exist; correct it, or make it with" in said
    assert not newcomer.index.exists()


@pytest.mark.parametrize("command", [("serve",), ("serve", "--detached"), ("connect",), ("connect", "--address")])
def test_so_it_must_for_the_daemon_and_the_bridge(newcomer: Khojd, command: tuple[str, ...]) -> None:
    said = newcomer.refused(*command, "--config", "othr.toml")
    assert "othr.toml does not exist" in said
    assert not newcomer.index.exists()


def test_a_first_folder_makes_the_configuration_file_that_is_named(newcomer: Khojd) -> None:
    newcomer.write("tea.md", "Steep for three minutes.\n")
    newcomer("--config", "new.toml", "index", "--add", "notes")
    assert str(newcomer.notes) in (newcomer.home / "new.toml").read_text(encoding="utf-8")
    assert not newcomer.config.exists()
    assert newcomer("--config", "new.toml", "search", "steep").stdout.startswith("notes/tea.md")


def test_a_daemon_that_goes_by_another_configuration_is_not_taken_for_ones_own(newcomer: Khojd) -> None:
    newcomer("index", "--add", "notes")
    (newcomer.home / "other.toml").write_text("", encoding="utf-8")
    said = newcomer.refused("--config", "other.toml", "index", "--add", "run")
    assert f"goes by {newcomer.config}, not by {newcomer.home / 'other.toml'}: stop it first" in said
    assert "run" not in newcomer.config.read_text(encoding="utf-8").replace(str(newcomer.home), "")
    found = newcomer.json("--config", "other.toml", "doctor")["checks"]
    assert "goes by" in next(check["message"] for check in found if check["name"] == "daemon")
    newcomer("--config", "other.toml", "stop", "--force")


def test_a_reader_that_leaves_is_no_error(khojd: Khojd) -> None:
    process = subprocess.Popen(
        khojd.command("grep", "."), env=khojd.environment, cwd=khojd.home, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait(timeout=60)


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(khojd: Khojd) -> None:
    assert "Reading" not in khojd("status").stderr
    code = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    command = [sys.executable, "-c", code, *khojd.command("index", "--wait")]
    terminal = subprocess.run(command, env={**khojd.environment, "TERM": "xterm"}, cwd=khojd.home, capture_output=True, check=True)
    assert b"\x1b[" in terminal.stdout
    assert b"in the index" in terminal.stdout


def test_the_schema_is_json_schema_of_every_message(khojd: Khojd) -> None:
    schema = json.loads(khojd("schema").stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["methods"]["khoj/search"]["params"] == {"$ref": "#/$defs/SearchParams"}
    assert "minimum" in json.dumps(schema["$defs"]["SearchParams"]["properties"]["limit"])


def test_the_status_says_when_the_model_is_still_being_opened(capsys: pytest.CaptureFixture[str]) -> None:
    nothing: dict[str, object] = {
        "running": None,
        "folders": (),
        "problems": (),
        "model": "",
        "model_target": "",
        "model_problem": "",
    }
    index = IndexStatus(**{name: nothing.get(name, 0) for name in IndexStatus.__struct_fields__})  # type: ignore[arg-type]
    times: dict[str, object] = {"clients": (), "protocol": (1, 1)}
    texts = ("version", "address", "index", "config", "log")
    daemon = DaemonStatus(**{name: times.get(name, "" if name in texts else 0) for name in DaemonStatus.__struct_fields__})  # type: ignore[arg-type]
    _show(index, daemon)
    out = capsys.readouterr().out
    assert "is being opened; searches go by words until then" in out
    assert "all is up to date" not in out
