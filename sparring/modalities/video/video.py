"""Clips of one size, one rate and one number of frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from sparring.data.items import Items
from sparring.data.store import Decoded, Progress, no_progress
from sparring.data.tensors import VALUES, Tensors
from sparring.errors import InputError
from sparring.files import component
from sparring.metrics.patches import patches
from sparring.modalities.asks import Ask, Request
from sparring.modalities.base import Encoded, Modality, Recommendation, Samples, Words, Writer
from sparring.modalities.samples import labeled_arrays, write_arrays, write_png
from sparring.modalities.survey import Survey
from sparring.modalities.video import drawing, fitting, reading, writers
from sparring.modalities.video.clips import Cut, decode, read_clips
from sparring.modalities.video.sets import SETS
from sparring.modalities.video.survey import survey

if TYPE_CHECKING:
    from sparring.modalities.judge import Judge, TrainingData

MAX_LENGTH = 4096  # frames of a clip
MAX_SEED = 2**32 - 1
MIN_ITEMS = 20_000  # with fewer films D soon memorizes them
SMALL_BATCH = 16  # for so few on a CPU, for more steps in the same time
POOLED = 16  # pixels of a side at which clips are compared
SMALL_RATE, LARGE_RATE = 1, 240  # frames per second that clips can be asked for

LENGTH = Ask("length", "Frames of each clip.", "integer", low=1, high=MAX_LENGTH, examples=("64",))
RATE = Ask(
    "rate", "Frames per second, for recipes of continuous time.", "number", low=SMALL_RATE, high=LARGE_RATE,
    examples=("25",),
)  # fmt: skip
CONTENT = Ask(
    "content", "Seed of the content, which all clips then share.", "integer", low=0, high=MAX_SEED, examples=("5",)
)
MOTION = Ask(
    "motion", "Seed of the motion, which all clips then share.", "integer", low=0, high=MAX_SEED, examples=("3",)
)


@dataclass(frozen=True)
class Video(Modality):
    """Clips of square frames; networks receive (channels, frames, size, size) in [-1, 1].

    Attributes:
        size: height and width in pixels; 0 to choose it from the data.
        channels: 1 for gray, 3 for color, 4 for color and alpha; 0 to choose it from the data.
        frames: of a clip; 0 to choose it from the data.
        rate: frames per second; 0 to choose it from the data.
        alpha: True to learn transparency, False to place transparent films on white; None to choose it from the data.
        loop: True if the first frame of a clip follows its last; None to choose it from the data.
        stride: frames from the beginning of a training clip to that of the next in the same film.
    """

    kind: ClassVar[str] = reading.KIND
    words: ClassVar[Words] = Words("film", "films", "clips", compared="single frames, and their changes in time")
    features_name: ClassVar[str] = "frames"
    shown_as: ClassVar[Literal["image", "table", "audio", "video"]] = "video"
    specific: ClassVar[bool] = True
    decodes_pixels: ClassVar[bool] = True
    stored_as_bytes: ClassVar[bool] = True
    preview_items: ClassVar[int] = 12
    walk_grid: ClassVar[tuple[int, int]] = (4, 5)
    neighbor_grid: ClassVar[tuple[int, int]] = (6, 3)
    film_items: ClassVar[int] = 6
    chunk_size: ClassVar[int] = 16
    distance_words: ClassVar[str] = (
        f"root mean squares of the differences of frames at {POOLED} x {POOLED} pixels, where black and white are 2 "
        "apart"
    )
    files: ClassVar[str] = (
        "a folder, zip or tar of films (.mp4, .webm, .mkv, .mov, animated .gif, .webp or .png), or one film"
    )
    sets: ClassVar[Mapping[str, Callable[[], Items]]] = SETS

    size: int = 0
    channels: int = 0
    frames: int = 0
    rate: float = 0.0
    alpha: bool | None = None
    loop: bool | None = None
    stride: int = 0

    @classmethod
    def read(cls, path: Path) -> Items | None:
        return reading.read(path)

    @classmethod
    def read_asked(cls, path: Path) -> Items | None:
        return reading.read(path, frames=True)

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:  # noqa: ARG003
        if items.kind != cls.kind:
            return None
        why = "films: frames at any time from content and motion, of which D sees a few"
        if len(items) >= MIN_ITEMS:
            return Recommendation("video", why)
        settings: dict[str, Any] = {"augment": "places"}
        why += f"; augmented because there are only {len(items):,}"
        if device == "cpu":
            settings["batch"] = SMALL_BATCH
            why += ", in small batches"
        return Recommendation("video", why, settings)

    @classmethod
    def survey(cls, items: Items, data: str, progress: Progress = no_progress) -> Survey:
        return survey(cls(), items, data, progress)

    # Encoding.

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.channels, self.frames, self.size, self.size)

    @property
    def cut(self) -> Cut:
        """How films are cut into clips."""
        return Cut(self.size, self.channels, self.frames, self.rate, self.stride)

    def fit(self, items: Items) -> Self:
        chosen = self.chosen(items)
        return replace(
            self, size=chosen.size, channels=chosen.channels, frames=chosen.frames, rate=chosen.rate,
            loop=chosen.loop, stride=chosen.stride,
        )  # fmt: skip

    def chosen(self, items: Items) -> fitting.Chosen:
        """The settings of clips that suit films."""
        return fitting.choose(items.items, self.size, self.channels, self.alpha, self.rate, self.frames, self.loop)

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """All clips as uint8, (n, channels, frames, size, size).

        Raises:
            InputError: if there are fewer than two, or all are identical.
        """
        decoded = self.decoded(items, progress)
        _, pixels = decoded.rows.map()
        if all(torch.equal(part, pixels[:1].expand_as(part)) for part in torch.split(pixels, 64)):
            raise InputError(f"all {len(pixels):,} clips of {items.name} are identical; a GAN needs clips that differ")
        notes = fitting.notes_on(items.items, replace(self.chosen(items), stride=self.stride))
        return Encoded({VALUES: decoded.rows}, decoded.kept, skipped=decoded.skipped, notes=notes)

    def decoded(self, items: Items, progress: Progress) -> Decoded:
        """All clips of all films that can be read.

        Raises:
            InputError: if there are fewer than two.
        """
        return decode(items.items, self.cut, progress)

    def scale(self, encoded: Tensor) -> Tensor:
        return encoded.float().mul_(2 / 255).sub_(1)

    def unscale(self, values: Tensor) -> Tensor:
        return values.float().add(1).mul(255 / 2).round().clamp(0, 255).byte()

    def decode(self, samples: Tensors, start: int = 0) -> NDArray[np.uint8]:  # noqa: ARG002
        """Clips (n, frames, h, w, c)."""
        pixels: NDArray[np.uint8] = self.unscale(samples[VALUES]).permute(0, 2, 3, 4, 1).cpu().numpy()
        return pixels

    def numbers_of(self, length: int | None = None) -> int:
        return prod(self.shape) // max(1, self.frames) * (length or self.frames)

    # Conditions.

    @property
    def asks(self) -> tuple[Ask, ...]:
        return (*super().asks, LENGTH, RATE, CONTENT, MOTION)

    def requested(self, asked: Mapping[str, Any]) -> Request:
        seeds = {ask.name: int(asked[ask.name]) for ask in (CONTENT, MOTION) if ask.name in asked}
        every = self.rate / float(asked.get(RATE.name, self.rate))
        return replace(super().requested(asked), length=asked.get(LENGTH.name), every=every, seeds=seeds)

    def answered(self, request: Request) -> Self:
        return replace(self, rate=self.rate / request.every)

    # Drawing and writing.

    def features(self, samples: Tensors) -> Tensor:
        """Patch features of the first frame, and of its difference from the middle one."""
        x = samples[VALUES]
        first, middle = x[:, :, 0], x[:, :, x.shape[2] // 2]
        return torch.cat([patches(first), patches(middle - first)], 1)

    def comparable(self, samples: Tensors) -> Tensor:
        x = samples[VALUES]
        return F.adaptive_avg_pool2d(x.flatten(1, 2).float(), min(POOLED, self.size))

    def preview(self, samples: Samples) -> Image.Image:
        return drawing.contact_sheet(samples.items)

    def draw_items(self, samples: Samples) -> list[Image.Image]:
        return [drawing.strip(clip) for clip in samples.items]

    def read_given(self, path: Path) -> NDArray[np.uint8]:
        if not path.exists():
            raise InputError(f"there is no film {path}; give a file, or a folder of films")
        items = reading.read(path, frames=True)
        if items is None:
            raise InputError(f"there are no films in {path}; give a file, or a folder of films")
        return read_clips(items.items, self.cut)

    def draw_given(self, path: Path) -> Image.Image | None:
        return drawing.strip(self.read_given(path)[0])

    @property
    def writers(self) -> tuple[Writer, ...]:
        def clips(write: Callable[[NDArray[np.uint8], float, Path], None]) -> Callable[[Samples, Path], None]:
            return lambda samples, path: write(samples.items, self.rate, path)

        return (
            Writer("", "", self._write_folder),
            Writer(".mp4", "video/mp4", clips(writers.write_mp4)),
            Writer(".webp", "image/webp", clips(writers.write_webp)),
            Writer(".gif", "image/gif", clips(writers.write_gif)),
            Writer(".apng", "image/apng", clips(writers.write_apng)),
            Writer(".png", "image/png", write_png),
            Writer(".npz", "application/x-npz", _write_npz),
        )

    def _write_folder(self, samples: Samples, folder: Path) -> None:
        """One lossless WebP per sample, in a sub-folder per class if there are labels."""
        digits = len(str(len(samples) - 1))
        for i, clip in enumerate(samples.items):
            place = folder if samples.labels is None else folder / component(self.classes[samples.labels[i]])
            place.mkdir(parents=True, exist_ok=True)
            writers.write_webp(clip[None], self.rate, place / f"{i:0{digits}}.webp")

    @property
    def sample_shape(self) -> tuple[int, ...]:
        return (self.frames, self.size, self.size, self.channels)

    def describe_values(self) -> str:
        return "in [-1, 1]"

    def as_json(self, samples: Samples) -> dict[str, Any]:
        return {"rate": self.rate, "clips": [writers.base64_webp(clip, self.rate) for clip in samples.items]}

    # Judging.

    def judge(
        self, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Callable[[str], None]
    ) -> Judge:
        from sparring.modalities.video.judge import video_judge

        return video_judge(self, training, against, options, say)


def _write_npz(samples: Samples, path: Path) -> None:
    """Arrays: `clips`, uint8 (n, frames, h, w, c), their rate, and labels if there are any."""
    modality = samples.modality
    assert isinstance(modality, Video)
    write_arrays(path, **labeled_arrays(samples, "clips"), rate=np.array(modality.rate))
