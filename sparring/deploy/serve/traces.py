"""Traces of requests by OpenTelemetry: how long each took, and how long its samples took in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.types import Scope

import sparring
from sparring.errors import needs

SERVICE = "sparring"  # unless OTEL_SERVICE_NAME says otherwise
SERVER_ERROR = 500  # status from which a request has failed
DOES = "traces requests"


class Traces:
    """Spans of requests. Nothing is recorded without a provider, and OpenTelemetry is not needed then.

    Args:
        provider: of OpenTelemetry's SDK.
    """

    def __init__(self, provider: Any = None) -> None:
        self.provider = provider
        self.tracer = None if provider is None else provider.get_tracer(SERVICE, sparring.__version__)

    @contextmanager
    def request(self, scope: Scope, route: str) -> Iterator[Callable[[int], None]]:
        """The span of a request, a part of the trace that its header `traceparent` names. What it yields is called with
        the status of the response. Neither keys nor bodies are recorded.
        """
        if self.tracer is None:
            yield lambda _status: None
            return
        from opentelemetry import propagate, trace

        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        attributes = {"http.request.method": scope["method"], "http.route": route}
        with self.tracer.start_as_current_span(
            f"{scope['method']} {route}", propagate.extract(headers), trace.SpanKind.SERVER, attributes
        ) as span:

            def ended(status: int) -> None:
                span.set_attribute("http.response.status_code", status)
                if status >= SERVER_ERROR:
                    span.set_status(trace.StatusCode.ERROR)

            yield ended

    @contextmanager
    def generation(self, model: str) -> Iterator[None]:
        """The span of the work for a request: its wait in the queue of a model, and its share of a batch."""
        if self.tracer is None:
            yield
            return
        with self.tracer.start_as_current_span("generate", attributes={"sparring.model": model}):
            yield

    def close(self) -> None:
        """Send what has not been sent."""
        if self.provider is not None:
            self.provider.shutdown()


def exported() -> Traces:
    """Traces that are sent by OTLP over HTTP, to where the standard variables say (`OTEL_EXPORTER_OTLP_ENDPOINT`, ...).

    Raises:
        InputError: if OpenTelemetry is not installed.
    """
    exporter = needs("opentelemetry.exporter.otlp.proto.http.trace_exporter", "traces", DOES)
    sdk = needs("opentelemetry.sdk.trace", "traces", DOES)
    batches = needs("opentelemetry.sdk.trace.export", "traces", DOES)
    resource = needs("opentelemetry.sdk.resources", "traces", DOES).Resource
    described = resource.create({})  # by the variables
    if described.attributes.get("service.name", "").startswith("unknown_service"):
        described = described.merge(resource({"service.name": SERVICE}))
    provider = sdk.TracerProvider(resource=described)
    provider.add_span_processor(batches.BatchSpanProcessor(exporter.OTLPSpanExporter()))
    return Traces(provider)
