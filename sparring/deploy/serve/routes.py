"""The addresses of a server that are looked at: models, and the server itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request, Response

from sparring.deploy.serve import schemas
from sparring.deploy.serve.description import ASKED, problems
from sparring.deploy.serve.middleware import SOON
from sparring.deploy.serve.negotiation import JSON, chosen
from sparring.deploy.serve.served import Served
from sparring.errors import InputError, nearest

Name = Annotated[str, Path(description="Of a model.")]

router = APIRouter()


def served(request: Request, name: str) -> Served:
    """The model of a name.

    Raises:
        HTTPException: 404 where there is none.
    """
    models: dict[str, Served] = request.app.state.models
    if name not in models:
        raise HTTPException(404, f"there is no model {name!r}; {nearest(name, models)}")
    return models[name]


def doing(request: Request, name: str, what: str, offers: Sequence[str] = ()) -> tuple[Served, str]:
    """A model that does something, and the media type that the answer is to have.

    Raises:
        HTTPException: 404 where there is no such model, 406 where no type is accepted.
        InputError: where it does not do that.
    """
    model = served(request, name)
    if not model.does[what]:
        known = ", ".join(f"/models/{name}/{it}" for it, can in model.does.items() if can)
        raise InputError(f"{name} is of recipe {model.model.recipe.name!r} and has no {what}; it has {known}")
    types = offers or model.offers
    accept = ",".join(request.headers.getlist("accept"))
    media = chosen(accept, types)
    if media is None:
        raise HTTPException(406, f"{accept} was asked for; of {name} this can be given as {', '.join(types)}")
    return model, media


@router.get("/models", tags=["models"], responses=problems(401, 408, 413, 500, 503))
async def models(request: Request) -> schemas.Models:
    """All models, with what they make and take."""
    known: dict[str, Served] = request.app.state.models
    return schemas.Models(models=[schemas.Described(**model.described()) for model in known.values()])


@router.get("/models/{name}", tags=["models"], responses=ASKED)
async def model(request: Request, name: Name) -> schemas.Described:
    """A model: what it makes, and what it takes."""
    return schemas.Described(**served(request, name).described())


@router.get("/models/{name}/conditions", tags=["models"], responses=ASKED | problems(422))
async def conditions(request: Request, name: Name) -> schemas.Conditions:
    """What samples of a model can be asked for by: classes, or a table's columns with their levels and ranges."""
    model, _ = doing(request, name, "conditions", (JSON,))
    return schemas.Conditions(**model.conditions())


@router.get("/healthz", tags=["watching"], responses=problems(500))
async def healthz() -> schemas.Status:
    """Whether the process is alive."""
    return schemas.Status(status="alive")


@router.get("/readyz", tags=["watching"], responses=problems(500, 503))
async def readyz(request: Request) -> schemas.Status:
    """Whether all models are loaded and warmed up, and the server is to stay."""
    if request.app.state.state.stopping:
        raise HTTPException(503, "the server is stopping")
    cold = [name for name, model in request.app.state.models.items() if not model.ready]
    if cold:
        raise HTTPException(503, f"not warmed up yet: {', '.join(cold)}", SOON)
    return schemas.Status(status="ready")


@router.get(
    "/metrics",
    tags=["watching"],
    response_class=Response,
    responses=problems(401, 408, 413, 500)
    | {200: {"description": "For Prometheus.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request) -> Response:
    """What the server counts, in Prometheus' text format."""
    counted = request.app.state.metrics
    return Response(counted.exposition(), 200, media_type=counted.content_type)
