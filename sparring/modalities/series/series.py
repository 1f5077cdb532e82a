"""Time series: paths of one or many channels, of any length."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
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
from sparring.modalities.asks import Ask, Request
from sparring.modalities.base import Encoded, Modality, Recommendation, Samples, Words, Writer
from sparring.modalities.exploring import Drawing, Explored
from sparring.modalities.samples import as_lists, write_arrays, write_png
from sparring.modalities.series import exploring, reading
from sparring.modalities.series.channels import KINDS, Channel, Floats, fitted, learnt_of, valued, walked
from sparring.modalities.series.reading import steps
from sparring.modalities.tables.reading import STEPS

if TYPE_CHECKING:
    from pandas import DataFrame

Scaling = Literal["normal", "range"]
HELD = 10  # of so many parts of the time the last is held out
CLOSES = ("adj close", "adj_close", "close", "price", "value")  # what is taken of several files
MOST = 16  # channels that are all taken where nothing is said
RUN = 6  # dates without a gap, by which the step from one to the next is told
LONGEST = 100_000  # steps of a sample
LAGS = (1, 2, 5, 10)  # at which features look for what goes together
FEATURES = 128  # numbers that windows are compared by, at most


@dataclass(frozen=True)
class Series(Modality):
    """Windows of a series, (channels, window); nets see what is learnt of each channel, about normal.

    Attributes:
        window: steps of what D is shown.
        scaling: whether channels are taken for what looks alike at all times, with light tails, or as they are, in
            [0, 1].
        told: kinds of channels that are not to be found out, each as "NAME=KIND".
        wanted: names of the channels that are learnt, or of the columns of several files; () for all.
        channels: what is known of each.
        stamp: the name of the dates; "" where there are none.
        end: the last date, in ISO 8601.
        step: from one date to the next, as pandas writes frequencies.
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
    channels: tuple[Channel, ...] = ()
    stamp: str = ""
    end: str = ""
    step: str = ""

    def __post_init__(self) -> None:
        restored = tuple(Channel(**c) if isinstance(c, Mapping) else c for c in self.channels)
        object.__setattr__(self, "channels", restored)

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

    @cached_property
    def learnt(self) -> list[int]:
        """The places of the channels that nets see: those that are not always the same."""
        return [i for i, channel in enumerate(self.channels) if not channel.constant]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.learnt), self.window)

    @property
    def names(self) -> list[str]:
        """Of the channels."""
        return [channel.name for channel in self.channels]

    def fit(self, items: Items) -> Self:
        frame, dates, _ = steps(items)
        frame = frame[self._chosen(frame, items.name)]
        told = dict(_pair(text) for text in self.told)
        whole = frame.notna().all(axis=1).to_numpy()
        values = frame.to_numpy()[whole]
        if len(values) < 2 * self.window:
            least = f"windows of {self.window} need {2 * self.window}"
            fewer = f"; give window={max(4, len(values) // 4)}" if len(values) >= STEPS else ""
            raise InputError(f"{items.name!r} has {len(values)} steps without gaps; {least}{fewer}")
        names = [str(name) for name in frame]
        if self.scaling == "range":
            told = {**dict.fromkeys(names, "level"), **told}
        known = replace(self, channels=fitted(names, values, cut(len(values)), told))
        if not known.learnt:
            raise InputError(f"{items.name!r} has no channel that ever changes; there is nothing to learn")
        if dates is None:
            return known
        last = dates[whole].iloc[-1]
        return replace(known, stamp=str(dates.name), end=last.isoformat(), step=_frequency(dates))

    def _chosen(self, frame: DataFrame, name: str) -> list[str]:
        """The names of the columns that are learnt.

        Raises:
            InputError: where a wanted one is not there, or too many are.
        """
        names = [str(column) for column in frame]
        if not self.wanted:
            closes = next((found for k in CLOSES if (found := _closes(names, k))), None)
            if closes is None and len(names) > MOST:
                raise InputError(f"{name!r} has {len(names)} channels; say which are learnt (channels=NAME,NAME)")
            return closes or names
        found = []
        for wanted in self.wanted:
            matching = [n for n in names if n == wanted or n.endswith(f" {wanted}") or n.startswith(f"{wanted} ")]
            if not matching:
                raise InputError(f"{name!r} has no channel {wanted!r}; {nearest(wanted, names)}")
            found += [n for n in matching if n not in found]
        return found

    def values(self, items: Items) -> Floats:
        """A series' channels in the order of time, (steps, channels), without the steps of which one is missing.

        Raises:
            InputError: where it lacks a channel.
        """
        frame, _, _ = steps(items)
        if missing := [name for name in self.names if name not in frame]:
            raise InputError(f"{items.name!r} has no column {missing[0]!r}, which the model was trained with")
        kept: Floats = frame[self.names].dropna().to_numpy(np.float64)
        bad = [c.name for c, v in zip(self.channels, kept.T, strict=True) if c.logarithmic and not (v > 0).all()]
        if bad:
            raise InputError(f"{items.name!r}: channel {bad[0]!r} has values that are not above 0, which it had not")
        return kept

    def walks(self, values: Floats) -> Floats:
        """Values (..., steps, channels) as those whose steps are alike at all times."""
        return walked(self.channels, values)

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:  # noqa: ARG002
        """All windows, each a step after the one before, as views of one series, (n, channels, window); those that
        reach into the last tenth of the time are held out where they lie in it, and left out else.
        """
        frame, _, notes = steps(items)
        values = self.values(items)
        gaps = len(frame) - len(values)
        notes += [f"{gaps:,} of {len(frame):,} steps have a missing value and are left out"] if gaps else []
        left = [str(name) for name in frame if name not in self.names]
        notes += [f"not learnt: {', '.join(left[:5])}{', ...' if len(left) > 5 else ''} (channels=...)"] if left else []
        notes += [f"channels: {', '.join(_described(c, self.channels) for c in self.channels)}"]
        series = torch.from_numpy(self.standard(values).T.astype(np.float32).copy())  # (channels, steps)
        windows = series.unfold(1, self.window, 1).transpose(0, 1)
        # A window of standardized values needs one step more, since the first is lost where differences are learned.
        return Encoded({VALUES: windows}, np.arange(len(windows)), self.window + 1, notes=tuple(notes))

    def split(self, items: Items, readable: NDArray[np.int64] | None = None) -> Split:  # noqa: ARG002
        """The last tenth of the time is held out, so that no window looks ahead."""
        steps = len(self.values(items))
        return Split(np.arange(cut(steps)), np.arange(cut(steps), steps))

    def standard(self, values: Floats) -> Floats:
        """What nets see of values (..., steps, channels): (..., steps - 1, channels that are learnt)."""
        learnt = learnt_of(self.channels, self.walks(values))[..., self.learnt]
        for place, i in enumerate(self.learnt):
            channel, x = self.channels[i], learnt[..., place]
            ranged = (x - channel.low) / (channel.high - channel.low)
            learnt[..., place] = channel.normal(x) if self.scaling == "normal" else ranged
        return learnt

    def restored(self, standard: Floats) -> Floats:
        """Values that nets see of a path (..., steps, channels that are learnt) in the user's units, (..., steps,
        channels); walks go on from the last.
        """
        learnt = np.empty((*standard.shape[:-1], len(self.channels)))
        learnt[...] = [channel.mean for channel in self.channels]
        for place, i in enumerate(self.learnt):
            channel, x = self.channels[i], np.asarray(standard[..., place], np.float64)
            ranged = channel.low + x * (channel.high - channel.low)
            learnt[..., i] = channel.heavy(x) if self.scaling == "normal" else ranged
        return valued(self.channels, learnt)

    def scale(self, encoded: Tensor) -> Tensor:
        return encoded

    def unscale(self, values: Tensor) -> Tensor:
        return values

    def decode(self, samples: Tensors, start: int = 0) -> NDArray[np.generic]:  # noqa: ARG002
        """Paths (n, steps, channels)."""
        return self.restored(samples[VALUES].cpu().double().numpy().swapaxes(1, 2))

    @property
    def asks(self) -> tuple[Ask, ...]:
        return (*super().asks, LENGTH)

    def requested(self, asked: Mapping[str, Any]) -> Request:
        return replace(super().requested(asked), length=asked.get(LENGTH.name))

    def features(self, samples: Tensors) -> Tensor:
        """Of a window how its values are distributed, and what goes together over time and across channels, (n, d);
        along fixed random directions where that is wide.
        """
        x = samples[VALUES].float()
        ordered = x.sort(2).values
        places = (torch.linspace(0.02, 0.98, 9) * (x.shape[2] - 1)).round().long()
        centred = x - x.mean(2, keepdim=True)
        sizes = centred.abs() - centred.abs().mean(2, keepdim=True)
        lags = [lag for lag in LAGS if lag < x.shape[2]]
        found = [ordered[:, :, places.to(x.device)]]
        for y in (centred, sizes):
            found += [(y[:, :, lag:] * y[:, :, :-lag]).mean(2, keepdim=True) for lag in lags]
        found.append(torch.einsum("nit,njt->nij", centred, centred) / x.shape[2])
        flat = torch.cat([part.flatten(1) for part in found], 1)
        if flat.shape[1] <= FEATURES:
            return flat
        directions = torch.randn(flat.shape[1], FEATURES, generator=torch.Generator().manual_seed(0))
        turned: Tensor = flat @ (directions / FEATURES**0.5).to(flat)
        return turned

    def dates(self, length: int) -> Any:
        """Of so many steps after the last, as an index of pandas; None where there are none."""
        import pandas

        if not self.step:
            return None
        return pandas.date_range(self.end, periods=length + 1, freq=self.step, name=self.stamp)[1:]

    def frame(self, paths: NDArray[np.generic]) -> DataFrame:
        """Paths (n, steps, channels) one below the other, with their dates or the numbers of their steps; where there
        are several, with a column that says which.
        """
        import pandas

        n, length, _ = paths.shape
        made = pandas.DataFrame(paths.reshape(n * length, -1), columns=self.names)
        for channel in self.channels:
            if (
                channel.decimals == 0
                and np.isfinite(made[channel.name]).all()
                and made[channel.name].abs().max() < 2**53
            ):
                made[channel.name] = made[channel.name].astype("int64")
        dates = self.dates(length)
        name, index = (self.stamp, dates) if dates is not None else ("step", np.arange(1, length + 1))
        made.insert(0, name, np.tile(np.asarray(index), n))
        if n > 1:
            made.insert(0, "path", np.repeat(np.arange(1, n + 1), length))
        return made

    def preview(self, samples: Samples) -> Image.Image:
        from sparring.modalities.series.plots import drawn

        return drawn(self.names, np.asarray(samples.items), np.array([c.last for c in self.channels]))

    def comparable(self, samples: Tensors) -> Tensor:
        return samples[VALUES]

    def draw_walks(self, walks: Tensors, steps: int, explored: Explored) -> Drawing:  # noqa: ARG002
        return exploring.draw_walks(self, walks, steps)

    def draw_neighbors(self, explored: Explored) -> Drawing:
        return exploring.draw_neighbors(self, explored)

    @property
    def writers(self) -> tuple[Writer, ...]:
        return (
            Writer(".csv", "text/csv", lambda s, path: self.frame(s.items).to_csv(path, index=False)),
            Writer(".npz", "application/x-npz", self._write_npz),
            Writer(".png", "image/png", write_png),
            Writer(".tsv", "", lambda s, path: self.frame(s.items).to_csv(path, index=False, sep="\t")),
            Writer(".parquet", "", lambda s, path: self.frame(s.items).to_parquet(path, index=False)),
        )

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


LENGTH = Ask("length", "Steps of each path.", "integer", low=1, high=LONGEST, examples=("250",))


def cut(steps: int) -> int:
    """How many of some steps are trained on; the others, which come after them, are held out."""
    return steps - steps // HELD


def _closes(names: Sequence[str], ending: str) -> list[str]:
    """The columns of that name of several files, () where the columns are not of several files."""
    found = [n for n in names if n.lower().endswith(f" {ending}")]
    files = tuple(n[: -len(ending)] for n in found)
    return found if len(found) > 1 and all(n.startswith(files) for n in names) else []


def _pair(text: str) -> tuple[str, str]:
    name, equals, kind = text.rpartition("=")
    if not equals:
        raise InputError(f"kinds={text} says no kind; write it as kinds={text}={', '.join(KINDS)}")
    return name, kind


def _described(channel: Channel, channels: Sequence[Channel]) -> str:
    if channel.constant:
        return f"{channel.name} always the same"
    to = f" to {channels[channel.anchor].name}" if channel.anchor >= 0 else ""
    return f"{channel.name} as {channel.kind}{to}"


def _frequency(dates: Any) -> str:
    """From one date to the next, as pandas writes it; days without Saturdays and Sundays as business days. "" where
    that cannot be told, as of minutes of which the nights are missing.
    """
    import pandas

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions will give an offset instead of its name, which do as well
        known = pandas.infer_freq(dates) if len(dates) > 2 else None
        between = dates.diff().median()
        if known is None and between == pandas.Timedelta(days=1):
            known = "B" if (dates.dt.dayofweek < 5).all() else "D"
        if known is None and between > pandas.Timedelta(days=1):  # months or weeks of which some are missing
            parts = (dates.iloc[i : i + RUN] for i in range(len(dates) - RUN, -1, -RUN))
            known = next((found for part in parts if (found := pandas.infer_freq(part)) is not None), None)
    return "" if known is None else str(getattr(known, "freqstr", known))
