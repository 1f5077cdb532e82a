"""Training steps on a GPU: plain, compiled and recorded as CUDA graphs; then the tests that need one.

    python benchmarks/gpu.py RESULTS [--half 1|2] [--budget 540] [--characters 8m] [--private 8m]
    python benchmarks/gpu.py RESULTS --page docs/gpu.md

Every result is written to the folder RESULTS as soon as it is known, and a result that is there is not measured again:
a run that was interrupted continues. The first half measures plain and recorded steps. The second measures compiled
ones, runs `pytest -m gpu`, and trains on digits; with --characters on the set of that name for so long, and with
--private on MNIST with epsilon 10 (privacy.py).

A step is that of `sparring train`: a recipe's own settings on random images, all players with their optimizers,
batches drawn and augmented on the device; without the moving average, the log and checkpoints. `wide` recipes have the
channels and batches of a large card. Steps that minimize lazy terms and judge held-out images count as often as they
occur. Times are means over at least 1.5 seconds, after every kind of step has been recorded. FLOP are what
`torch.utils.flop_counter` counts in the matrix products and convolutions of the same steps, and the peak is the fastest
of ten products of 8192 x 8192 matrices in the same run. `fp32` is how Sparring trains without bf16: convolutions may
use TF32, matrix products do not; `tf32` lets both. TFLOP/s, the share of the peak (that of bf16, or of TF32) and the
memory that PyTorch reserves are those of the fastest of the three.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

import pages
from sparring import devices, recipes
from sparring.console import Screen
from sparring.data import Items
from sparring.data.split import HELD_EVERY
from sparring.files import write_text
from sparring.loop import Take, play, take_turns
from sparring.seeds import Seeds
from sparring.training import graphs
from sparring.training.bounds import seconds
from sparring.training.dealer import dealer
from sparring.training.prepare import prepare

ROOT = Path(__file__).parents[1]
NAMES = ("gan", "dcgan", "stylegan2", "r3gan", "projected")
WIDE: dict[str, dict[str, Any]] = {
    "dcgan": {"width": 256, "batch": 512},
    "stylegan2": {"base": 32768, "most": 512, "batch": 64},
    "r3gan": {"width": 512, "batch": 256},
}
SMALL = {"batch": 4, "width": 8, "base": 64, "most": 8, "G": (16,), "D": (16,), "z": 8, "depth": 1, "group": 4}
SIZES = (64, 32, 128)
IMAGES = 4096
SECONDS, ROW_BUDGET = 1.5, 60.0
CHUNK = 16  # steps between looks at the clock: as many as lie between those with lazy terms
TESTS_BUDGET = 180.0


@dataclass(frozen=True)
class Row:
    """What one row measures: a recipe, a way to take its steps, and how."""

    recipe: str
    size: int
    precision: str
    mode: str
    wide: bool = False

    @property
    def name(self) -> str:
        return f"{self.recipe}{' wide' if self.wide else ''} {self.size} {self.precision} {self.mode}"


def first_half(sizes: tuple[int, ...]) -> list[Row]:
    """Plain and recorded steps, the most telling sizes first."""
    names = [name for name in NAMES if name in recipes.names()]
    rows = []
    for size in sizes:
        for name in names:
            rows += [Row(name, size, p, mode) for p in ("fp32", "bf16") for mode in ("eager", "graphs")]
        if size == SIZES[0]:
            wide = [name for name in names if name in WIDE]
            rows += [Row(name, size, p, mode, True) for name in wide for p in ("bf16", "fp32") for mode in MODES[:2]]
            rows += [Row(name, size, "tf32", "graphs") for name in names]
    return rows


def second_half() -> list[Row]:
    """Compiled steps. Gradient penalties differentiate twice, which compiled nets do not support."""
    names = [name for name in NAMES if name in recipes.names()]
    rows = [Row(name, SIZES[0], p, "compile") for name in names for p in ("fp32", "bf16")]
    return [*rows, Row("dcgan", SIZES[0], "bf16", "compile", True)]


MODES = ("eager", "graphs", "compile")


class Results:
    """Everything that is known so far, in a folder that always holds all of it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.path = folder, folder / "results.json"
        self.values: dict[str, Any] = json.loads(self.path.read_text()) if self.path.exists() else {}

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def add(self, name: str, value: Any) -> None:
        self.values[name] = value
        write_text(self.path, json.dumps(self.values, indent=1))
        write_text(self.folder / "tables.md", "\n".join(tables(self.values)))
        print(f"{name}: {json.dumps(value)}", flush=True)


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raises a TimeoutError within this context after so many seconds."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"took more than {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(0.1, seconds))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Bench:
    """Measures on one device.

    Args:
        dry: on the CPU, with tiny nets, and without recording.
        until: when the budget ends, as `time.monotonic` tells it.
    """

    def __init__(self, results: Results, dry: bool, until: float) -> None:
        self.results, self.dry, self.until = results, dry, until
        self.device = torch.device("cpu" if dry else "cuda:0")

    @property
    def left(self) -> float:
        return self.until - time.monotonic()

    def about(self) -> None:
        card = platform.processor() or "CPU" if self.dry else torch.cuda.get_device_name(self.device)
        versions = f"Python {platform.python_version()}, PyTorch {torch.__version__}"
        self.results.add("about", {"card": card, "versions": versions})

    def peaks(self) -> None:
        """Speed of matrix products in TFLOP/s."""
        n = 64 if self.dry else 8192
        found = {}
        for name, kind in (("fp32", torch.float32), ("tf32", torch.float32), ("bf16", torch.bfloat16)):
            with tf32(name == "tf32"):
                a, b = (torch.randn(n, n, device=self.device, dtype=kind) for _ in range(2))
                times = []
                for _ in range(13):
                    self.wait()
                    begin = time.perf_counter()
                    a @ b
                    self.wait()
                    times.append(time.perf_counter() - begin)
            found[name] = 2 * n**3 / min(times[3:]) / 1e12
        self.results.add("peaks", found)

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def rows(self, rows: list[Row]) -> None:
        for row in rows:
            if row.name in self.results:
                continue
            if self.left < 5:
                print(f"{row.name}: no time left", flush=True)
                continue
            self.results.add(row.name, self.row(row))
            self.survive()

    def row(self, row: Row) -> dict[str, Any]:
        try:
            with limit(min(ROW_BUDGET, self.left)), tf32(row.precision == "tf32"):
                return self.measure(row)
        except Exception as error:
            first = (str(error).strip().splitlines() or [""])[0]
            known = self.results.values.get(row.name, {})
            return {**known, "error": f"{type(error).__name__}: {first}"[:300]}
        finally:
            if row.mode == "compile":
                torch._dynamo.reset()
            gc.collect()
            if self.device.type == "cuda":
                torch.cuda.empty_cache()

    def survive(self) -> None:
        """Begin again, after the rows that are known, if a row has left the device unusable."""
        try:
            self.wait()
        except RuntimeError:
            left = ["--budget", str(int(self.left))]
            os.execv(sys.executable, [sys.executable, *sys.argv, *left])

    def measure(self, row: Row) -> dict[str, Any]:
        size = 8 if self.dry else row.size
        recipe = recipes.find(row.recipe).set({"size": size})
        fields = SMALL if self.dry else WIDE[row.recipe] if row.wide else {}
        recipe = recipe.set({name: value for name, value in fields.items() if hasattr(recipe, name)})
        pixels = np.random.default_rng(0).integers(0, 255, (64 if self.dry else IMAGES, size, size, 3), np.uint8)
        items = Items("noise", "images", pixels)
        fitted = recipe.modality("images").fit(items)
        modality, data, _ = prepare(recipe, fitted, items, 2**32, Screen(True))
        data.tensors.update({name: t.to(self.device) for name, t in data.tensors.items()})
        game = recipe.game(modality).to(self.device)
        if row.mode == "compile":
            compiled = partial(torch.compile, backend="eager" if self.dry else "inductor")
            game.G.forward = compiled(game.G.forward)
            game.D.features, game.D.judge = compiled(game.D.features), compiled(game.D.judge)
        players = recipe.played(game)[0].players
        fabric = devices.fabric(self.device, "bf16" if row.precision == "bf16" else "fp32")
        deal = dealer(modality, data, recipe.batch, 1, Seeds(), self.device)
        said: list[str] = []
        take: Take = graphs.Graphs(said.append) if row.mode == "graphs" else take_turns
        period = max(HELD_EVERY, *(player.every for player in players))
        steps = play(game, players, deal, fabric, 10**6, progress=lambda _: 0.5, take=take)
        found = self.time(partial(next, steps), (graphs.WARM_UP + 1) * period + 1)
        if said:
            raise RuntimeError(said[0])
        if self.device.type == "cuda":
            found["gib"] = torch.cuda.max_memory_reserved() / 2**30
        found["images"] = recipe.batch / found["seconds"]
        if row.mode == "eager":
            self.results.add(row.name, found)  # counting may fail where measuring did not
            found["gflop"] = self.flops(partial(next, steps), period)
        return found

    def time(self, step: Any, warm_up: int) -> dict[str, float]:
        """Mean seconds of a step."""
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        for _ in range(2 if self.dry else warm_up):
            step()
        self.wait()
        begin, count = time.perf_counter(), 0
        while time.perf_counter() - begin < (0 if self.dry and count else SECONDS):
            for _ in range(1 if self.dry else CHUNK):
                step()
            self.wait()
            count += 1 if self.dry else CHUNK
        return {"seconds": (time.perf_counter() - begin) / count}

    def flops(self, step: Any, period: int) -> float:
        """GFLOP of a step, on average over steps of all kinds."""
        count = 1 if self.dry else period
        counter = FlopCounterMode(display=False)
        counter.mod_tracker = Whole()  # type: ignore[assignment]
        with counter:
            for _ in range(count):
                step()
        return float(counter.get_total_flops()) / count / 1e9

    def command(self, name: str, words: list[str], seconds: float) -> None:
        """Run a command, keep what it prints, and note how it ended."""
        if name in self.results or self.left < 5:
            return
        print(f"{name}: {' '.join(words)}", flush=True)
        path = self.results.folder / f"{name}.txt"
        begin = time.monotonic()
        env = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        with path.open("w") as out:
            try:
                status: object = subprocess.run(
                    [sys.executable, *words], cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT,
                    timeout=min(seconds, self.left), check=False,
                ).returncode  # fmt: skip
            except subprocess.TimeoutExpired:
                status = f"took more than {min(seconds, self.left):.0f} s"
        last = (path.read_text().strip().splitlines() or [""])[-1]
        self.results.add(name, {"status": status, "seconds": round(time.monotonic() - begin, 1), "last": last[-200:]})

    def tests(self) -> None:
        words = ["-m", "pytest", "-m", "gpu", "tests/gpu", "-rfE", "--tb=short", "--durations=8"]
        workers = ["-n", "8"] if has("xdist") and not self.dry else []
        self.command("tests", [*words, *workers], TESTS_BUDGET)

    def digits(self) -> None:
        run = self.results.folder / "digits"
        bound = ["--steps", "2"] if self.dry else ["--time", "40s"]
        train = [
            "-m",
            "sparring",
            "train",
            "digits",
            *bound,
            "--out",
            str(run),
            "--device",
            str(self.device),
            "--force",
        ]
        self.command("digits", [*train, *(["--recipe", "gan"] if self.dry else [])], 90.0)
        sheet = ["-m", "sparring", "sample", str(run), "-n", "100", "-o", f"{run}.png", "--force"]
        self.command("sheet", sheet, 60.0)

    def characters(self, time: str) -> None:
        """Only where that benchmark is there."""
        if (ROOT / "benchmarks" / "characters.py").exists():
            out, half = str(self.results.folder / "characters"), f"{seconds(time) / 2:g}s"
            script = ["benchmarks/characters.py", "--time", half, "--pairs", half, "--out", out]
            self.command("characters", script, self.left)

    def private(self, time: str) -> None:
        script = ["benchmarks/privacy.py", f"mnist={time}", "--runs", str(self.results.folder / "private")]
        self.command("private", script, self.left)


class Whole:
    """Counts for no module in particular: the hooks that tell modules apart fail in gradients of gradients."""

    parents = frozenset({"Global"})

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def has(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


@contextmanager
def tf32(on: bool) -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if on else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def tables(values: dict[str, Any]) -> list[str]:
    """The results in Markdown."""
    about, peaks = values.get("about", {}), values.get("peaks", {})
    lines = [f"{about.get('card', '?')}, {about.get('versions', '?')}.", ""]
    if peaks:
        each = ", ".join(f"{name} {value:,.0f}" for name, value in peaks.items())
        lines += [f"Matrix products, TFLOP/s: {each}.", ""]
    found: dict[tuple[str, str, str], dict[str, dict[str, Any]]] = {}
    for name, value in values.items():
        if name.endswith(MODES):
            recipe, size, precision, mode = name.rsplit(" ", 3)
            found.setdefault((recipe, size, precision), {})[mode] = value
    head = (
        "recipe, pixels, precision",
        "eager, images/s",
        "compiled",
        "graphs",
        "graphs / eager",
        "TFLOP/s",
        "of peak",
        "GiB",
    )
    rows = [_row(key, modes, found, peaks) for key, modes in found.items()]
    lines += pages.table(head, rows)
    errors = [f"- {name}: {v['error']}" for name, v in values.items() if isinstance(v, dict) and "error" in v]
    ended = [
        f"- {name}: exit status {v['status']} after {v['seconds']} s: {v['last']}"
        for name, v in values.items() if isinstance(v, dict) and "status" in v
    ]  # fmt: skip
    return [*lines, *(["", *ended] if ended else []), *(["", "Not measured:", "", *errors] if errors else [])]


def _row(
    key: tuple[str, str, str], modes: dict[str, Any], found: dict[tuple[str, str, str], Any], peaks: dict[str, float]
) -> list[str]:
    speeds = {mode: value["images"] for mode, value in modes.items() if "images" in value}
    cells = [f"{speeds[mode]:,.0f}" if mode in speeds else "" for mode in ("eager", "compile", "graphs")]
    both = "eager" in speeds and "graphs" in speeds
    cells.append(f"{speeds['graphs'] / speeds['eager']:.2f}" if both else "")
    recipe, size, precision = key
    flops = [found[key].get("eager", {}).get("gflop") for key in found if key[:2] == (recipe, size)]
    gflop = next((value for value in flops if value), None)
    best = min((value for value in modes.values() if "seconds" in value), key=lambda v: v["seconds"], default=None)
    if best is None or gflop is None or not peaks:
        return [f"{recipe}, {size}, {precision}", *cells, "", "", ""]
    speed = gflop / best["seconds"] / 1e3
    share = speed / peaks["bf16" if precision == "bf16" else "tf32"]
    memory = f"{best['gib']:.1f}" if "gib" in best else ""
    return [f"{recipe}, {size}, {precision}", *cells, f"{speed:.1f}", f"{share:.0%}", memory]


def run(results: Results, half: int, dry: bool, budget: float, characters: str, private: str) -> None:
    bench = Bench(results, dry, time.monotonic() + budget)
    if dry:
        graphs.WARM_UP = 10**9
    bench.about()
    if half != 2:
        if "peaks" not in results:
            bench.peaks()
        bench.rows(first_half(SIZES[:1] if dry else SIZES))
    if half != 1:
        bench.tests()
        bench.digits()
        if characters:
            bench.characters(characters)
        if private:
            bench.private(private)
        bench.rows(second_half())
    print("\n".join(tables(results.values)), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="a folder; what it holds is not measured again")
    parser.add_argument("--half", type=int, choices=(1, 2), default=0, help="only the first or the second half")
    parser.add_argument("--budget", type=float, default=540, metavar="SECONDS", help="of all measurements")
    parser.add_argument(
        "--characters", default="", metavar="TIME", help="train on the characters for this time, such as 8m"
    )
    parser.add_argument("--private", default="", metavar="TIME", help="train on MNIST with epsilon 10 for this time")
    parser.add_argument("--dry", action="store_true", help="tiny nets on the CPU, to test this program")
    parser.add_argument("--page", type=Path, help="only write the tables to this page")
    given = parser.parse_args()
    results = Results(given.results)
    if given.page:
        pages.put(given.page, __file__, [*tables(results.values), "", *protocol()])
        return
    run(results, given.half, given.dry, given.budget, given.characters, given.private)


def protocol() -> list[str]:
    """How it was measured, from the text above."""
    return "\n\n".join((__doc__ or "").strip().split("\n\n")[3:]).splitlines()


if __name__ == "__main__":
    main()
