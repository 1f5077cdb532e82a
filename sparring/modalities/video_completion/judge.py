"""Evaluates generated frames: against the true ones, and as parts of clips, beside the mean of all futures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.metrics.image_pairs import psnr
from sparring.metrics.results import Evaluation, Finding, Number
from sparring.modalities.judge import Console, Judge, Sampler, TrainingData
from sparring.modalities.video import drawing
from sparring.modalities.video.judge import VideoJudge
from sparring.modalities.video.problems import findings
from sparring.modalities.video.real_clips import MAX_CLIPS, MAX_TRAINING, MIN_HELD, Clips, first, real_clips
from sparring.nets.completion import blend
from sparring.nets.tiles import Mapper
from sparring.seeds import Seeds

if TYPE_CHECKING:
    from sparring.modalities.video_completion.completion import VideoCompletion

VARIANTS = 10  # of which the best one is compared with the true clip
MEAN = "mean of futures"  # the net of the training phase without D
BATCH = 16  # clips that are generated together
SHOWN = 3  # clips on the picture
MAX_PSNR = 60.0  # of a frame, in decibels: still parts of a lossless film are predicted without any error

Method = Callable[[Tensor, int], Tensor]  # true clips, the number of a variant -> generated clips


class CompletionJudge(VideoJudge):
    """Generates the frames of held-out clips that are not given, and compares them with the true ones, and the clips
    with training clips.
    """

    modality: VideoCompletion

    @property
    def axes(self) -> tuple[str, str]:
        return "frechet[changes]", "psnr"

    def evaluate_items(self, items: Items, console: Console) -> Evaluation:
        return Judge.evaluate_items(self, items, console)  # clips are judged next to what they were generated from

    def evaluate(self, model: Sampler, n: int | None, seed: int, console: Console) -> Evaluation:
        n = min(n or self.n, self.n)
        if n < MIN_HELD:
            raise InputError(f"{n} clips are too few to evaluate; give at least {MIN_HELD}")
        true = Clips(self.held.values[:n], first(self.held.labels, n))
        tables: dict[str, list[Number]] = {}
        shown: dict[str, Tensor] = {}
        methods = self.methods(model, seed)
        with console.progress("evaluating clips") as progress:
            for done, (name, method) in enumerate(methods.items(), 1):
                variants = VARIANTS if name == "samples" else 1
                tables[name], shown[name] = self._evaluated(model, method, true, variants)
                progress(done, len(methods))
        floor = [*self.numbers(true), *self._preferred(model, true.values.roll(1, 0), true.values)]
        baselines = {name: numbers for name, numbers in tables.items() if name != "samples"}
        return Evaluation(
            data=self.name,
            protocol=self._protocol(n),
            samples=n,
            real=n,
            numbers=tuple(tables["samples"]),
            floor=tuple(floor),
            baselines=baselines,
            findings=tuple(self._findings(tables["samples"], baselines, model.fields)),
            picture=self._sheet(true.values, shown),
        )

    def _protocol(self, n: int) -> str:
        between = f" and {self.modality.after}" if self.modality.after else ""
        return (
            f"{n:,} held-out clips, {self.modality.made} frames generated from {self.modality.given}{between} given "
            f"ones; psnr in decibels, a mean over generated frames, of which none counts more than {MAX_PSNR:g}; "
            f"psnr[best of {VARIANTS}]: of the best of {VARIANTS} generated clips; D_preferred: share of clips that "
            "the model's D finds more real than the true ones (real: than those of other clips); whole clips compared "
            f"with {min(MAX_CLIPS, len(self.training)):,} training clips, frames by {self.features_name}, changes from "
            "frame to frame by patches; conditional_accuracy, is[classifier] and forward_share by a net that was "
            f"trained on {min(MAX_TRAINING, len(self.training)):,} training clips"
        )

    # Methods.

    def methods(self, model: Sampler, seed: int) -> dict[str, Method]:
        """The model, its net without D if there is one, and the given frames themselves."""
        found: dict[str, Method] = {"samples": self._method(model.mapper(), seed)}
        with suppress(InputError):  # raised if the recipe has no phase without D
            found[MEAN] = self._method(model.mapper(sharpness=0.0), seed)
        return {**found, "cross-fade" if self.modality.after else "copy-last": lambda clips, _: self.background(clips)}

    def _method(self, mapper: Mapper, seed: int) -> Method:
        modality = self.modality

        @torch.no_grad()
        def completed(clips: Tensor, variant: int) -> Tensor:
            random = torch.Generator().manual_seed(Seeds(seed).key("variant", variant))
            noise = torch.randn(len(clips), modality.z, generator=random)
            given = modality.condition_of(clips, noise)
            parts = [mapper.net(part.to(mapper.device)).float().cpu() for part in torch.split(given, BATCH)]
            return modality.scale(modality.unscale(torch.cat(parts)))

        return completed

    def background(self, clips: Tensor) -> Tensor:
        """Clips whose other frames are the nearest given one, or a cross-fade of the two that they lie between."""
        known = torch.tensor(self.modality.known)
        result = clips.clone()
        result[:, :, ~known] = torch.einsum("mk,nckhw->ncmhw", blend(self.modality.known), clips[:, :, known])
        return result

    # Metrics.

    def _evaluated(self, model: Sampler, method: Method, true: Clips, variants: int) -> tuple[list[Number], Tensor]:
        """Metrics of a method, and its first variant of each clip."""
        made = method(true.values, 0)
        scores = [self.psnr(made, true.values)]
        scores += [self.psnr(method(true.values, i), true.values) for i in range(1, variants)]
        best = torch.stack(scores).amax(0)
        numbers = [
            _mean("psnr", scores[0]),
            _mean(f"psnr[best of {VARIANTS}]", best),
            *self._preferred(model, made, true.values),
            *self.numbers(Clips(made, true.labels)),
        ]
        return numbers, made

    def psnr(self, made: Tensor, true: Tensor) -> Tensor:
        """Mean over the frames of each clip that are not given, (n,), in decibels."""
        unknown = ~torch.tensor(self.modality.known)
        pairs = [(x[:, :, unknown].transpose(1, 2).flatten(0, 1) + 1) * 127.5 for x in (made, true)]  # of 255 levels
        return psnr(*pairs).clamp(max=MAX_PSNR).view(len(made), -1).mean(1)

    def _preferred(self, model: Sampler, made: Tensor, true: Tensor) -> list[Number]:
        logits = [[model.logits(part, None) for part in torch.split(clips, BATCH)] for clips in (made, true)]
        if any(part is None for parts in logits for part in parts):
            return []
        of_made, of_true = (torch.cat([part for part in parts if part is not None]) for parts in logits)
        return [Number("D_preferred", float((of_made > of_true).float().mean()), "real", share=True)]

    def _findings(
        self, samples: list[Number], baselines: Mapping[str, list[Number]], fields: Mapping[str, object]
    ) -> list[Finding]:
        """Baselines that are nearer to the true clips, and what the findings of clips are."""
        own = {number.name: number.value for number in samples}
        best = f"psnr[best of {VARIANTS}]"
        found = [
            Finding(f"worse than {name}", f"{best} {own[best]:.1f}, {name} {number.value:.1f}", "train longer")
            for name, numbers in baselines.items()
            for number in numbers
            if number.name == "psnr" and name != MEAN and own[best] < number.value
        ]
        measured = {number.name for number in self.floor}
        shared = [number for number in samples if number.name in measured]
        return [*found, *findings(shared, self.floor, fields)]

    def _sheet(self, true: Tensor, shown: Mapping[str, Tensor]) -> Image.Image:
        """Some clips, each with a row of the true frames and a row of each method; then space-time slices."""
        rows = torch.stack([true[:SHOWN], *(clips[:SHOWN] for clips in shown.values())], 1)
        pixels = self._pixels(rows.flatten(0, 1))
        sliced = self._pixels(torch.cat([true[:SHOWN], shown["samples"][:SHOWN]]))
        return drawing.stacked([drawing.contact_sheet(pixels), drawing.slices(np.asarray(sliced))])


def _mean(name: str, values: Tensor) -> Number:
    return Number(name, float(values.mean()), "high", float(values.std() / len(values) ** 0.5))


def completion_judge(
    modality: VideoCompletion,
    training: TrainingData,
    against: Items | None,
    options: Mapping[str, Any],
    say: Callable[[str], None],
) -> CompletionJudge:
    """See `Modality.judge`. The classes of the data are evaluated, although the model does not know them."""
    real, held = real_clips(modality, training, against, options, training.items.classes)
    return CompletionJudge(modality, real, held, say, training.name)
