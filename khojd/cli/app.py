"""The commands, in the order in which the help lists them."""

import os
from pathlib import Path
from typing import Annotated

import typer

import khojd
from khojd.cli import (
    chat,
    config,
    conversations,
    daemon,
    doctor,
    evaluate,
    grep,
    index,
    models,
    personas,
    schema,
    search,
    similar,
    status,
)
from khojd.cli.connection import place
from khojd.daemon.address import config_file

app = typer.Typer(
    help="Search your notes by words and by meaning. One daemon keeps the index warm; every command and editor shares it.",
    epilog="Exit status: 0 done, 1 nothing found, 2 wrong query, path or setting, 3 no daemon, 4 index at fault, 130 interrupted.",
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"khojd {khojd.__version__}")
        raise typer.Exit


@app.callback()
def places(
    context: typer.Context,
    named: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="FILE", parser=place, help="Configuration file (default: $KHOJD_CONFIG, else the user's own)."
        ),
    ] = None,
    index_dir: Annotated[
        Path | None,
        typer.Option("--index", metavar="DIR", parser=place, help="Index directory (default: $KHOJD_INDEX, else as configured)."),
    ] = None,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")] = False,
) -> None:
    # The environment is how every part of khojd, and a daemon that is started from here, learns of them.
    if named is not None:
        making = context.invoked_subcommand == "index"  # it looks itself
        os.environ["KHOJD_CONFIG"] = str(named if making else config_file(named))
    if index_dir is not None:
        os.environ["KHOJD_INDEX"] = str(index_dir)


app.command("search", cls=search.Query)(search.search)
app.command("chat", cls=search.Query)(chat.chat)
app.command("similar")(similar.similar)
app.command("grep")(grep.grep)
app.command("index")(index.index)
app.command("status")(status.status)
app.add_typer(conversations.app, name="conversations")
app.command("personas")(personas.personas)
app.add_typer(models.app, name="models")
app.add_typer(config.app, name="config")
app.command("doctor")(doctor.doctor)
app.command("eval")(evaluate.evaluate)
app.command("schema")(schema.schema)
app.command("serve")(daemon.serve)
app.command("connect")(daemon.connect)
app.command("stop")(daemon.stop)
