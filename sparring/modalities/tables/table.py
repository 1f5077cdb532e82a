"""Tables: rows with columns of different types."""

from __future__ import annotations

import json
import math
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
from sparring.json_files import build
from sparring.layers.spans import Spans
from sparring.metrics.tables import Rows
from sparring.modalities.asks import Ask, Request
from sparring.modalities.base import Encoded, Modality, Recommendation, Samples, Words, Writer
from sparring.modalities.exploring import Drawing, Explored
from sparring.modalities.samples import Comparison, write_png
from sparring.modalities.tables import exploring, in_pieces, reading
from sparring.modalities.tables.columns import (
    KINDS,
    Category,
    Column,
    Mixture,
    Number,
    file_context,
    fit_column,
    frequencies,
    is_text,
    measure_of,
    typed,
)
from sparring.modalities.tables.columns.forms import NumberForm
from sparring.modalities.tables.conditions import (
    Condition,
    Rule,
    check_compatible,
    column_called,
    combinations,
    condition,
    parameters,
    rule,
)
from sparring.modalities.tables.described import column_as_json
from sparring.modalities.tables.distributions import comparison, fields
from sparring.modalities.tables.files.frames import write_parquet
from sparring.modalities.tables.files.parts import Parts, pieces
from sparring.modalities.tables.plots import draw_columns
from sparring.modalities.tables.private import Measured, fit_columns, measure_pairs
from sparring.modalities.tables.random import row_keys, uniform

if TYPE_CHECKING:
    from pandas import DataFrame

    from sparring.modalities.judge import Judge, Sampler, TrainingData
    from sparring.modalities.labeled import LabeledSet
    from sparring.privacy import SecretNoise

Numbers = Literal["quantiles", "mixture"]
Asking = Literal["any", "level", "target"]
MAX_FEATURES = 128  # values that rows are scored by during training
FITTED_ROWS = 500_000  # that columns are fitted to if not all rows fit into the memory
CONDITIONED = 0.5  # share of a batch's rows that are generated for values of a random subset of columns,
TARGET_GIVEN = 0.7  # that are generated for a value of the target,
SINGLE_GAP = 0.3  # and that are generated for all columns but one
OMIT = "omit"  # the kind that leaves a column out


@dataclass(frozen=True)
class Table(Modality):
    """Rows of a table. The networks see a one-hot code of each column, then the scalars of all numeric columns.

    An encoded row holds one code per column, then the scalars, so that its size does not grow with the levels.

    Attributes:
        numbers: representation of numbers: quantile bins, or mixtures of normal distributions.
        asking: conditions during training: values of a random subset of columns for most rows ("any"), always one
            level of one category ("level"), or always the target ("target").
        told: types of columns that are not detected automatically, each as "NAME=KIND"; NAME=omit leaves a column out.
        constraints: rules that every row satisfies, as parsed by `conditions.rule`.
        target: column that classifiers predict in the evaluation; "" for the last category.
        columns: the fitted columns, in the order of the data.
        combinations: for each constraint, the combinations of levels that it allows.
        measured: what was measured with noise, if the columns are fitted privately.
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
    discrete: ClassVar[bool] = True
    files: ClassVar[str] = "a table (.csv, .tsv, .parquet, .xlsx, .jsonl)"
    fallback: ClassVar[bool] = True

    numbers: Numbers = "quantiles"
    asking: Asking = "any"
    told: tuple[str, ...] = ()
    target: str = ""
    constraints: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    combinations: tuple[tuple[tuple[str, ...], ...], ...] = ()
    measured: Measured | None = None

    def __post_init__(self) -> None:
        restored = tuple(_restored(c) if isinstance(c, Mapping) else c for c in self.columns)
        object.__setattr__(self, "columns", restored)
        measured: Any = self.measured
        if isinstance(measured, Mapping):
            object.__setattr__(self, "measured", Measured(**measured))

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

    # Layout.

    @cached_property
    def learned(self) -> tuple[Column, ...]:
        """The columns that the networks see: all except identifiers."""
        return tuple(column for column in self.columns if column.width)

    @property
    def widths(self) -> tuple[int, ...]:
        """Sizes of the one-hot spans."""
        return tuple(column.width for column in self.learned)

    @property
    def scalars(self) -> tuple[tuple[int, int], ...]:
        """For each scalar, the index of its column among `learned`, and how many of its first codes have none."""
        return tuple((i, c.bare_codes) for i, c in enumerate(self.learned) if c.bare_codes is not None)

    def spans(self, temperature: float = 1.0, hard: bool = True) -> Spans:
        """The layout of a row, which is the last layer of a generator."""
        return Spans(self.widths, self.scalars, temperature, hard)

    @cached_property
    def _spans(self) -> Spans:
        return self.spans()

    @property
    def shape(self) -> tuple[int, ...]:
        return (sum(self.widths) + len(self.scalars),)

    @property
    def condition_width(self) -> int:
        return len(self.learned)

    # Encoding.

    def _kept(self, frame: DataFrame, name: str) -> tuple[DataFrame, dict[str, str]]:
        """The rows without the columns that the user leaves out, and the kinds that the user gives others.

        Args:
            name: of the data set.
        """
        kinds = dict(_name_and_kind(text) for text in self.told)
        for column in (*kinds, *([self.target] if self.target else [])):
            if column not in frame:
                raise InputError(f"{name!r} has no column {column!r}; {nearest(column, map(str, frame))}")
        if kinds.get(self.target) == OMIT:
            raise InputError(f"target={self.target} is left out by columns={self.target}={OMIT}; choose one of them")
        if frame.shape[1] < 2:
            one = str(frame.columns[0])
            raise InputError(f"{name!r} has one column, {one!r}; a table needs two (separate them by , or ;)")
        kept = frame.drop(columns=[column for column, kind in kinds.items() if kind == OMIT])
        if kept.shape[1] < 2:
            raise InputError(f"columns={','.join(self.told)} leaves fewer than two columns of {name!r}; keep more")
        return kept, {column: kind for column, kind in kinds.items() if kind != OMIT}

    def fit(self, items: Items) -> Self:
        """Fit the columns to all rows, or to many drawn at random if they do not fit into the memory."""
        data = items.items
        frame, kinds = self._kept(data.drawn(FITTED_ROWS) if isinstance(data, Parts) else data, items.name)
        if isinstance(data, Parts):
            numbered = {name: "identifier" for name in data.numbered if name in frame and frame[name].is_unique}
            kinds = numbered | kinds
        context, mixture = file_context(frame), self.numbers == "mixture"
        columns = tuple(fit_column(frame[name], kinds.get(name, ""), mixture, context) for name in frame)
        if self.target and not next(c for c in columns if c.name == self.target).width:
            raise InputError(f"target={self.target} is an identifier, which is not learned; choose another column")
        if not any(column.width for column in columns):
            raise InputError(f"{items.name!r} has only identifiers; specify other kinds (columns=NAME=category)")
        return replace(self, columns=columns)._with_constraints(items.name, data)

    def fit_privately(self, items: Items, columns: float, pairs: float, selection: float, source: SecretNoise) -> Self:
        """Fitted to noisy counts of the training rows, with noisy marginals of pairs of columns.

        Args:
            columns, pairs: noise of either, as that of a single release; infinite to measure no pairs.
            selection: delta that the choice of levels may take.
            source: of the noise.

        Raises:
            InputError: if a column cannot be fitted like this.
        """
        if isinstance(items.items, Parts):
            raise InputError(
                f"{items.name!r} is larger than the memory, which privacy= does not support; give fewer rows"
            )
        rows = self.split(items).train
        train = replace(items, items=items.items.iloc[rows], labels=None, held=None)
        frame, kinds = self._kept(train.items, items.name)
        found, release = fit_columns(frame, kinds, columns, selection, source)
        fitted = replace(self, columns=found, measured=Measured((release,), selection, len(rows)))
        if math.isinf(pairs):
            return fitted
        encoded = fitted.encode(train).values
        assert isinstance(encoded, Tensor)
        codes = encoded[:, : len(fitted.learned)].long().numpy()
        shares, measuring = measure_pairs(codes, fitted.widths, fitted.target_index, pairs, source)
        return replace(fitted, measured=Measured((release, measuring), selection, len(rows), shares))

    def _with_constraints(self, name: str, data: DataFrame | Parts) -> Self:
        """This fitted modality with the combinations that its constraints allow.

        Raises:
            InputError: if the data violate a constraint.
        """
        for text in self.constraints:
            for column in parameters(text):
                column_called(column, self._columns_by_name)
        if not self.constraints:
            return self
        together: list[set[tuple[str, ...]]] = [set() for _ in self.constraints]
        for i, text in enumerate(self.constraints):
            columns = [self._columns_by_name[name] for name in parameters(text)]
            for frame in pieces(data) if "together" in text else ():
                together[i].update(combinations(frame, columns))
        fitted = replace(self, combinations=tuple(tuple(sorted(found)) for found in together))
        start = 0
        for frame in pieces(data):
            for constraint in fitted._rules:
                violations = np.flatnonzero(~constraint.holds(frame))
                if len(violations):
                    where = f"{name!r} violates it, first in row {start + violations[0] + 1}"
                    raise InputError(
                        f"constraints={constraint.text}: {where}; correct the data or remove the constraint"
                    )
            start += len(frame)
        return fitted

    @cached_property
    def _columns_by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def _rules(self) -> tuple[Rule, ...]:
        pairs = zip(self.constraints, self.combinations, strict=True)
        return tuple(rule(text, self._columns_by_name, together) for text, together in pairs)

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """Rows of codes, then scalars, float (n, columns + scalars)."""
        data = items.items
        if missing := [c.name for c in self.columns if c.name not in data]:
            raise InputError(f"{items.name!r} has no column {missing[0]!r}, which the model was trained with")
        notes = tuple(note for column in self.columns for note in column.notes)
        if isinstance(data, Parts):
            stored, more = in_pieces.encode(self, data, progress)
            return Encoded({VALUES: stored}, np.arange(len(data)), notes=(*notes, *more))
        return Encoded({VALUES: torch.from_numpy(self.codes(data, progress))}, np.arange(len(data)), notes=notes)

    def codes(self, frame: DataFrame, progress: Progress = no_progress) -> NDArray[np.float32]:
        """Encoded rows: codes, then scalars, (n, columns + scalars)."""
        codes, scalars = [], []
        for i, column in enumerate(self.learned):
            progress(i, len(self.learned))
            column_codes, column_scalars = column.encode(frame[column.name])
            codes.append(column_codes)
            scalars += [column_scalars] if column.bare_codes is not None else []
        return np.stack([*codes, *scalars], 1).astype(np.float32)

    def scale(self, encoded: Tensor) -> Tensor:
        spans = self._on(encoded.device)
        codes = encoded[:, : len(self.learned)].long()
        return torch.cat([spans.onehot(codes), encoded[:, len(self.learned) :]], 1)

    def unscale(self, values: Tensor) -> Tensor:
        spans = self._on(values.device)
        codes = spans.codes(values[:, : spans.places])
        return torch.cat([codes.float(), values[:, spans.places :].float() * spans.has_scalar(codes)], 1)

    def _on(self, device: torch.device) -> Spans:
        return self._spans.to(device, non_blocking=True)

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        """Rows, and as their conditions some of their own codes: negative for the columns that are free."""
        encoded = tensors[VALUES]
        codes = encoded[:, : len(self.learned)].long()
        if self.asking == "target":
            given = (torch.arange(codes.shape[1], device=codes.device) == self.target_index).expand_as(codes)
        else:
            given = self._one_level(codes) if self.asking == "level" else self._random_columns(codes)
        return {**tensors, VALUES: self.scale(encoded), CONDITION: torch.where(given, codes, -1)}

    def _random_columns(self, codes: Tensor) -> Tensor:
        """True for the codes that are given, (n, columns)."""
        n, columns = codes.shape
        share = torch.rand(n, 1, device=codes.device) ** 2  # few columns more often than many
        given = torch.rand(n, columns, device=codes.device) < share
        given &= torch.rand(n, 1, device=codes.device) < CONDITIONED
        given[:, self.target_index] |= torch.rand(n, device=codes.device) < TARGET_GIVEN
        drawn = torch.randint(2 * columns, (n, 1), device=codes.device)  # the target is the gap in half of the rows
        gap = torch.arange(columns, device=codes.device) == torch.where(drawn < columns, drawn, self.target_index)
        return torch.where(torch.rand(n, 1, device=codes.device) < SINGLE_GAP, ~gap, given)

    @cached_property
    def target_index(self) -> int:
        """Index of the target among the learned columns."""
        names = [column.name for column in self.learned]
        if self.target in names:
            return names.index(self.target)
        return self._categories[-1] if self._categories else len(names) - 1

    def _one_level(self, codes: Tensor) -> Tensor:
        """True for the codes that are given, (n, columns): one category per row, at random."""
        given = torch.zeros_like(codes, dtype=torch.bool)
        if self._categories:
            # The rarer the level, the more often. `multinomial` draws like this, but checks its input on the host.
            weights = self._level_weights(codes)
            column = (weights / torch.empty_like(weights).exponential_()).argmax(1, keepdim=True)
            given.scatter_(1, torch.tensor(self._categories).to(codes.device, non_blocking=True)[column], True)
        return given

    def level_shares(self) -> Tensor:
        """Share of each level of each learned column in the data, (sum of widths,); they sum to 1 in each column."""
        counts = [torch.tensor(frequencies(column)).double() for column in self.learned]
        return torch.cat([c / c.sum() for c in counts]).float()

    @cached_property
    def _categories(self) -> list[int]:
        """Indices of the categories among the learned columns."""
        return [i for i, column in enumerate(self.learned) if isinstance(column, Category)]

    @cached_property
    def _row_weights(self) -> list[Tensor]:
        """For each category, the sampling weight of a row with each level, so that the frequency of a level is
        proportional to the logarithm of its count. Xu et al. 2019, arXiv:1907.00503, section 4.3.
        """
        weights = []
        for i in self._categories:
            counts = torch.tensor(frequencies(self.learned[i])).double()
            target = (counts + 1).log()
            weights.append((target / target.sum() / counts).float())
        return weights

    def _level_weights(self, codes: Tensor) -> Tensor:
        """Sampling weight of each row for each category, (n, categories)."""
        columns = zip(self._categories, self._row_weights, strict=True)
        return torch.stack([weights.to(codes.device, non_blocking=True)[codes[:, i]] for i, weights in columns], 1)

    def sampling_weights(self, tensors: Mapping[str, Tensor | Stored]) -> Tensor | None:
        encoded = tensors[VALUES]
        if self.asking != "level" or not self._categories:
            return None
        if not isinstance(encoded, Tensor):
            raise InputError(
                "ctgan draws rows by their levels, for which they must fit into the memory; choose `table`"
            )
        return self._level_weights(encoded[:, : len(self.learned)].long()).sum(1)

    # Conditions.

    def draw_conditions(self, n: int, device: torch.device, requested: Tensor | None = None) -> Tensor:
        conditions = torch.full((n, len(self.learned)), -1, device=device)
        if self.asking != "level":
            if requested is not None and self.asking == "target":  # for other columns, samples are drawn until some fit
                requested = torch.where(torch.arange(len(requested)) == self.target_index, requested.cpu(), -1)
            if requested is not None and (requested >= 0).any():
                return requested.to(device).expand(n, -1)
            counts = torch.tensor(frequencies(self.learned[self.target_index]), device=device).float()
            conditions[:, self.target_index] = counts.multinomial(n, replacement=True)
            return conditions
        given = [] if requested is None else [i for i in self._categories if requested[i] >= 0]
        columns = given or self._categories
        if not columns:
            return conditions
        chosen = torch.tensor(columns, device=device)[torch.randint(len(columns), (n,), device=device)]
        for i in columns:
            counts = torch.tensor(frequencies(self.learned[i]), device=device).float()
            if requested is None or i not in given:
                level = counts.multinomial(n, replacement=True)
            else:
                level = requested[i].to(device)
            conditions[:, i] = torch.where(chosen == i, level, conditions[:, i])
        return conditions

    @cached_property
    def asks(self) -> tuple[Ask, ...]:
        offered = fields(self.learned)
        examples = tuple(f"{f.name}={f.choices[0]}" if f.choices else f"{f.name}>={f.low}" for f in offered[:2])
        return (replace(WHERE, fields=offered, examples=examples),)

    def _unavailable(self, name: str, value: Any) -> str:
        if name == "label":
            return f"label {value!r} was given, but rows are requested by their columns (--where)"
        return super()._unavailable(name, value)

    def requested(self, asked: Mapping[str, Any]) -> Request:
        conditions = [condition(text, self._columns_by_name) for text in _texts(asked.get("where", ()))]
        check_compatible(conditions)
        return Request(self._requested_codes(conditions), (*conditions, *self._rules))

    def _requested_codes(self, conditions: Sequence[Condition]) -> Tensor:
        """Codes that satisfy the equalities among some conditions, negative for the other columns."""
        codes, names = torch.full((len(self.learned),), -1), [column.name for column in self.learned]
        for equality in (c for c in conditions if c.operator == "="):
            codes[names.index(equality.column)] = self._columns_by_name[equality.column].code(equality.value)
        return codes

    # Decoding.

    def decode(self, samples: Tensors, start: int = 0) -> Any:
        """Rows as a pandas data frame, with the columns and dtypes of the data."""
        import pandas

        encoded = self.unscale(samples[VALUES].cpu()).double().numpy()
        keys = row_keys(encoded, start)
        decoded, next_code, next_scalar = {}, 0, len(self.learned)
        for i, column in enumerate(self.columns):
            codes, scalars = np.zeros(len(encoded), np.int64), np.zeros(len(encoded))
            if column.width:
                codes, next_code = encoded[:, next_code].astype(np.int64), next_code + 1
            if column.bare_codes is not None:
                scalars, next_scalar = encoded[:, next_scalar], next_scalar + 1
            decoded[column.name] = typed(column, column.decode(codes, scalars, uniform(keys, i), start))
        return pandas.DataFrame(decoded)

    def rows(self, frame: DataFrame) -> Rows:
        """Rows as numbers, for metrics; identifiers are left out.

        Raises:
            InputError: if a column has another type.
        """
        values = []
        for column in self.learned:
            series = frame[column.name]
            try:
                if isinstance(column, Number | Mixture):
                    values.append(column.numbers(series))
                else:
                    assert isinstance(column, Category)
                    values.append(column.indices(series).astype(float))
            except (TypeError, ValueError, AttributeError) as error:
                expected = measure_of(column)
                raise InputError(
                    f"column {column.name!r} holds {series.dtype}, but {expected} are expected; convert it"
                ) from error
        category = np.array([not isinstance(c, Number | Mixture) for c in self.learned])
        return Rows(np.stack(values, 1).astype(np.float64), category)

    # Judging.

    def features(self, samples: Tensors) -> Tensor:
        """The values of rows; their projections on fixed random directions if they are wide."""
        values = samples[VALUES]
        if values.shape[1] <= MAX_FEATURES:
            return values
        generator = torch.Generator().manual_seed(0)
        directions = torch.randn(values.shape[1], MAX_FEATURES, generator=generator) / MAX_FEATURES**0.5
        projected: Tensor = values @ directions.to(values)
        return projected

    def judge(
        self, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Callable[[str], None]
    ) -> Judge:
        from sparring.modalities.tables.judge import table_judge

        return table_judge(self, training, against, options, say)

    def labeled_set(self, model: Sampler, training: TrainingData, against: Items | None, target: str) -> LabeledSet:
        from sparring.modalities.tables.labeled import labeled_rows

        return labeled_rows(self, model, training, against, target)

    # Drawing and writing.

    def preview(self, samples: Samples) -> Image.Image:
        encoded = self.encode(Items("samples", "rows", samples.items)).values
        assert isinstance(encoded, Tensor)
        return draw_columns(self.learned, encoded[:, : len(self.learned)].long().numpy())

    def written(self, frame: DataFrame) -> DataFrame:
        """Rows as text is written in the data: dates and numbers in the forms of their columns."""
        return frame.assign(**{c.name: c.written(frame[c.name]) for c in self.columns if c.form is not None})

    def in_memory(self, frame: DataFrame) -> DataFrame:
        """Rows with the columns and dtypes of samples: dates and numbers that a file has as text are such."""
        text = [c for c in self.learned if isinstance(c, Number | Mixture) and c.form and is_text(frame[c.name])]
        return frame.assign(**{c.name: typed(c, c.numbers(frame[c.name])) for c in text})

    def as_frame(self, samples: Samples) -> Any:
        return self.written(samples.items)

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
            Writer(".csv", "text/csv", lambda s, path: self.written(s.items).to_csv(path, index=False)),
            Writer(".png", "image/png", write_png),
            Writer(".tsv", "", lambda s, path: self.written(s.items).to_csv(path, index=False, sep="\t")),
            Writer(".parquet", "", lambda s, path: write_parquet(s.items, path)),
        )

    @property
    def sample_shape(self) -> tuple[int, ...]:
        return (len(self.columns),)

    def describe_values(self) -> str:
        return "of one-hot levels, then scalars"

    def describe_condition_input(self) -> str:
        return "for each column the index of the requested level, -1 if it is free"

    def describe_conditions(self) -> dict[str, Any]:
        return {**super().describe_conditions(), "columns": [column_as_json(column) for column in self.columns]}

    def as_json(self, samples: Samples) -> dict[str, Any]:
        marked = [c.name for c in self.columns if not (isinstance(c.form, NumberForm) and c.form.plain)]
        frame = samples.items.assign(**self.written(samples.items)[marked])
        text = frame.to_json(orient="records", date_format="iso", double_precision=15)
        return {"rows": json.loads(text)}


WHERE = Ask(
    "where",
    "Only samples whose columns satisfy a condition: COLUMN=LEVEL, COLUMN>=NUMBER. May be repeated.",
    many=True,
    examples=("income=>50K", "age>=18"),
)


def _texts(where: str | Sequence[str] | Mapping[str, Any]) -> Sequence[str]:
    """Conditions as they are typed."""
    if isinstance(where, Mapping):
        return [f"{name}={'missing' if value is None else value}" for name, value in where.items()]
    return [where] if isinstance(where, str) else where


def _name_and_kind(text: str) -> tuple[str, str]:
    name, equals, kind = text.rpartition("=")
    if not equals:
        raise InputError(
            f"columns={text} has no kind; write columns={text}=KIND (category, number, identifier or {OMIT})"
        )
    return name, kind


def _restored(stored: Mapping[str, Any]) -> Column:
    """A column from its JSON.

    Raises:
        InputError: if it is damaged.
    """
    where = f"column {str(stored.get('name'))!r}"
    kind = stored.get("kind")
    if kind not in list(KINDS):
        raise InputError(f"{where} is damaged: its kind is {str(kind)!r}")
    column = build(KINDS[kind], stored, where)
    column.check()
    return column
