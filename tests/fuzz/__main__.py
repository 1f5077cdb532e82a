"""Thousands of hostile inputs: `make fuzz`, or `python tests/fuzz [--kind KIND] [--seed S] [--cases N]`. For a failure,
the command that replays it is printed: `python tests/fuzz --kind KIND --seed S --case I`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TextIO

import corpus
from cases import KINDS
from running import MAX_SECONDS, Case, Outcome, run

MAX_ADDRESS_SPACE = 8 * 2**30  # bytes of a worker, so that what asks for more gets an error instead
BATCH = 200  # cases of one worker, which is then replaced
COLUMNS = ("success", "refused", "traceback", "hang", "crash", "memory", "status", "message", "escape")
KIND_SHARES = {"arguments": 2.0, "models": 1.5, "runs": 1.5, "videos": 0.5}  # of the cases; 1 unless given


def main() -> int:
    asked = _arguments()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        if asked.worker:
            return _work(asked)
        models = corpus.train_models(Path(folder) / "models")
        if asked.case is not None:
            outcome = run(Case(asked.kind[0], asked.seed, asked.case), models)
            print(outcome.shown)
            print(f"{outcome.what} after {outcome.seconds:.1f} s")
            return 0 if outcome.good else 1
        return _campaign(asked, models)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python tests/fuzz", description=__doc__)
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="of input; repeatable, all unless given")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=1, help="number of seeds")
    parser.add_argument("--cases", type=int, default=1000, help="number of inputs of each seed, over all kinds")
    parser.add_argument("--case", type=int, help="run this one of one kind, and print what it prints")
    for name in ("start", "stop"):
        parser.add_argument(f"--{name}", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    asked.kind = asked.kind or list(KINDS)
    if asked.case is not None and len(asked.kind) != 1:
        parser.error("--case needs one --kind")
    return asked


def _work(asked: argparse.Namespace) -> int:
    """Run a batch of cases, and print a line before and after each."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESS_SPACE, MAX_ADDRESS_SPACE))
    for index in range(asked.start, asked.stop):
        outcome = run(Case(asked.kind[0], asked.seed, index), Path(asked.worker))
        print(json.dumps([index, outcome.what, outcome.shown, outcome.seconds]), flush=True)
    return 0


def _campaign(asked: argparse.Namespace, models: Path) -> int:
    """Run all cases. The exit status is 1 if one of them failed."""
    whole = sum(KIND_SHARES.get(kind, 1.0) for kind in asked.kind)
    counts = {kind: max(1, round(asked.cases * KIND_SHARES.get(kind, 1.0) / whole)) for kind in asked.kind}
    table: dict[str, Counter[str]] = {kind: Counter() for kind in asked.kind}
    slowest = (0.0, "")
    began, done, total = time.monotonic(), 0, asked.seeds * sum(counts.values())
    for seed in range(asked.seed, asked.seed + asked.seeds):
        for kind, count in counts.items():
            index = 0
            while index < count:
                stop = min(count, index + BATCH)
                for case, outcome in _batch(kind, seed, index, stop, models):
                    index, done = case.index + 1, done + 1
                    table[kind][outcome.what] += 1
                    slowest = max(slowest, (outcome.seconds, case.replay))
                    if not outcome.good:
                        print(f"\n{outcome.what}: {case.replay}\n{outcome.shown}", flush=True)
            bad = sum(n for row in table.values() for what, n in row.items() if what not in ("success", "refused"))
            print(
                f"{done:,} of {total:,} inputs, {time.monotonic() - began:,.0f} s: seed {seed}, {kind}; {bad} failures",
                flush=True,
            )
    _print_table(table)
    print(f"slowest: {slowest[0]:.1f} s, {slowest[1]}")
    return int(any(n for row in table.values() for what, n in row.items() if what not in ("success", "refused")))


def _batch(kind: str, seed: int, start: int, stop: int, models: Path) -> list[tuple[Case, Outcome]]:
    """The outcomes of cases in a process of their own, to the first that ends it."""
    words = [sys.executable, str(Path(__file__).parent), "--kind", kind, "--seed", str(seed)]
    words += ["--start", str(start), "--stop", str(stop), "--worker", str(models)]
    found: list[tuple[Case, Outcome]] = []
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True) as worker,
    ):
        assert worker.stdout is not None
        while len(found) < stop - start:
            line, why = _line(worker.stdout, 4 * MAX_SECONDS)
            if why:
                worker.kill()
                errors.seek(0)
                found.append((Case(kind, seed, start + len(found)), Outcome(why, errors.read()[-2000:], 0.0)))
                break
            index, *rest = json.loads(line)
            found.append((Case(kind, seed, index), Outcome(*rest)))
    return found


def _line(stream: TextIO, seconds: float) -> tuple[str, str]:
    """A line, or why there is none."""
    if not select.select([stream], [], [], seconds)[0]:
        return "", "hang"
    line = stream.readline()
    return line, "" if line else "crash"


def _print_table(table: dict[str, Counter[str]]) -> None:
    rows = [("input", "inputs", *COLUMNS)]
    rows += [(kind, str(sum(row.values())), *(str(row[what]) for what in COLUMNS)) for kind, row in table.items()]
    sums = [sum(row[what] for row in table.values()) for what in COLUMNS]
    rows.append(("all", str(sum(sums)), *map(str, sums)))
    for name, *numbers in rows:
        print(f"{name:<12}" + "".join(f"{number:>11}" for number in numbers))


if __name__ == "__main__":
    sys.exit(main())
