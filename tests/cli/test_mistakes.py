"""What a person does by mistake, and what can happen to their terminal: always words, never a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

from khojd.cli.failure import Exit, report
from khojd.errors import IndexCorrupt
from tests.cli.khojd import Khojd


@pytest.mark.parametrize(
    "arguments",
    [
        ("index", "--add", ""),
        ("index", ""),
        ("similar", ""),
        ("search", "x", "--folder", ""),
        ("--index", "", "status"),
        ("--config", "", "status"),
        ("connect", "--index", ""),
        ("serve", "--config="),
    ],
)
def test_an_empty_path_never_means_the_current_directory(khojd: Khojd, arguments: tuple[str, ...]) -> None:
    assert "a path is empty; write . for this directory" in khojd(*arguments, status=2).stderr


def test_a_home_is_not_made_an_index(newcomer: Khojd) -> None:
    said = newcomer.refused("--index", str(newcomer.home), "status", status=4)
    assert f"the index directory {newcomer.home} holds files that are not khojd's" in said
    (check,) = [
        check for check in newcomer.json("--index", str(newcomer.home), "doctor", status=1)["checks"] if check["name"] == "index"
    ]
    assert check["state"] == "fail"
    assert "is not made an index" in check["message"]
    assert sorted(path.name for path in newcomer.home.iterdir() if path.name != "khojd") == ["notes", "run"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("conversations", "show", ""), "the id of the conversation is empty; `khojd conversations` lists them"),
        (("conversations", "export", ""), "the id of the conversation is empty; `khojd conversations` lists them"),
        (("conversations", "rename", "4f", "x" * 1001), "the title is longer than 1,000 characters"),
    ],
)
def test_what_the_protocol_does_not_take_is_refused_in_words(khojd: Khojd, arguments: tuple[str, ...], said: str) -> None:
    assert khojd.refused(*arguments) == said


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("tag:howtoo", "no note has the tag “howtoo”; did you mean howto?"),
        ("tag:howto,xyzzy brakes todo:TODOO", "no note has the state “todoo”; did you mean TODO?"),
        ("tag:xyzzy", "no note has the tag “xyzzy”\n"),
        ("prop:xyzzy=1", "no note has the property “xyzzy”\n"),
    ],
)
def test_a_filter_that_nothing_can_pass_says_so_where_nothing_is_found(khojd: Khojd, query: str, said: str) -> None:
    assert said in khojd("search", query, status=1).stderr


def test_of_filters_that_some_note_passes_nothing_is_said(khojd: Khojd) -> None:
    assert "no note has" not in khojd("search", "tag:howto todo:any -tag:xyzzy xylophonist", status=1).stderr


def test_a_refused_configuration_is_told_by_every_command_that_asks(newcomer: Khojd) -> None:
    newcomer.write("a.md", "# Tea\n\nGreen.\n")
    newcomer("index", "--add", str(newcomer.notes), "--wait")
    assert newcomer("chat", "tea?").stderr.startswith("no chat model is configured")
    good = newcomer.config.read_text("utf-8")
    newcomer.config.write_text(good + '\n[providers.ollama]\nkey = "x"\n', encoding="utf-8")
    for arguments in (("chat", "tea?"), ("search", "tea"), ("models",), ("personas",)):
        told = newcomer(*arguments).stderr
        assert told.count("stays in force") == 1, told
        assert f"{newcomer.config}: unknown key providers.ollama.key" in told
    assert newcomer("status").stderr == ""
    newcomer.config.write_text(good, encoding="utf-8")
    assert "stays in force" not in newcomer("search", "tea").stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("arguments", [("search", "brakes"), ("status", "--json"), ("--help",), ("config", "show")])
def test_a_full_disk_below_the_output_is_one_line(khojd: Khojd, arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        run = subprocess.run(
            khojd.command(*arguments), env=khojd.environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert run.stderr == "khojd: the output cannot be written: No space left on device\n"
    assert run.returncode == 2


def test_a_closed_output_is_no_error(khojd: Khojd) -> None:
    shell = ["sh", "-c", '"$@" >&-', "sh", *khojd.command("search", "brakes")]
    run = subprocess.run(shell, env=khojd.environment, stderr=subprocess.PIPE, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_in_a_directory_that_is_gone_notes_are_found_all_the_same(khojd: Khojd, tmp_path: Path) -> None:
    def here(*arguments: str) -> subprocess.CompletedProcess[str]:
        gone = tmp_path / "gone"
        gone.mkdir()
        shell = ["sh", "-c", 'rmdir "$PWD" && "$@"', "sh", *khojd.command(*arguments)]
        return subprocess.run(shell, env=khojd.environment, cwd=gone, capture_output=True, text=True, check=False)

    assert f"{khojd.notes}/bike.md:" in here("search", "brakes").stdout
    refused = here("similar", "bike.md")
    assert refused.returncode == 2
    assert "bike.md is in the current directory, which is no longer there" in refused.stderr


INTERRUPTED = """
import sys
class Finder:
    def find_spec(self, name, *_):
        if name == "khojd.cli":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder())
from khojd.__main__ import main
sys.exit(main())
"""


def test_an_interruption_while_modules_are_read_is_one_line(khojd: Khojd) -> None:
    run = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, "status"], env=khojd.environment, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "\nkhojd: interrupted\n")


def test_of_a_store_that_does_not_read_back_it_is_said_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    error = IndexCorrupt("the catalog /c does not read back", path="/c", store="catalog")
    assert report(error) == Exit.INDEX
    said = "khojd: the catalog /c does not read back\nkhojd starts anew to repair it, which loses nothing: ask again\n"
    assert capsys.readouterr().err == said
