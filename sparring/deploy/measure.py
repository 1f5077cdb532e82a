"""Whether a graph makes what PyTorch makes, and how long either takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from sparring.data.store import Progress
from sparring.deploy.graph import CPU, Graph
from sparring.deploy.quality import Run
from sparring.errors import InputError
from sparring.seeds import Seeds, reseed

CLOSE = 1e-4  # of numbers, or of shares of them where they are above 1
LEVEL = 1 / 127  # a little more than from one byte to the next, of bytes as if they went from -1 to 1
EDGES = 0.02  # share of rows of tables that may differ, since a choice on the edge fell to the other side
TRIED = ((1, 0), (3, 1), (16, 2))  # samples of a batch, and by how much larger they are
BATCHES = (1, 64)  # samples whose latency is told
ROUNDS, FEWEST, LONGEST = 15, 3, 1.0  # calls of each way; seconds that they take, after which there are fewer
PAUSE = 0.05  # seconds between turns


@dataclass(frozen=True)
class Way:
    """One way to run a model.

    Attributes:
        name: of it.
        size: bytes of its file, 0 where there is none.
        run: makes samples of a graph's inputs.
    """

    name: str
    size: int
    run: Run


@dataclass(frozen=True)
class Variant:
    """What has been measured of a way to run a model.

    Attributes:
        name, size: of the way.
        difference: the largest, from what PyTorch makes of the same inputs; a share where numbers are above 1.
        latency: seconds by samples of a batch, on the median.
        quality: by the run's metric; None where it has not been measured.
    """

    name: str
    size: int
    difference: float
    latency: dict[int, float]
    quality: float | None = None


@dataclass(frozen=True)
class Exported:
    """What has been written.

    Attributes:
        path: the file.
        size: its bytes.
        variants: the model as PyTorch runs it, as ONNX Runtime does, and compressed.
        metric: what quality is told in; "" where it is not.
        floor: what held-out real items get, None where that is not known.
        protocol: of the metric, in a sentence.
    """

    path: Path
    size: int
    variants: tuple[Variant, ...] = ()
    metric: str = ""
    floor: float | None = None
    protocol: str = ""

    def rows(self) -> list[list[str]]:
        """A table."""
        batches = [f"{n} at once" for n in BATCHES]
        rows = [["", "size", "difference", *batches, *self._of(self.metric)]]
        for v in self.variants:
            size, apart = sized(v.size) if v.size else "", f"{v.difference:.0e}" if v.difference else "0"
            times = [f"{1000 * v.latency[n]:.3g} ms" for n in BATCHES]
            rows.append([v.name, size, apart, *times, *self._of("" if v.quality is None else f"{v.quality:.3g}")])
        if self.floor is not None:
            rows.append(["real", *("" for _ in rows[0][2:]), f"{self.floor:.3g}"])
        return rows

    def _of(self, told: str) -> list[str]:
        return [told] if self.metric else []


def sized(size: int) -> str:
    """Bytes, for people."""
    return f"{size / 1e6:.2f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def difference(one: Tensor, other: Tensor) -> Tensor:
    """Of samples (n, ...), the largest of each, (n,): of numbers, or of shares where they are above 1; of bytes as if
    they went from -1 to 1.
    """
    if one.dtype == torch.uint8:
        one, other = one / 127.5 - 1, other / 127.5 - 1
    one, other = one.double().flatten(1), other.double().flatten(1)
    return ((one - other).abs() / one.abs().clamp(min=1)).amax(1)


@torch.no_grad()
def verified(graph: Graph, net: Run, run: Run, recipe: str, edges: bool) -> float:
    """The largest difference of what a graph makes from what its net does, on random inputs in batches of several
    sizes.

    Args:
        net, run: run the net, and the graph, or the same part of both.
        recipe: its name, for errors.
        edges: whether parts of samples are choices, of which some may fall to the other side.

    Raises:
        InputError: where it is above 1e-4, or, of bytes, more than from one to the next.
    """
    found, bound = [], CLOSE
    with torch.random.fork_rng([]):
        reseed(Seeds().key("verified"), CPU)
        for n, more in TRIED:
            given = graph.draw(n, more)
            wanted, made = net(given), run(given)
            bound = LEVEL if wanted.dtype == torch.uint8 else CLOSE
            if made.shape != wanted.shape:
                raise InputError(
                    f"recipe {recipe!r} cannot be exported: its graph makes {tuple(made.shape)} where PyTorch makes "
                    f"{tuple(wanted.shape)}"
                )
            found.append(difference(wanted, made))
    apart = torch.cat(found).nan_to_num(nan=torch.inf)
    if edges:
        few = int(EDGES * len(apart)) + 1
        apart = apart.sort().values[:-few]
    worst = float(apart.max())
    if worst > bound:
        raise InputError(
            f"recipe {recipe!r} cannot be exported: its graph differs from PyTorch by {worst:.2g}, more than "
            f"{bound:.2g}{', which is from one byte to the next' if bound == LEVEL else ''}"
        )
    return worst


@torch.no_grad()
def latencies(runs: Sequence[Run], given: Sequence[Tensor], rounds: int = ROUNDS) -> list[float]:
    """Seconds of a call of each, on the median.

    They take turns, so that whatever else the machine does slows all of them. Threads of one wait for more work in a
    loop that takes a core from the others, so they are left to fall asleep, and a call that is not counted wakes those
    of the next.
    """
    times: list[list[float]] = [[] for _ in runs]
    while len(times[0]) < FEWEST or (len(times[0]) < rounds and sum(map(sum, times)) < LONGEST * len(runs)):
        for run, taken in zip(runs, times, strict=True):
            time.sleep(PAUSE)
            run(given)
            begin = time.perf_counter()
            run(given)
            taken.append(time.perf_counter() - begin)
    return [statistics.median(taken) for taken in times]


@torch.no_grad()
def measured(graph: Graph, ways: Sequence[Way], some: Sequence[Tensor], progress: Progress) -> list[Variant]:
    """Ways to run a model, of which the first is the truth.

    Args:
        graph: draws what they are run on, where there is nothing else.
        some: inputs of samples that they are run on, again and again where these are few; none for drawn ones.
        progress: told how many measurements are done.

    Raises:
        InputError: where one makes numbers that are not finite.
    """
    with torch.random.fork_rng([]):
        reseed(Seeds().key("measured"), CPU)
        most = tuple(some) or graph.draw(BATCHES[-1], 0)
    batches = {n: tuple(torch.cat([x] * -(-n // len(x)))[:n] for x in most) for n in BATCHES}
    most = batches[BATCHES[-1]]
    wanted, apart = ways[0].run(most), []
    for way in ways:
        made = way.run(most)
        if not torch.isfinite(made.float()).all():
            raise InputError(f"{way.name}: not all numbers that it makes are finite; compress it less")
        apart.append(float(difference(wanted, made).max()))
    times = {}
    for i, (n, given) in enumerate(batches.items()):
        progress(i, len(batches))
        times[n] = latencies([way.run for way in ways], given)
    return [
        Variant(way.name, way.size, apart[i], {n: taken[i] for n, taken in times.items()}) for i, way in enumerate(ways)
    ]
