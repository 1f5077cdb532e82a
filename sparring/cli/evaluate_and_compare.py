"""Commands that say how good models are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from sparring.cli.app import app
from sparring.errors import InputError


@app.command(
    epilog="Examples:\n\n"
    "  sparring evaluate runs/gan-digits\n\n"
    "  sparring evaluate runs/photos --against more-photos/ --samples 5000\n\n"
    "  sparring evaluate runs/photos --features inception --features mine.py:embed"
)
def evaluate(
    run: Annotated[str, typer.Argument(help="A run's folder, or a model's.")],
    against: Annotated[str, typer.Option(help="Real data. \\[default: what it was trained on]")] = "",
    samples: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="How many to judge. \\[default: 10000, or a third of the data]"),
    ] = None,
    features: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            help="classifier, patches, coordinates, inception, dinov2, or your FILE.py:FUNCTION; of pictures made of "
            "pictures lpips, dists; repeatable."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
) -> None:
    """Judge a model's samples: every number beside that of real data and of a trivial baseline."""
    from rich.console import Console

    from sparring.console import print_wide
    from sparring.evaluation import evaluate as judge
    from sparring.evaluation.report import LEGEND, record, table
    from sparring.files import as_json

    found = judge(run, against or None, samples, features or (), device, quiet=json)
    if json:
        print(as_json(found.content()))
        record(Path(run), found)
        return
    console = Console(highlight=False)
    console.print()
    print_wide(table(found))
    console.print(f"\n{LEGEND}.\n{found.protocol}.\n", markup=False)
    for finding in found.findings:
        console.print(f"- {finding}", markup=False)
    if not found.findings:
        console.print("- nothing stands out as wrong")
    record(Path(run), found)
    console.print(f"- written to {run}/evaluation.json", markup=False)


@app.command(
    epilog="Examples:\n\n  sparring compare runs/gan-mnist runs/dcgan-mnist\n\n  sparring compare runs/*-mnist -o mnist"
)
def compare(
    runs: Annotated[list[str], typer.Argument(help="Folders of runs, two or more.")],
    out: Annotated[str, typer.Option("-o", "--out", help="The page's folder.")] = "runs/compare",
    against: Annotated[str, typer.Option(help="Real data. \\[default: what they were trained on]")] = "",
    samples: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="How many to judge of each. \\[default: 10000, or a third of the data]"),
    ] = None,
    features: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="As sparring evaluate takes them; repeatable."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
) -> None:
    """Set models side by side: a page with their numbers, a plot and their samples."""
    from rich.console import Console

    from sparring.console import number_table, print_wide
    from sparring.evaluation import compare as judge
    from sparring.evaluation.compare import rows

    found = judge(runs, out, against or None, samples, features or (), device, force, quiet=False)
    console = Console(highlight=False)
    console.print()
    print_wide(number_table(rows(found)))
    console.print(f"\n{found[0].evaluation.protocol}.\n\n- look at {out}/README.md", markup=False)


@app.command(
    epilog="Examples:\n\n"
    "  sparring bench\n\n"
    "  sparring bench ring\n\n"
    "  sparring bench mnist --rows r3gan_strided,dcgan --time 10m\n\n"
    "  sparring bench stacked-mnist --budget gpu --page docs/bench"
)
def bench(
    table: Annotated[str, typer.Argument(help="A table's name; without one, they are listed.")] = "",
    budget: Annotated[str, typer.Option(help="cpu (minutes) or gpu (the papers' full protocol).")] = "cpu",
    rows: Annotated[str, typer.Option(help="Only these rows: NAME,NAME. \\[default: by the budget]")] = "",
    seeds: Annotated[Optional[int], typer.Option(help="Runs of each row. \\[default: by the budget]")] = None,  # noqa: UP045
    time: Annotated[str, typer.Option(help="For each run. \\[default: by the budget]")] = "",
    steps: Annotated[Optional[int], typer.Option(help="For each run. \\[default: by the budget]")] = None,  # noqa: UP045
    runs: Annotated[str, typer.Option(help="Where runs are, and go on from where they were stopped.")] = "runs/bench",
    page: Annotated[str, typer.Option(help="Write the table's page, with sheets, in this folder.")] = "",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
) -> None:
    """Play a published table: its rows beside ours, with seeds and spread."""
    from rich.console import Console

    from sparring.bench import TABLES
    from sparring.bench.page import shown, worst, write
    from sparring.bench.play import play
    from sparring.console import Screen, print_wide
    from sparring.errors import nearest

    console = Console(highlight=False)
    if not table:
        for known in TABLES.values():
            console.print(f"[bold]{known.name:14}[/] {known.title}")
        return
    if table not in TABLES:
        raise InputError(f"there is no table {table!r}; {nearest(table, TABLES)}")
    names = [name for name in rows.split(",") if name]
    played = play(TABLES[table], budget, Path(runs), Screen(), names, seeds, time or None, steps, device)
    console.print()
    print_wide(shown(played))
    for line in worst(played):
        console.print(line, markup=False)
    console.print(f"\n{played.table.protocol}\nBudget {budget}, on {played.machine}.", markup=False)
    if page:
        write(played, Path(page), f"{table}-{time}" if time else table)
        console.print(f"- look at {page}", markup=False)
