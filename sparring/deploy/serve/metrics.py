"""Metrics of a server for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # bounds of buckets
SAMPLES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """Metrics of one server, in a registry of its own."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter("sparring_serve_requests", "Answered requests.", ["route", "status"], registry=registry)
        self.seconds = Histogram(
            "sparring_serve_seconds",
            "Seconds from a request's head to the end of its response.",
            ["route"],
            buckets=SECONDS,
            registry=registry,
        )
        self.batch = Histogram(
            "sparring_serve_batch", "Samples generated in one batch.", ["model"], buckets=SAMPLES, registry=registry
        )
        self.queue = Gauge("sparring_serve_queue", "Requests that wait for a model.", ["model"], registry=registry)
        self.samples = Counter("sparring_serve_samples", "Generated samples.", ["model"], registry=registry)
        self.in_flight = Gauge("sparring_serve_in_flight", "Requests that are not answered yet.", registry=registry)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)
