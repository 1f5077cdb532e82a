"""The command line. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from sparring.errors import InputError

if TYPE_CHECKING:
    from sparring.recipe import Recipe

app = typer.Typer(
    name="sparring",
    help="Train, judge, explore and deploy generative adversarial networks.",
    epilog="Begin with:  sparring train digits --time 2m",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run a command. Input that cannot be used is one line and exit status 2."""
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except (InputError, typer.TyperException) as error:
        message = error.format_message() if isinstance(error, typer.TyperException) else str(error)
        if message:  # an empty one has shown the help
            print("sparring: " + " ".join(message.split()), file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"sparring: {place}{(error.strerror or str(error)).lower()}", file=sys.stderr)
        sys.exit(2)
    except MemoryError:
        print("sparring: this needs more memory than there is; give a smaller size= or batch=", file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        print("sparring: stopped", file=sys.stderr)
        sys.exit(130)


@app.command(
    epilog="Examples:\n\n"
    "  sparring train digits --time 2m\n\n"
    "  sparring train photos/ --recipe dcgan --steps 50000 width=32 labels=true\n\n"
    "  sparring train photos/ --recipe dcgan --resume"
)
def train(
    data: Annotated[str, typer.Argument(help="A folder or file, or a set by name: digits, mnist, ring, ...")],
    fields: Annotated[
        Optional[list[str]],  # noqa: UP045 (typer reads this at run time)
        typer.Argument(metavar="[FIELD=VALUE]...", help="Values for the recipe's fields; see sparring recipes NAME."),
    ] = None,
    recipe: Annotated[str, typer.Option(help="A recipe's name or .py file. [default: by the data]")] = "",
    out: Annotated[str, typer.Option(help="The run's folder. [default: runs/RECIPE-DATA]")] = "",
    steps: Annotated[Optional[int], typer.Option(help="Stop after so many steps.")] = None,  # noqa: UP045
    time: Annotated[str, typer.Option(help="Stop after so long: 90s, 10m, 1h30m.")] = "",
    seed: Annotated[int, typer.Option(help="The root of all randomness.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16.")] = "auto",
    ranks: Annotated[int, typer.Option(help="Processes that share each batch, one to a device.")] = 1,
    until: Annotated[str, typer.Option(help="Stop early: equilibrium, plateau or fid<X.")] = "",
    memory: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Data above this are read from disk: 500M, 2G. [default: a quarter of the memory]"),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that is there.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Start anew where a run is there.")] = False,
) -> None:
    """Train a GAN on data; the run's folder gets samples, checkpoints and the model."""
    from sparring.recipe import parse
    from sparring.training import train

    options = {
        "recipe": recipe or None, "out": out or None, "steps": steps, "time": time or None, "seed": seed,
        "device": device, "precision": precision, "ranks": ranks, "until": until, "memory": memory, "resume": resume,
        "force": force,
    }  # fmt: skip
    given = parse(fields or [])
    for name in {*options, "data"} & set(given):
        raise InputError(f"{name}={given[name]} is no field of a recipe but an option; write --{name} {given[name]}")
    model = train(data=data, **options, **given)  # type: ignore[arg-type]
    run = out or f"runs/{model.recipe.name}-{model.about['name']}"
    kind = ".csv" if model.modality.kind in ("points", "rows", "series") else ""
    label = f" --label {model.modality.classes[0]}" if model.modality.classes else ""
    print(f"\nLook at {run}/samples, then try:\n")
    print(f"  sparring sample {run} -n 64 -o sheet.png")
    print(f"  sparring sample {run} -n 1000 -o samples{kind} --seed 1{label}")
    print(f"  sparring train {data} --out {run} --resume --steps {2 * model.about['step']}")


@app.command(
    epilog="Examples:\n\n"
    "  sparring sample runs/gan-digits -n 64 -o sheet.png\n\n"
    "  sparring sample runs/gan-digits -n 1000 -o digits/ --seed 1\n\n"
    "  sparring sample runs/r3gan_mlp-ring -n 2500 -o ring.csv\n\n"
    "  sparring sample runs/table-adult -n 1000 -o rich.csv --where 'income=>50K' --where 'age<30'\n\n"
    "  sparring sample runs/series-prices -n 1000 --length 250 -o paths.csv"
)
def sample(
    run: Annotated[str, typer.Argument(help="A run's folder, or a model's.")],
    out: Annotated[
        str,
        typer.Option(
            "-o",
            "--out",
            help="A folder, .png, .npz for pictures; .csv, .npy, .npz, .png for points; .csv, .tsv, "
            ".parquet, .png for rows of tables and for series (.npz too).",
        ),
    ],
    n: Annotated[int, typer.Option("-n", help="How many samples.")] = 64,
    label: Annotated[str, typer.Option(help="Only this class, for models trained with labels.")] = "",
    where: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Only such rows of a table: COLUMN=LEVEL, COLUMN>=NUMBER; repeatable."),
    ] = None,
    seed: Annotated[Optional[int], typer.Option(help="Makes the samples repeatable.")] = None,  # noqa: UP045
    length: Annotated[Optional[int], typer.Option(help="Steps of a series. [default: as D was shown]")] = None,  # noqa: UP045
    truncation: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="Draw latents within so many deviations: more typical, less various."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
) -> None:
    """Make samples with a trained model; OUT's suffix says in what format."""
    from sparring.model import load
    from sparring.training.devices import resolve

    model = load(run, str(resolve(device)))
    model.modality.check_out(Path(out), force)
    model.sample(n, label or None, seed, truncation, where or (), length).save(out, force)
    print(f"{n} {'paths' if model.modality.kind == 'series' else model.modality.kind} in {out}")


@app.command(
    epilog="Examples:\n\n"
    "  sparring evaluate runs/gan-digits\n\n"
    "  sparring evaluate runs/photos --against more-photos/ --samples 5000\n\n"
    "  sparring evaluate runs/photos --features inception --features mine.py:embed"
)
def evaluate(
    run: Annotated[str, typer.Argument(help="A run's folder, or a model's.")],
    against: Annotated[str, typer.Option(help="Real data. [default: what it was trained on]")] = "",
    samples: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="How many to judge. [default: 10000, or a third of the data]"),
    ] = None,
    features: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="classifier, patches, coordinates, inception, dinov2, or your FILE.py:FUNCTION; repeatable."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
) -> None:
    """Judge a model's samples: every number beside that of real data and of a trivial baseline."""
    from rich.console import Console

    from sparring.evaluation import evaluate as judge
    from sparring.evaluation.record import LEGEND, record, table
    from sparring.training.screen import whole
    from sparring.writing import as_json

    found = judge(run, against or None, samples, features or (), device, quiet=json)
    if json:
        print(as_json(found.content()))
        record(Path(run), found)
        return
    console = Console(highlight=False)
    console.print()
    whole(table(found))
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
    against: Annotated[str, typer.Option(help="Real data. [default: what they were trained on]")] = "",
    samples: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="How many to judge of each. [default: 10000, or a third of the data]"),
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

    from sparring.evaluation import compare as judge
    from sparring.evaluation.compare import rows
    from sparring.training.screen import listed, whole

    found = judge(runs, out, against or None, samples, features or (), device, force, quiet=False)
    console = Console(highlight=False)
    console.print()
    whole(listed(rows(found)))
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
    rows: Annotated[str, typer.Option(help="Only these rows: NAME,NAME. [default: by the budget]")] = "",
    seeds: Annotated[Optional[int], typer.Option(help="Runs of each row. [default: by the budget]")] = None,  # noqa: UP045
    time: Annotated[str, typer.Option(help="For each run. [default: by the budget]")] = "",
    steps: Annotated[Optional[int], typer.Option(help="For each run. [default: by the budget]")] = None,  # noqa: UP045
    runs: Annotated[str, typer.Option(help="Where runs are, and go on from where they were stopped.")] = "runs/bench",
    page: Annotated[str, typer.Option(help="Write the table's page, with sheets, in this folder.")] = "",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
) -> None:
    """Play a published table: its rows beside ours, with seeds and spread."""
    from rich.console import Console

    from sparring.bench import TABLES
    from sparring.bench.page import shown, worst, write
    from sparring.bench.play import play
    from sparring.errors import nearest
    from sparring.training.screen import Screen, whole

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
    whole(shown(played))
    for line in worst(played):
        console.print(line, markup=False)
    console.print(f"\n{played.table.protocol}\nBudget {budget}, on {played.machine}.", markup=False)
    if page:
        write(played, Path(page), f"{table}-{time}" if time else table)
        console.print(f"- look at {page}", markup=False)


@app.command(
    epilog="Examples:\n\n"
    "  sparring explore runs/infogan-mnist\n\n"
    "  sparring explore runs/vaegan-photos --data more-photos/ -o explored/"
)
def explore(
    run: Annotated[str, typer.Argument(help="A run's folder, or a model's.")],
    out: Annotated[str, typer.Option("-o", "--out", help="A folder for the sheets. [default: RUN/explored]")] = "",
    data: Annotated[str, typer.Option(help="Pictures to reconstruct. [default: what it was trained on]")] = "",
    seed: Annotated[int, typer.Option(help="Chooses the samples that are shown.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
) -> None:
    """Draw sheets of what a model has learnt: ways between samples, what each code controls, reconstructions."""
    from rich.console import Console

    from sparring.explore import explore as draw
    from sparring.training.devices import resolve

    folder = out or f"{run}/explored"
    console = Console(highlight=False, soft_wrap=True)
    for sheet in draw(run, folder, data or None, seed, str(resolve(device)), force):
        console.print(f"{folder}/{sheet.name}.png  {sheet.shows}", markup=False)


@app.command(
    epilog="Examples:\n\n"
    "  sparring augment runs/table-customers -o more.csv -n 5000\n\n"
    "  sparring augment runs/acgan-xrays -o enlarged/ --rare"
)
def augment(
    run: Annotated[str, typer.Argument(help="A run's folder: of a table, or of pictures with labels.")],
    out: Annotated[str, typer.Option("-o", "--out", help="The enlarged set: a folder, .npz, .csv, .tsv, .parquet.")],
    n: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("-n", help="Samples that are added. [default: as many as there are real items]"),
    ] = None,
    rare: Annotated[
        bool, typer.Option("--rare", help="Add the rarer classes only, until all are as frequent.")
    ] = False,
    target: Annotated[str, typer.Option(help="The category of a table that is the class. [default: the model's]")] = "",
    against: Annotated[
        str, typer.Option(help="Other data, that the model has not seen. [default: held-out ones]")
    ] = "",
    seeds: Annotated[int, typer.Option(help="Of parts, samples and classifiers.")] = 5,
    without: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Leave out 'class weights', 'SMOTE', 'samples' or 'samples of the rare'; repeatable."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
) -> None:
    """Enlarge a labelled set by samples, and see what that does to a classifier, beside simpler ways."""
    from rich.console import Console

    from sparring.training.screen import listed, whole
    from sparring.use import augment as enlarge

    found = enlarge(run, out, n, rare, target, against or None, seeds, without or (), force, quiet=False)
    print()
    whole(listed(found.rows()))
    console = Console(highlight=False)
    console.print(f"\n{found.protocol}.\n", markup=False)
    for name in found.scores:
        if name != "nothing":
            console.print(f"- {found.verdict(name)}", markup=False)
    real, made = found.written
    console.print(f"- {real:,} real items and {made:,} samples after them in {out}", markup=False)


@app.command(
    epilog="Examples:\n\n"
    "  sparring scenarios runs/series-prices -o risk/\n\n"
    "  sparring scenarios runs/series-prices -o risk/ --horizon 10 --weight 'AAPL Close=2' --weight 'MSFT Close=1'"
)
def scenarios(
    run: Annotated[str, typer.Argument(help="A run's folder, of a series of prices.")],
    out: Annotated[str, typer.Option("-o", "--out", help="A folder for the table, the plot and the paths.")],
    n: Annotated[int, typer.Option("-n", help="Paths.")] = 10_000,
    horizon: Annotated[
        Optional[list[int]],  # noqa: UP045
        typer.Option(help="Steps ahead; repeatable. [default: 1, 5 and 20]"),
    ] = None,
    weight: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="What is held of a channel, by value: NAME=AMOUNT; repeatable. [default: of all as much]"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the paths.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
) -> None:
    """Simulate prices: value at risk and expected shortfall of what is held, beside history's."""
    from rich.console import Console

    from sparring.training.screen import listed, whole
    from sparring.use import scenarios as simulate
    from sparring.use.scenarios import rows

    found = simulate(run, out, n, horizon or (1, 5, 20), weight or (), seed, force)
    print()
    whole(listed(rows(found)))
    console = Console(highlight=False)
    console.print(
        f"\nLosses in shares of what is held; {n:,} paths, each of history's from every step.\n", markup=False
    )
    console.print(f"- look at {out} (risk.csv, fan.png, paths.npz)", markup=False)


@app.command(epilog="Examples:\n\n  sparring check photos/\n\n  sparring check photos.zip --write photos-clean")
def check(
    data: Annotated[str, typer.Argument(help="A folder, an archive or a file of pictures, or a set by name.")],
    write: Annotated[str, typer.Option(metavar="OUT", help="Save a cleaned copy in this folder.")] = "",
    out: Annotated[str, typer.Option(help="Where the report goes. [default: runs/check-DATA]")] = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the cleaned copy.")] = False,
) -> None:
    """Look at pictures before training on them: what they are, and which are broken, double or odd."""
    from rich.console import Console

    from sparring.check import survey, table, write_clean, write_report
    from sparring.data import find
    from sparring.training.screen import Screen
    from sparring.writing import vacant

    if write:
        vacant(Path(write), force)
    items = find(data)
    folder = Path(out or f"runs/check-{items.name}")
    with Screen().progress(f"looking at {items.name}") as progress:
        report = survey(items, data, progress)
    console = Console(highlight=False, soft_wrap=True)
    for note in items.notes:
        console.print(note, markup=False)
    console.print(table(report))
    written = ", ".join(write_report(items, report, folder))
    print()
    for advice in report.advice():
        print(f"- {advice}")
    print(f"- look at {folder} ({written})")
    if write:
        print(f"- {write_clean(items, report, Path(write)):,} pictures in {write}")
    print(f"\n  sparring train {write or data} --time 10m")


@app.command(epilog="Examples:\n\n  sparring recipes\n\n  sparring recipes wgan_gp")
def recipes(
    name: Annotated[str, typer.Argument(help="A recipe's name or .py file, to see its table.")] = "",
    page: Annotated[
        str, typer.Option(help="Write a page for each in this folder, with what FOLDER/../bench has.")
    ] = "",
) -> None:
    """List the recipes, or show one in full: its paper, its table, its command."""
    from rich.console import Console
    from rich.table import Table

    from sparring import recipes
    from sparring.bench.recipes import summary, write_pages

    console = Console(highlight=False)
    if page:
        written = write_pages(Path(page), Path(page).parent / "bench")
        console.print(f"{len(written)} pages in {page}", markup=False)
        return
    if name:
        _show(recipes.find(name))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for known in recipes.names():
        found = recipes.find(known)
        takes = ", ".join(modality.kind for modality in found.takes)
        table.add_row(f"[bold]{known}[/]", summary(found), f"[dim]{takes}[/]")
    console.print(table)


def _show(recipe: Recipe) -> None:
    import inspect

    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    console.print(f"[bold]{recipe.name}[/]\n")
    console.print(inspect.getdoc(type(recipe)), markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, show_header=False)
    for group, rows in recipe.described().items():
        table.add_row()
        table.add_row(f"[bold]{group}[/]")
        for field, value, what in rows:
            shown = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            table.add_row(f"  {field}", shown, f"[dim]{what}[/]")
    console.print(table)
