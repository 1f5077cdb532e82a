"""Spans of requests, as OpenTelemetry receives them."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from serving import served
from toy_models import toy

from sparring.deploy.serve.limits import Limits
from sparring.deploy.serve.traces import Traces, exported

sdk = pytest.importorskip("opentelemetry.sdk.trace")
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def recorded():
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), sdk.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with served({"toy": toy("gan", kind="points")}, Limits(max_samples=10), traces=Traces(provider)) as client:
        yield client, exporter


def test_a_request_and_its_generation_are_spans_of_the_callers_trace(recorded):
    client, exporter = recorded
    headers = {"traceparent": PARENT, "Authorization": "Bearer secret"}
    assert client.post("/models/toy/samples", json={"n": 3}, headers=headers).status_code == 200
    spans = {span.name: span for span in exporter.get_finished_spans() if "readyz" not in span.name}
    assert set(spans) == {"POST /models/{name}/samples", "generate"}
    request, generation = spans["POST /models/{name}/samples"], spans["generate"]
    assert f"{request.context.trace_id:032x}" == f"{generation.context.trace_id:032x}" == PARENT.split("-")[1]
    assert generation.parent.span_id == request.context.span_id
    assert dict(request.attributes) == {
        "http.request.method": "POST", "http.route": "/models/{name}/samples", "http.response.status_code": 200,
    }  # fmt: skip
    assert dict(generation.attributes) == {"sparring.model": "toy"}
    assert request.start_time <= generation.start_time <= generation.end_time <= request.end_time


def test_refused_requests_are_spans_too(recorded):
    client, exporter = recorded
    assert client.post("/models/toy/samples", json={"n": 11}).status_code == 422
    (span,) = [span for span in exporter.get_finished_spans() if span.name.startswith("POST")]
    assert span.attributes["http.response.status_code"] == 422


def test_without_a_provider_nothing_is_recorded():
    with served({"toy": toy("gan", kind="points")}) as client:
        assert client.post("/models/toy/samples", json={"n": 3}).status_code == 200


def test_spans_are_sent_where_the_variables_say(monkeypatch):
    bodies = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as collector:
        threading.Thread(target=collector.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_address[1]}")
        traces = exported()
        with traces.generation("toy"):
            pass
        traces.close()
        collector.shutdown()
    ((path, body),) = bodies
    assert path == "/v1/traces"
    assert b"generate" in body
    assert b"sparring" in body
