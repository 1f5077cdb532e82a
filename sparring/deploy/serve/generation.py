"""Routes that generate: samples, transformed images, inverted images."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable, Sequence
from typing import Annotated, Any
from urllib.parse import quote

import torch
from fastapi import APIRouter, Body, HTTPException, Query, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from sparring.data.store import Progress
from sparring.deploy.serve import schemas
from sparring.deploy.serve.answers import as_json, declared, npz, png_as_npz, samples_as
from sparring.deploy.serve.description import UPLOAD, image_responses, sample_responses
from sparring.deploy.serve.limits import MAX_LENGTH
from sparring.deploy.serve.middleware import DISCONNECTED, RETRY_SOON
from sparring.deploy.serve.negotiation import JSON, NPZ, PNG
from sparring.deploy.serve.routes import Name, negotiated, served
from sparring.deploy.serve.served import Served
from sparring.deploy.serve.uploads import fitted, transformed, uploaded
from sparring.deploy.serve.worker import Draw, Job, QueueFull, Worker
from sparring.errors import InputError, nearest
from sparring.explore.invert import STEPS, Inversion, invert
from sparring.modalities.asks import MAX_TEXT
from sparring.modalities.find import every_applied_media, every_apply_ask
from sparring.modalities.samples import as_image, base64_png, png_bytes
from sparring.model import Model
from sparring.use.apply import check_asked

MAX_INLINE_NUMBERS = 1 << 14  # numbers that are written in the event loop; more go to a thread
MAX_NOTES = 1000  # characters of a header
Seed = Annotated[int, Query(ge=0, le=schemas.MAX_SEED, description="Of the search.")]


class StrictRoute(APIRoute):
    """A route that refuses parameters of the query that it does not declare: a misspelled one would change nothing."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        handle, route = super().get_route_handler(), self.path.rpartition("/")[2]
        known = {field.alias for field in self.dependant.query_params}
        known |= {parameter["name"] for parameter in (self.openapi_extra or {}).get("parameters", ())}

        async def checked(request: Request) -> Response:
            for name, value in request.query_params.multi_items():
                if name not in known:
                    hint = nearest(name, known) if known else "send it in the body"
                    raise InputError(f"{name}={value} was given, but {route} has no parameter {name!r}; {hint}")
            response: Response = await handle(request)
            return response

        return checked


class JsonRoute(StrictRoute):
    """A route that also refuses bodies that are not declared as JSON."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media != JSON and await request.body():
                raise HTTPException(415, f"content of type {media or 'none'} was sent; send {JSON}")
            response: Response = await handle(request)
            return response

        return checked


router = APIRouter(route_class=StrictRoute)


async def finished(request: Request, worker: Worker, job: Job) -> Any:
    """The result of a job. It is dropped if the client disconnects or it takes too long.

    Raises:
        HTTPException: 503 if too many requests are waiting, 504 if it takes too long.
    """
    with request.app.state.traces.generation(str(request.path_params.get("name"))):
        return await _finished(request, worker, job)


async def _finished(request: Request, worker: Worker, job: Job) -> Any:
    try:
        worker.put(job)
    except QueueFull:
        raise HTTPException(503, "too many requests wait for this model; try again later", RETRY_SOON) from None
    result, gone = asyncio.wrap_future(job.future), asyncio.ensure_future(_disconnected(request))
    seconds = request.app.state.limits.seconds
    try:
        await asyncio.wait({result, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if result.done():
            return result.result()
        if gone.done():
            raise HTTPException(DISCONNECTED, "the client disconnected")
        raise HTTPException(504, f"it was not done after {seconds:g} seconds; ask for less, or later", RETRY_SOON)
    finally:
        gone.cancel()
        if not result.done():
            worker.drop(job)
            result.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def answer(model: Served, content: bytes, media: str, headers: dict[str, str] | None = None) -> Response:
    """A response of a media type. What a model generates leaves the server here: if it is marked and its format has no
    place for marks, they are in a header.
    """
    marks = {} if model.mark is None else model.mark.headers(content)
    return Response(content, 200, {"Vary": "Accept", **(headers or {}), **marks}, declared(media, content))


def sample_router(models: Sequence[Served]) -> APIRouter:
    """The route for samples, described by what samples of these models can be asked for and sent as."""
    kinds = [model.model.modality.asks for model in models if model.does["samples"]]
    request_type = schemas.sample_request(kinds)
    media = dict.fromkeys(one for model in models if model.does["samples"] for one in model.offers)

    async def samples(request: Request, name: Name, body: Any = request_type()) -> Response:
        """Generate samples. Requests at the same time share a batch; the samples of a seed do not depend on that."""
        return await _samples(request, name, body)

    samples.__annotations__["body"] = Annotated[request_type, Body(examples=schemas.examples(kinds))]
    routes = APIRouter(route_class=JsonRoute)
    routes.add_api_route(
        "/models/{name}/samples", samples, methods=["POST"], tags=["generation"], response_class=Response,
        responses=sample_responses(media),
    )  # fmt: skip
    return routes


async def _samples(request: Request, name: str, body: schemas.SampleRequest) -> Response:
    model, media = negotiated(request, name, "samples")
    limit = request.app.state.limits.max_samples
    if body.n > limit:
        raise InputError(f"n={body.n:,} samples are too many for one request; ask for up to {limit:,}")
    seed = secrets.randbelow(2**32) if body.seed is None else body.seed
    conditions = model.model.request(**body.conditions())
    if conditions.length is not None and conditions.length > MAX_LENGTH:
        raise InputError(
            f"samples of {conditions.length:,} steps are too long for a request; ask for up to {MAX_LENGTH:,}"
        )
    draw = Draw(body.n, conditions, seed, body.truncation)
    drawn = await finished(request, model.worker(draw), model.job(draw))
    if model.mark is None and model.numbers(draw) <= MAX_INLINE_NUMBERS:
        content = samples_as(drawn, media, seed)
    else:
        content = await run_in_threadpool(samples_as, drawn, media, seed, model.mark)
    notes = quote("\n".join(conditions.notes)[:MAX_NOTES])
    return answer(model, content, media, {"Sparring-Seed": str(seed)} | ({"Sparring-Notes": notes} if notes else {}))


APPLY_ASKS = {"parameters": [
    {"name": ask.name, "in": "query", "description": f"For the models that have it. {ask.help}", "schema": ask.schema()}
    for ask in every_apply_ask()
]}  # fmt: skip


@router.post(
    "/models/{name}/apply",
    tags=["generation"],
    response_class=Response,
    responses=image_responses("The result.", schemas.Applied, every_applied_media()),
    openapi_extra=UPLOAD | APPLY_ASKS,
)
async def apply(
    request: Request,
    name: Name,
    reverse: Annotated[bool, Query(description="The opposite direction, for models that learned both.")] = False,
    sharpness: Annotated[
        float, Query(ge=0, le=1, description="For models that restore images; below 1, errors are smaller.")
    ] = 1.0,
) -> Response:
    """Translate, enlarge, clean or fill an image of any size. Pixels are filled where a mask is not black or, without a
    mask, where the image is transparent. Models of films and sounds take and return those.
    """
    known = served(request, name).model.modality.applied_media
    model, media = negotiated(request, name, "apply", (PNG, JSON, NPZ) if PNG in known else tuple(known))
    modality, asked = model.model.modality, _asked(request, model.model)
    upload = await uploaded(request, modality, request.app.state.limits.pixels)

    def work(progress: Progress) -> bytes:
        suffix = known.get(media, known.get(PNG, ""))
        result = transformed(modality, model.model.mapper(reverse, sharpness), upload, suffix, progress, asked)
        return result if model.mark is None else model.mark.result(result)

    result = await finished(request, model.uploads, Job(work))
    if media in known:
        return answer(model, result, media)
    content = await run_in_threadpool(png_as_npz if media == NPZ else _png_as_json, result)
    return answer(model, content, media)


def _asked(request: Request, model: Model) -> dict[str, Any]:
    """What a query asks of a model that is applied.

    Raises:
        InputError: if the model cannot be asked for it, or a value is out of range.
    """
    query = request.query_params
    asked = {ask.name: ask.parse(query.getlist(ask.name)) for ask in every_apply_ask() if ask.name in query}
    check_asked(model, asked)
    return asked


def _png_as_json(png: bytes) -> bytes:
    return as_json({"image": base64.b64encode(png).decode()})


@router.post(
    "/models/{name}/invert",
    tags=["generation"],
    response_class=Response,
    responses=image_responses(
        "The point, and the image that the model generates from it; as a PNG the image only.", schemas.Inverted
    ),
    openapi_extra=UPLOAD,
)
async def inverted(
    request: Request,
    name: Name,
    label: Annotated[
        str | None, Query(max_length=MAX_TEXT, description="Class of the image; searched for unless given.")
    ] = None,
    seed: Seed = 0,
    steps: Annotated[int, Query(ge=4, le=1000, description="Of the search.")] = STEPS,
) -> Response:
    """Find the point from which a model generates an image as closely as it can. The image is cropped to a square and
    resized.
    """
    model, media = negotiated(request, name, "invert", (JSON, PNG, NPZ))
    modality = model.model.modality
    upload = await uploaded(request, modality, request.app.state.limits.pixels)
    condition = None if label is None else torch.tensor([modality.class_index(label)])

    def work(progress: Progress) -> tuple[Any, Inversion]:
        images = fitted(modality, upload)
        return images, invert(model.model, images, condition, steps, seed, progress)

    images, inversion = await finished(request, model.uploads, Job(work))
    return answer(model, await run_in_threadpool(_inversion_as, media, model, images, inversion), media)


def _inversion_as(media: str, model: Served, images: Any, inversion: Inversion) -> bytes:
    """An inversion in a media type."""
    pictures = inversion.pictures if model.mark is None else model.mark.pixels(inversion.pictures)
    png = png_bytes(as_image(pictures[0]))
    if model.mark is not None:
        png = model.mark.content(png) or png
    if media == PNG:
        return png
    if media == NPZ:
        points, errors = inversion.points.cpu().numpy(), inversion.errors.cpu().numpy()
        return npz(points=points, images=pictures, given=images, errors=errors)
    classes = model.model.modality.classes
    label = classes[int(inversion.labels[0])] if classes and inversion.labels is not None else None
    return as_json(
        {
            "space": model.space,
            "point": inversion.points[0].tolist(),
            "label": label,
            "error": float(inversion.errors[0]),
            "image": base64.b64encode(png).decode(),
            "given": base64_png(as_image(images[0])),
        }
    )
