"""`khojd search`."""

import re
from enum import StrEnum
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from khojd.cli import output
from khojd.cli.connection import connect, folders
from khojd.cli.empty import why_nothing
from khojd.cli.failure import Exit
from khojd.search.vocabulary import NAMES


class Query(TyperCommand):
    """A command with a query: what begins with - and reads as a filter is one, and no option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        valued = {name for one in self.params if not getattr(one, "is_flag", True) for name in one.opts}
        end = args.index("--") if "--" in args else len(args)
        filters = [at for at in range(end) if _FILTER.match(args[at]) and (not at or args[at - 1] not in valued)]
        if filters:
            options = [args[at] for at in range(end) if at not in filters]
            args = [*options, "--", *args[end + 1 :], *(args[at] for at in filters)]
        return super().parse_args(ctx, args)


class Mode(StrEnum):
    """As the protocol has them; typer's choices are enums."""

    hybrid = "hybrid"
    lexical = "lexical"
    semantic = "semantic"


# No option has two letters or more after a single -.
_FILTER = re.compile('-(?:["“„]|(?:' + "|".join(NAMES) + ")[:=<>])", re.IGNORECASE)
Limit = Annotated[
    int | None, typer.Option("-n", "--limit", min=1, max=200, help="Number of hits, 1 to 200 (default: the profile's).")
]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON (docs/cli.md).")]
Folder = Annotated[
    list[str] | None, typer.Option("--folder", metavar="FOLDER", help="Only notes in this folder; may be given several times.")
]


def search(
    query: Annotated[
        list[str],
        typer.Argument(
            metavar="QUERY", help="Free text and filters, best in single quotes. Put -- before other words that start with -."
        ),
    ],
    *,
    limit: Limit = None,
    mode: Annotated[Mode, typer.Option(help="By words and meaning, by words alone, by meaning alone.")] = Mode.hybrid,
    profile: Annotated[str, typer.Option(metavar="NAME", help="Tuning: default, precise, broad, recent or your own.")] = "",
    rerank: Annotated[
        bool | None,
        typer.Option("--rerank/--no-rerank", help="Re-rank the best hits (default: as configured).", show_default=False),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show rank and score per ranker.")] = False,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Search notes by words and by meaning, best first.

    QUERY may hold filters: tag:work, todo:NEXT, file:"journal/*.md", type:org, date>=2024-05, deadline:"next 7 days",
    +"exact words", -tag:draft; docs/query.md has them all. A query of filters alone lists the newest first.
    """
    from khojd.cli.hits import show
    from khojd.server.types import SearchParams, SearchResult

    params = SearchParams(
        query=" ".join(query),
        limit=limit,
        mode=mode.value,
        profile=profile,
        rerank=rerank,
        explain=explain,
        folders=folders(folder),
    )
    with connect() as client:
        result = client.call("khoj/search", params, SearchResult)
        why = "" if result.hits else why_nothing(client, params.folders)
    if as_json:
        output.json(result)
    else:
        show(result, explain=explain)
    if why:
        if not as_json:
            output.say(why)
        raise typer.Exit(Exit.NOTHING)
