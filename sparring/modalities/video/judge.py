"""Evaluates clips: content and motion apart, with the floor of held-out clips and cheats that must be caught."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from sparring.data.items import Items
from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.metrics import copies, motion
from sparring.metrics.classes import inception_score
from sparring.metrics.frechet import Moments, frechet, moments
from sparring.metrics.kernel import kernel_distance
from sparring.metrics.patches import SIDE, patches
from sparring.metrics.results import Evaluation, Number
from sparring.modalities.judge import Console, Judge, Sampler, TrainingData
from sparring.modalities.video import drawing
from sparring.modalities.video.clip_classifier import ClipClassifier, judged, reduced, train
from sparring.modalities.video.problems import findings
from sparring.modalities.video.real_clips import MAX_CLIPS, MAX_TRAINING, MIN_HELD, Clips, chosen, first, real_clips
from sparring.nets import efficientnet_lite, pretrained
from sparring.nets.pretrained import IMAGENET

if TYPE_CHECKING:
    from sparring.modalities.base import Modality
    from sparring.modalities.video.video import Video

FRAMES = 2  # of a clip whose features are compared
NEAR_QUANTILE = 0.05  # of the distances of held-out clips: nearer clips count as near copies
LEAST_SIDE = 32  # pixels from which frames are compared by what a net for photographs sees
MAX_DRIFTING = 64  # clips whose frames are all compared
COMPARED_SIDE = 16  # pixels at which copies are searched
SHEET = 6  # clips on a sheet
MATRIX = 4  # contents and motions of the matrix

Features = tuple[Tensor, Moments]


class VideoJudge(Judge):
    """Compares clips with the training clips; held-out clips in their place are the floor.

    Args:
        modality: of the clips.
        training, held: real clips.
        say: receives progress messages.
        name: of the data.
    """

    def __init__(self, modality: Video, training: Clips, held: Clips, say: Callable[[str], None], name: str) -> None:
        self.modality, self.training, self.held, self.say, self.name = modality, training, held, say, name
        natural = modality.channels >= 3 and modality.size >= LEAST_SIDE and efficientnet_lite.installed()
        self.features_name = IMAGENET if natural else "patches"
        self._frame_features = pretrained.load(IMAGENET) if natural else patches

    @property
    def axes(self) -> tuple[str, str]:
        return f"frechet[{self.features_name}]", "frechet[changes]"

    @property
    def n(self) -> int:
        """Number of clips that are evaluated unless given: as many as are held out."""
        return min(MAX_CLIPS, len(self.held))

    def check(self, modality: Modality) -> None:
        if modality.shape != self.modality.shape:
            shapes = f"{tuple(self.modality.shape)} and {tuple(modality.shape)}"
            raise InputError(f"these runs generate clips of different shapes ({shapes}); compare runs with the same")

    def evaluate(self, model: Sampler, n: int | None, seed: int, console: Console) -> Evaluation:
        n = n or self.n
        if n < MIN_HELD:
            raise InputError(f"{n} clips are too few to evaluate; give at least {MIN_HELD}")
        console.say(f"evaluating {n:,} clips")
        generated = self._generated(model, n, seed)
        pictures = self._sheets(generated)
        if {"content", "motion"} <= {ask.name for ask in model.asks}:  # not if the clips are parts of other items
            pictures.append(self._matrix(model, seed))
        return self._evaluation(generated, pictures, model.fields)

    def evaluate_items(self, items: Items, console: Console) -> Evaluation:
        encoded = self.modality.encode(items)
        rows = np.arange(len(encoded.items))
        clips = chosen(self.modality, items, encoded, rows, len(rows), self.modality.classes)
        if len(clips) < MIN_HELD:
            raise InputError(f"{items.name!r} has {len(clips)} clips; evaluating needs at least {MIN_HELD}")
        console.say(f"evaluating {len(clips):,} clips")
        return self._evaluation(clips, self._sheets(clips), {})

    def _evaluation(self, generated: Clips, sheets: list[Image.Image], fields: Mapping[str, object]) -> Evaluation:
        floor, baselines, n = self.floor, self.cheats, len(generated)
        numbers = self.numbers(generated)
        return Evaluation(
            data=self.name,
            protocol=(
                f"{n:,} clips compared with {min(MAX_CLIPS, len(self.training)):,} training clips; real: "
                f"{self.n:,} held-out clips; frames by {self.features_name}, changes from frame to frame by patches; "
                "conditional_accuracy, is[classifier] and forward_share by a net that was trained on the training "
                "clips; cheats: training clips with one frame only, with their frames in random order, faded into each "
                "other, and played backwards"
            ),
            samples=n,
            real=self.n,
            numbers=tuple(numbers),
            floor=tuple(floor),
            baselines=baselines,
            findings=tuple(findings(numbers, floor, fields)),
            picture=drawing.stacked(sheets),
        )

    def _generated(self, model: Sampler, n: int, seed: int) -> Clips:
        parts = list(model.stream(n, seed))
        values = torch.cat([samples[VALUES].cpu() for samples, _ in parts])
        conditions = [condition.cpu() for _, condition in parts if condition is not None]
        rounded = self.modality.scale(self.modality.unscale(values))
        return Clips(rounded, torch.cat(conditions) if conditions and self.modality.classes else None)

    @cached_property
    def floor(self) -> list[Number]:
        """Metrics of held-out clips."""
        self.say("evaluating held-out clips")
        return self.numbers(Clips(self.held.values[: self.n], first(self.held.labels, self.n)))

    @cached_property
    def cheats(self) -> dict[str, list[Number]]:
        """Metrics of training clips that were spoiled, by what was done."""
        self.say("evaluating cheats")
        clips, labels = self.training.values[: self.n], first(self.training.labels, self.n)
        spoiled = {
            "still": clips[:, :, :1].expand_as(clips),
            "shuffled": motion.shuffled(clips, torch.Generator().manual_seed(0)),
            "cross-fade": motion.cross_faded(clips),
            "backwards": clips.flip(2),
        }
        return {name: self.numbers(Clips(values, labels)) for name, values in spoiled.items()}

    # Metrics.

    @torch.no_grad()
    def numbers(self, clips: Clips) -> list[Number]:
        """All metrics of clips."""
        x = clips.values
        numbers = []
        for name, real, features in (
            (self.features_name, self._real_frames, self._of_frames(x)),
            ("changes", self._real_changes, self._of_changes(x)),
        ):
            numbers.append(Number(f"frechet[{name}]", frechet(moments(features), real[1]), "low"))
            distance = kernel_distance(features, real[0])
            numbers.append(Number(f"kernel[{name}]", distance.value, "low", distance.error))
        verdict = judged(self.classifier, reduced(x))
        if clips.labels is not None:
            agreed = float((verdict.classes == clips.labels).float().mean())
            numbers.append(Number("conditional_accuracy", agreed, "high", share=True))
            score = inception_score(verdict.probabilities, parts=1)
            numbers.append(Number("is[classifier]", score.value, "high"))
        near = float((self._distances(x) < self._near).float().mean())
        return [
            *numbers,
            Number("forward_share", verdict.forward, "real", share=True),
            Number("motion_amount", motion.amount(x), "real"),
            Number("straightness", motion.straightness(x), "real"),
            Number("identity_drift", motion.drift(self._each_frame(x)), "real"),
            Number("near_copy_share", near, "real", share=True),
        ]

    @cached_property
    def classifier(self) -> ClipClassifier:
        self.say("training a classifier of clips")
        labels = first(self.training.labels, MAX_TRAINING)
        small = reduced(self.training.values[:MAX_TRAINING])
        classes = 0 if labels is None else int(labels.max()) + 1
        return train(small, labels, classes, bool(self.modality.loop))

    @cached_property
    def _real_frames(self) -> Features:
        features = self._of_frames(self.training.values[-MAX_CLIPS:])
        return features, moments(features)

    @cached_property
    def _real_changes(self) -> Features:
        features = self._of_changes(self.training.values[-MAX_CLIPS:])
        return features, moments(features)

    def _of_frames(self, x: Tensor) -> Tensor:
        """Features of some frames of each clip, (n * frames, d), those of each at other times."""
        t = x.shape[2]
        first = torch.arange(len(x)) % max(1, t // FRAMES)
        chosen = [x[torch.arange(len(x)), :, first + i * (t // FRAMES)] for i in range(FRAMES)]
        return torch.cat([self._frame_features(part) for part in torch.split(torch.cat(chosen), 64)]).cpu()

    def _of_changes(self, x: Tensor) -> Tensor:
        """Features of two changes of each clip, one after the other, (n, d)."""
        first = torch.arange(len(x)) % max(1, x.shape[2] - 2)
        rows = torch.arange(len(x))
        frames = [x[rows, :, (first + i).clamp(max=x.shape[2] - 1)] for i in range(3)]
        return torch.cat([patches((after - before) / 2) for before, after in pairwise(frames)], 1)

    def _each_frame(self, x: Tensor) -> Tensor:
        """Patch features of each frame of a few clips without those of its layout, which motion changes, (n, t, d)."""
        some = x[:MAX_DRIFTING].transpose(1, 2)
        layout = x.shape[1] * min(SIDE, x.shape[-1]) ** 2
        return patches(some.flatten(0, 1))[:, layout:].reshape(*some.shape[:2], -1)

    # Copies.

    @cached_property
    def _compared(self) -> Tensor:
        return _small(self.training.values[:MAX_TRAINING]).flatten(1)

    def _distances(self, x: Tensor) -> Tensor:
        """Distance of clips to the nearest training clip. Loops may begin at any frame."""
        small = _small(x)
        turned = [small.roll(i, 2) for i in range(x.shape[2] if self.modality.loop else 1)]
        return torch.stack([copies.nearest(clips, self._compared)[0] for clips in turned]).amin(0)

    @cached_property
    def _near(self) -> float:
        """Distance below which a clip is a near copy."""
        return float(self._distances(self.held.values[:MAX_CLIPS]).quantile(NEAR_QUANTILE))

    # Pictures.

    def _sheets(self, generated: Clips) -> list[Image.Image]:
        """Generated clips, held-out clips, and space-time slices of both."""
        made, real = (self._pixels(clips.values[:SHEET]) for clips in (generated, self.held))
        slices = drawing.slices(np.concatenate([made, real]))
        return [drawing.contact_sheet(made), drawing.contact_sheet(real), slices]

    def _matrix(self, model: Sampler, seed: int) -> Image.Image:
        """Each content with each motion."""
        turns = [
            model.sample(1, seed=seed, content=content, motion=moves).items
            for content in range(MATRIX)
            for moves in range(MATRIX)
        ]
        return drawing.matrix(np.concatenate(turns), MATRIX)

    def _pixels(self, values: Tensor) -> Any:
        return self.modality.decode({VALUES: values})


def _small(clips: Tensor) -> Tensor:
    """Clips with small frames, (n, channels, t, side, side)."""
    n, _, t, *_ = clips.shape
    side = min(COMPARED_SIDE, clips.shape[-1])
    pooled = F.adaptive_avg_pool2d(clips.flatten(1, 2), side)
    return pooled.view(n, -1, t, side, side)


def video_judge(
    modality: Video,
    training: TrainingData,
    against: Items | None,
    options: Mapping[str, Any],
    say: Callable[[str], None],
) -> VideoJudge:
    """See `Modality.judge`."""
    real, held = real_clips(modality, training, against, options, modality.classes)
    return VideoJudge(modality, real, held, say, training.name)
