"""A set in shards of records, read by ranges from a store and from the local disk: a part of `stores.py`.

Images that hold their own numbers are imported with `sparring shards`, a sixteenth of them and all, into a store. Then
processes read epochs of batches, as a training does: from the folder of the shards, from the store, again from the
blocks that were kept, from the store while its server is killed and started again, and from the middle of the epoch.
Each counts how often it has got each record. At last, models are trained on both sets, one of them with a stop.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import pages
from s3 import AWAY, Server

SIDE, DIFFERENT, CLASSES = 8, 500, 10
SHARE = 16  # the small set has one record in this many
BATCH = 64
READ = """
import hashlib, json, resource, sys, time
import numpy as np
from sparring.data.records.place import place_of
from sparring.data.records.reading import RecordBatches, open_set
from sparring.data.tensors import CONDITION, VALUES
from sparring.seeds import Seeds
import torch, pyarrow.fs, fsspec.implementations.arrow

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

data, size, part, killed = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4] == "killed"
before, begin, longest = peak(), time.monotonic(), 0.0
records = open_set(place_of(data))
n = records.index.train.records
batches = RecordBatches(records, [VALUES, CONDITION], size, 1, Seeds(0))
seen = np.zeros(len(records), np.uint8)
half, digest = n // size // 2, hashlib.blake2b(digest_size=16)
for number in range(int(part * half), -(-n // size)):
    if killed and number == half // 2:
        print("kill", flush=True)
        sys.stdin.readline()
    asked = time.monotonic()
    batch = batches(number, 0)
    longest = max(longest, time.monotonic() - asked)
    rows = min(size, n - number * size)
    pixels, labels = batch[VALUES][:rows].numpy(), batch[CONDITION][:rows].numpy()
    ids = pixels[:, 0, 0, :4].astype(np.int64) @ 256 ** np.arange(4)
    seen[ids] += 1
    assert (labels == ids % 10).all()
    if number >= half:
        digest.update(pixels.tobytes())
records.close()
print(json.dumps({"seconds": time.monotonic() - begin, "records": n, "got": int(seen.sum()),
                  "different": int((seen > 0).sum()), "doubled": int((seen > 1).sum()), "longest": longest,
                  "memory": peak() - before, "digest": digest.hexdigest()}), flush=True)
"""
TRAIN = """
import resource
from sparring.cli import main
try:
    main()
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
STEPS = 400  # of a training
Told = dict[str, float]


def measured(place: Path, count: int) -> list[str]:
    """Lines for the page."""
    server = Server(place / "store")
    try:
        imported = [write(place, server, name, n) for name, n in (("small", max(1, count // SHARE)), ("all", count))]
        results = {
            f"{n:,}, {word}": read(place, data(place, name, far), server if far else None)
            for name, n in (("small", max(1, count // SHARE)), ("all", count))
            for far, word in ((False, "local shards"), (True, "from the store"))
        }
        results[f"{count:,}, kept blocks"] = read(place, data(place, "all", True), server, keep=True)
        results[f"{count:,}, server killed"] = read(place, data(place, "all", True), server, killed=True)
        resumed = read(place, data(place, "all", True), server, part=1.0)
        memory = [train(place, server, name, name, STEPS) for name in ("small", "all")]
        train(place, server, "all", "cut", STEPS // 2)
        train(place, server, "all", "cut", STEPS)
    finally:
        server.stop()
    check(results, resumed, count)
    if weights(place, "all") != weights(place, "cut"):
        raise SystemExit("a training that was stopped and resumed ended with other weights")
    wait = results[f"{count:,}, server killed"]["longest"]
    return [
        f"{count:,} images of {SIDE} x {SIDE} pixels with classes were imported by `sparring shards` into a store, "
        f"{imported[-1]:,.0f} a second, and read in batches of {BATCH}: from the folder of the shards, and by ranges "
        "from a server of S3's protocol on this machine. In the middle of one epoch the server was killed, and started "
        f"again after {AWAY:g} seconds; the longest wait for a batch was {wait:.1f} seconds. In each epoch every image "
        "that is trained on arrived exactly once, with its class, and the batches were the same, byte for byte, in all "
        "cases, also for a process that began in the middle of the epoch. Memory is the peak of the process beyond "
        "what the libraries need, with one byte for each image by which this counts.",
        "",
        *pages.table(["images", "read/s", "lost", "doubled", "memory"], rows(results)),
        "",
        f"`sparring train` from the store (recipe gan, {STEPS} steps) needed {memory[0]:,.0f} MiB in all for "
        f"{max(1, count // SHARE):,} images, and {memory[1]:,.0f} MiB for {count:,}. Stopped halfway and resumed, it "
        "ended with the same weights, bit for bit.",
    ]


def check(results: dict[str, Told], resumed: Told, count: int) -> None:
    """Stop unless the batches of all sets of one size are equal."""
    same = {told["digest"] for name, told in results.items() if name.startswith(f"{count:,},")}
    if same != {resumed["digest"]}:
        raise SystemExit("the batches from the store differ from those of the local shards")
    if results[f"{count:,}, server killed"]["longest"] < 0.5 * AWAY:
        raise SystemExit(f"{count:,} records were read before the server was missed; give more")
    if resumed["doubled"]:
        raise SystemExit("records were doubled after the epoch was begun in its middle")


def data(place: Path, name: str, far: bool) -> str:
    return f"s3://bucket/{name}" if far else str(place / "store" / "bucket" / name)


def write(place: Path, server: Server, name: str, count: int) -> float:
    """Import a set into the store. Returns how many images a second."""
    random = np.random.default_rng(0)
    (place / "store" / "bucket").mkdir(parents=True, exist_ok=True)
    images = random.integers(0, 255, (DIFFERENT, SIDE, SIDE), dtype=np.uint8)[np.arange(count) % DIFFERENT]
    numbers = np.arange(count, dtype=np.uint32)
    images[:, 0, :4] = numbers[:, None] // 256 ** np.arange(4, dtype=np.uint32) % 256
    np.savez(place / f"{name}.npz", images=images, labels=numbers % CLASSES)
    begin = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "sparring", "shards", str(place / f"{name}.npz"), "-o", data(place, name, True)],
        stdout=subprocess.DEVNULL, check=True, env=environment(place, server),
    )  # fmt: skip
    (place / f"{name}.npz").unlink()
    return count / (time.monotonic() - begin)


def read(
    place: Path, source: str, server: Server | None, keep: bool = False, killed: bool = False, part: float = 0.0
) -> Told:
    """What a process that reads an epoch tells of it.

    Args:
        keep: go on with the blocks that the last process has kept.
        killed: whether the server is killed meanwhile.
        part: of the first half that is left out.
    """
    if not keep:
        shutil.rmtree(place / "cache", ignore_errors=True)
    words = [sys.executable, "-c", READ, source, str(BATCH), str(part), "killed" if killed else ""]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(place, server)
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        if killed and server is not None:
            server.stop()
            print("go", file=process.stdin, flush=True)
            time.sleep(AWAY)
            server.start()
            line = process.stdout.readline()
    if process.returncode:
        raise SystemExit(f"reading {source} failed")
    told: Told = json.loads(line)
    return told


def train(place: Path, server: Server, name: str, run: str, steps: int) -> float:
    """Train on a set in the store, or go on. Returns MiB of memory."""
    words = f"train {data(place, name, True)} --recipe gan --steps {steps} --resume --device cpu --out {place / run}"
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, *words.split()], stdout=subprocess.PIPE, text=True, check=True,
        env=environment(place, server),
    )  # fmt: skip
    return float(done.stdout.strip().splitlines()[-1])


def weights(place: Path, run: str) -> bytes:
    return (place / run / "model" / "weights.safetensors").read_bytes()


def environment(place: Path, server: Server | None) -> dict[str, str]:
    return {**os.environ, "XDG_CACHE_HOME": str(place / "cache"), **(server.environment if server else {})}


def rows(results: dict[str, Told]) -> list[list[str]]:
    lines = []
    for name, told in results.items():
        lost = int(told["records"] - told["different"])
        speed = told["records"] / told["seconds"]
        lines.append([name, f"{speed:,.0f}", f"{lost:,}", f"{int(told['doubled']):,}", f"{told['memory']:,.0f} MiB"])
    return lines
