"""Whether a graph computes what PyTorch computes, and how long each takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from sparring.data.store import Progress
from sparring.errors import InputError
from sparring.games.graph import CPU, Graph
from sparring.seeds import Seeds, reseed

TOLERANCE = 1e-4  # of a number, or of a share of it if it is above 1
BYTE_TOLERANCE = 1 / 127  # slightly more than one byte, if bytes span -1 to 1
MAX_FLIPPED = 0.02  # share of samples of which a close choice may be rounded to the other side
TRIED = ((1, 0), (3, 1), (16, 2))  # batch size and variation (`Graph.draw`) of the inputs that a graph is verified with
BATCHES = (1, 64)  # batch sizes whose latency is measured
ROUNDS, MIN_ROUNDS, MAX_SECONDS = 15, 3, 1.0  # timed calls of each runner, and the time after which there are fewer
PAUSE = 0.05  # seconds between calls of different runners

Run = Callable[[Sequence[Tensor]], Tensor]


@dataclass(frozen=True)
class Runner:
    """A program that runs a model.

    Attributes:
        name: of the program or the compression.
        size: bytes of its file, 0 if there is none.
        run: generates samples from a graph's inputs.
    """

    name: str
    size: int
    run: Run


@dataclass(frozen=True)
class Variant:
    """Measurements of a runner.

    Attributes:
        name, size: of the runner.
        difference: the largest difference from PyTorch's output for the same inputs; relative for numbers above 1.
        latency: median seconds by batch size.
        quality: by the run's metric; None if it was not measured.
    """

    name: str
    size: int
    difference: float
    latency: dict[int, float]
    quality: float | None = None


@dataclass(frozen=True)
class Exported:
    """A written file.

    Attributes:
        path: of the file.
        size: in bytes.
        variants: the model in PyTorch, in ONNX Runtime, and compressed.
        metric: name of the quality metric; "" if quality was not measured.
        floor: quality of held-out real items, None if it is unknown.
        protocol: of the metric, in a sentence.
    """

    path: Path
    size: int
    variants: tuple[Variant, ...] = ()
    metric: str = ""
    floor: float | None = None
    protocol: str = ""

    def rows(self) -> list[list[str]]:
        """The variants as a table with a header."""
        header = ["", "size", "difference", *(f"batch of {n}" for n in BATCHES)]
        rows = [[*header, self.metric] if self.metric else header]
        for variant in self.variants:
            size = sized(variant.size) if variant.size else ""
            difference = f"{variant.difference:.0e}" if variant.difference else "0"
            row = [variant.name, size, difference, *(f"{1000 * variant.latency[n]:.3g} ms" for n in BATCHES)]
            quality = "" if variant.quality is None else f"{variant.quality:.3g}"
            rows.append([*row, quality] if self.metric else row)
        if self.floor is not None:
            rows.append(["real", *("" for _ in rows[0][2:]), f"{self.floor:.3g}"])
        return rows


def sized(size: int) -> str:
    """A number of bytes as text."""
    return f"{size / 1e6:.2f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def difference(one: Tensor, other: Tensor) -> Tensor:
    """The largest difference within each sample (n, ...), (n,): absolute, or relative for numbers above 1. Bytes are
    compared as if they spanned -1 to 1.
    """
    if one.dtype == torch.uint8:
        one, other = one / 127.5 - 1, other / 127.5 - 1
    one, other = one.double().flatten(1), other.double().flatten(1)
    return ((one - other).abs() / one.abs().clamp(min=1)).amax(1)


@torch.no_grad()
def verified(graph: Graph, net: Run, run: Run, recipe: str, discrete: bool) -> float:
    """The largest difference between a converted graph and its net, for random inputs in batches of several sizes.

    Args:
        net, run: the net and the converted graph, or the same part of both.
        recipe: its name, for errors.
        discrete: True if samples contain choices; a few close ones may be rounded differently.

    Raises:
        InputError: if the difference is above 1e-4 or, for bytes, above one byte.
    """
    differences, tolerance = [], TOLERANCE
    with torch.random.fork_rng([]):
        reseed(Seeds().key("verified"), CPU)
        for n, variation in TRIED:
            inputs = graph.draw(n, variation)
            expected, output = net(inputs), run(inputs)
            tolerance = BYTE_TOLERANCE if expected.dtype == torch.uint8 else TOLERANCE
            if output.shape != expected.shape:
                raise InputError(
                    f"recipe {recipe!r} cannot be exported: its graph returns {tuple(output.shape)} where PyTorch "
                    f"returns {tuple(expected.shape)}"
                )
            differences.append(difference(expected, output))
    largest = torch.cat(differences).nan_to_num(nan=torch.inf)
    if discrete:
        flipped = int(MAX_FLIPPED * len(largest)) + 1
        largest = largest.sort().values[:-flipped]
    worst = float(largest.max())
    if worst > tolerance:
        raise InputError(
            f"recipe {recipe!r} cannot be exported: its graph differs from PyTorch by {worst:.2g}, more than "
            f"{tolerance:.2g}{', which is one byte' if tolerance == BYTE_TOLERANCE else ''}"
        )
    return worst


@torch.no_grad()
def latencies(runs: Sequence[Run], inputs: Sequence[Tensor], rounds: int = ROUNDS) -> list[float]:
    """Median seconds per call of each.

    They take turns, so that other work of the machine slows all of them alike. Idle threads of one spin for a while and
    take a core from the others, so there is a pause first; then an untimed call wakes the threads of the next.
    """
    times: list[list[float]] = [[] for _ in runs]
    while len(times[0]) < MIN_ROUNDS or (len(times[0]) < rounds and sum(map(sum, times)) < MAX_SECONDS * len(runs)):
        for run, taken in zip(runs, times, strict=True):
            time.sleep(PAUSE)
            run(inputs)
            start = time.perf_counter()
            run(inputs)
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in times]


@torch.no_grad()
def measured(graph: Graph, runners: Sequence[Runner], inputs: Sequence[Tensor], progress: Progress) -> list[Variant]:
    """Difference and latency of runners, the first of which is the reference.

    Args:
        graph: draws inputs if none are given.
        inputs: of samples, repeated if they are few; () for drawn ones.
        progress: receives the number of finished measurements.

    Raises:
        InputError: if a runner returns numbers that are not finite.
    """
    with torch.random.fork_rng([]):
        reseed(Seeds().key("measured"), CPU)
        drawn = tuple(inputs) or graph.draw(BATCHES[-1], 0)
    batches = {n: tuple(torch.cat([x] * -(-n // len(x)))[:n] for x in drawn) for n in BATCHES}
    largest = batches[BATCHES[-1]]
    expected, differences = runners[0].run(largest), []
    for runner in runners:
        output = runner.run(largest)
        if not torch.isfinite(output.float()).all():
            raise InputError(f"{runner.name}: some generated numbers are not finite; compress the model less")
        differences.append(float(difference(expected, output).max()))
    times = {}
    for i, (n, batch) in enumerate(batches.items()):
        progress(i, len(batches))
        times[n] = latencies([runner.run for runner in runners], batch)
    return [
        Variant(runner.name, runner.size, differences[i], {n: taken[i] for n, taken in times.items()})
        for i, runner in enumerate(runners)
    ]
