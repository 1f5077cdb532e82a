"""What the OpenAPI description says of answers and of pictures that are sent."""

from __future__ import annotations

from typing import Any

from sparring.deploy.serve import schemas
from sparring.deploy.serve.negotiation import NPZ, PNG

REASONS = {
    400: "The request cannot be read.",
    401: "No key was sent, or a wrong one.",
    404: "There is no such model.",
    406: "It cannot be given as any media type that the request accepts.",
    408: "The request was not complete in time.",
    413: "More was sent than may be: too many bytes, or pixels.",
    415: "What was sent is of a type that is not taken here.",
    422: "What is asked for cannot be had.",
    500: "Something went wrong in the server.",
    503: "Too many wait already, or the server starts or stops; ask again later.",
    504: "It took too long.",
}
BINARY = {"schema": {"type": "string", "format": "binary"}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Answers that are none, for the description."""
    return {status: {"model": schemas.Problem, "description": REASONS[status]} for status in sorted(statuses)}


ASKED = problems(401, 404, 408, 413, 500, 503)  # of whatever is asked about a model
WORKED = ASKED | problems(400, 406, 415, 422, 504)
SEEDED = {"Sparring-Seed": {"description": "Makes the same again.", "schema": {"type": "integer"}}}
SENT = {  # a picture, for the description
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
                    "required": ["picture"],
                    "properties": {
                        "picture": {"type": "string", "format": "binary"},
                        "mask": {"type": "string", "format": "binary", "description": "Not black where to fill."},
                    },
                    "additionalProperties": False,
                }
            },
        },
    }
}


def pictured(description: str, model: Any) -> dict[int | str, dict[str, Any]]:
    """Answers where a picture is worked on: what was made as a PNG, as arrays, or as JSON of a schema."""
    return WORKED | {200: {"description": description, "model": model, "content": {PNG: BINARY, NPZ: BINARY}}}
