"""A run's numbers for Prometheus, while it is trained.

They are what the run knows already: the last line of its log, its counters, the times of its files. A scrape
computes nothing on the device and waits for nothing there. Names and units follow Prometheus's own rules
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
from sparring.files import reason
from sparring.runs.logbook import PROGRESS
from sparring.training import checkpoint
from sparring.training.health import NOT_FINITE, TROUBLES

if TYPE_CHECKING:
    from prometheus_client import Metric

    from sparring.training.run import Run

LOOPBACK = "127.0.0.1"

Samples = list[tuple[dict[str, str], float]]  # labels beside the run's own, and a value
Family = tuple[str, str, Samples]  # a name, what it is, its samples


@dataclass(frozen=True)
class Address:
    """Where metrics are to be had.

    Attributes:
        host: a name or an address of this machine.
        port: of TCP, from 1 to 65535.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address(text: str | int) -> Address:
    """Where to export metrics, seen to be free.

    Args:
        text: a port, for this machine alone; or HOST:PORT, such as "0.0.0.0:9101" or "[::]:9101", for whoever
            can reach it.

    Raises:
        InputError: where it is no address, is taken or not of this machine, or prometheus_client is missing.
    """
    given = re.fullmatch(r"(?:(\[[\da-fA-F:.]+\]|[^\s:\[\]]+):)?(\d{1,5})", str(text))
    if given is None or not 1 <= int(given[2]) <= 65535:
        raise InputError(f"metrics {str(text)!r} is no address; give a port from 1 to 65535, or HOST:PORT")
    found = Address((given[1] or LOOPBACK).strip("[]"), int(given[2]))
    with _listening(found, _client().CollectorRegistry()):
        return found


@contextmanager
def exported(run: Run, where: Address | None) -> Iterator[None]:
    """Answer Prometheus's scrapes for a while, from a thread of its own; on the first rank, where it is asked for.

    Raises:
        InputError: where the address has been taken since.
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
        why = reason(error) if isinstance(error, OSError) else "no such host"
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
    """Collects a run's numbers whenever they are asked for.

    Args:
        run: on its first rank.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.own = {"run": run.folder.path.absolute().name, "recipe": run.recipe.name}

    def collect(self) -> Iterator[Metric]:
        """All metrics that there is a number for now; what is not known yet is not there, rather than 0."""
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
        yield "sparring_items", "Items trained on, each as often as it was.", _one(run.step * run.recipe.batch)
        yield "sparring_trained_seconds_total", "Seconds trained, looking and saving included.", _one(run.seconds)
        yield "sparring_items_per_second", "Items trained on per second of late.", _one(speed)
        yield "sparring_left_seconds", "Seconds to the last step, at the speed of late.", _one(left)
        yield "sparring_rollbacks_total", "Times the run went back to a checkpoint.", _one(run.salt)

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
        yield "sparring_loss", "Losses by player and term, means since the log's line before.", losses
        yield "sparring_observed", "D's logits and accuracy, gradients by weights, and what adapts itself.", observed
        yield "sparring_score", "The judge's scores of samples when they were last looked at.", scores
        yield "sparring_score_floor", "What real items score against real items.", self._floors(scores)

    def _floors(self, scores: Samples) -> Samples:
        watch = self.run.watch
        if watch is None:
            return []
        # Diversity is by that of real items. The judge is there once there is a score.
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
        yield "sparring_trouble", "1 while a trouble holds; not finite: once it was met.", self._troubles()
        yield "sparring_written_timestamp_seconds", "When the newest file of a kind was written.", written
        yield "sparring_device_memory_bytes", "A CUDA device's memory.", _memory(run.fabric.device)

    def _troubles(self) -> Samples:
        watch = self.run.watch
        if watch is None:
            return []
        # The run goes back from what is not finite at once, so that no scrape would see it hold.
        met = watch.health.present | ({NOT_FINITE} & set(watch.named))
        return [({"trouble": name}, float(name in met)) for name in TROUBLES]

    def _numbers(self) -> dict[str, float]:
        return self.run.watch.logbook.latest if self.run.watch is not None else {}


def _one(value: float | None) -> Samples:
    return [] if value is None else [({}, value)]


def _newest(paths: Iterable[Path]) -> float | None:
    """When the newest of some files was written; some may vanish meanwhile."""
    times = []
    for path in paths:
        with suppress(OSError):
            times.append(path.stat().st_mtime)
    return max(times, default=None)


def _memory(device: torch.device) -> Samples:
    """What PyTorch's allocator counts on this side: nothing waits for the device."""
    if device.type != "cuda":
        return []
    total = torch.cuda.get_device_properties(device).total_memory
    amounts = {
        "used": torch.cuda.memory_allocated(device), "reserved": torch.cuda.memory_reserved(device),
        "peak": torch.cuda.max_memory_allocated(device), "total": total,
    }  # fmt: skip
    return [({"amount": name}, float(value)) for name, value in amounts.items()]
