"""Commands that export and serve models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from sparring.cli.app import Device, Laws, Marks, TrustCode, app
from sparring.console import number_table, print_wide, say

if TYPE_CHECKING:
    from sparring.provenance import Mark


@app.command(
    epilog="Examples:\n\n"
    "  sparring export runs/dcgan-photos -o photos.onnx --bytes\n\n"
    "  sparring export runs/dcgan-photos --int8 --prune 0.3\n\n"
    "  sparring export runs/table-customers -o customers.onnx\n\n"
    "  sparring export runs/srgan-photos --format safetensors --half"
)
def export(
    run: Annotated[str, typer.Argument(help="The folder of a run or of a model.")],
    format: Annotated[
        str,
        typer.Option(
            help="onnx, which many programs run, or safetensors, for sparring.load. \\[default: by FILE, or onnx]"
        ),
    ] = "",
    out: Annotated[
        str, typer.Option("-o", "--out", metavar="FILE", help="A .onnx or .safetensors. \\[default: next to RUN]")
    ] = "",
    in_bytes: Annotated[bool, typer.Option("--bytes", help="Images as bytes, height x width x channels.")] = False,
    int8: Annotated[bool, typer.Option("--int8", help="Store weights and compute inputs of layers in 8 bits.")] = False,
    half: Annotated[bool, typer.Option("--half", help="Store weights in 16 bits.")] = False,
    prune: Annotated[
        float, typer.Option(metavar="SHARE", help="Remove this share of G's channels, and fine-tune the rest.")
    ] = 0.0,
    reverse: Annotated[
        bool, typer.Option("--reverse", help="Export the opposite direction of a model that learned both.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE.")] = False,
    mark: Laws = None,
    marks: Marks = "",
    trust_code: TrustCode = False,
) -> None:
    """Write a model as one file for other programs, and report its size, speed and quality."""
    from sparring.deploy.export import export as write
    from sparring.deploy.export import place_of
    from sparring.deploy.measure import sized
    from sparring.files import write_text
    from sparring.provenance import sidecars

    if mark:
        marking = _marking(run, place_of(run, out or None, format)[0], mark, marks, force, trust_code)
    exported = write(
        run, out or None, format, in_bytes, int8, half, prune, reverse, force, quiet=False, trust=trust_code
    )
    if mark:
        beside = sidecars.beside(exported.path)
        write_text(beside, marking.written(exported.path) or "")
        say(f"what it generates is not marked by itself; {beside} says that it has to be")
    if exported.variants:
        say()
        print_wide(number_table(exported.rows()))
    if exported.protocol:
        say(f"\n{exported.protocol}")
    say(f"\n{sized(exported.size)} in {exported.path}")


def _marking(run: str, path: Path, laws: Sequence[str], marks: str, force: bool, trust: bool) -> Mark:
    """What will say beside an exported model, signed, that what it generates is not real.

    Raises:
        InputError: if that cannot be written.
    """
    from sparring.files import check_output
    from sparring.model import load
    from sparring.provenance import Mark, sidecars

    Mark.check(laws, marks)
    check_output(sidecars.beside(path), force, file=True)
    return Mark.of(load(run, trust=trust), laws, marks)


@app.command(
    epilog="Examples:\n\n"
    "  sparring serve runs/dcgan-photos\n\n"
    "  sparring serve digits=runs/gan-digits runs/table-customers --port 8080\n\n"
    "  sparring serve runs/srgan-photos --host 0.0.0.0 --keys keys.txt"
)
def serve(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Folders of runs or models, or NAME=FOLDER.")],
    host: Annotated[str, typer.Option(help="Address to listen at; any that other machines reach needs a key.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="0 for any free port.")] = 8000,
    key: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="A valid API key; may be repeated. Also from SPARRING_KEYS, separated by commas."),
    ] = None,
    keys: Annotated[str, typer.Option(metavar="FILE", help="A file with one key per line.")] = "",
    host_name: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            metavar="NAME", help="A further name of this server, such as a proxy's; may be repeated. * for any."
        ),
    ] = None,
    device: Device = "auto",
    max_samples: Annotated[int, typer.Option(help="Maximum number of samples of a request.")] = 10_000,
    body: Annotated[float, typer.Option(help="Maximum size of a request's body, in MiB.")] = 16.0,
    pixels: Annotated[int, typer.Option(help="Maximum number of pixels of an uploaded image.")] = 1 << 22,
    seconds: Annotated[float, typer.Option(help="Maximum seconds for a request, and for stopping the server.")] = 30.0,
    queue: Annotated[int, typer.Option(help="Maximum number of requests that wait for a model.")] = 256,
    batch: Annotated[int, typer.Option(help="Maximum number of samples generated together; 1 for no batches.")] = 64,
    wait: Annotated[float, typer.Option(help="Maximum milliseconds that a batch waits for further requests.")] = 2.0,
    connections: Annotated[int, typer.Option(help="Maximum number of open connections.")] = 512,
    mark: Laws = None,
    marks: Marks = "",
    traces: Annotated[
        bool, typer.Option("--traces", help="Send traces by OpenTelemetry, to OTEL_EXPORTER_OTLP_ENDPOINT.")
    ] = False,
    trust_code: TrustCode = False,
) -> None:
    """Serve models over HTTP: samples, and transformed images, for other programs."""
    from sparring.deploy.serve import Limits
    from sparring.deploy.serve import serve as listen

    limits = Limits(max_samples, body, pixels, seconds, queue, batch, wait, connections)
    listen(
        runs, host, port, key or (), keys or None, device, limits, trust_code, host_name or (), mark=mark or (),
        marks=marks, traces=traces,
    )  # fmt: skip
