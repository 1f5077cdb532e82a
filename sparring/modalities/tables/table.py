"""Tables: rows with columns of different types."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
from sparring.errors import InputError
from sparring.json_files import build
from sparring.layers.spans import Spans
from sparring.metrics.tables import Rows
from sparring.modalities.asks import Ask, Request
from sparring.modalities.base import Encoded, Modality, Recommendation, Samples, Words, Writer
from sparring.modalities.exploring import Drawing, Explored
from sparring.modalities.samples import Comparison, write_png
from sparring.modalities.tables import exploring, fitting, in_pieces, reading
from sparring.modalities.tables.asks import WHERE, codes_of, conditions_of, where_of
from sparring.modalities.tables.columns import (
    KINDS,
    Category,
    Column,
    Mixture,
    Number,
    frequencies,
    is_text,
    typed,
)
from sparring.modalities.tables.columns.forms import NumberForm
from sparring.modalities.tables.conditions import (
    Rule,
    rule,
)
from sparring.modalities.tables.decoding import as_numbers, decoded
from sparring.modalities.tables.described import column_as_json
from sparring.modalities.tables.distributions import comparison
from sparring.modalities.tables.files.frames import write_parquet
from sparring.modalities.tables.files.parts import Parts
from sparring.modalities.tables.given import Asking, GivenColumns
from sparring.modalities.tables.plots import draw_columns
from sparring.modalities.tables.private import Measured

if TYPE_CHECKING:
    from pandas import DataFrame

    from sparring.modalities.judge import Judge, Sampler, TrainingData
    from sparring.modalities.labeled import LabeledSet
    from sparring.privacy import SecretNoise

Numbers = Literal["quantiles", "mixture"]
MAX_FEATURES = 128  # values that rows are scored by during training


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

    def fit(self, items: Items) -> Self:
        return fitting.fitted(self, items)

    def fit_privately(self, items: Items, columns: float, pairs: float, selection: float, source: SecretNoise) -> Self:
        """Fitted to noisy counts of the training rows, see `fitting.fitted_privately`."""
        return fitting.fitted_privately(self, items, columns, pairs, selection, source)

    @cached_property
    def columns_by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        pairs = zip(self.constraints, self.combinations, strict=True)
        return tuple(rule(text, self.columns_by_name, together) for text, together in pairs)

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
        return {**tensors, VALUES: self.scale(encoded), CONDITION: torch.where(self._given.of(codes), codes, -1)}

    @cached_property
    def target_index(self) -> int:
        """Index of the target among the learned columns."""
        names = [column.name for column in self.learned]
        if self.target in names:
            return names.index(self.target)
        categories = [i for i, column in enumerate(self.learned) if isinstance(column, Category)]
        return categories[-1] if categories else len(names) - 1

    @cached_property
    def _given(self) -> GivenColumns:
        return GivenColumns(self.learned, self.target_index, self.asking)

    def level_shares(self) -> Tensor:
        """Share of each level of each learned column in the data, (sum of widths,); they sum to 1 in each column."""
        counts = [torch.tensor(frequencies(column)).double() for column in self.learned]
        return torch.cat([c / c.sum() for c in counts]).float()

    def sampling_weights(self, tensors: Mapping[str, Tensor | Stored]) -> Tensor | None:
        encoded = tensors[VALUES]
        if self.asking != "level" or not self._given.categories:
            return None
        if not isinstance(encoded, Tensor):
            raise InputError(
                "ctgan draws rows by their levels, for which they must fit into the memory; choose `table`"
            )
        return self._given.weights(encoded[:, : len(self.learned)].long()).sum(1)

    # Conditions.

    def draw_conditions(self, n: int, device: torch.device, requested: Tensor | None = None) -> Tensor:
        return self._given.draw(n, device, requested)

    @cached_property
    def asks(self) -> tuple[Ask, ...]:
        return (where_of(self.learned),)

    def _unavailable(self, name: str, value: Any) -> str:
        if name == "label":
            return f"label {value!r} was given, but rows are requested by their columns (--where)"
        return super()._unavailable(name, value)

    def requested(self, asked: Mapping[str, Any]) -> Request:
        conditions = conditions_of(asked.get(WHERE.name, ()), self.columns_by_name)
        return Request(codes_of(conditions, self.learned), (*conditions, *self.rules))

    # Decoding.

    def decode(self, samples: Tensors, start: int = 0) -> Any:
        """Rows as a pandas data frame, with the columns and dtypes of the data."""
        return decoded(self.columns, self.unscale(samples[VALUES].cpu()).double().numpy(), start)

    def rows(self, frame: DataFrame) -> Rows:
        """Rows as numbers, for metrics; identifiers are left out.

        Raises:
            InputError: if a column has another type.
        """
        return as_numbers(self.learned, frame)

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
