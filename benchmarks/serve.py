"""Requests per second and latency of the server, with and without batches, for one to many clients.

The server and wrk (https://github.com/wg/wrk, which must be installed) are separate processes. Every connection
requests one sample, and the next one as soon as it has received it.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

from pages import table
from runs import run_tasks, trained

CONNECTIONS = (1, 8, 32)
SECONDS = 20  # of each measurement
WARM_UP = 3  # seconds before the first measurement
LUA = """
wrk.method = "POST"
done = function(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  print(string.format("result %f %f %f %d", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, failed))
end
"""


@contextmanager
def served(run: Path, batch: int) -> Iterator[str]:
    """The address of a model that a separate process serves."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sparring", "serve", f"model={run}", "--port", str(port), "--batch", str(batch)]
    process = subprocess.Popen([*command, "--device", "cpu"], stdout=subprocess.DEVNULL)
    try:
        while process.poll() is None and not ready(port):
            time.sleep(0.1)
        if process.poll() is not None:
            sys.exit(f"the server ended with status {process.returncode}")
        yield f"http://127.0.0.1:{port}/models/model/samples"
    finally:
        process.terminate()
        process.wait()


def ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz") as response:
            return bool(response.status == 200)
    except URLError:
        return False


def load_test(address: str, connections: int, seconds: float) -> list[float]:
    """Requests per second, and the median and the 99th percentile of the latency in milliseconds."""
    wrk = shutil.which("wrk")
    if wrk is None:
        sys.exit("wrk is not installed: apt-get install wrk")
    with TemporaryDirectory() as folder:
        script = Path(folder) / "post.lua"
        script.write_text(LUA)
        words = [wrk, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s", "-s", str(script)]
        output = subprocess.run([*words, address], check=True, capture_output=True, text=True).stdout
    line = next(line for line in output.splitlines() if line.startswith("result"))
    *numbers, failed = map(float, line.split()[1:])
    if failed:
        sys.exit(f"{failed:g} requests on {connections} connections failed:\n{output}")
    return numbers


def measured(options: argparse.Namespace, name: str, recipe: str, data: Path | str, minutes: float) -> list[str]:
    """A table for one model, with a line for each number of connections."""
    trained(options, name, recipe, data, minutes)
    rows: dict[int, list[str]] = {n: [f"{n}"] for n in CONNECTIONS}
    for batch in (1, 64):
        with served(options.runs / name, batch) as address:
            load_test(address, max(CONNECTIONS), WARM_UP * options.time)
            for n in CONNECTIONS:
                rate, median, late = load_test(address, n, SECONDS * options.time)
                rows[n] += [f"{rate:,.0f}", f"{median:.3g}", f"{late:.3g}"]
    columns = ("requests/s", "median, ms", "99%, ms")
    head = ["connections", *(f"{column}, {how}" for how in ("one by one", "batched") for column in columns)]
    gains = [float(rows[n][4].replace(",", "")) / float(rows[n][1].replace(",", "")) for n in CONNECTIONS]
    speedups = ", ".join(f"{gain:.2f} for {n}" for n, gain in zip(CONNECTIONS, gains, strict=True))
    return [*table(head, list(rows.values())), "", f"Requests answered with batches / one by one: {speedups}."]


def images(options: argparse.Namespace) -> list[str]:
    """Digits by dcgan, as PNGs."""
    return measured(options, "dcgan-mnist", "dcgan", "mnist", 2)


def points(options: argparse.Namespace) -> list[str]:
    """A ring of Gaussians by r3gan_mlp, as JSON: nearly no computation in the net."""
    return measured(options, "points", "r3gan_mlp", "ring", 0.5)


if __name__ == "__main__":
    run_tasks(__file__, str(__doc__), {"images": images, "points": points})
