"""Routes that only read: models, and the state of the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request, Response

from sparring.deploy.serve import schemas
from sparring.deploy.serve.description import ABOUT_A_MODEL, TEXT, problems
from sparring.deploy.serve.middleware import RETRY_SOON, State
from sparring.deploy.serve.negotiation import JSON, chosen
from sparring.deploy.serve.served import Served
from sparring.errors import InputError, nearest

Name = Annotated[str, Path(description="Name of a model.")]

router = APIRouter()


def served(request: Request, name: str) -> Served:
    """The model of a name.

    Raises:
        HTTPException: 404 if there is none.
    """
    models: dict[str, Served] = request.app.state.models
    if name not in models:
        raise HTTPException(404, f"there is no model {name!r}; {nearest(name, models)}")
    return models[name]


def negotiated(request: Request, name: str, route: str, offers: Sequence[str] = ()) -> tuple[Served, str]:
    """A model that has a route, and the media type of the response.

    Args:
        offers: media types of the response; unless given, those of the model's samples.

    Raises:
        HTTPException: 404 if there is no such model, 406 if no type is accepted.
        InputError: if it does not have the route.
    """
    model = served(request, name)
    if not model.does[route]:
        available = ", ".join(f"/models/{name}/{other}" for other, has in model.does.items() if has)
        raise InputError(
            f"{name} is a model of recipe {model.model.recipe.name!r} and has no {route}; it has {available}"
        )
    types = offers or model.offers
    accept = ",".join(request.headers.getlist("accept"))
    media = chosen(accept, types)
    if media is None:
        raise HTTPException(406, f"{accept} was requested; {route} of {name} is available as {', '.join(types)}")
    return model, media


@router.get("/models", tags=["models"], responses=problems(401, 408, 413, 421, 429, 500, 503))
async def models(request: Request) -> schemas.Models:
    """All models: what they generate and take."""
    known: dict[str, Served] = request.app.state.models
    return schemas.Models(models=[schemas.Described(**model.described()) for model in known.values()])


@router.get("/models/{name}", tags=["models"], responses=ABOUT_A_MODEL)
async def model(request: Request, name: Name) -> schemas.Described:
    """A model: what it generates and takes."""
    return schemas.Described(**served(request, name).described())


@router.get("/models/{name}/conditions", tags=["models"], responses=ABOUT_A_MODEL | problems(422))
async def conditions(request: Request, name: Name) -> schemas.Conditions:
    """What samples of a model can be asked for: classes, or the columns of a table with their levels and ranges."""
    model, _ = negotiated(request, name, "conditions", (JSON,))
    return schemas.Conditions(**model.conditions())


@router.get("/healthz", tags=["monitoring"], responses=problems(500))
async def healthz() -> schemas.Status:
    """Answers with status 200 while the process is alive, however busy it is."""
    return schemas.Status(status="alive")


@router.get("/readyz", tags=["monitoring"], responses=problems(500, 503))
async def readyz(request: Request) -> schemas.Status:
    """Answers with status 200 if all models are loaded and warmed up, and the server is neither stopping nor busy."""
    state: State = request.app.state.state
    if state.stopping:
        raise HTTPException(503, "the server is stopping")
    if state.connections() > request.app.state.limits.connections:
        raise HTTPException(503, "too many connections are open", RETRY_SOON)
    cold = [name for name, model in request.app.state.models.items() if not model.ready]
    if cold:
        raise HTTPException(503, f"not warmed up yet: {', '.join(cold)}", RETRY_SOON)
    return schemas.Status(status="ready")


@router.get(
    "/metrics",
    tags=["monitoring"],
    response_class=Response,
    responses=problems(401, 408, 413, 421, 429, 500, 503)
    | {200: {"description": "For Prometheus.", "content": {"text/plain": TEXT}}},
)
async def metrics(request: Request) -> Response:
    """The server's metrics in Prometheus' text format."""
    counted = request.app.state.metrics
    return Response(counted.exposition(), 200, media_type=counted.content_type)
