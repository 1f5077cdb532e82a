"""Parts of the OpenAPI description: responses, and uploaded images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sparring.deploy.serve import schemas
from sparring.deploy.serve.negotiation import JSON, MULTIPART, NPZ, PNG

REASONS = {
    400: "The request cannot be read.",
    401: "The key is missing or invalid.",
    404: "There is no such model.",
    406: "The result is not available as any media type that the request accepts.",
    408: "The request was incomplete when its time was over.",
    413: "The body has too many bytes, or the image too many pixels.",
    415: "The body has a media type that is not supported here.",
    421: "The header Host is not a name of this server.",
    422: "The request cannot be fulfilled.",
    429: "Too many wrong keys were sent; try again later.",
    500: "The server failed.",
    503: "The server is busy, starting or stopping; try again later.",
    504: "The request took too long.",
}
BINARY = {"schema": {"type": "string", "format": "binary"}}
TEXT = {"schema": {"type": "string"}}
FILES = {"schema": {"type": "object", "additionalProperties": {"type": "string", "format": "binary"}}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Error responses."""
    return {status: {"model": schemas.Problem, "description": REASONS[status]} for status in sorted(statuses)}


ABOUT_A_MODEL = problems(401, 404, 408, 413, 421, 429, 500, 503)
WITH_WORK = ABOUT_A_MODEL | problems(400, 406, 415, 422, 504)
SAMPLE_HEADERS = {
    "Sparring-Seed": {"description": "The same seed gives the same samples.", "schema": {"type": "integer"}},
    "Sparring-Notes": {
        "description": "What is to be known about the samples, if anything: lines of text, percent-encoded.",
        "schema": {"type": "string"},
    },
    "Sparring-Provenance": {
        "description": "A signed statement, if the server marks samples and the media type has no place for it.",
        "schema": {"type": "string"},
    },
}
UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "image/png": BINARY,
            "image/jpeg": BINARY,
            "image/webp": BINARY,
            "application/octet-stream": BINARY,
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["image"],
                    "properties": {
                        "image": {"type": "string", "format": "binary"},
                        "mask": {"type": "string", "format": "binary", "description": "Black where pixels are kept."},
                    },
                    "additionalProperties": False,
                }
            },
        },
    }
}


def sample_responses(media: Iterable[str]) -> dict[int | str, dict[str, Any]]:
    """Responses with samples.

    Args:
        media: media types of samples of all models.
    """
    content = {one: _content(one) for one in media if one != JSON}
    description = "Samples. A PNG shows a single image as it is, and several samples on one sheet."
    samples = {"description": description, "model": schemas.Generated, "content": content, "headers": SAMPLE_HEADERS}
    return WITH_WORK | {200: samples}


def _content(media: str) -> dict[str, Any]:
    """What a response of a media type consists of."""
    if media == MULTIPART:
        return FILES
    return TEXT if media.startswith("text/") else BINARY


def image_responses(description: str, model: Any, media: Iterable[str] = ()) -> dict[int | str, dict[str, Any]]:
    """Responses with a result for an image: as a PNG, as arrays, or as JSON of a schema.

    Args:
        media: further media types, those of results for other files.
    """
    content = dict.fromkeys((PNG, NPZ, *media), BINARY)
    return WITH_WORK | {200: {"description": description, "model": model, "content": content}}
