"""Signals that end a run in an orderly way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def interrupts(*further: int) -> Iterator[Callable[[], int]]:
    """Yields a function that returns the signal that was received, 0 for none: Ctrl-C, SIGTERM or one of the further
    ones. The second Ctrl-C or SIGTERM ends the process.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: 0
        return

    def note(number: int, _frame: Any) -> None:
        if received and number not in further:
            raise KeyboardInterrupt
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM, *further)}
    try:
        yield lambda: received[0] if received else 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
