"""Commands that evaluate models, compare them, and run benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from sparring.cli.app import AsJson, Device, FeatureNames, TrustCode, app, recipe_fields
from sparring.console import Console, Screen, number_table, print_wide, say
from sparring.errors import InputError

if TYPE_CHECKING:
    from sparring.metrics.results import Evaluation


@app.command(
    epilog="Examples:\n\n"
    "  sparring evaluate runs/gan-digits\n\n"
    "  sparring evaluate runs/photos --against more-photos/ --samples 5000\n\n"
    "  sparring evaluate runs/photos --features inception --features mine.py:embed\n\n"
    "  sparring evaluate runs/photos --samples 50000 --ranks 8"
)
def evaluate(
    run: Annotated[str, typer.Argument(help="A run's folder, or a model's.")],
    against: Annotated[str, typer.Option(help="Real data. \\[default: the training data]")] = "",
    samples: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Number of samples to evaluate. \\[default: 10000, or as many as suit the data]"),
    ] = None,
    features: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            help="Of images: classifier, patches, imagenet, inception or dinov2; of points: coordinates; of translated "
            "or restored images: lpips or dists; or your FILE.py:FUNCTION; repeatable."
        ),
    ] = None,
    device: Device = "auto",
    ranks: Annotated[int, typer.Option(help="Processes on this machine that evaluate the samples together.")] = 1,
    json: AsJson = False,
    trust_code: TrustCode = False,
) -> None:
    """Evaluate a model's samples: every metric next to that of real data and of trivial baselines."""
    from sparring.cli.launched import launched
    from sparring.evaluation import evaluate as evaluate_model
    from sparring.evaluation.report import record
    from sparring.files import as_json
    from sparring.model.hub import beside

    with launched(device, ranks) as fabric:
        evaluation = evaluate_model(
            run, against or None, samples, features or (), device,
            quiet=json, trust=trust_code, ranks=ranks, fabric=fabric,
        )  # fmt: skip
    if fabric is not None and fabric.global_rank:
        return  # the first rank says what was found
    folder = beside(run)
    record(folder, evaluation)
    if json:
        say(as_json(evaluation.content()))
        return
    _show(evaluation, f"- written to {folder}/evaluation.json")


def _show(evaluation: Evaluation, *more: str) -> None:
    """Print an evaluation, and further lines."""
    from sparring.evaluation.report import LEGEND, finding_lines, table

    console = Console()
    console.print()
    print_wide(table(evaluation))
    console.print(f"\n{LEGEND}.\n{evaluation.protocol}.\n", markup=False)
    for line in (*finding_lines(evaluation), *more):
        console.print(line, markup=False)


@app.command(
    epilog="Examples:\n\n"
    "  sparring judge new.smi --against molecules.smi\n\n"
    "  sparring judge synthetic.csv --against customers.csv target=churned\n\n"
    "  sparring judge samples/ --against photos/ --features imagenet"
)
def judge(
    file: Annotated[str, typer.Argument(help="A file, a folder or an archive that any tool made.")],
    against: Annotated[str, typer.Option(help="The real data that the tool was trained on.")],
    fields: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="[FIELD=VALUE]...", help="How the data are read; see sparring recipes NAME."),
    ] = None,
    recipe: Annotated[
        str, typer.Option(help="The recipe that reads the data, a name or a .py file. \\[default: chosen by the data]")
    ] = "",
    features: FeatureNames = None,
    device: Device = "auto",
    json: AsJson = False,
) -> None:
    """Evaluate a file that any tool made, without a model: every metric next to that of real data and of baselines."""
    from sparring.evaluation import judge as judge_file
    from sparring.files import as_json

    given = recipe_fields(fields or [], judge_file)
    evaluation = judge_file(file, against, recipe or None, features or (), device, quiet=json, **given)
    if json:
        say(as_json(evaluation.content()))
        return
    _show(evaluation)


@app.command(
    epilog="Examples:\n\n  sparring compare runs/gan-mnist runs/dcgan-mnist\n\n  sparring compare runs/*-mnist -o mnist"
)
def compare(
    runs: Annotated[list[str], typer.Argument(help="Folders of runs, two or more.")],
    out: Annotated[str, typer.Option("-o", "--out", help="Folder of the page.")] = "runs/compare",
    against: Annotated[str, typer.Option(help="Real data. \\[default: the training data]")] = "",
    samples: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Number of samples to evaluate of each. \\[default: 10000, or as many as suit the data]"),
    ] = None,
    features: FeatureNames = None,
    device: Device = "auto",
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
    trust_code: TrustCode = False,
) -> None:
    """Compare models on a page with their metrics, a plot and their samples."""
    from sparring.evaluation import compare as compare_models
    from sparring.evaluation.compare import rows

    compared = compare_models(runs, out, against or None, samples, features or (), device, force, False, trust_code)
    console = Console()
    console.print()
    print_wide(number_table(rows(compared)))
    console.print(f"\n{compared[0].evaluation.protocol}.\n\n- written to {out}/README.md", markup=False)


@app.command(
    epilog="Examples:\n\n"
    "  sparring bench\n\n"
    "  sparring bench ring\n\n"
    "  sparring bench mnist --rows r3gan_strided,dcgan --time 10m\n\n"
    "  sparring bench stacked-mnist --budget gpu --page docs/bench\n\n"
    "  sparring bench --page docs/bench"
)
def bench(
    table: Annotated[str, typer.Argument(help="Name of a table. \\[default: list them]")] = "",
    budget: Annotated[str, typer.Option(help="cpu (minutes) or gpu (the papers' full protocol).")] = "cpu",
    rows: Annotated[str, typer.Option(help="Only these rows: NAME,NAME. \\[default: by the budget]")] = "",
    seeds: Annotated[Optional[int], typer.Option(help="Runs of each row. \\[default: by the budget]")] = None,  # noqa: UP045
    time: Annotated[str, typer.Option(help="Training time of each run. \\[default: by the budget]")] = "",
    steps: Annotated[Optional[int], typer.Option(help="Steps of each run. \\[default: by the budget]")] = None,  # noqa: UP045
    runs: Annotated[str, typer.Option(help="Folder of the runs; existing ones are continued.")] = "runs/bench",
    page: Annotated[
        str,
        typer.Option(
            help="Write a page with the table and sheets to this folder. Without a table, render the folder's pages "
            "again from their stored results."
        ),
    ] = "",
    device: Device = "auto",
) -> None:
    """Reproduce a published table: its rows next to ours, with several seeds and their spread."""
    from sparring.bench import TABLES
    from sparring.bench.page import render, screen_table, spread_lines, write
    from sparring.bench.play import play
    from sparring.errors import nearest

    console = Console()
    if not table and page:
        for path in render(Path(page)):
            console.print(f"- written to {path}", markup=False)
        return
    if not table:
        for each in TABLES.values():
            console.print(f"[bold]{each.name:14}[/] {each.title}")
        return
    if table not in TABLES:
        raise InputError(f"there is no table {table!r}; {nearest(table, TABLES)}")
    names = [name for name in rows.split(",") if name]
    played = play(TABLES[table], budget, Path(runs), Screen(), names, seeds, time or None, steps, device)
    content = played.content()
    console.print()
    print_wide(screen_table(content, played.table))
    for line in spread_lines(content, played.table):
        console.print(line, markup=False)
    console.print(f"\n{played.table.protocol}\nBudget {budget}, on {played.machine}.", markup=False)
    if page:
        write(played, Path(page), f"{table}-{time}" if time else table)
        console.print(f"- written to {page}", markup=False)
