"""Clean films; degraded ones are made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.data import store
from sparring.data.items import Items
from sparring.data.sources import Unreadable
from sparring.data.split import Split, split_items
from sparring.data.store import Progress, Row, no_progress
from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.errors import InputError
from sparring.files import resolved
from sparring.modalities.applying import Applied
from sparring.modalities.base import Encoded, Source, Words
from sparring.modalities.images.decoding import with_channels
from sparring.modalities.judge import Console
from sparring.modalities.survey import Survey
from sparring.modalities.translation import Degraded
from sparring.modalities.translation.files.film_reading import READ
from sparring.modalities.translation.files.film_writing import WRITTEN
from sparring.modalities.translation.files.video import transform_video
from sparring.modalities.video import Video, animations, fitting, reading
from sparring.modalities.video.films import FILMS, Films, Readable
from sparring.modalities.video.shown import at_rate
from sparring.modalities.video_restoration.windows import windows
from sparring.nets.neighbors import GIVEN, SEEN
from sparring.nets.tiles import Mapper, Pixels, mapped

if TYPE_CHECKING:
    from sparring.modalities.judge import Judge, TrainingData

VERSION = 1  # of the decoder; a new one decodes all films again
CROP = 64  # pixels of a side of what networks see
WANTED = 2000  # windows of a data set, about


@dataclass(frozen=True)
class DegradedVideo(Degraded):
    """Three neighboring clean frames (3 channels, size, size) at their own scale; the condition is five degraded ones,
    (5 given, size / times, size / times), in [-1, 1]. All frames are degraded alike, each with noise of its own.

    Attributes:
        channels, given: of one frame.
        rate: frames per second; 0 to choose it from the data.
        every: frames from the beginning of one training window to that of the next in the same film.
    """

    kind: ClassVar[str] = "degraded video"
    hub_task: ClassVar[str] = "video-to-video"
    reads: ClassVar[tuple[str, ...]] = (reading.KIND,)
    words: ClassVar[Words] = Words("film", "films", "windows", compared="textures, colors and rough layout of frames")
    shown_as: ClassVar[Literal["image", "table", "audio", "video"]] = "image"
    stored_as_bytes: ClassVar[bool] = False  # because a window is no image
    applied_media: ClassVar[Mapping[str, str]] = {"video/mp4": ".mp4"}

    rate: float = 0.0
    every: int = 0

    @classmethod
    def read_asked(cls, path: Path) -> Items | None:
        return reading.read(path, frames=True)

    @classmethod
    def survey(cls, items: Items, data: str, progress: Progress = no_progress) -> Survey:
        return Video.survey(items, data, progress)

    @property
    def shape(self) -> tuple[int, ...]:
        return (SEEN * self.channels, self.size, self.size)

    @property
    def source(self) -> Source:
        side = self.size // self.times
        return Source((GIVEN * self.given, side, side), self.words, False, self.times)

    @property
    def classifier_input(self) -> None:  # type: ignore[override]
        """None: a window of frames is no image."""

    def fit(self, items: Items) -> Self:
        headers = fitting.examine_some(items.items)
        chosen = fitting.choose(items.items, CROP, 0, False, self.rate, GIVEN, False)
        channels = min(3, chosen.channels)
        size = self._divisible(min(self.size or CROP, *(min(h.width, h.height) for h in headers)))
        total = sum(h.seconds for h in headers) / len(headers) * chosen.rate * len(items.items.groups())
        return replace(
            self, size=size, wide=size, channels=channels, given=self.chain.channels(channels), rate=chosen.rate,
            every=max(1, min(GIVEN, int(total // WANTED))),
        )  # fmt: skip

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """Windows of five frames at random places, uint8 (n, 5 channels, size, size).

        Raises:
            InputError: if fewer than two can be read.
        """
        films: Films = items.items

        def rows() -> Iterator[Row]:
            done = 0
            for parts, film in films.read():
                yield from self._windows(films, parts, film)
                done += len(parts)
                progress(done, len(films))

        shape = (GIVEN * self.channels, self.size, self.size)
        key = f"windows {VERSION} {shape} {self.rate} {self.every}"
        decoded = store.decode_rows(films, rows, shape, "uint8", key)
        return Encoded({VALUES: decoded.rows}, decoded.kept, skipped=decoded.skipped)

    def _windows(self, films: Films, parts: list[int], film: Readable) -> Iterator[Row]:
        """Index of the part and each of its windows, at a random place."""
        place = np.random.default_rng(parts[0])
        recent: list[NDArray[np.uint8]] = []
        waiting = list(parts)
        try:
            for i, frame in enumerate(self.frames(film)):
                if len(waiting) > 1 and i / self.rate >= films.films[waiting[0]].end:
                    waiting.pop(0)
                    recent.clear()
                recent.append(frame)
                if len(recent) == GIVEN:
                    top, left = (place.integers(0, side - self.size + 1) for side in frame.shape[1:])
                    window = np.concatenate(recent)[:, top : top + self.size, left : left + self.size]
                    yield waiting[0], window
                    del recent[: self.every]
        except InputError as error:
            for part in reversed(parts):
                yield part, Unreadable(str(error))

    def frames(self, film: Readable) -> Iterator[NDArray[np.uint8]]:
        """The frames of a film at one rate and at their own size, (channels, h, w).

        Raises:
            InputError: if it cannot be read, or is smaller than a crop.
        """
        for image in at_rate(film.frames(self.rate), self.rate):
            if min(image.size) < self.size:
                raise InputError(f"its frames have {image.width} x {image.height} pixels, and crops {self.size}")
            pixels = np.asarray(with_channels(image, self.channels), np.uint8)
            yield pixels.reshape(image.height, image.width, self.channels).transpose(2, 0, 1)

    def split(self, items: Items, readable: NDArray[np.int64] | None = None) -> Split:
        return split_items(items, readable)

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        clean = self.scale(self.augment(tensors[VALUES]))
        middle = slice(self.channels, (1 + SEEN) * self.channels)
        return {**tensors, VALUES: clean[:, middle], CONDITION: self.degraded(clean)}

    def degraded(self, frames: Tensor) -> Tensor:
        """Frames one after the other (n, t channels, h, w), degraded alike: (n, t given, h / times, w / times)."""
        count = frames.shape[1] // self.channels
        # One below the other they are one image, whose parameters are drawn once.
        tall = torch.cat(frames.chunk(count, 1), 2)
        return torch.cat(self.chain(tall).chunk(count, 2), 1)

    def draw_batch(self, samples: Tensors, batch: Mapping[str, Tensor]) -> Image.Image:
        """The frame in the middle of each window: degraded, restored, and clean."""
        g, c = self.given, self.channels
        middle = {CONDITION: batch[CONDITION][:, 2 * g : 3 * g], VALUES: batch[VALUES][:, c : 2 * c]}
        return super().draw_batch({VALUES: samples[VALUES][:, c : 2 * c]}, middle)

    # Applying.

    def transform(
        self,
        mapper: Mapper,
        source: Path,
        out: Path,
        console: Console,
        mask: Path | None = None,  # noqa: ARG002
        smooth: bool = True,
        asked: Mapping[str, Any] = {},  # noqa: ARG002
    ) -> Applied:
        one = replace(mapper, channels=self.given, out_channels=self.channels)

        def restore(film: Path, place: Path) -> int:
            with console.progress(f"applying to {film.name}") as progress:
                return transform_video(one, film, place, None, smooth, progress, partial(restored, mapper), console.say)

        if not source.is_dir():
            if out.suffix.lower() not in WRITTEN:
                raise InputError(f"{out} does not fit {source}; give a name that ends in {', '.join(WRITTEN)}")
            count = restore(source, out)
            return Applied(count, "frame" if count == 1 else "frames")
        if out.suffix.lower() in WRITTEN:
            raise InputError(f"{out} is the name of a file and {source} is a folder; give a folder")
        count = restore_folder(restore, source, out, console)
        return Applied(count, "film" if count == 1 else "films")

    def smallest_item(self, mapper: Mapper) -> NDArray[Any]:  # noqa: ARG002
        return np.zeros((2, 16, 16, self.given), np.uint8)

    def transform_item(self, mapper: Mapper, item: NDArray[Any]) -> NDArray[Any]:
        """A clip of bytes (t, h, w, given), restored: (t, times h, times w, channels)."""
        if item.ndim != 4 or item.shape[3] != self.given or not len(item):
            raise InputError(f"a clip of shape {tuple(item.shape)} was given; give (frames, h, w, {self.given})")
        frames = torch.stack([frame for _, frame in restored(mapper, iter(item))])
        return self.unscale(frames).permute(0, 2, 3, 1).numpy()

    def file_sides(self, content: bytes) -> tuple[int, ...]:  # noqa: ARG002
        """(): a film is read frame by frame."""
        return ()

    # Judging.

    def clips(self, items: Items, indices: list[int], length: int) -> Iterator[Tensor]:
        """The first frames of films, (t, channels, h, w) in [-1, 1], at least two of each; sides are divisible by
        `times`. Films that cannot be read are left out.
        """
        for _, film in items.items.read(indices):
            try:
                first = [frame for _, frame in zip(range(length), self.frames(film), strict=False)]
            except InputError:
                continue
            if len(first) > 1:
                height, width = (side // self.times * self.times for side in first[0].shape[1:])
                yield self.scale(torch.from_numpy(np.stack(first)[:, :, :height, :width]))

    def judge(self, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Any) -> Judge:  # noqa: ARG002
        from sparring.modalities.video_restoration.judge import film_judge

        return film_judge(self, training, against, options)


def restored(mapper: Mapper, frames: Iterator[Pixels]) -> Iterator[tuple[Pixels, Tensor]]:
    """Each frame (h, w, given) with the restored one (channels, times h, times w), in [-1, 1]."""
    for window, count in windows(frames):
        y = torch.cat(list(mapped(mapper, np.concatenate(window, 2))), 1).chunk(SEEN)
        yield from zip(window[1 : 1 + count], y[:count], strict=True)


def restore_folder(restore: Callable[[Path, Path], int], source: Path, out: Path, console: Console) -> int:
    """Restore all films below a folder; those that cannot be read are named at the end.

    Args:
        restore: from a file to another one.

    Returns:
        The number of restored films.

    Raises:
        InputError: if there are none.
    """
    own = resolved(out)  # which may be in the source, with earlier results
    files = [p for p in sorted(source.rglob("*")) if p.suffix.lower() in READ and own not in resolved(p).parents]
    found = [path for path in files if path.suffix.lower() in FILMS or animations.frame_count(path) > 1]
    if not found:
        raise InputError(f"{source} holds no films; give a film ({', '.join(READ)}), or a folder of films")
    skipped = []
    for film in found:
        name = film.relative_to(source)
        place = out / (name if name.suffix.lower() in WRITTEN else f"{name}.mp4")
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            restore(film, place)
        except InputError as error:
            skipped.append(str(error))
    if len(skipped) == len(found):
        raise InputError(f"none of the {len(found)} films in {source} can be used; {skipped[0]}")
    for line in skipped:
        console.say(f"skipped {line}")
    return len(found) - len(skipped)
