"""`khojd config`: the configuration file, without the daemon."""

from pathlib import Path
from typing import Annotated

import typer

from khojd import paths
from khojd.cli import output
from khojd.cli.connection import absolute
from khojd.errors import ConfigError

app = typer.Typer(help="Show and check the configuration.", rich_markup_mode=None, no_args_is_help=True)


@app.command()
def show(
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Every key with its meaning and default, as a file to start from.")
    ] = False,
) -> None:
    """Print the settings in force, or all keys with their meanings."""
    from khojd import configfile, configtext

    print(configtext.defaults_text() if defaults else configtext.text(configfile.load()), end="")


@app.command()
def check(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Default: the configuration file.", show_default=False)
    ] = None,
) -> None:
    """Say what is wrong with a configuration file."""
    from khojd import configfile
    from khojd.sources import folder as folders

    path = Path(absolute(str(file))) if file is not None else paths.config_file()
    if not path.exists():
        if file is not None:
            raise ConfigError(f"{path} does not exist", file=str(path))
        print(f"{path} does not exist; the defaults are in force")
        return
    config = configfile.load(path)
    for folder in config.folders:
        try:
            folders.check(folders.resolved(folder))
        except ConfigError as error:
            output.say(f"warning: {error.message}")
    print(f"{path} is valid: {output.count(len(config.folders), 'folder')}")


@app.command("path")
def path() -> None:
    """Print where the configuration file is, or would be."""
    print(paths.config_file())
