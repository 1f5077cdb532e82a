"""A run's metrics for Prometheus during training.

They are known to the run anyway: the last line of its log, its counters, the times of its files. A scrape computes
nothing on the device and does not wait for it. Names and units follow Prometheus's rules
(https://prometheus.io/docs/practices/naming): base units, counters that end in _total, times since 1970.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import sparring
from sparring.errors import InputError, needs
from sparring.files import describe_error
from sparring.runs.logbook import PROGRESS
from sparring.training import checkpoint
from sparring.training.health import NOT_FINITE, PROBLEMS

if TYPE_CHECKING:
    from prometheus_client import Metric

    from sparring.training.run import Run

LOOPBACK = "127.0.0.1"

Samples = list[tuple[dict[str, str], float]]  # additional labels, and a value
Family = tuple[str, str, Samples]  # name, description, samples


@dataclass(frozen=True)
class Address:
    """Where metrics are served.

    Attributes:
        host: a name or an address of this machine.
        port: TCP port, from 1 to 65535.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address(text: str | int) -> Address:
    """The address to serve metrics at, checked to be free.

    Args:
        text: a port, reachable from this machine only; or HOST:PORT, such as "0.0.0.0:9101" or "[::]:9101", reachable
            from others.

    Raises:
        InputError: if it is not an address, is in use or not of this machine, or prometheus_client is missing.
    """
    given = re.fullmatch(r"(?:(\[[\da-fA-F:.]+\]|[^\s:\[\]]+):)?(\d{1,5})", str(text))
    if given is None or not 1 <= int(given[2]) <= 65535:
        raise InputError(f"metrics {str(text)!r} is not an address; give a port from 1 to 65535, or HOST:PORT")
    found = Address((given[1] or LOOPBACK).strip("[]"), int(given[2]))
    with _listening(found, _client().CollectorRegistry()):
        return found


@contextmanager
def exported(run: Run, where: Address | None) -> Iterator[None]:
    """While active, answer Prometheus's scrapes from a separate thread, on the first rank.

    Raises:
        InputError: if the address is no longer free.
    """
    if where is None or not run.main:
        yield
        return
    registry = _client().CollectorRegistry()
    registry.register(Exporter(run))
    _client().ProcessCollector(registry=registry)
    with _listening(where, registry):
        run.screen.say(f"metrics at http://{where}/metrics")
        yield


@contextmanager
def _listening(where: Address, registry: Any) -> Iterator[None]:
    try:
        server, thread = _client().start_http_server(where.port, where.host, registry)
    except (OSError, UnicodeError) as error:
        why = describe_error(error) if isinstance(error, OSError) else "no such host"
        raise InputError(f"metrics cannot be served at {where}: {why}; give another port or host") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _client() -> Any:
    return needs("prometheus_client", "watch", "exports metrics")


class Exporter:
    """Collects a run's metrics when they are scraped.

    Args:
        run: the run on its first rank.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.own = {"run": run.folder.path.absolute().name, "recipe": run.recipe.name}

    def collect(self) -> Iterator[Metric]:
        """All metrics that have a value now. Unknown ones are omitted rather than 0."""
        for name, what, samples in (*self._about(), *self._progress(), *self._logged(), *self._state()):
            if samples:
                kind = "counter" if name.endswith("_total") else "gauge"
                metric: Metric = _client().Metric(name.removesuffix("_total"), what, kind)
                for labels, value in samples:
                    metric.add_sample(name, self.own | labels, value)
                yield metric

    def _about(self) -> Iterator[Family]:
        run = self.run
        about = {
            "data": run.settings.name, "kind": run.modality.kind, "device": run.settings.device,
            "precision": run.settings.precision, "version": sparring.__version__,
        }  # fmt: skip
        yield "sparring_run_info", "What is trained, on what, by which version.", [(about, 1)]

    def _progress(self) -> Iterator[Family]:
        run, numbers = self.run, self._numbers()
        total, speed = run.bound.total, numbers.get("speed")
        left = None if total is None or not speed else max(0, total - run.step) * run.recipe.batch / speed
        yield "sparring_step", "Steps played.", _one(run.step)
        yield "sparring_bound_steps", "Steps at which the run ends.", _one(total)
        yield "sparring_bound_seconds", "Seconds of training after which the run ends.", _one(run.bound.time)
        yield "sparring_items", "Items trained on, counting repetitions.", _one(run.step * run.recipe.batch)
        yield (
            "sparring_trained_seconds_total",
            "Seconds of training, including scores and checkpoints.",
            _one(run.seconds),
        )
        yield "sparring_items_per_second", "Items trained on per second, recently.", _one(speed)
        yield "sparring_left_seconds", "Seconds to the last step, at the recent speed.", _one(left)
        yield "sparring_rollbacks_total", "Number of rollbacks to a checkpoint.", _one(run.salt)

    def _logged(self) -> Iterator[Family]:
        losses: Samples = []
        scores: Samples = []
        observed: Samples = []
        for name, value in self._numbers().items():
            player, slash, term = name.partition("/")
            if slash:
                losses.append(({"player": player, "term": term}, value))
            elif name.startswith("fid[") or name == "diversity":
                scores.append(({"score": name}, value))
            elif name not in PROGRESS:
                observed.append(({"name": name}, value))
        yield "sparring_loss", "Losses by player and term, means since the previous line of the log.", losses
        yield "sparring_observed", "D's logits and accuracy, gradient norm / weight norm, adaptive state.", observed
        yield "sparring_score", "Latest scores of samples.", scores
        yield "sparring_score_floor", "Scores of real items.", self._floors(scores)

    def _floors(self, scores: Samples) -> Samples:
        watch = self.run.watch
        if watch is None:
            return []
        # Diversity is relative to real items. The scorer exists once there is a score.
        return [(labels, 1.0 if labels["score"] == "diversity" else watch.scorer.floor) for labels, _ in scores]

    def _state(self) -> Iterator[Family]:
        run, folder = self.run, self.run.folder
        rates: Samples = [
            ({"player": player.name, "phase": str(number)}, float(player.optimizer.param_groups[0]["lr"]))
            for number, phase in enumerate(run.phases, 1)
            for player in phase.players
        ]
        files = {
            "checkpoint": checkpoint.saved(folder.checkpoints),
            "samples": folder.samples.glob("*.png"),
            "log": [folder.log],
        }
        times = {name: _newest(paths) for name, paths in files.items()}
        written: Samples = [({"file": name}, time) for name, time in times.items() if time is not None]
        yield "sparring_learning_rate", "Each player's learning rate, by phase.", rates
        yield "sparring_problem", "1 while a problem persists; not finite: once it has occurred.", self._problems()
        yield "sparring_written_timestamp_seconds", "When the newest file of a kind was written.", written
        yield "sparring_device_memory_bytes", "A CUDA device's memory.", _memory(run.fabric.device)

    def _problems(self) -> Samples:
        watch = self.run.watch
        if watch is None:
            return []
        # The run rolls back at once if a loss is not finite, so no scrape would see that problem persist.
        met = watch.health.present | ({NOT_FINITE} & set(watch.named))
        return [({"problem": name}, float(name in met)) for name in PROBLEMS]

    def _numbers(self) -> dict[str, float]:
        return self.run.watch.logbook.latest if self.run.watch is not None else {}


def _one(value: float | None) -> Samples:
    return [] if value is None else [({}, value)]


def _newest(paths: Iterable[Path]) -> float | None:
    """Time of the newest of some files; some may be removed meanwhile."""
    times = []
    for path in paths:
        with suppress(OSError):
            times.append(path.stat().st_mtime)
    return max(times, default=None)


def _memory(device: torch.device) -> Samples:
    """Memory as counted by PyTorch's allocator, without waiting for the device."""
    if device.type != "cuda":
        return []
    total = torch.cuda.get_device_properties(device).total_memory
    amounts = {
        "used": torch.cuda.memory_allocated(device), "reserved": torch.cuda.memory_reserved(device),
        "peak": torch.cuda.max_memory_allocated(device), "total": total,
    }  # fmt: skip
    return [({"amount": name}, float(value)) for name, value in amounts.items()]
