"""Commands that put models to use."""

from __future__ import annotations

from typing import Annotated, Any, Optional

import typer
from typer.core import TyperCommand

from sparring.cli.app import Device, TrustCode, app
from sparring.console import Console, number_table, print_wide, say

APPLY_OPTIONS = ("out", "mask", "reverse", "sharpness", "smooth", "no-smooth", "device", "force", "trust-code")


class ApplyCommand(TyperCommand):
    """`sparring apply`, whose help lists what models of every kind of data can be asked for."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from sparring.modalities.find import every_apply_ask

        lines = [f"  --{ask.name}  {ask.help}" for ask in every_apply_ask()]
        self.epilog = "\n\n".join(["What some models can be asked for:", *lines, APPLY_EXAMPLES])
        super().format_help(ctx, formatter)


APPLY_EXAMPLES = """Examples:

  sparring apply runs/pix2pix-maps map.png -o photo.png

  sparring apply runs/srgan-photos holiday/ -o larger/

  sparring apply runs/cyclegan-horses zebra.mp4 -o horse.mp4 --reverse

  sparring apply runs/audio_denoise-clean noisy.wav -o restored.wav

  sparring apply runs/chorale-chorales melody.mid -o chorale.mid

  sparring apply runs/predict-weizmann film.mp4 -o longer.mp4 --length 24 --variant 3

  sparring apply runs/inpaint-photos scratched.jpg -o repaired.png --mask scratches.png"""


@app.command(
    cls=ApplyCommand,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def apply(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="The folder of a run or a model that transforms given items.")],
    source: Annotated[
        str, typer.Argument(metavar="INPUT", help="An image, a video, a sound, a melody (.mid), or a folder.")
    ],
    out: Annotated[
        str,
        typer.Option(
            "-o",
            "--out",
            help="A folder, or a .png, .jpg, .webp, .tif, .bmp; .mp4, .mov, .mkv, .webm, .gif; .wav, .flac, .ogg; "
            ".mid, .musicxml.",
        ),
    ],
    mask: Annotated[
        str,
        typer.Option(help="White where pixels are filled; a folder for a folder. \\[default: transparent pixels]"),
    ] = "",
    reverse: Annotated[bool, typer.Option("--reverse", help="The opposite direction, if it was learned.")] = False,
    sharpness: Annotated[float, typer.Option(help="For restoration models; below 1 more cautious.")] = 1.0,
    smooth: Annotated[
        bool, typer.Option("--smooth/--no-smooth", help="Reduce flicker where a video does not move.")
    ] = True,
    device: Device = "auto",
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
    trust_code: TrustCode = False,
) -> None:
    """Transform images, videos and sounds of any size, or harmonize melodies, with a trained model."""
    from sparring.cli.asks import parsed
    from sparring.modalities.find import every_apply_ask
    from sparring.model import load
    from sparring.use.apply import apply

    asked: dict[str, Any] = {}
    if context.args:
        asks = load(run, trust=trust_code).modality.apply_asks
        asked = parsed(context.args, asks, every_apply_ask(), "apply", APPLY_OPTIONS)
    applied = apply(
        run, source, out, mask or None, reverse, sharpness, smooth, device, force, quiet=False, trust=trust_code,
        **asked,
    )  # fmt: skip
    say(f"{applied.count:,} {applied.words} in {out}")


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
        typer.Option("-n", help="Number of samples to add; not with --rare. \\[default: number of real items]"),
    ] = None,
    rare: Annotated[
        bool, typer.Option("--rare", help="Add samples of rarer classes only, until all classes are equally frequent.")
    ] = False,
    target: Annotated[
        str, typer.Option(help="The category of a table that is the class. \\[default: the model's]")
    ] = "",
    against: Annotated[
        str, typer.Option(help="Other data that the model was not trained on. \\[default: the held-out data]")
    ] = "",
    seeds: Annotated[int, typer.Option(help="Number of repetitions, with other samples and test items each.")] = 5,
    without: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Leave out 'class weights', 'SMOTE', 'samples' or 'samples of rare classes'; repeatable."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
    trust_code: TrustCode = False,
) -> None:
    """Add samples to a labeled data set, and measure what they are worth to a classifier."""
    from sparring.use import augment as enlarge

    result = enlarge(
        run, out, n, rare, target, against or None, seeds, without or (), force, quiet=False, trust=trust_code
    )
    say()
    print_wide(number_table(result.rows()))
    console = Console()
    console.print(f"\n{result.protocol}.\n", markup=False)
    for verdict in result.verdicts():
        console.print(f"- {verdict}", markup=False)
    real, samples = result.written
    console.print(f"- {out} holds {real:,} real items followed by {samples:,} samples", markup=False)


@app.command(
    epilog="Examples:\n\n"
    "  sparring scenarios runs/series-prices -o risk/\n\n"
    "  sparring scenarios runs/series-prices -o risk/ --horizon 10 --weight 'AAPL Close=2' --weight 'MSFT Close=1'"
)
def scenarios(
    run: Annotated[str, typer.Argument(help="The folder of a run on a series of prices.")],
    out: Annotated[str, typer.Option("-o", "--out", help="A folder for the table, the plot and the paths.")],
    n: Annotated[int, typer.Option("-n", help="Number of paths.")] = 10_000,
    horizon: Annotated[
        Optional[list[int]],  # noqa: UP045
        typer.Option(help="Steps ahead; repeatable. \\[default: 1, 5 and 20]"),
    ] = None,
    weight: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Value of a price in the portfolio: NAME=AMOUNT; repeatable. \\[default: equal amounts]"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the paths.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
    trust_code: TrustCode = False,
) -> None:
    """Simulate prices: value at risk and expected shortfall of a portfolio, next to the historical ones."""
    from sparring.use import scenarios as simulate
    from sparring.use.scenarios import rows

    risks = simulate(run, out, n, horizon or (1, 5, 20), weight or (), seed, force, trust_code)
    say()
    print_wide(number_table(rows(risks)))
    console = Console()
    console.print(
        f"\nLosses as fractions of the portfolio; {n:,} paths; historical windows start at every step.\n", markup=False
    )
    console.print(f"- see {out} (risk.csv, fan.png, paths.npz)", markup=False)


@app.command(
    epilog="Examples:\n\n"
    "  sparring rank runs/molecules-molecules candidates.smi -o ranked.csv\n\n"
    "  sparring rank runs/photos other-photos/ --first 5"
)
def rank(
    run: Annotated[str, typer.Argument(help="A run's folder, or a model's.")],
    data: Annotated[str, typer.Argument(help="The items: a folder, a file, or the name of a data set.")],
    out: Annotated[str, typer.Option("-o", "--out", help="A .csv with all items.")] = "",
    first: Annotated[int, typer.Option(min=1, help="Items that are shown of either end.")] = 10,
    device: Device = "auto",
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
    trust_code: TrustCode = False,
) -> None:
    """Sort items by how real D takes them for, with what it holds against each."""
    from sparring.use.rank import rank as rank_items
    from sparring.use.rank import rows

    ranked = rank_items(run, data, out or None, device, force, quiet=False, trust=trust_code)
    say()
    print_wide(number_table(rows(ranked, first)))
    say(f"\n{len(ranked):,} items{f' in {out}' if out else ''}; D: its probability that an item is real")
