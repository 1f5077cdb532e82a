"""Limits of what a server accepts."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.errors import InputError

MAX_NUMBERS = 1 << 26  # numbers of all samples of a request: 256 MiB
MAX_LENGTH = 10_000  # steps of a sample: recurrent nets compute them one by one and cannot be interrupted
MEBIBYTE = 1 << 20
MAX_LIMIT = 1e9  # no timer waits forever


def _shown(value: float) -> str:
    return f"{value:g}" if abs(value) < MAX_LIMIT**2 else str(value)[:30]  # an integer may be no float


@dataclass(frozen=True)
class Limits:
    """Limits of a server's requests.

    Attributes:
        max_samples: samples per request.
        body: MiB of a request's body.
        pixels: of an uploaded image.
        seconds: for which a request may wait and be processed, and the server may take to stop.
        queue: requests that wait for a model, in addition to those in progress.
        batch: samples generated together for several requests; 1 to process requests one by one.
        wait: milliseconds that a batch waits for further requests.
        connections: that may be open at a time; further clients are asked to come back later.

    Raises:
        InputError: if one is out of range.
    """

    max_samples: int = 10_000
    body: float = 16.0
    pixels: int = 1 << 22
    seconds: float = 30.0
    queue: int = 256
    batch: int = 64
    wait: float = 2.0
    connections: int = 512

    def __post_init__(self) -> None:
        for name in ("max_samples", "body", "pixels", "seconds", "queue", "batch", "connections"):
            value = getattr(self, name)
            if not 0 < value <= MAX_LIMIT:
                option = f"--{name.replace('_', '-')}"
                raise InputError(
                    f"{option} {_shown(value)} is out of range; it must be above 0 and at most {MAX_LIMIT:,.0f}"
                )
        if not 0 <= self.wait <= 1000:
            raise InputError(f"--wait {_shown(self.wait)} is out of range; it must be from 0 to 1000 milliseconds")

    @property
    def max_bytes(self) -> int:
        """Bytes of a request's body."""
        return int(self.body * MEBIBYTE)
