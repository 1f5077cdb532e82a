"""Trained models served over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sparring.console import Screen
from sparring.deploy.serve.keys import gathered, listening
from sparring.deploy.serve.limits import Limits
from sparring.devices import resolve
from sparring.errors import needs

__all__ = ["Limits", "serve"]

LIBRARIES = {
    "fastapi": "describes what is served",
    "uvicorn": "serves",
    "python_multipart": "reads forms",
    "prometheus_client": "counts",
}


def serve(
    runs: Sequence[str | Path],
    host: str = "127.0.0.1",
    port: int = 8000,
    keys: Sequence[str] = (),
    keys_file: str | Path | None = None,
    device: str = "auto",
    limits: Limits = Limits(),
) -> None:
    """Serve models over HTTP until Ctrl-C or SIGTERM.

    Args:
        runs: folders of runs or models, each RUN or NAME=RUN; served by their names.
        host: address to listen at; other machines can ask at any but a loopback address.
        port: 0 for any that is free.
        keys, keys_file: that requests have to send, further ones than those in the environment's SPARRING_KEYS.
        device: where nets compute.
        limits: of what is taken on.

    Raises:
        InputError: where a run has no model, two have one name, an address cannot be listened at or needs keys, or
            a library is missing.
    """
    for module, does in LIBRARIES.items():
        needs(module, "serve", does)
    from sparring.deploy.serve.served import opened
    from sparring.deploy.serve.server import run

    found = gathered(keys, keys_file)
    with listening(host, port, found) as taken:
        models = opened([str(one) for one in runs], str(resolve(device)))
        place, chosen = taken.getsockname()[:2]
        shown = f"[{place}]" if ":" in place else place

        def say() -> None:
            named = ", ".join(models)
            screen.say(f"{named} at http://{shown}:{chosen} ({'with' if found else 'without'} keys; Ctrl-C ends it)")

        screen = Screen()
        run(models, taken, limits, found, say)
        screen.say("stopped")
