"""The addresses of a server where something is made."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Annotated, Any

import torch
from fastapi import APIRouter, Body, HTTPException, Query, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from sparring.data.store import Progress
from sparring.deploy.serve import schemas
from sparring.deploy.serve.answers import as_json, base64_png, npz, png, samples_as
from sparring.deploy.serve.description import BINARY, SEEDED, SENT, WORKED, pictured
from sparring.deploy.serve.image_routes import applied, as_npz, sent, square
from sparring.deploy.serve.middleware import CLOSED, SOON
from sparring.deploy.serve.negotiation import CSV, JSON, NPZ, PNG
from sparring.deploy.serve.routes import Name, doing
from sparring.deploy.serve.served import Served
from sparring.deploy.serve.worker import Draw, Full, Job, Worker
from sparring.errors import InputError
from sparring.explore.invert import STEPS, Inversion, invert
from sparring.modalities.samples import as_image

FEW = 1 << 14  # numbers that are written at once, and for which no thread is worth its while
Seed = Annotated[int, Query(ge=0, le=schemas.SEED, description="Of the search.")]


class OfJson(APIRoute):
    """A route that takes JSON and says so."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        answered = super().get_route_handler()

        async def checked(request: Request) -> Response:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != JSON and await request.body():
                raise HTTPException(415, f"content of type {kind or 'none'} was sent; send {JSON}")
            response: Response = await answered(request)
            return response

        return checked


router = APIRouter()
drawing = APIRouter(route_class=OfJson)


async def finished(request: Request, worker: Worker, job: Job) -> Any:
    """What comes of a job, unless the client hangs up or it takes too long: then it is dropped.

    Raises:
        HTTPException: 503 where too many wait already, 504 where it takes too long.
    """
    try:
        worker.put(job)
    except Full:
        raise HTTPException(503, "too many requests wait for this model; ask again later", SOON) from None
    result, gone = asyncio.wrap_future(job.future), asyncio.ensure_future(_hung_up(request))
    seconds = request.app.state.limits.seconds
    try:
        await asyncio.wait({result, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if result.done():
            return result.result()
        if gone.done():
            raise HTTPException(CLOSED, "the client hung up")
        raise HTTPException(504, f"it was not done after {seconds:g} seconds; ask for less, or later", SOON)
    finally:
        gone.cancel()
        if not result.done():
            worker.drop(job)
            result.cancel()


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def answer(content: bytes, media: str, headers: dict[str, str] | None = None) -> Response:
    """An answer of a media type."""
    return Response(content, 200, {"Vary": "Accept", **(headers or {})}, media)


@drawing.post(
    "/models/{name}/samples",
    tags=["making"],
    response_class=Response,
    responses=WORKED
    | {
        200: {
            "description": "Samples: pictures as one PNG (a sheet, of several), rows and series as JSON or CSV.",
            "model": schemas.Pictures | schemas.Rows | schemas.Paths | schemas.Points,
            "content": {PNG: BINARY, CSV: {"schema": {"type": "string"}}, NPZ: BINARY},
            "headers": SEEDED,
        }
    },
)
async def samples(
    request: Request, name: Name, wanted: Annotated[schemas.Wanted, Body()] = schemas.Wanted()
) -> Response:
    """Make samples. Requests that come together are done together; what a seed makes does not depend on that."""
    model, media = doing(request, name, "samples")
    most = request.app.state.limits.most
    if wanted.n > most:
        raise InputError(f"n={wanted.n:,} samples are too many for one request; ask for up to {most:,}")
    seed = secrets.randbelow(2**32) if wanted.seed is None else wanted.seed
    asked = model.model.request(label=wanted.label, where=wanted.where, length=wanted.length)
    draw = Draw(wanted.n, asked, seed, wanted.truncation)
    made = await finished(request, model.samples, model.draws(draw))
    if model.numbers(draw) <= FEW:
        content = samples_as(made, media, seed)
    else:
        content = await run_in_threadpool(samples_as, made, media, seed)
    return answer(content, media, {"Sparring-Seed": str(seed)})


@router.post(
    "/models/{name}/apply",
    tags=["making"],
    response_class=Response,
    responses=pictured("The picture that was made.", schemas.Applied),
    openapi_extra=SENT,
)
async def apply(
    request: Request,
    name: Name,
    reverse: Annotated[bool, Query(description="The other way, for models of two ways.")] = False,
    sharpness: Annotated[float, Query(ge=0, le=1, description="For restoring models; below 1 more cautious.")] = 1.0,
) -> Response:
    """Translate, enlarge, clean or fill a picture of any size. Pixels are filled where a mask says so, or where the
    picture is transparent.
    """
    model, media = doing(request, name, "apply", (PNG, JSON, NPZ))
    given = await sent(request, request.app.state.limits.pixels)

    def work(progress: Progress) -> bytes:
        return applied(model.model.mapper(reverse, sharpness), given, progress)

    made = await finished(request, model.pictures, Job(work))
    if media == PNG:
        return answer(made, media)
    content = await run_in_threadpool(as_npz if media == NPZ else _told, made)
    return answer(content, media)


def _told(made: bytes) -> bytes:
    return as_json({"picture": base64_png(made)})


@router.post(
    "/models/{name}/invert",
    tags=["making"],
    response_class=Response,
    responses=pictured(
        "The point, and the picture that the model makes of it; as a PNG the picture alone.", schemas.Inverted
    ),
    openapi_extra=SENT,
)
async def inverted(
    request: Request,
    name: Name,
    label: Annotated[str | None, Query(max_length=schemas.TEXT, description="Its class; found unless given.")] = None,
    seed: Seed = 0,
    steps: Annotated[int, Query(ge=4, le=1000, description="Of the search.")] = STEPS,
) -> Response:
    """Find of what a model makes a picture, as nearly as it can. The picture is cut to a square and resized."""
    model, media = doing(request, name, "invert", (JSON, PNG, NPZ))
    given = await sent(request, request.app.state.limits.pixels)
    modality = model.model.modality
    chosen_label = None if label is None else torch.tensor([modality.class_index(label)])
    channels, size, _ = modality.shape

    def work(progress: Progress) -> tuple[Any, Inversion]:
        pictures = square(given.picture, size, channels)
        return pictures, invert(model.model, pictures, chosen_label, steps, seed, progress)

    pictures, found = await finished(request, model.pictures, Job(work))
    return answer(_inverted(model, pictures, found, media), media)


def _inverted(model: Served, pictures: Any, found: Inversion, media: str) -> bytes:
    """An inversion as an answer's bytes."""
    made = as_image(found.pictures[0])
    if media == PNG:
        return png(made)
    if media == NPZ:
        points = found.points.cpu().numpy()
        return npz(points=points, images=found.pictures, given=pictures, errors=found.errors.cpu().numpy())
    label = None if found.labels is None else model.model.modality.classes[int(found.labels[0])]
    return as_json(
        {
            "space": model.space,
            "point": found.points[0].tolist(),
            "label": label,
            "error": float(found.errors[0]),
            "picture": base64_png(made),
            "given": base64_png(as_image(pictures[0])),
        }
    )
