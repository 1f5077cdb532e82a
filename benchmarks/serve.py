"""How many requests a server answers, and how soon: with batches and without, from one client to many.

The server is a process of its own, wrk another (https://github.com/wg/wrk, which has to be installed); every
connection asks for one sample, and for the next as soon as it has it.
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
from runs import play, trained

CONNECTIONS = (1, 8, 32)
SECONDS = 20  # of each measurement
FEW = 3  # seconds before the first, not measured
LUA = """
wrk.method = "POST"
done = function(summary, latency, requests)
  local errors = summary.errors
  local wrong = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  print(string.format("found %f %f %f %d", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, wrong))
end
"""


@contextmanager
def served(run: Path, batch: int) -> Iterator[str]:
    """The address of a model, in a process of its own."""
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
        with urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            return bool(answer.status == 200)
    except URLError:
        return False


def loaded(address: str, connections: int, seconds: float) -> list[float]:
    """Requests per second, the median and the 99th percentile of milliseconds until an answer."""
    wrk = shutil.which("wrk")
    if wrk is None:
        sys.exit("wrk is not installed: apt-get install wrk")
    with TemporaryDirectory() as folder:
        script = Path(folder) / "post.lua"
        script.write_text(LUA)
        words = [wrk, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s", "-s", str(script)]
        said = subprocess.run([*words, address], check=True, capture_output=True, text=True).stdout
    *numbers, wrong = map(float, next(line for line in said.splitlines() if line.startswith("found")).split()[1:])
    if wrong:
        sys.exit(f"{wrong:g} requests of {connections} connections were not answered well:\n{said}")
    return numbers


def measured(asked: argparse.Namespace, name: str, recipe: str, data: Path | str, minutes: float) -> list[str]:
    """A table of a model's, with a line for each number of connections."""
    trained(asked, name, recipe, data, minutes)
    rows: dict[int, list[str]] = {n: [f"{n}"] for n in CONNECTIONS}
    for batch in (1, 64):
        with served(asked.runs / name, batch) as address:
            loaded(address, max(CONNECTIONS), FEW * asked.time)
            for n in CONNECTIONS:
                speed, median, late = loaded(address, n, SECONDS * asked.time)
                rows[n] += [f"{speed:,.0f}", f"{median:.3g}", f"{late:.3g}"]
    columns = ("requests/s", "median, ms", "99%, ms")
    head = ["connections", *(f"{column}, {how}" for how in ("one by one", "batched") for column in columns)]
    gains = [float(rows[n][4].replace(",", "")) / float(rows[n][1].replace(",", "")) for n in CONNECTIONS]
    gained = ", ".join(f"{gain:.2f} for {n}" for n, gain in zip(CONNECTIONS, gains, strict=True))
    return [*table(head, list(rows.values())), "", f"Batches answer so many times the requests: {gained}."]


def pictures(asked: argparse.Namespace) -> list[str]:
    """MNIST's digits by dcgan, as PNGs."""
    return measured(asked, "dcgan-mnist", "dcgan", "mnist", 2)


def points(asked: argparse.Namespace) -> list[str]:
    """A ring of Gaussians by r3gan_mlp, as JSON: next to nothing to compute."""
    return measured(asked, "points", "r3gan_mlp", "ring", 0.5)


if __name__ == "__main__":
    play(__file__, str(__doc__), {"pictures": pictures, "points": points})
