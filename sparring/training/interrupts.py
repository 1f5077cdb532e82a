"""Signals that end a run in an orderly way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def interrupts() -> Iterator[Callable[[], int]]:
    """Yields a function that returns the signal that was received, 0 for none: Ctrl-C or SIGTERM. The second one ends
    the process.
    """
    received: list[int] = []

    def note(number: int, _frame: Any) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)

    with _handled(note, signal.SIGINT, signal.SIGTERM):
        yield lambda: received[0] if received else 0


@contextmanager
def noted(*signals: int) -> Iterator[Callable[[], bool]]:
    """Yields a function that returns whether one of these signals was received, which do nothing else. Afterwards, they
    are ignored: by default, they would end a process that has done its work.
    """
    received: list[int] = []
    with _handled(lambda number, _frame: received.append(number), *signals, after=signal.SIG_IGN):
        yield lambda: bool(received)


@contextmanager
def _handled(
    handler: Callable[[int, Any], None], *signals: int, after: signal.Handlers = signal.SIG_DFL
) -> Iterator[None]:
    """While active, a function handles signals. Only the main thread receives any.

    Args:
        after: what is done with a signal afterwards if nothing else was set for it before.
    """
    here = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, handler) for number in signals} if here else {}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, after if earlier == signal.SIG_DFL else earlier)
