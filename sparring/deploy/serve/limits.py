"""What a server takes on, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.errors import InputError

NUMBERS = 1 << 26  # that the samples of one request consist of, at most: 256 MiB of them
MEGA = 1 << 20
GREATEST = 1e9  # of any limit; no clock waits for ever


@dataclass(frozen=True)
class Limits:
    """Bounds of a server's requests.

    Attributes:
        most: samples of a request.
        body: MiB of what a request sends.
        pixels: of a picture that is sent.
        seconds: that a request may wait and be worked on, and that a server takes to stop.
        queue: requests that wait for a model, beside those that are worked on.
        batch: samples that are made in one pass for several requests; 1 for one request after the other.
        wait: milliseconds that a pass waits for others to join.
        connections: that clients may have open at a time; more are told to come later.

    Raises:
        InputError: for one that is out of range.
    """

    most: int = 10_000
    body: float = 16.0
    pixels: int = 1 << 22
    seconds: float = 30.0
    queue: int = 256
    batch: int = 64
    wait: float = 2.0
    connections: int = 512

    def __post_init__(self) -> None:
        for name in ("most", "body", "pixels", "seconds", "queue", "batch", "connections"):
            if not 0 < getattr(self, name) <= GREATEST:
                raise InputError(
                    f"--{name} {getattr(self, name):g} is out of range; it must be above 0 and at most {GREATEST:,.0f}"
                )
        if not 0 <= self.wait <= 1000:
            raise InputError(f"--wait {self.wait:g} is out of range; give from 0 to 1000 milliseconds")

    @property
    def bytes(self) -> int:
        """Of what a request sends."""
        return int(self.body * MEGA)
