"""The application: models behind HTTP routes, with an OpenAPI description."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

import sparring
from sparring.deploy.serve.access import Hosts
from sparring.deploy.serve.generation import router as generation_router
from sparring.deploy.serve.generation import sample_router
from sparring.deploy.serve.keys import Keys
from sparring.deploy.serve.limits import Limits
from sparring.deploy.serve.metrics import Metrics
from sparring.deploy.serve.middleware import PUBLIC, Middleware, State, problem
from sparring.deploy.serve.routes import router
from sparring.deploy.serve.served import Served
from sparring.deploy.serve.traces import Traces
from sparring.errors import InputError
from sparring.model import Model
from sparring.provenance import Mark

DESCRIPTION = """Samples of trained GANs, and images that they transform.

The header `Accept` selects the media type of a response; `GET /models` lists the types of each model. Errors are JSON
with one line, `detail`."""
MAX_DETAIL = 600  # characters of an error


def application(
    models: Mapping[str, Model],
    limits: Limits = Limits(),
    keys: Keys = Keys(),
    state: State | None = None,
    hosts: Hosts | None = None,
    marks: Mapping[str, Mark] = {},
    traces: Traces = Traces(),
) -> FastAPI:
    """An ASGI application that serves models by name.

    Args:
        models: by name.
        limits: of requests.
        keys: that are valid; without any, all requests are admitted.
        state: through which the caller stops the server.
        hosts: names by which the server may be asked.
        marks: of what models generate, by their names. Requests cannot turn them off.
        traces: of requests.
    """
    app = FastAPI(
        title="Sparring",
        version=sparring.__version__,
        description=DESCRIPTION,
        docs_url=None,  # these pages load scripts from other servers
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.metrics = metrics = Metrics()
    app.state.limits, app.state.state, app.state.traces = limits, state or State(), traces
    active = app.state.state.count
    app.state.models = {
        name: Served(name, model, limits, metrics, active, marks.get(name)) for name, model in models.items()
    }
    routes = [*app.routes]
    for part in (router, sample_router(list(app.state.models.values())), generation_router):
        app.include_router(part)
        routes += part.routes
    app.add_middleware(
        Middleware, routes=routes, state=app.state.state, keys=keys, hosts=hosts or Hosts(), limits=limits,
        metrics=metrics, traces=traces,
    )  # fmt: skip
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(InputError, _input_error)
    app.add_exception_handler(Exception, _internal_error)
    plain = app.openapi
    app.openapi = lambda: _complete(plain(), app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    for model in app.state.models.values():
        model.start()
    yield
    for model in app.state.models.values():
        await run_in_threadpool(model.close, app.state.limits.seconds)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers, detail = dict(error.headers or {}), error.detail
    if detail == "Not Found":  # the framework's message, which does not say what to do
        detail = f"there is nothing at {request.url.path}; GET /models lists the models"
    elif error.status_code == 405:
        allowed = headers.get("allow", headers.get("Allow"))
        detail = f"{request.method} is not allowed for {request.url.path}; use {allowed}"
    return problem(error.status_code, _shortened(detail), headers)


async def _input_error(_request: Request, error: Exception) -> Response:
    return problem(422, _shortened(str(error)))


async def _validation_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    # If a value may have several types, most of the errors only say that it has another type.
    first = next((one for one in errors if not one["type"].endswith("_type")), errors[0])
    place = ".".join(str(part) for part in first["loc"][:2])
    if first["type"] == "json_invalid":
        return problem(400, f"the body is not JSON: {first.get('ctx', {}).get('error', 'it cannot be read')}")
    given = _shortened(repr(first.get("input")), 100)
    return problem(422, f"{_shortened(place)}: {_shortened(first['msg'])}; {given} was given")


async def _internal_error(request: Request, error: Exception) -> Response:
    """The server raises the error again and logs it; the client gets no details."""
    logging.getLogger("sparring.serve").debug("%s: %s", request.url.path, error)
    return problem(500, "the server failed; its log contains the reason")


def _shortened(text: str, limit: int = MAX_DETAIL) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."


def _complete(schema: dict[str, Any], app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description with the properties of this server: names of models, limits, keys."""
    names = list(app.state.models)
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    parameter["schema"] |= {"enum": names, "examples": names[:1]}
            if path in PUBLIC:
                operation["security"] = []
    schema["components"]["schemas"]["SampleRequest"]["properties"]["n"]["maximum"] = app.state.limits.max_samples
    schema["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    schema["security"] = [{"bearer": []}, {"header": []}]
    return schema
