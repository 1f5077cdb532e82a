"""Time series: paths of one or many channels, of any length."""

from __future__ import annotations

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
from sparring.data.split import Split
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import VALUES, Tensors
from sparring.errors import InputError, nearest
from sparring.json_files import build
from sparring.modalities.asks import Ask, Request
from sparring.modalities.base import Encoded, Modality, Prices, Recommendation, Samples, Words, Writer
from sparring.modalities.exploring import Drawing, Explored
from sparring.modalities.samples import as_lists, write_arrays, write_png
from sparring.modalities.series import exploring, reading
from sparring.modalities.series.calendar import Calendar, Clock, Session, fit_calendar
from sparring.modalities.series.channels import (
    BOUNDS,
    KINDS,
    Channel,
    Floats,
    from_stationary,
    to_stationary,
    to_walks,
)
from sparring.modalities.series.fitting import MAX_LEFT_OUT, crossings, fit_channels, not_prices
from sparring.modalities.series.layout import FORMS, calculable, retold
from sparring.modalities.series.ordering import gaps
from sparring.modalities.series.plots import draw_paths
from sparring.modalities.series.reading import steps
from sparring.modalities.survey import Survey, read_through
from sparring.modalities.tables.columns.forms import DateForm, Form, form_from_json
from sparring.modalities.tables.columns.values import is_date, microseconds
from sparring.modalities.tables.reading import MIN_STEPS, is_frame

if TYPE_CHECKING:
    from pandas import DataFrame

    from sparring.modalities.judge import Judge, TrainingData

Scaling = Literal["normal", "range"]
HELD_FRACTION = 10  # the last of this many equal parts of the time is held out
CLOSES = ("adj close", "adj_close", "close", "price", "value")  # columns read from several files unless given
MAX_CHANNELS = 16  # that are learned unless given,
MAX_CLOSES = 100  # and closes of several series
MAX_LENGTH = 100_000  # steps of a sample
LAGS = (1, 2, 5, 10)  # of the autocovariances among the features
QUANTILES = 9  # among the features
MAX_FEATURES = 128  # values that windows are scored by during training
MAX_LISTED = 5  # names in a message
PATH = "path"  # column with the number of the path, in files of several
MAX_EXACT_INTEGER = 2**53  # that float64 represents exactly


@dataclass(frozen=True)
class Series(Modality):
    """Windows of a time series, (channels, window). The networks see a stationary representation of each channel.

    Attributes:
        window: steps of a window, which D sees.
        scaling: stationary representations with normalized tails ("normal"), or the values scaled to [0, 1] ("range").
        told: kinds of channels that are not detected automatically, each as "NAME=KIND".
        wanted: names of the channels that are learned, or of the columns read from several files; () for all.
        patterns: of dates that are not detected automatically, each as "NAME=PATTERN".
        channels: the fitted channels.
        stamp: name of the column of dates; "" if there is none.
        end: last date, in ISO 8601.
        step, sessions: how dates go on, as in `Calendar`.
        zone: whose clock they follow; "" if they have none.
        written: how the dates are written in text; None if they are in memory.
    """

    kind: ClassVar[str] = "series"
    reads: ClassVar[tuple[str, ...]] = ("series", "rows", "points")
    words: ClassVar[Words] = Words(
        "path", "paths", "windows", compared="distributions of values and short-range dependencies"
    )
    features_name: ClassVar[str] = "windows"
    preview_items: ClassVar[int] = 32
    walk_grid: ClassVar[tuple[int, int]] = (1, 9)
    neighbor_grid: ClassVar[tuple[int, int]] = (4, 3)
    distance_words: ClassVar[str] = "root mean squares of the differences, in standard deviations of each channel"
    film_items: ClassVar[int] = 0
    files: ClassVar[str] = "a table, a folder or an archive of tables with a row for each step of time"

    window: int = 127
    scaling: Scaling = "normal"
    told: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    stamp: str = ""
    end: str = ""
    step: str = ""
    sessions: tuple[Session, ...] = ()
    zone: str = ""
    written: Form | None = None

    def __post_init__(self) -> None:
        written: Any = self.written
        if isinstance(written, Mapping):
            object.__setattr__(self, "written", form_from_json(written))
        restored = tuple(_restored(c) if isinstance(c, Mapping) else c for c in self.channels)
        object.__setattr__(self, "channels", restored)
        object.__setattr__(self, "sessions", tuple(map(tuple, self.sessions)))
        if self.end:
            _ = self._last_date  # raises if a file says something else

    @property
    def _last_date(self) -> Any:
        import pandas

        try:
            return pandas.Timestamp(self.end)
        except ValueError as error:
            raise InputError(f"end={self.end[:40]} is not a date") from error

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
        return Recommendation("series", "a time series: R3GAN's loss on paths of any length")

    @classmethod
    def survey(cls, items: Items, data: str, progress: Progress = no_progress) -> Survey:
        """As of all data. A series that is too short for the usual window is read with a shorter one."""
        count = len(steps(items)[0].dropna())
        if not MIN_STEPS <= count < 2 * cls.window:
            return super().survey(items, data, progress)
        window = max(4, count // 4)
        survey = read_through(cls(window=window), items, data, progress)
        return replace(survey, notes=(*survey.notes, f"{count} steps are few: train with window={window}"))

    # Encoding.

    @cached_property
    def learned(self) -> list[int]:
        """Indices of the channels that the networks see: all that are not constant."""
        return [i for i, channel in enumerate(self.channels) if not channel.constant]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.learned), self.window)

    @property
    def names(self) -> list[str]:
        """Names of the channels."""
        return [channel.name for channel in self.channels]

    @property
    def _patterns(self) -> dict[str, str]:
        """The patterns of dates by column."""
        told = [text.partition("=") for text in self.patterns]
        if wrong := next((text for text in self.patterns if "=" not in text or "%" not in text), ""):
            raise InputError(f"columns={wrong} is no pattern of dates; write columns=NAME=%d/%m/%Y")
        return {name: pattern for name, _, pattern in told}

    def fit(self, items: Items) -> Self:
        frame, dates, _ = steps(items, self._patterns)
        frame = frame[self._chosen(frame, items.name)]
        kinds = dict(_name_and_kind(text) for text in self.told)
        names = [str(name) for name in frame]
        if self.scaling == "range":
            kinds = {**dict.fromkeys(names, "level"), **kinds}
        complete = frame.notna().all(axis=1).to_numpy().copy()
        complete[complete] = ~not_prices(names, frame.to_numpy()[complete], kinds)
        values = frame.to_numpy()[complete]
        if len(values) < 2 * self.window:
            needed = f"windows of {self.window} steps need {2 * self.window}"
            smaller = f"; give window={max(4, len(values) // 4)}" if len(values) >= MIN_STEPS else ""
            raise InputError(f"{items.name!r} has {len(values)} steps without missing values; {needed}{smaller}")
        fitted = replace(self, channels=fit_channels(names, values, training_steps(len(values)), kinds))
        if not fitted.learned:
            raise InputError(f"all channels of {items.name!r} are constant; give a series that changes")
        if dates is None:
            return fitted
        last = dates[complete].iloc[-1]
        typed = retold(calculable(items.items)[0], self._patterns)
        written = typed.attrs.get(FORMS, {}).get(dates.name)
        clock = Clock.of(typed[dates.name], written)
        calendar = fit_calendar(clock.local(dates))
        return replace(
            fitted, stamp=str(dates.name), end=last.isoformat(), step=calendar.step, sessions=calendar.sessions,
            zone=clock.zone, written=written,
        )  # fmt: skip

    def _chosen(self, frame: DataFrame, name: str) -> list[str]:
        """Names of the columns that are learned.

        Raises:
            InputError: if a given one does not exist, or there are too many.
        """
        names = [str(column) for column in frame]
        if not self.wanted:
            closes = next((columns for ending in CLOSES if (columns := _columns_of_files(names, ending))), None)
            chosen, most = (closes, MAX_CLOSES) if closes else (names, MAX_CHANNELS)
            if len(chosen) > most:
                raise InputError(f"{name!r} has {len(chosen)} channels; choose some of them (channels=NAME,NAME)")
            return chosen
        chosen = []
        for given in self.wanted:
            matching = [n for n in names if n == given or n.endswith(f" {given}") or n.startswith(f"{given} ")]
            if not matching:
                raise InputError(f"{name!r} has no channel {given!r}; {nearest(given, names)}")
            chosen += [n for n in matching if n not in chosen]
        return chosen

    def values(self, items: Items) -> Floats:
        """The channels of a series in the order of time, (steps, channels). Steps with missing values are left out, and
        a few without a price.

        Raises:
            InputError: if a channel is missing, or often has values that its representation does not take.
        """
        values, unlike = self._complete(items)
        for channel, wrong in zip(self.channels, unlike.T, strict=True):
            if wrong.mean() > MAX_LEFT_OUT:
                side = "above 0" if channel.logarithmic else "at least 0"
                raise InputError(
                    f"{items.name!r}: channel {channel.name!r} has values that are not {side}, unlike the training data"
                )
        return values[~unlike.any(1)]

    def paths(self, items: Items) -> list[Floats]:
        """The paths in a file such as `frame` gives, (steps, channels) each: those of a column "path", or a single one.

        Raises:
            InputError: as `values` does.
        """
        frame = items.items
        if not is_frame(frame) or PATH not in frame or PATH in self.names:
            return [self.values(items)]
        parts = [part.drop(columns=PATH).reset_index(drop=True) for _, part in frame.groupby(PATH, sort=False)]
        return [self.values(replace(items, items=part)) for part in parts]

    def _complete(self, items: Items) -> tuple[Floats, NDArray[np.bool_]]:
        """Steps without missing values, and for each whether its values are unlike those of the training data."""
        frame, _, _ = steps(items, self._patterns)
        if missing := [name for name in self.names if name not in frame]:
            raise InputError(f"{items.name!r} has no column {missing[0]!r}, which the model was trained with")
        values: Floats = frame[self.names].dropna().to_numpy(np.float64)
        taken = [channel.takes(x) for channel, x in zip(self.channels, values.T, strict=True)]
        return values, ~np.stack(taken, axis=1)

    def walks(self, values: Floats) -> Floats:
        """Values (..., steps, channels) as values with stationary steps; see `to_walks`."""
        return to_walks(self.channels, values)

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:  # noqa: ARG002
        """All windows, at a distance of one step, as views of one series, (n, channels, window)."""
        frame, dates, notes = steps(items, self._patterns)
        values = self.values(items)
        notes += self._said(items, len(frame), values)
        others = [str(name) for name in frame if name not in self.names]
        more = ", ..." if len(others) > MAX_LISTED else ""
        notes += [f"not learned: {', '.join(others[:MAX_LISTED])}{more} (channels=...)"] if others else []
        if dates is not None:
            calendar = Calendar(self.step, self.sessions)
            notes += [*gaps(self._clock.local(dates), calendar), calendar.described()]
        notes += [f"channels: {', '.join(_described(c, self.channels) for c in self.channels)}"]
        series = torch.from_numpy(self.standardize(values).T.astype(np.float32).copy())  # (channels, steps)
        windows = series.unfold(1, self.window, 1).transpose(0, 1)
        # A window of standardized values needs one step more, since the first is lost where differences are learned.
        return Encoded({VALUES: windows}, np.arange(len(windows)), self.window + 1, notes=tuple(notes))

    def _said(self, items: Items, steps: int, values: Floats) -> list[str]:
        """What was done about single steps, one line each."""
        complete, unlike = self._complete(items)
        missing = steps - len(complete)
        notes = [f"{missing:,} of {steps:,} steps have a missing value and are left out"] if missing else []
        for channel, wrong in zip(self.channels, unlike.T, strict=True):
            if many := int(wrong.sum()):
                notes.append(
                    f"{many:,} of {steps:,} steps are left out: {channel.name} is not above 0 there "
                    f"(kinds={channel.name}=differences keeps them)"
                )
        for channel in (c for c in self.channels if c.kind in BOUNDS):
            if many := int(crossings(self.channels, values, channel).sum()):
                notes.append(f"{channel.name} is not the {channel.kind} in {many:,} steps; it is taken as equal there")
        return notes

    def split(self, items: Items, readable: NDArray[np.int64] | None = None) -> Split:  # noqa: ARG002
        """The last tenth of the time is held out, so that no window looks ahead."""
        steps = len(self.values(items))
        return Split(np.arange(training_steps(steps)), np.arange(training_steps(steps), steps))

    def splits_at_random(self, items: Items) -> bool:  # noqa: ARG002
        return False

    def standardize(self, values: Floats) -> Floats:
        """Values (..., steps, channels) as the networks see them, (..., steps - 1, learned channels)."""
        standardized = to_stationary(self.channels, self.walks(values))[..., self.learned]
        for position, i in enumerate(self.learned):
            channel, x = self.channels[i], standardized[..., position]
            in_range = (x - channel.low) / (channel.high - channel.low)
            standardized[..., position] = channel.gaussianize(x) if self.scaling == "normal" else in_range
        return standardized

    def destandardize(self, standardized: Floats) -> Floats:
        """Values as the networks see them (..., steps, learned channels) in the user's units, (..., steps, channels).
        Walks continue the last value of the data.
        """
        stationary = np.empty((*standardized.shape[:-1], len(self.channels)))
        stationary[...] = [channel.mean for channel in self.channels]
        for position, i in enumerate(self.learned):
            channel, x = self.channels[i], np.asarray(standardized[..., position], np.float64)
            in_range = channel.low + x * (channel.high - channel.low)
            stationary[..., i] = channel.degaussianize(x) if self.scaling == "normal" else in_range
        return from_stationary(self.channels, stationary)

    def scale(self, encoded: Tensor) -> Tensor:
        return encoded

    def unscale(self, values: Tensor) -> Tensor:
        return values

    def decode(self, samples: Tensors, start: int = 0) -> NDArray[np.generic]:  # noqa: ARG002
        """Paths (n, steps, channels)."""
        return self.destandardize(samples[VALUES].cpu().double().numpy().swapaxes(1, 2))

    @property
    def asks(self) -> tuple[Ask, ...]:
        return (*super().asks, LENGTH)

    def requested(self, asked: Mapping[str, Any]) -> Request:
        return replace(super().requested(asked), length=asked.get(LENGTH.name))

    def features(self, samples: Tensors) -> Tensor:
        """Quantiles, autocovariances (also of absolute values) and cross-covariances of windows, (n, d); their
        projections on fixed random directions if they are wide.
        """
        x = samples[VALUES].float()
        quantiles = (torch.linspace(0.02, 0.98, QUANTILES) * (x.shape[2] - 1)).round().long().to(x.device)
        centered = x - x.mean(2, keepdim=True)
        absolute = centered.abs() - centered.abs().mean(2, keepdim=True)
        lags = [lag for lag in LAGS if lag < x.shape[2]]
        parts = [x.sort(2).values[:, :, quantiles]]
        for y in (centered, absolute):
            parts += [(y[:, :, lag:] * y[:, :, :-lag]).mean(2, keepdim=True) for lag in lags]
        parts.append(torch.einsum("nit,njt->nij", centered, centered) / x.shape[2])
        flat = torch.cat([part.flatten(1) for part in parts], 1)
        if flat.shape[1] <= MAX_FEATURES:
            return flat
        directions = torch.randn(flat.shape[1], MAX_FEATURES, generator=torch.Generator().manual_seed(0))
        projected: Tensor = flat @ (directions / MAX_FEATURES**0.5).to(flat)
        return projected

    def judge(
        self, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Callable[[str], None]
    ) -> Judge:
        from sparring.modalities.series.judge import series_judge

        return series_judge(self, training, against, options, say)

    def prices(self, items: Items) -> Prices:
        return Prices(
            names=tuple(self.names),
            priced=np.array([channel.kind == "returns" for channel in self.channels]),
            history=self.values(items),
            last=np.array([channel.last for channel in self.channels]),
        )

    @property
    def _clock(self) -> Clock:
        return Clock(self.zone, self.written.offsets if isinstance(self.written, DateForm) else ())

    def dates(self, length: int) -> Any:
        """Dates of the steps after the last one, as a pandas index; None if they are unknown."""
        import pandas

        if not self.step:
            return None
        clock, calendar = self._clock, Calendar(self.step, self.sessions)
        end = pandas.Series([self._last_date])
        dates = clock.universal(calendar.after(clock.local(end).iloc[0], length))
        return dates.rename(self.stamp)

    def frame(self, paths: NDArray[np.generic]) -> DataFrame:
        """Paths (n, steps, channels) below one another, with dates or numbers of steps. Several paths have a column
        "path" with their number; `paths` reads them.
        """
        import pandas

        n, length, _ = paths.shape
        values = np.asarray(paths, np.float64).reshape(n * length, -1) + 0.0  # no -0.0
        frame = pandas.DataFrame(values, columns=self.names)
        for channel in (c for c in self.channels if c.decimals == 0):
            column = frame[channel.name]
            if np.isfinite(column).all() and column.abs().max() < MAX_EXACT_INTEGER:
                frame[channel.name] = column.astype("int64")
        dates = self.dates(length)
        if dates is None:
            frame.insert(0, "step", np.tile(np.arange(1, length + 1), n))
        else:
            frame.insert(0, self.stamp, dates.append([dates] * (n - 1)))
        if n > 1:
            frame.insert(0, PATH, np.repeat(np.arange(1, n + 1), length))
        return frame

    def preview(self, samples: Samples) -> Image.Image:
        return draw_paths(self.names, np.asarray(samples.items), np.array([c.last for c in self.channels]))

    def comparable(self, samples: Tensors) -> Tensor:
        return samples[VALUES]

    def draw_walks(self, walks: Tensors, steps: int, explored: Explored) -> Drawing:  # noqa: ARG002
        return exploring.draw_walks(self, walks, steps)

    def draw_neighbors(self, explored: Explored) -> Drawing:
        return exploring.draw_neighbors(self, explored)

    @property
    def writers(self) -> tuple[Writer, ...]:
        return (
            Writer(".csv", "text/csv", lambda s, path: self._as_text(s).to_csv(path, index=False)),
            Writer(".npz", "application/x-npz", self._write_npz),
            Writer(".png", "image/png", write_png),
            Writer(".tsv", "", lambda s, path: self._as_text(s).to_csv(path, index=False, sep="\t")),
            Writer(".parquet", "", lambda s, path: self.frame(s.items).to_parquet(path, index=False)),
        )

    def _as_text(self, samples: Samples) -> DataFrame:
        """Paths below one another, with dates as they are written in the data."""
        frame = self.frame(samples.items)
        if self.written is None or self.stamp not in frame or not is_date(frame[self.stamp]):
            return frame
        moments = microseconds(frame[self.stamp]).astype(np.float64)
        return frame.assign(**{self.stamp: self.written.texts(self.written.from_comparable(moments))})

    def _write_npz(self, samples: Samples, path: Path) -> None:
        write_arrays(path, series=samples.items, channels=np.array(self.names))

    @property
    def sample_shape(self) -> tuple[int, ...]:
        return (self.window, len(self.channels))

    def describe_values(self) -> str:
        return "normalized as networks see them"

    def as_json(self, samples: Samples) -> dict[str, Any]:
        dates = self.dates(samples.items.shape[1])
        days = None if dates is None else [date.isoformat() for date in dates]
        return {"channels": self.names, "dates": days, "series": as_lists(samples.items)}


LENGTH = Ask("length", "Steps of each path.", "integer", low=1, high=MAX_LENGTH, examples=("250",))


def training_steps(steps: int) -> int:
    """Number of steps that are trained on. The later ones are held out."""
    return steps - steps // HELD_FRACTION


def _columns_of_files(names: Sequence[str], ending: str) -> list[str]:
    """The columns with a name that several files have; [] if the columns do not come from several files."""
    columns = [n for n in names if n.lower().endswith(f" {ending}")]
    files = tuple(n[: -len(ending)] for n in columns)
    return columns if len(columns) > 1 and all(n.startswith(files) for n in names) else []


def _name_and_kind(text: str) -> tuple[str, str]:
    name, equals, kind = text.rpartition("=")
    if not equals:
        raise InputError(f"kinds={text} has no kind; write kinds={text}=KIND ({', '.join(KINDS)})")
    return name, kind


def _described(channel: Channel, channels: Sequence[Channel]) -> str:
    if channel.constant:
        return f"{channel.name} constant"
    to = f" to {channels[channel.anchor].name}" if channel.anchor >= 0 else ""
    return f"{channel.name} as {channel.kind}{to}"


def _restored(stored: Mapping[str, Any]) -> Channel:
    """A channel from its JSON.

    Raises:
        InputError: if it is damaged.
    """
    return build(Channel, stored, f"channel {str(stored.get('name'))!r}")
