"""`khojd models`."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self

import typer

from khojd.cli import output
from khojd.cli.connection import connect
from khojd.cli.failure import Exit
from khojd.cli.search import Json

if TYPE_CHECKING:
    from rich.progress import Progress

    from khojd.daemon.client import WorkDone
    from khojd.server.types_models import FoundServer, ModelsHealthResult, ModelsResult, ModelStatus, ProviderStatus

app = typer.Typer(rich_markup_mode=None)

_EXAMPLE = """\
[providers.ollama]
[models]
chat = ["ollama/qwen3:8b"]
"""
_SHOWN = 20  # models of a provider that do no job; gateways have hundreds


@app.callback(invoke_without_command=True)
def models(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help=f"All models, also where a server has more than {_SHOWN}.")] = False,
    as_json: Json = False,
) -> None:
    """Show the model servers and their models.

    Where none is configured: what runs on this machine, and what to put into the configuration in order to use it. A server that is
    not configured is asked for its models, and gets nothing else.
    """
    if context.invoked_subcommand is not None:
        return
    from khojd.server.types_models import ModelsParams, ModelsResult

    with connect() as client:
        result = client.call("khoj/models/list", ModelsParams(), ModelsResult)
        if not result.providers or as_json:
            result = client.call("khoj/models/list", ModelsParams(discover=True), ModelsResult)
    if as_json:
        output.json(result)
    elif result.providers:
        _show(result, everything=everything)
    else:
        _show_found(result.found)


@app.command()
def check(
    provider: Annotated[
        str, typer.Argument(metavar="[PROVIDER]", help="Its name in the configuration (default: all).", show_default=False)
    ] = "",
    as_json: Json = False,
) -> None:
    """Ask each model server one cheap thing, and tell how long it took.

    The exit status is 1 when one does not answer.
    """
    from khojd.server.types_models import ModelsHealthParams, ModelsHealthResult

    with connect() as client:
        result = client.call("khoj/models/health", ModelsHealthParams(provider=provider), ModelsHealthResult)
    if as_json:
        output.json(result)
    else:
        _show_health(result)
    if not result.providers or not all(each.ok for each in result.providers):
        raise typer.Exit(Exit.NOTHING)


@app.command()
def pull(
    model: Annotated[str, typer.Argument(metavar="PROVIDER/MODEL", help="E.g. ollama/qwen3:8b.")], as_json: Json = False
) -> None:
    """Have a model server download a model. Interrupting stops the download; what is there by then is used the next time."""
    from khojd.server.types_models import PullParams, PullResult

    with connect() as client, _Bar(model) as bar:
        result = client.call("khoj/models/pull", PullParams(model=model), PullResult, on_progress=bar)
    if as_json:
        output.json(result)
    else:
        print(output.harmless(f"{result.model}: {result.status}"))


class _Bar:
    """How far a download is: a bar on stderr; where that is no terminal, a line when it begins."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._begun = False
        self._progress: Progress | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

            columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
            self._progress = Progress(*columns, console=Console(file=sys.stderr))
            self._task = self._progress.add_task(output.harmless(self._model), total=100)
            self._progress.start()
        return self

    def __call__(self, value: "WorkDone") -> None:
        if value.kind != "report":
            return
        if self._progress is None and not self._begun:
            output.say(f"{self._model}: {value.message}")
        self._begun = True
        if self._progress is not None:
            self._progress.update(self._task, completed=value.percentage or 0, description=output.harmless(value.message))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._progress is not None:
            if kind is None:
                self._progress.update(self._task, completed=100)
            self._progress.stop()


# --- showing --------------------------------------------------------------------------------------------------------------------


def _show(result: "ModelsResult", *, everything: bool) -> None:
    style = output.Style()
    for provider in result.providers:
        where = "this machine" if provider.local else "another machine: what is asked leaves this one"
        kind = provider.preset or {"openai": "compatible with OpenAI"}.get(provider.kind, provider.kind)
        address = f"{provider.base_url}, " if provider.base_url else ""
        print(f"{style(output.harmless(provider.name), 'bold')}  {output.harmless(address)}{kind}, {style(where, 'dim')}")
        if provider.problem:
            print(f"  {style(output.harmless(provider.problem), 'red')}")
        _show_models(provider, style, everything=everything)
    print()
    for job, models in result.jobs.items():
        print(f"{style(f'{job:9}', 'bold')} {output.harmless(', else '.join(models))}")
    if "chat" not in result.jobs:
        print("No chat model is chosen: questions are answered with passages of the notes alone. Name one in config.toml:")
        print(f"\n[models]\nchat = [{_example(result)}]")
    sys.stdout.flush()


def _show_models(provider: "ProviderStatus", style: output.Style, *, everything: bool) -> None:
    used = [model for model in provider.models if model.jobs]
    others = [model for model in provider.models if not model.jobs]
    shown = [*used, *(others if everything else others[:_SHOWN])]
    names = [output.harmless(model.name.partition("/")[2]) for model in shown]
    width = min(max(map(len, names), default=0), 40)
    for name, model in zip(names, shown, strict=True):
        jobs = style(f"  [{', '.join(model.jobs)}]", "green") if model.jobs else ""
        print(f"  {name:{width}}  {style(_facts(model), 'dim')}{jobs}")
        if model.problem:
            print(f"  {'':{width}}  {style(output.harmless(model.problem), 'red')}")
    if left := len(used) + len(others) - len(shown):
        print(f"  and {left:,} more; `khojd models --all` shows them")


def _facts(model: "ModelStatus") -> str:
    facts = [output.harmless(model.detail), ", ".join(each for each in model.capabilities if each != "streaming")]
    if model.context:
        facts.append(f"{model.context:,} tokens of context")
    if model.dimensions:
        facts.append(f"{model.dimensions:,} dimensions")
    if model.price_prompt or model.price_answer:
        facts.append(f"{model.price_prompt:g} and {model.price_answer:g} per million tokens")
    return "; ".join(fact for fact in facts if fact)


def _example(result: "ModelsResult") -> str:
    import json

    chat = (model.name for provider in result.providers for model in provider.models if "embedding" not in model.capabilities)
    return json.dumps(next(chat, f"{result.providers[0].name}/MODEL"), ensure_ascii=False)


def _show_found(found: "tuple[FoundServer, ...]") -> None:
    from khojd import paths

    print("No model server is configured: questions are answered with passages of the notes, and nothing leaves this machine.")
    file = paths.config_file()
    if not found:
        print("None was found on this machine, either: no Ollama, LM Studio or llama.cpp server answers on its usual port.")
        print(f"To use one, put lines like these into {file} (for another server with its base_url):\n")
        print(_EXAMPLE)
        print("`khojd config show --defaults` lists all settings, below [providers].")
    for server in found:
        models = f" with {', '.join(server.models[:5])}" + (", …" if len(server.models) > 5 else "") if server.models else ""
        print(f"\n{output.harmless(f'{server.title} runs at {server.base_url}{models}.')} To use it, put this into {file}:\n")
        print(output.harmless(server.lines))
    sys.stdout.flush()


def _show_health(result: "ModelsHealthResult") -> None:
    style = output.Style()
    if not result.providers:
        output.say("no model server is configured; `khojd models` says how")
    width = max((len(each.name) for each in result.providers), default=0)
    for each in result.providers:
        mark = style("ok  ", "green") if each.ok else style("FAIL", "red")
        name = style(f"{output.harmless(each.name):{width}}", "bold")
        print(f"{mark} {name} {each.latency_ms:6,.0f} ms  {output.harmless(each.message)}")
    sys.stdout.flush()
