"""The server against its own OpenAPI description, by Schemathesis: every response to generated requests, valid or not,
is one that the description contains, and none reports an error of the server.
"""

import time

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from sparring.deploy.serve.access import Attempts, Hosts
from sparring.deploy.serve.app import application
from sparring.deploy.serve.keys import Keys
from sparring.deploy.serve.limits import Limits

schemathesis = pytest.importorskip("schemathesis", reason="pip install 'sparring[dev]'")
from schemathesis import GenerationMode  # noqa: E402
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

HEALTHY = list(HealthCheck)
HEADERS = {"X-API-Key": "key", "Authorization": "Bearer key"}  # both, or the other one is generated
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance, unsupported_method, ignored_auth,
]  # fmt: skip


@pytest.fixture(scope="module")
def app(models):
    """Two models of images and one of a table, whose conditions need most checks."""
    some = {name: models[name] for name in ("digits", "ctgan", "fill")}
    limits = Limits(max_samples=50, seconds=60, pixels=4096, wait=0)
    with pytest.MonkeyPatch.context() as patch:  # many wrong keys are sent
        patch.setattr("sparring.deploy.serve.middleware.Attempts", lambda: Attempts(limit=1_000_000))
        yield application(some, limits, Keys(["key"]), hosts=Hosts(["testserver"]))


ADDRESSES = [
    "GET /models", "GET /models/{name}", "GET /models/{name}/conditions", "POST /models/{name}/samples",
    "POST /models/{name}/apply", "POST /models/{name}/invert", "GET /healthz", "GET /readyz", "GET /metrics",
]  # fmt: skip


@pytest.fixture(scope="module")
def schema(app):
    found = schemathesis.openapi.from_asgi("/openapi.json", app, headers=HEADERS)  # this starts the application
    until = time.monotonic() + 20
    while not all(model.ready for model in app.state.models.values()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("address", ADDRESSES)
def test_responses_match_the_description(schema, address):
    method, path = address.split()
    operation = schema[path][method]
    many = 25 if method == "POST" else 8

    @settings(max_examples=many, deadline=None, derandomize=True, database=None, suppress_health_check=HEALTHY)
    @given(strategies.one_of(*[operation.as_strategy(generation_mode=mode) for mode in GenerationMode]))
    def check(case):
        case.call_and_validate(headers=HEADERS, checks=CHECKS)

    check()


def test_every_route_is_described(app):
    described = app.openapi()["paths"]
    assert {f"{method.upper()} {path}" for path in described for method in described[path]} == set(ADDRESSES)
    for operations in described.values():
        for operation in operations.values():
            assert operation["description"]
            for status, answer in operation["responses"].items():
                assert answer["description"], status
                assert answer["content"], status
