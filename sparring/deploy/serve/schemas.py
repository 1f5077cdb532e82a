"""Requests and responses as the OpenAPI description declares them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model

from sparring.modalities import Ask
from sparring.modalities.asks import MAX_TEXT, MAX_VALUES

MAX_SEED = 2**53 - 1  # the largest whole number that every reader of JSON represents exactly

Text = Annotated[str, Field(max_length=MAX_TEXT)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Value = Text | int | Number | bool | None
SIZE = Field(max_length=MAX_VALUES)
Mapped = Annotated[dict[Text, Value], SIZE]


def _whole_number_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


TYPES: dict[str, Any] = {"string": Text, "integer": int, "number": Number, "boolean": bool}
MANY: dict[str, Any] = {  # one value, a list, or a mapping of names to values
    "string": Text | Annotated[list[Text], SIZE] | Mapped,
    "integer": int | Annotated[list[int], SIZE] | Mapped,
    "number": Number | Annotated[list[Number], SIZE] | Mapped,
    "boolean": bool | Annotated[list[bool], SIZE] | Mapped,
}


class SampleRequest(BaseModel):
    """Requested samples."""

    model_config = ConfigDict(extra="forbid", strict=True)

    n: int = Field(default=1, ge=1, description="Number of samples.")
    seed: int | None = Field(
        default=None,
        ge=0,
        le=MAX_SEED,
        description="The same seed gives the same samples. If it is left out, one is drawn and returned.",
    )
    truncation: float | None = Field(
        default=None,
        gt=0,
        le=100,
        allow_inf_nan=False,
        description="Smaller values give more typical samples.",
    )

    def conditions(self) -> dict[str, Any]:
        """The values of asks, by name."""
        return {name: value for name, value in self if name not in SampleRequest.model_fields}


def sample_request(kinds: Iterable[Sequence[Ask]]) -> type[SampleRequest]:
    """The body of a request for samples, with a property for everything that samples of some model can be asked for.

    Args:
        kinds: what samples of each model can be asked for.
    """
    by_name: dict[str, list[Ask]] = {}
    for asks in kinds:
        for ask in asks:
            by_name.setdefault(ask.name, []).append(ask)
    fields: dict[str, Any] = {name: (_annotation(asks), None) for name, asks in by_name.items()}
    return create_model("SampleRequest", __base__=SampleRequest, __doc__=SampleRequest.__doc__, **fields)


def examples(kinds: Iterable[Sequence[Ask]]) -> list[dict[str, Any]]:
    """Bodies of requests for samples: one without conditions, then one for each ask."""
    asks = {ask.name: ask for kind in kinds for ask in kind if ask.examples}
    return [{"n": 4, "seed": 1}, *({"n": 4, name: ask.parse(ask.examples[:1])} for name, ask in asks.items())]


def _annotation(asks: Sequence[Ask]) -> Any:
    """The type of a property, whose schema is that of all the asks."""
    types = reduce(or_, dict.fromkeys(map(_type, asks)))
    schemas: list[dict[str, Any]] = []
    for schema in (ask.schema() for ask in asks):
        schemas += [] if schema in schemas else [schema]
    return Annotated[types | None, WithJsonSchema({"anyOf": [*schemas, {"type": "null"}]})]


def _type(ask: Ask) -> Any:
    """The type of an ask's value in JSON. A whole number will do as a text, such as the class 7."""
    if ask.many:
        return MANY[ask.type]
    one: Any = TYPES[ask.type]
    return Annotated[one, BeforeValidator(_whole_number_as_text)] if ask.type == "string" else one


class Problem(BaseModel):
    """Why a request failed."""

    detail: str = Field(description="One line: what was given, what is wrong, and what to do.")


class Status(BaseModel):
    """Status of the server."""

    status: str


class Takes(BaseModel):
    """The images that a model transforms."""

    channels: int
    times: int = Field(description="Pixels of a result's side per pixel of the given image's side.")
    mask: bool = Field(description="True if a mask selects the pixels that are filled.")


class Described(BaseModel):
    """A model."""

    name: str
    kind: str = Field(description="Kind of data, such as images, rows, series or points.")
    recipe: str
    shape: list[int] = Field(description="Shape of a sample.")
    classes: list[str]
    asks: dict[str, Any] = Field(description="JSON schemas of what samples can be asked for.")
    does: list[str] = Field(description="Its routes.")
    gives: list[str] = Field(description="Media types of its samples, the default first.")
    takes: Takes | None
    parameters: int
    about: dict[str, Any]


class Models(BaseModel):
    """All models."""

    models: list[Described]


class Class(BaseModel):
    """A class that samples can be asked for."""

    label: str
    share: float = Field(description="Share of the training items.")


class Conditions(BaseModel):
    """What samples can be asked for; kinds of data add further properties, such as the columns of a table."""

    model_config = ConfigDict(extra="allow")

    kind: str
    asks: dict[str, Any] = Field(description="JSON schema of each property of a request for samples.")
    classes: list[Class] = Field(default=[])


class Generated(BaseModel):
    """Samples. The kind of data adds them as further properties: images as PNGs in Base64, rows, series, points."""

    model_config = ConfigDict(extra="allow")

    kind: str
    seed: int
    labels: list[str] | None = Field(description="Class of each sample.")


class Applied(BaseModel):
    """The result for a given image."""

    image: str = Field(description="A PNG in Base64.")


class Inverted(BaseModel):
    """The point from which a model generates an image."""

    space: str = Field(description="z for latents, w for styles.")
    point: list[float]
    label: str | None
    error: float = Field(description="Mean squared error of the pixels, where black is 0 and white is 1.")
    image: str = Field(description="What the model generates from the point: a PNG in Base64.")
    given: str = Field(description="The given image in the model's size and channels: a PNG in Base64.")
