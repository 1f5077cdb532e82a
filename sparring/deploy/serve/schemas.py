"""What requests and answers consist of, as the OpenAPI description has it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

TEXT = 1000  # signs of a label or a condition
MANY = 100  # conditions
STEPS = 10_000  # of a series: one after the other, where nets are recurrent, and none of them can be given up
SEED = 2**53 - 1  # the largest whole number that every reader of JSON knows

Text = Annotated[str, Field(max_length=TEXT)]
Value = Text | int | float | bool | None


class Wanted(BaseModel):
    """Samples that are asked for."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"n": 4, "seed": 1}, {"n": 100, "where": {"income": ">50K"}}]},
    )

    n: int = Field(default=1, ge=1, description="How many.")
    label: Text | int | None = Field(default=None, description="Of what class, by name, where there are labels.")
    seed: int | None = Field(
        default=None,
        ge=0,
        le=SEED,
        description="The same seed makes the same samples; without it, one is drawn and told.",
    )
    truncation: float | None = Field(
        default=None,
        gt=0,
        le=100,
        allow_inf_nan=False,
        description="The smaller, the more typical.",
    )
    where: (
        Text | Annotated[list[Text], Field(max_length=MANY)] | Annotated[dict[Text, Value], Field(max_length=MANY)]
    ) = Field(default=[], description='What is true of all rows: {"income": ">50K"}, or conditions: ["age>=18"].')
    length: int | None = Field(default=None, ge=1, le=STEPS, description="Of a series, in steps.")


class Problem(BaseModel):
    """Why there is no other answer."""

    detail: str = Field(description="One line: what was given, what is wrong, and what to do.")


class Status(BaseModel):
    """How a server is."""

    status: str


class Takes(BaseModel):
    """The pictures that something is made of."""

    channels: int
    times: int = Field(description="How many times larger, along a side, what is made of them is.")
    mask: bool = Field(description="Whether a mask says which pixels are to be filled.")


class Described(BaseModel):
    """A model."""

    name: str
    kind: str = Field(description="images, rows, series, points, or pictures of pictures.")
    recipe: str
    shape: list[int] = Field(description="Of a sample.")
    classes: list[str]
    does: list[str] = Field(description="Which addresses it has.")
    gives: list[str] = Field(description="Media types of its samples, the usual one first.")
    takes: Takes | None
    parameters: int
    about: dict[str, Any]


class Models(BaseModel):
    """All models."""

    models: list[Described]


class Class(BaseModel):
    """A label that samples can be asked for by."""

    label: str
    share: float = Field(description="Of the data.")


class Column(BaseModel):
    """A column of a table."""

    name: str
    kind: str = Field(description="category, number, mixture (a number too), or identifier, which is made anew.")
    dtype: str
    levels: list[str] | None = Field(default=None, description="Of a category, as conditions have them.")
    shares: list[float] | None = Field(default=None, description="Of each level in the data.")
    low: float | str | None = Field(default=None, description="The smallest number or date of the data, about.")
    high: float | str | None = Field(default=None, description="The largest.")


class Conditions(BaseModel):
    """What samples can be asked for by."""

    kind: str
    classes: list[Class]
    length: bool = Field(description="Whether they may have any length.")
    columns: list[Column]


class Made(BaseModel):
    """Samples."""

    kind: str
    seed: int
    labels: list[str] | None = Field(description="The class of each.")


class Pictures(Made):
    """Samples that are pictures."""

    pictures: list[str] = Field(description="PNGs in Base64.")


class Rows(Made):
    """Samples that are rows of a table."""

    rows: list[dict[str, Any]]


class Paths(Made):
    """Samples that are series."""

    channels: list[str]
    dates: list[str] | None
    series: list[list[list[float | None]]] = Field(description="(n, steps, channels).")


class Points(Made):
    """Samples that are points."""

    columns: list[str]
    points: list[list[float | None]]


class Applied(BaseModel):
    """What was made of a picture."""

    picture: str = Field(description="A PNG in Base64.")


class Inverted(BaseModel):
    """What a picture is made of."""

    space: str = Field(description="z, the latents, or w, the styles.")
    point: list[float]
    label: str | None
    error: float = Field(description="Mean squared difference of the two pictures, from 0, black, to 1.")
    picture: str = Field(description="What the model makes of the point: a PNG in Base64.")
    given: str = Field(description="The picture as the model would make it: a PNG in Base64.")
