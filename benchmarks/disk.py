"""Data larger than memory against the same data in memory: speed, and memory over time.

    python benchmarks/disk.py [--images 40000] [--limit 32M] [--rounds 3] [--page docs/disk.md]

Writes a zip of synthetic images that is several times larger than the limit when decoded, and trains on it
alternately with `--memory LIMIT` (read from disk by workers) and without (all in memory), each in its own process.
Prints steps per second, and the memory of the process after warm-up and at the end.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 32
TRAIN = """
import json, sys, threading, time
import sparring

def resident():
    fields = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return int(fields["VmRSS"].split()[0]) / 1024

sizes = []
def watch():
    while True:
        sizes.append((time.monotonic(), resident()))
        time.sleep(0.2)

threading.Thread(target=watch, daemon=True).start()
data, out, memory, steps = sys.argv[1:]
sparring.train("r3gan_strided", data, out=out, memory=memory, steps=int(steps), quiet=True, width=16, precision="fp32")
lines = [json.loads(line) for line in open(out + "/log.jsonl")]
first, last = next(l for l in lines if l["seconds"] > 3), lines[-1]
speed = (last["step"] - first["step"]) / (last["seconds"] - first["seconds"])
end = sizes[-1][0]
late = [size for moment, size in sizes if moment > end - (last["seconds"] - first["seconds"])]
print(json.dumps({"speed": speed, "early": late[0], "late": late[-1]}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=40_000)
    parser.add_argument("--limit", default="32M", help="of memory for the data")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--page", type=Path, help="write a page to this Markdown file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["XDG_CACHE_HOME"] = place  # decoded data are deleted with the archive
        archive = synthetic(Path(place) / "synthetic.zip", given.images)
        results = [
            {kind: measured(archive, Path(place), memory, given.steps) for kind, memory in kinds(given.limit)}
            for _ in range(given.rounds)
        ]
    table = rows(results, given)
    print(table)
    if given.page:
        size = given.images * SIDE * SIDE * 3 / 2**20
        protocol = (
            f"{given.images:,} synthetic images of {SIDE} x {SIDE} pixels in a zip, {size:,.0f} MiB decoded. "
            f"`r3gan_strided` is trained alternately with `--memory {given.limit}` and with all data in memory, in "
            f"{given.rounds} rounds; medians and ranges. Ratios are computed within each round. Memory is the resident "
            "set of the process after warm-up and at the end."
        )
        command = "`python benchmarks/disk.py --page docs/disk.md` writes this page."
        given.page.write_text("\n\n".join(["# Data larger than memory", protocol, command, table]) + "\n")


def kinds(limit: str) -> list[tuple[str, str]]:
    return [("in memory", "64G"), ("from disk", limit)]


def synthetic(path: Path, count: int) -> Path:
    """A zip of color noise, smoothed so that it compresses like images."""
    random = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(count):
            coarse = Image.fromarray(random.integers(0, 255, (4, 4, 3), dtype=np.uint8))
            file = io.BytesIO()
            coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(file, "PNG", compress_level=1)
            archive.writestr(f"{i:06}.png", file.getvalue())
    return path


def measured(archive: Path, place: Path, memory: str, steps: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=place) as out:
        words = [sys.executable, "-c", TRAIN, str(archive), f"{out}/run", memory, str(steps)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def rows(results: list[dict[str, dict[str, float]]], given: argparse.Namespace) -> str:
    head = "| data | steps/s | relative to in memory | memory after warm-up | memory at the end |"
    lines = [head, "|---|---:|---:|---:|---:|"]
    for kind, _ in kinds(given.limit):
        speeds = [round_[kind]["speed"] for round_ in results]
        ratios = [round_[kind]["speed"] / round_["in memory"]["speed"] for round_ in results]
        ratio = (
            "" if kind == "in memory" else f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )
        early, late = (statistics.median(round_[kind][when] for round_ in results) for when in ("early", "late"))
        lines.append(f"| {kind} | {statistics.median(speeds):.1f} | {ratio} | {early:,.0f} MiB | {late:,.0f} MiB |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
