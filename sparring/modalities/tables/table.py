"""Tables: rows of columns of different kinds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Progress, Stored, no_progress
from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.errors import InputError, nearest
from sparring.layers.spans import Spans
from sparring.metrics.tables import Rows
from sparring.modalities.asks import Ask, Request
from sparring.modalities.base import Encoded, Modality, Recommendation, Samples, Words, Writer
from sparring.modalities.exploring import Drawing, Explored
from sparring.modalities.samples import Comparison, write_png
from sparring.modalities.tables import exploring, reading
from sparring.modalities.tables.columns import (
    KINDS,
    Category,
    Column,
    Mixture,
    Number,
    frequencies,
    learnt,
    numbers,
    typed,
)
from sparring.modalities.tables.conditions import Rule, combinations, condition, contradictions, grouped, known, rule
from sparring.modalities.tables.distributions import comparison, fields

if TYPE_CHECKING:
    from pandas import DataFrame

Numbers = Literal["quantiles", "mixture"]
Asking = Literal["any", "level"]
FEATURES = 128  # numbers that rows are compared by, at most
ASKED = 0.5  # of the rows of a batch are made for some given values of any columns,
TARGETED = 0.7  # so many for one of the target,
GAPS = 0.3  # and so many for all but one column
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Table(Modality):
    """Rows of columns; nets see of each column a one-hot code, then the scalars of all numbers.

    Encoded, a row is its columns' codes, then its numbers' scalars: never as wide as all levels.

    Attributes:
        numbers: whether numbers are bins of equal shares, or mixtures of normal distributions.
        asking: what rows are asked for while nets learn: for most of them some part of a real row; or always one level
            of one category.
        told: kinds of columns that are not to be found out, each as "NAME=KIND".
        constraints: what holds in every row, as `conditions.rule` reads it.
        target: the column that classifiers are to tell, for judging; "" for the last that they can.
        columns: what is known of each, as the data have them in order.
        combinations: for each constraint, those of the columns that go together in it.
    """

    kind: ClassVar[str] = "rows"
    reads: ClassVar[tuple[str, ...]] = ("series",)
    words: ClassVar[Words] = Words("row", "rows", compared="levels and the rough size of numbers")
    shown_as: ClassVar[Literal["image", "table", "audio", "video"]] = "table"
    features_name: ClassVar[str] = "columns"
    preview_items: ClassVar[int] = 1000
    walk_grid: ClassVar[tuple[int, int]] = (3, 7)
    neighbor_grid: ClassVar[tuple[int, int]] = (12, 2)
    film_items: ClassVar[int] = 0
    chunk_size: ClassVar[int] = 1024
    files: ClassVar[str] = "a table (.csv, .tsv, .parquet)"
    fallback: ClassVar[bool] = True

    numbers: Numbers = "quantiles"
    asking: Asking = "any"
    told: tuple[str, ...] = ()
    target: str = ""
    constraints: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    combinations: tuple[tuple[tuple[str, ...], ...], ...] = ()

    def __post_init__(self) -> None:
        restored = tuple(_restored(c) if isinstance(c, Mapping) else c for c in self.columns)
        object.__setattr__(self, "columns", restored)

    @classmethod
    def read(cls, path: Path) -> Items | None:
        return reading.read(path)

    @classmethod
    def adopt(cls, data: Any) -> Items | None:
        return reading.adopt(data)

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:  # noqa: ARG003
        if items.kind != cls.kind:
            return None
        numeric = all(dtype.kind in "fiu" for dtype in items.items.dtypes)
        hint = "; if rows are steps in time, give --recipe series" if numeric else ""
        return Recommendation("table", f"a table: R3GAN's loss on rows of numbers and categories{hint}")

    @cached_property
    def learnt(self) -> tuple[Column, ...]:
        """The columns that nets see."""
        return tuple(column for column in self.columns if column.width)

    @property
    def widths(self) -> tuple[int, ...]:
        """Of the one-hot spans."""
        return tuple(column.width for column in self.learnt)

    @property
    def scalars(self) -> tuple[tuple[int, int], ...]:
        """For each scalar, the place of its column among those learnt, and how many of its first codes have none."""
        return tuple((i, column.bare) for i, column in enumerate(self.learnt) if column.bare is not None)

    def spans(self, temperature: float = 1.0, hard: bool = True) -> Spans:
        """The layout of a row, as a generator ends in it."""
        return Spans(self.widths, self.scalars, temperature, hard)

    @cached_property
    def _spans(self) -> Spans:
        return self.spans()

    @property
    def shape(self) -> tuple[int, ...]:
        return (sum(self.widths) + len(self.scalars),)

    @property
    def condition_width(self) -> int:
        return len(self.learnt)

    def fit(self, items: Items) -> Self:
        frame = items.items
        if frame.shape[1] < 2:
            only = frame.columns[0]
            raise InputError(
                f"{items.name!r} has one column, {only!r}; a table needs two (are they separated by , or ;?)"
            )
        told = dict(_pair(text) for text in self.told)
        for name in (*told, *([self.target] if self.target else [])):
            if name not in frame:
                raise InputError(f"{items.name!r} has no column {name!r}; {nearest(name, map(str, frame))}")
        columns = tuple(learnt(frame[name], told.get(name, ""), self.numbers == "mixture") for name in frame)
        if self.target and not next(c for c in columns if c.name == self.target).width:
            raise InputError(f"target={self.target} identifies rows and is not learnt; choose another column")
        if not any(column.width for column in columns):
            raise InputError(f"{items.name!r} holds nothing but identifiers; say what they are (columns=NAME=category)")
        fitted = replace(self, columns=columns)
        for text in self.constraints:
            for name in grouped(text):
                known(name, fitted._named)
        found = [
            sorted(set(combinations(frame, grouped(text)))) if "together" in text else () for text in self.constraints
        ]
        fitted = replace(fitted, combinations=tuple(map(tuple, found)))
        for kept in fitted._rules:
            wrong = np.flatnonzero(~kept.holds(frame))
            if len(wrong):
                where = f"does not hold in {items.name!r}, first in row {wrong[0] + 1}"
                raise InputError(f"constraints={kept.text} {where}; clean it or leave it out")
        return fitted

    @cached_property
    def _named(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def _rules(self) -> tuple[Rule, ...]:
        pairs = zip(self.constraints, self.combinations, strict=True)
        return tuple(rule(text, self._named, together) for text, together in pairs)

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """Codes, then scalars, float (n, columns + scalars)."""
        frame = items.items
        if missing := [c.name for c in self.columns if c.name not in frame]:
            raise InputError(f"{items.name!r} has no column {missing[0]!r}, which the model was trained with")
        codes, scalars = [], []
        for i, column in enumerate(self.learnt):
            progress(i, len(self.learnt))
            of_column, within = column.encode(frame[column.name])
            codes.append(of_column)
            scalars += [within] if column.bare is not None else []
        encoded = torch.from_numpy(np.stack([*codes, *scalars], 1).astype(np.float32))
        return Encoded({VALUES: encoded}, np.arange(len(frame)))

    def scale(self, encoded: Tensor) -> Tensor:
        spans = self._on(encoded.device)
        codes = encoded[:, : len(self.learnt)].long()
        return torch.cat([spans.onehot(codes), encoded[:, len(self.learnt) :]], 1)

    def unscale(self, values: Tensor) -> Tensor:
        spans = self._on(values.device)
        codes = spans.codes(values[:, : spans.places])
        return torch.cat([codes.float(), values[:, spans.places :].float() * spans.has_scalar(codes)], 1)

    def _on(self, device: torch.device) -> Spans:
        return self._spans.to(device)

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        """Rows, and beside them the codes that they are asked for by, of their own, negative where a column is free."""
        encoded = tensors[VALUES]
        codes = encoded[:, : len(self.learnt)].long()
        asked = self._one_level(codes) if self.asking == "level" else self._random_part(codes)
        return {**tensors, VALUES: self.scale(encoded), CONDITION: torch.where(asked, codes, -1)}

    def _random_part(self, codes: Tensor) -> Tensor:
        n, many = codes.shape
        share = torch.rand(n, 1, device=codes.device) ** 2  # few columns more often than many
        asked = torch.rand(n, many, device=codes.device) < share
        asked &= torch.rand(n, 1, device=codes.device) < ASKED
        asked[:, self.place] |= torch.rand(n, device=codes.device) < TARGETED
        gaps = torch.randint(2 * many, (n, 1), device=codes.device)  # half of them are the target
        gap = torch.arange(many, device=codes.device) == torch.where(gaps < many, gaps, self.place)
        return torch.where(torch.rand(n, 1, device=codes.device) < GAPS, ~gap, asked)

    @cached_property
    def place(self) -> int:
        """Of the target among the columns that are learnt."""
        names = [column.name for column in self.learnt]
        if self.target in names:
            return names.index(self.target)
        return self._categories[-1] if self._categories else len(names) - 1

    def _one_level(self, codes: Tensor) -> Tensor:
        asked = torch.zeros_like(codes, dtype=torch.bool)
        if self._categories:
            which = self._balance(codes).multinomial(1)  # the more often, the rarer the level that a row has there
            asked.scatter_(1, torch.tensor(self._categories, device=codes.device)[which], True)
        return asked

    def shares(self) -> Tensor:
        """How often each level of each column comes in the data, (places,), 1 in each column."""
        counts = [torch.tensor(frequencies(column)).double() for column in self.learnt]
        return torch.cat([c / c.sum() for c in counts]).float()

    @cached_property
    def _categories(self) -> list[int]:
        return [i for i, column in enumerate(self.learnt) if isinstance(column, Category)]

    @cached_property
    def _rates(self) -> list[Tensor]:
        """For each category, how often a row of each level is to be drawn for that level's sake: levels as often as the
        logarithms of their counts. Xu et al. 2019, arXiv:1907.00503, section 4.3.
        """
        rates = []
        for i in self._categories:
            counts = torch.tensor(frequencies(self.learnt[i])).double()
            wanted = (counts + 1).log()
            rates.append((wanted / wanted.sum() / counts).float())
        return rates

    def _balance(self, codes: Tensor) -> Tensor:
        """Of each row and each category, (n, categories)."""
        columns = zip(self._categories, self._rates, strict=True)
        return torch.stack([rates.to(codes.device)[codes[:, i]] for i, rates in columns], 1)

    def sampling_weights(self, tensors: Mapping[str, Tensor | Stored]) -> Tensor | None:
        encoded = tensors[VALUES]
        if self.asking == "any" or not self._categories:
            return None
        assert isinstance(encoded, Tensor)
        return self._balance(encoded[:, : len(self.learnt)].long()).sum(1)

    def draw_conditions(self, n: int, device: torch.device, requested: Tensor | None = None) -> Tensor:
        asked = requested
        free = torch.full((n, len(self.learnt)), -1, device=device)
        if self.asking == "any":
            if asked is not None and (asked >= 0).any():
                return asked.to(device).expand(n, -1)
            counts = torch.tensor(frequencies(self.learnt[self.place]), device=device).float()
            free[:, self.place] = counts.multinomial(n, replacement=True)
            return free
        known = [] if asked is None else [i for i in self._categories if asked[i] >= 0]
        columns = known or self._categories
        if not columns:
            return free
        which = torch.tensor(columns, device=device)[torch.randint(len(columns), (n,), device=device)]
        for i in columns:
            counts = torch.tensor(frequencies(self.learnt[i]), device=device).float()
            drawn = counts.multinomial(n, replacement=True) if asked is None or i not in known else asked[i].to(device)
            free[:, i] = torch.where(which == i, drawn, free[:, i])
        return free

    @cached_property
    def asks(self) -> tuple[Ask, ...]:  # type: ignore[override]
        return (replace(WHERE, fields=fields(self.learnt)),)

    def _unavailable(self, name: str, value: Any) -> str:
        if name == "label":
            return f"label {value!r} was given, but rows are asked for by their columns (--where)"
        return super()._unavailable(name, value)

    def requested(self, asked: Mapping[str, Any]) -> Request:
        where = _conditions(asked.get("where", ()))
        conditions = [condition(text, self._named) for text in where]
        contradictions(conditions)
        codes, names = torch.full((len(self.learnt),), -1), [column.name for column in self.learnt]
        for wanted in conditions:
            if wanted.operator == "=":
                code = self._named[wanted.column].code(wanted.value)
                codes[names.index(wanted.column)] = code
        return Request(codes, (*conditions, *self._rules))

    def decode(self, samples: Tensors, start: int = 0) -> Any:
        """Rows as a frame of pandas, with the data's columns and dtypes."""
        import pandas

        encoded = self.unscale(samples[VALUES].cpu()).double().numpy()
        dice = _dice(encoded, start)
        made, place, scalar = {}, 0, len(self.learnt)
        for i, column in enumerate(self.columns):
            codes, scalars = np.zeros(len(encoded), np.int64), np.zeros(len(encoded))
            if column.width:
                codes, place = encoded[:, place].astype(np.int64), place + 1
            if column.bare is not None:
                scalars, scalar = encoded[:, scalar], scalar + 1
            made[column.name] = typed(column, column.decode(codes, scalars, _uniform(dice, i), start))
        return pandas.DataFrame(made)

    def rows(self, frame: DataFrame) -> Rows:
        """Rows as numbers of tables are made of them; what identifies rows is left out.

        Raises:
            InputError: where a column is of another kind.
        """
        values = []
        for column in self.learnt:
            series = frame[column.name]
            try:
                if isinstance(column, Number | Mixture):
                    values.append(numbers(series, column.unit))
                else:
                    assert isinstance(column, Category)
                    values.append(column.places(series).astype(float))
            except (TypeError, ValueError, AttributeError) as error:
                kind = "dates" if isinstance(column, Number | Mixture) and column.unit else "numbers"
                raise InputError(
                    f"column {column.name!r} holds {series.dtype}, not {kind} as the model makes"
                ) from error
        category = np.array([not isinstance(c, Number | Mixture) for c in self.learnt])
        return Rows(np.stack(values, 1).astype(np.float64), category)

    def features(self, samples: Tensors) -> Tensor:
        """Rows as they are; along fixed random directions where they are wide."""
        return self._projected(samples[VALUES])

    def _projected(self, samples: Tensor) -> Tensor:
        if samples.shape[1] <= FEATURES:
            return samples
        generator = torch.Generator().manual_seed(0)
        directions = torch.randn(samples.shape[1], FEATURES, generator=generator) / FEATURES**0.5
        turned: Tensor = samples @ directions.to(samples)
        return turned

    def preview(self, samples: Samples) -> Image.Image:
        from sparring.modalities.tables.plots import bars

        encoded = self.encode(Items("samples", "rows", samples.items)).values
        assert isinstance(encoded, Tensor)
        return bars(self.learnt, encoded[:, : len(self.learnt)].long().numpy())

    def as_frame(self, samples: Samples) -> Any:
        return samples.items

    def compare(self, samples: Samples, request: Request, items: Callable[[], Items | None]) -> Comparison:
        return comparison(self, samples.items, request, items)

    def concatenate(self, parts: Sequence[Any]) -> Any:
        import pandas

        return pandas.concat(parts, ignore_index=True)

    def draw_walks(self, walks: Tensors, steps: int, explored: Explored) -> Drawing:  # noqa: ARG002
        return exploring.draw_walks(self, walks, steps)

    def draw_neighbors(self, explored: Explored) -> Drawing:
        return exploring.draw_neighbors(self, explored)

    @property
    def writers(self) -> tuple[Writer, ...]:
        return (
            Writer(".csv", "text/csv", lambda s, path: s.items.to_csv(path, index=False)),
            Writer(".png", "image/png", write_png),
            Writer(".tsv", "", lambda s, path: s.items.to_csv(path, index=False, sep="\t")),
            Writer(".parquet", "", lambda s, path: s.items.to_parquet(path, index=False)),
        )

    def as_json(self, samples: Samples) -> dict[str, Any]:
        text = samples.items.to_json(orient="records", date_format="iso", double_precision=15)
        return {"rows": json.loads(text)}


WHERE = Ask(
    "where",
    "Only rows that satisfy a condition: COLUMN=LEVEL, COLUMN>=NUMBER. May be repeated.",
    many=True,
    examples=("income=>50K", "age>=18"),
)


def _conditions(where: str | Sequence[str] | Mapping[str, Any]) -> Sequence[str]:
    """Conditions as they are typed."""
    if isinstance(where, Mapping):
        return [f"{name}={'missing' if value is None else value}" for name, value in where.items()]
    return [where] if isinstance(where, str) else where


def _pair(text: str) -> tuple[str, str]:
    name, equals, kind = text.rpartition("=")
    if not equals:
        raise InputError(f"columns={text} says no kind; write it as columns={text}=category, number or identifier")
    return name, kind


def _restored(known: Mapping[str, Any]) -> Column:
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in known.items()}
    return KINDS[values["kind"]](**values)


def _dice(encoded: NDArray[np.float64], start: int) -> NDArray[np.uint64]:
    """Of each row a number that its content and its place make, (n,)."""
    bits = encoded.astype(np.float32).view(np.uint32).astype(np.uint64)
    weights = np.random.default_rng(0).integers(1, 2**63, bits.shape[1], dtype=np.uint64) | np.uint64(1)
    with np.errstate(over="ignore"):
        places = np.arange(start, start + len(bits), dtype=np.uint64)
        mixed: NDArray[np.uint64] = (bits * weights).sum(1) + places * GOLDEN
    return mixed


def _uniform(dice: NDArray[np.uint64], salt: int) -> NDArray[np.float64]:
    """Numbers in [0, 1) of their own for each column: Steele et al. 2014's SplitMix64, doi:10.1145/2660193.2660195."""
    with np.errstate(over="ignore"):
        x = dice + np.uint64(salt + 1) * GOLDEN
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(11)).astype(np.float64) / 2**53
