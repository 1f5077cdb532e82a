"""The judge of restored films: errors, sharpness and flicker of held-out films."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.metrics.image_pairs import flicker, psnr, spectrum_distance
from sparring.metrics.results import Evaluation, Finding, Number
from sparring.modalities.judge import Console, Judge, Sampler, TrainingData
from sparring.modalities.translation.baselines import restorer
from sparring.modalities.translation.judge import FIRST_PHASE
from sparring.modalities.translation.translation import unseen
from sparring.modalities.video_restoration.windows import windows
from sparring.nets.neighbors import SEEN
from sparring.nets.tiles import Mapper
from sparring.seeds import Seeds, seeded
from sparring.sheets import sheet

if TYPE_CHECKING:
    from sparring.modalities.base import Modality
    from sparring.modalities.video_restoration.degraded import DegradedVideo

MAX_FILMS, LENGTH = 32, 16  # that are judged, and frames of each
MIN_FILMS = 2
STILL = 6.0  # gray levels by which a pixel of a clean film changes at most where it counts as still
SHOWN = 6  # films on the picture

Method = Callable[[Tensor], Tensor]  # degraded frames (t, given, h, w) -> restored ones (t, channels, H, W)


@dataclass(frozen=True)
class FilmJudge(Judge):
    """Degrades whole frames of films, restores them, and compares them with the clean ones.

    Attributes:
        modality: that reads and degrades the films.
        items: the films.
        indices: of those that the model was not trained on.
    """

    modality: DegradedVideo
    items: Items
    indices: tuple[int, ...]

    @property
    def axes(self) -> tuple[str, str]:
        return "flicker", "spectral_distance"

    def check(self, modality: Modality) -> None:
        mine, other = (m.source.shape if m.source else () for m in (self.modality, modality))
        if mine != other:
            raise InputError(f"these models restore different windows ({mine} and {other}); compare those of one task")

    def evaluate(self, model: Sampler, n: int | None, seed: int, console: Console) -> Evaluation:  # noqa: ARG002
        methods: dict[str, Method] = {"samples": method_of(model.mapper())}
        with suppress(InputError):  # raised if the recipe has no phase without D
            methods[FIRST_PHASE] = method_of(model.mapper(sharpness=0.0))
        name, baseline = restorer(self.modality.chain, self.modality.channels)
        methods[name] = baseline
        values: dict[str, dict[str, list[float]]] = {method: {} for method in (*methods, "clean")}
        shown: list[Tensor] = []
        chosen = list(self.indices[: n or MAX_FILMS])
        with console.progress("evaluating films") as progress:
            for done, (degraded, clean) in enumerate(self.pairs(chosen), 1):
                frames = {method: restore(degraded) for method, restore in methods.items()} | {"clean": clean}
                for method, x in frames.items():
                    for metric, value in measured(x, clean):
                        values[method].setdefault(metric, []).append(value)
                shown += [frames[method][0] for method in frames] if done <= SHOWN else []
                progress(done, len(chosen))
        count = len(values["clean"].get("flicker", ()))
        if count < MIN_FILMS:
            raise InputError(
                f"{self.items.name!r} has {count} films that the model was not trained on, and an evaluation needs "
                "two: give --against DATA"
            )
        tables = {method: numbers(found) for method, found in values.items()}
        baselines = {method: tables[method] for method in methods if method != "samples"}
        floor = [number for number in tables["clean"] if number.name == "flicker"]
        return Evaluation(
            data=self.items.name, protocol=self._protocol(count), samples=count, real=count,
            numbers=tuple(tables["samples"]), floor=tuple(floor), baselines=baselines,
            findings=tuple(findings(tables["samples"], tables[name], name)),
            picture=self._sheet(shown, len(methods) + 1),
        )  # fmt: skip

    def _protocol(self, count: int) -> str:
        return (
            f"means over the first {LENGTH} frames of {count} films that the model was not trained on, degraded by "
            f"{','.join(self.modality.degrade)}, with standard errors; psnr in decibels; spectral_distance in decades "
            "of power; flicker: mean change from frame to frame, of 255 levels, where the clean film changes by at "
            f"most {STILL:g}"
        )

    def pairs(self, indices: list[int]) -> Any:
        """Degraded frames (t, given, h, w) and clean ones (t, channels, H, W), always the same."""
        modality = self.modality
        for i, clean in enumerate(modality.clips(self.items, indices, LENGTH)):
            with seeded(Seeds().key("example", i), clean.device):
                degraded = modality.degraded(clean.flatten(0, 1)[None])
            yield torch.stack(degraded[0].chunk(len(clean))), clean

    def _sheet(self, frames: list[Tensor], columns: int) -> Image.Image:
        """The first frame of some films, as each method restores it, and clean; all at the size of the smallest."""
        height, width = (min(x.shape[i] for x in frames) for i in (1, 2))
        pixels = torch.stack([self.modality.unscale(x[:, :height, :width]) for x in frames])
        return sheet(pixels.permute(0, 2, 3, 1).numpy(), columns)


@torch.no_grad()
def restored(mapper: Mapper, frames: Tensor) -> Tensor:
    """Frames (t, given, h, w), each restored from itself and its neighbors: (t, channels, times h, times w)."""
    found: list[Tensor] = []
    for window, count in windows(frames):
        y = mapper.net(torch.cat(window)[None].to(mapper.device))[0].float().cpu()
        found += y.chunk(SEEN)[:count]
    return torch.stack(found).clamp(-1, 1)


def method_of(mapper: Mapper) -> Method:
    """A model as a method."""
    return lambda frames: restored(mapper, frames)


def measured(restored: Tensor, clean: Tensor) -> list[tuple[str, float]]:
    """Metrics of one film, (t, channels, h, w) each in [-1, 1]. Its flicker is NaN if nothing in it stands still."""
    x, true = (frames.add(1).mul(127.5) for frames in (restored, clean))
    still = (true[1:] - true[:-1]).abs().amax(1, keepdim=True) <= STILL
    return [
        ("psnr", float(psnr(x, true).clamp(max=100.0).mean())),
        ("spectral_distance", spectrum_distance(x, true)),
        ("flicker", flicker(x, still)),
    ]


def numbers(values: Mapping[str, list[float]]) -> list[Number]:
    """Means over films, with their standard errors."""
    found = []
    for name, all_values in values.items():
        kept = [value for value in all_values if value == value] or [float("nan")]
        error = stdev(kept) / len(kept) ** 0.5 if len(kept) > 1 else float("nan")
        best = {"psnr": "high", "spectral_distance": "low", "flicker": "real"}[name]
        found.append(Number(name, mean(kept), best, error))  # type: ignore[arg-type]
    return found


def findings(samples: list[Number], baseline: list[Number], name: str) -> list[Finding]:
    """A problem if restored films are worse than those of a trivial method in error and in sharpness."""
    own, theirs = ({number.name: number.value for number in numbers} for numbers in (samples, baseline))
    if own["psnr"] < theirs["psnr"] and own["spectral_distance"] > theirs["spectral_distance"]:
        return [Finding(f"worse than {name}", "by psnr and spectral_distance", "train longer")]
    return []


def film_judge(
    modality: DegradedVideo, training: TrainingData, against: Items | None, options: Mapping[str, Any]
) -> FilmJudge:
    """See `Modality.judge`."""
    if features := options.get("features"):
        raise InputError(f"features={features[0]} is not for films, which have their own metrics; remove --features")
    items = training.items if against is None else against
    if against is None:
        training.check_unchanged(modality.words.items)
    left = unseen(modality.split(items), items.held, against is None)
    return FilmJudge(modality, items, tuple(sorted(left)))
