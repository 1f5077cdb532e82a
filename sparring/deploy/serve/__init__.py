"""Trained models served over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sparring.console import Screen
from sparring.deploy.serve.access import Hosts
from sparring.deploy.serve.keys import bound_socket, load_keys
from sparring.deploy.serve.limits import Limits
from sparring.devices import resolve
from sparring.errors import needs

__all__ = ["Limits", "serve"]

LIBRARIES = {
    "fastapi": "describes the HTTP API",
    "uvicorn": "runs the HTTP server",
    "python_multipart": "reads uploaded forms",
    "prometheus_client": "exports metrics",
}


def serve(
    runs: Sequence[str | Path],
    host: str = "127.0.0.1",
    port: int = 8000,
    keys: Sequence[str] = (),
    keys_file: str | Path | None = None,
    device: str = "auto",
    limits: Limits = Limits(),
    trust: bool = False,
    host_names: Sequence[str] = (),
    mark: Sequence[str] = (),
    marks: str = "",
    traces: bool = False,
) -> None:
    """Serve models over HTTP until Ctrl-C or SIGTERM.

    Args:
        runs: folders of runs or models, each RUN or NAME=RUN; they are served by their names.
        host: address to listen at. Other machines can reach any but a loopback address.
        port: 0 for any free port.
        keys, keys_file: valid API keys, in addition to those in the environment variable SPARRING_KEYS.
        device: of the nets.
        limits: of requests.
        trust: as for `sparring.load`.
        host_names: names by which clients reach the server besides localhost, this machine's name and addresses as
            numbers, such as the name of a proxy; "*" for any.
        mark: what marks all that models generate, whatever clients ask for: "eu", "cn" or both.
        marks: folder of marks, as for `sparring.provenance.Mark.of`.
        traces: send traces of requests by OpenTelemetry, to where its variables say.

    Raises:
        InputError: if a run has no model, two have the same name, an address is not available or needs keys, or a
            library is missing.
    """
    for module, does in LIBRARIES.items():
        needs(module, "serve", does)
    from sparring.deploy.serve.served import load_all
    from sparring.deploy.serve.server import run
    from sparring.deploy.serve.traces import Traces, exported
    from sparring.provenance import Mark

    recorded = exported() if traces else Traces()

    loaded, hosts = load_keys(keys, keys_file), Hosts((*host_names, host))
    with bound_socket(host, port, loaded) as bound:
        models = load_all([str(one) for one in runs], str(resolve(device)), trust)
        marked = {name: Mark.of(model, mark, marks) for name, model in models.items()} if mark else {}
        address, chosen_port = bound.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address

        def announce() -> None:
            names, how = ", ".join(models), "with" if loaded else "without"
            screen.say(f"{names} at http://{shown}:{chosen_port} ({how} keys; Ctrl-C stops it)")

        screen = Screen()
        run(models, bound, limits, loaded, hosts, announce, marked, recorded)
        screen.say("stopped")
