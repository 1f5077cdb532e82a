"""The clock of trainings in benchmarks."""

from __future__ import annotations

import time

import torch

from sparring.devices import resolve


def count_cpu_time(device: str = "auto") -> str:
    """Let trainings on a CPU count the CPU time of this process, so that other programs do not change results.

    Args:
        device: of the trainings, as they take it.

    Returns:
        How time was counted, for the page.
    """
    place = resolve(device).type
    if place != "cpu":
        return f"wall-clock time on {place}"
    time.monotonic = time.process_time
    threads = torch.get_num_threads()
    return "CPU time of one thread" if threads == 1 else f"CPU time of {threads} threads together"
