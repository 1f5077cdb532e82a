"""The command that opens the web page."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from sparring.cli.app import Laws, Marks, TrustCode, app
from sparring.console import say


@app.command(
    epilog="Examples:\n\n"
    "  sparring studio\n\n"
    "  sparring studio runs/ more-runs/ --port 8000\n\n"
    "  SPARRING_PASSWORD=... sparring studio --host 0.0.0.0"
)
def studio(
    runs: Annotated[
        Optional[list[str]],  # noqa: UP045 (typer reads this at run time)
        typer.Argument(help="Folders of runs, or runs. New runs are created in the first one. \\[default: runs]"),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; any but a loopback address needs a password.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 7860,
    password: Annotated[
        str, typer.Option(envvar="SPARRING_PASSWORD", help="Password that the page asks for.", show_envvar=True)
    ] = "",
    host_name: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(metavar="NAME", help="A further name of the page, such as a proxy's; may be repeated. * for any."),
    ] = None,
    device: Annotated[str, typer.Option(help="Device that models run on: auto, cpu, cuda, cuda:1, mps.")] = "auto",
    mark: Laws = None,
    marks: Marks = "",
    trust_code: TrustCode = False,
) -> None:
    """Open a web page to train, watch, sample, edit and compare models."""
    from sparring.studio import launch

    launch(runs or (), host, port, password, device, say, trust_code, host_name or (), mark or (), marks)
