"""Commands that take models elsewhere."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from sparring.cli.app import app


@app.command(
    epilog="Examples:\n\n"
    "  sparring export runs/dcgan-photos -o photos.onnx --bytes\n\n"
    "  sparring export runs/dcgan-photos --int8 --prune 0.3\n\n"
    "  sparring export runs/table-customers -o customers.onnx\n\n"
    "  sparring export runs/srgan-photos --format safetensors --half"
)
def export(
    run: Annotated[str, typer.Argument(help="A run's folder, or a model's.")],
    format: Annotated[
        str,
        typer.Option(
            help="onnx, which runs anywhere, or safetensors, for sparring.load. \\[default: by FILE, or onnx]"
        ),
    ] = "",
    out: Annotated[
        str, typer.Option("-o", "--out", metavar="FILE", help="A .onnx or .safetensors. \\[default: beside RUN]")
    ] = "",
    in_bytes: Annotated[bool, typer.Option("--bytes", help="Pictures as bytes, height x width x channels.")] = False,
    int8: Annotated[bool, typer.Option("--int8", help="Weights, and what they meet, in eight bits.")] = False,
    half: Annotated[bool, typer.Option("--half", help="Weights in sixteen bits.")] = False,
    prune: Annotated[
        float, typer.Option(metavar="SHARE", help="Cut so many of the channels out of G, and fine-tune the rest.")
    ] = 0.0,
    reverse: Annotated[bool, typer.Option("--reverse", help="The other way, for models of two ways.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE.")] = False,
) -> None:
    """Write a model as one file for other programs, and say how large, how fast and how good it is."""
    from sparring.console import number_table, print_wide
    from sparring.deploy.export import export as write
    from sparring.deploy.measure import sized

    found = write(run, out or None, format, in_bytes, int8, half, prune, reverse, force, quiet=False)
    if found.variants:
        print()
        print_wide(number_table(found.rows()))
    if found.protocol:
        print(f"\n{found.protocol}")
    print(f"\n{sized(found.size)} in {found.path}")


@app.command(
    epilog="Examples:\n\n"
    "  sparring serve runs/dcgan-photos\n\n"
    "  sparring serve digits=runs/gan-digits runs/table-customers --port 8080\n\n"
    "  sparring serve runs/srgan-photos --host 0.0.0.0 --keys keys.txt"
)
def serve(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Folders of runs or models, or NAME=FOLDER.")],
    host: Annotated[str, typer.Option(help="Address to listen at; any but this machine's own needs a key.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="0 for any that is free.")] = 8000,
    key: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="That requests have to send; repeatable. Also from SPARRING_KEYS, separated by commas."),
    ] = None,
    keys: Annotated[str, typer.Option(metavar="FILE", help="A file of keys, one to a line.")] = "",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    most: Annotated[int, typer.Option(help="Samples of a request.")] = 10_000,
    body: Annotated[float, typer.Option(help="MiB that a request sends.")] = 16.0,
    pixels: Annotated[int, typer.Option(help="Of a picture that a request sends.")] = 1 << 22,
    seconds: Annotated[float, typer.Option(help="That a request takes, and the server to stop.")] = 30.0,
    queue: Annotated[int, typer.Option(help="Requests that wait for a model.")] = 256,
    batch: Annotated[int, typer.Option(help="Samples made in one pass for several requests; 1 for no batches.")] = 64,
    wait: Annotated[float, typer.Option(help="Milliseconds that a pass waits for others to join.")] = 2.0,
    connections: Annotated[int, typer.Option(help="That clients may have open at a time.")] = 512,
) -> None:
    """Serve models over HTTP: samples, and what they make of pictures, for other programs."""
    from sparring.deploy.serve import Limits
    from sparring.deploy.serve import serve as listen

    limits = Limits(most, body, pixels, seconds, queue, batch, wait, connections)
    listen(runs, host, port, key or (), keys or None, device, limits)
