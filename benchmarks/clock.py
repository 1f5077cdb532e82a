"""The clock of trainings in benchmarks."""

from __future__ import annotations

import time

import torch


def count_cpu_time(device: str = "cpu") -> str:
    """Let trainings on a CPU count the CPU time of this process, so that other programs do not change results.

    Returns:
        How time was counted, for the page.
    """
    if device not in ("auto", "cpu") or (device == "auto" and torch.cuda.is_available()):
        return f"time on {device}"
    time.monotonic = time.process_time
    threads = torch.get_num_threads()
    return "CPU time of one thread" if threads == 1 else f"CPU time of {threads} threads together"
