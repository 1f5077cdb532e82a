"""The application: models behind addresses, with a description of itself."""

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
from sparring.deploy.serve.generation import drawing
from sparring.deploy.serve.generation import router as making
from sparring.deploy.serve.keys import Keys
from sparring.deploy.serve.limits import Limits
from sparring.deploy.serve.metrics import Metrics
from sparring.deploy.serve.middleware import OPEN, Gate, State, problem
from sparring.deploy.serve.routes import router
from sparring.deploy.serve.served import Served
from sparring.errors import InputError
from sparring.model import Model

SAID = """Samples of trained GANs, and what they make of pictures.

The header `Accept` chooses what an answer is: `image/png`, `application/json`, `text/csv` or `application/x-npz`
(NumPy's arrays). Whatever cannot be done is JSON with one line, `detail`."""
LONGEST = 600  # signs of a line that says what is wrong


def application(
    models: Mapping[str, Model], limits: Limits = Limits(), keys: Keys = Keys(), state: State | None = None
) -> FastAPI:
    """An ASGI application that serves models by name.

    Args:
        models: that are served.
        limits: of what it takes on.
        keys: that open it; without any, everybody may ask.
        state: that says when it is to stop.
    """
    app = FastAPI(
        title="Sparring",
        version=sparring.__version__,
        description=SAID,
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.metrics = metrics = Metrics()
    app.state.limits, app.state.state = limits, state or State()
    active = app.state.state.count
    app.state.models = {name: Served(name, model, limits, metrics, active) for name, model in models.items()}
    routes = [*app.routes]
    for part in (router, drawing, making):
        app.include_router(part)
        routes += part.routes
    app.add_middleware(Gate, routes=routes, state=app.state.state, keys=keys, limits=limits, metrics=metrics)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(InputError, _unfit)
    app.add_exception_handler(Exception, _failed)
    plain = app.openapi
    app.openapi = lambda: _described(plain(), app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    for model in app.state.models.values():
        model.start()
    yield
    for model in app.state.models.values():
        await run_in_threadpool(model.close, app.state.limits.seconds)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers, detail = dict(error.headers or {}), error.detail
    if detail == "Not Found":  # the framework's own, which does not say what to do
        detail = f"there is nothing at {request.url.path}; GET /models lists what there is"
    elif error.status_code == 405:
        detail = f"{request.method} is not for {request.url.path}; use {headers.get('allow', headers.get('Allow'))}"
    return problem(error.status_code, _short(detail), headers)


async def _unfit(_request: Request, error: Exception) -> Response:
    return problem(422, _short(str(error)))


async def _malformed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    # Of a value that may be of several types, most errors say that it is of another type.
    first = next((one for one in errors if not one["type"].endswith("_type")), errors[0])
    place = ".".join(str(part) for part in first["loc"][:2])
    if first["type"] == "json_invalid":
        return problem(400, f"the body is no JSON: {first.get('ctx', {}).get('error', 'it cannot be read')}")
    return problem(422, f"{_short(place)}: {_short(first['msg'])}; {_short(repr(first.get('input')), 100)} was given")


async def _failed(request: Request, error: Exception) -> Response:
    """The server raises it again and logs it; nobody else is told more."""
    logging.getLogger("sparring.serve").debug("%s: %s", request.url.path, error)
    return problem(500, "something went wrong in the server; its log says what")


def _short(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else f"{text[:longest]}..."


def _described(schema: dict[str, Any], app: FastAPI) -> dict[str, Any]:
    """The description, with what this server knows: names of models, limits, keys."""
    names = list(app.state.models)
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    parameter["schema"] |= {"enum": names, "examples": names[:1]}
            if path in OPEN:
                operation["security"] = []
    schema["components"]["schemas"]["Wanted"]["properties"]["n"]["maximum"] = app.state.limits.most
    schema["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    schema["security"] = [{"bearer": []}, {"header": []}]
    return schema
