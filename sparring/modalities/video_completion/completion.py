"""Clips of which some frames are given, and the others are generated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Decoded, Progress, no_progress
from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.errors import InputError
from sparring.metrics.patches import patches
from sparring.modalities.applying import Applied
from sparring.modalities.asks import Ask
from sparring.modalities.base import Recommendation, Source, Words, Writer
from sparring.modalities.judge import Console
from sparring.modalities.survey import Survey
from sparring.modalities.video import Video, drawing, reading
from sparring.modalities.video_completion.apply import completed, transform
from sparring.nets.tiles import Mapper

if TYPE_CHECKING:
    from sparring.modalities.judge import Judge, TrainingData

MAX_ADDED = 4096  # frames that follow a film
MAX_VARIANT = 2**32 - 1

LENGTH = Ask(
    "length", "Frames that follow a film; each chunk of them is predicted from the frames before it.", "integer",
    low=1, high=MAX_ADDED, examples=("24",),
)  # fmt: skip
VARIANT = Ask(
    "variant", "Seed of the generated frames: another one is another future.", "integer", low=0, high=MAX_VARIANT,
    examples=("3",),
)  # fmt: skip


@dataclass(frozen=True)
class VideoCompletion(Video):
    """Clips (channels, frames, size, size) in [-1, 1] that are generated from some of their frames and from noise. In
    batches, the condition is the given frames one after the other and constant maps of noise,
    (k channels + z, size, size).

    Attributes:
        given: frames that are given at the beginning of a clip.
        after: frames that are given at its end; 0 if the frames that follow are predicted.
        made: frames that are generated after or between them.
        z: maps of noise.
    """

    kind: ClassVar[str] = "completed video"
    hub_task: ClassVar[str] = "image-to-video"
    reads: ClassVar[tuple[str, ...]] = (reading.KIND,)
    files: ClassVar[str] = ""
    sets: ClassVar[Mapping[str, Callable[[], Items]]] = {}
    specific: ClassVar[bool] = False
    stored_as_bytes: ClassVar[bool] = False  # because what clips are generated from holds noise
    preview_items: ClassVar[int] = 6
    applied_media: ClassVar[Mapping[str, str]] = {"video/mp4": ".mp4"}

    given: int = 1
    after: int = 0
    made: int = 1
    z: int = 1

    @classmethod
    def read(cls, path: Path) -> Items | None:  # noqa: ARG003
        """None: films are read by `Video`, and this kind is fitted to the items of that."""
        return None

    @classmethod
    def read_asked(cls, path: Path) -> Items | None:
        return reading.read(path, frames=True)

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:  # noqa: ARG003
        return None

    @classmethod
    def survey(cls, items: Items, data: str, progress: Progress = no_progress) -> Survey:
        return Video.survey(items, data, progress)

    # Encoding.

    @property
    def known(self) -> tuple[bool, ...]:
        """For each frame of a clip whether it is given."""
        return (True,) * self.given + (False,) * self.made + (True,) * self.after

    @property
    def source(self) -> Source:
        maps = self.channels * (self.given + self.after) + self.z
        return Source((maps, self.size, self.size), Words("frame", "frames"), values="in [-1, 1], and normal noise")

    def fit(self, items: Items) -> Self:
        fixed: Self = replace(self, frames=len(self.known), loop=False)
        return super(VideoCompletion, fixed).fit(items)

    def decoded(self, items: Items, progress: Progress) -> Decoded:
        """As of `Video`; the error also says how long clips are, because films may be shorter."""
        try:
            return super().decoded(items, progress)
        except InputError as error:
            frames = f"{self.given} given ones and {self.made} generated ones"
            if self.after:
                frames = f"{self.made} generated ones between {self.given} and {self.after} given ones"
            raise InputError(f"{error} (clips have {frames}; made=N changes that)") from error

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        values = self.scale(tensors[VALUES])
        noise = torch.randn(len(values), self.z, device=values.device)
        return {**tensors, VALUES: values, CONDITION: self.condition_of(values, noise)}

    def condition_of(self, clips: Tensor, noise: Tensor) -> Tensor:
        """What clips (n, channels, frames, h, w) are generated from, for noise (n, z): the rest of them is ignored."""
        known = torch.tensor(self.known, device=clips.device)
        return self.joined(clips[:, :, known], noise)

    def joined(self, frames: Tensor, noise: Tensor) -> Tensor:
        """Given frames (n, channels, k, h, w) and noise (n, z) as networks receive them, (n, k channels + z, h, w)."""
        maps = noise[:, :, None, None].expand(-1, -1, *frames.shape[3:])
        return torch.cat([frames.transpose(1, 2).flatten(1, 2), maps], 1)

    def features(self, samples: Tensors) -> Tensor:
        """Patch features of the generated frame that is farthest from the given ones, and of its difference from the
        first frame.
        """
        x = samples[VALUES]
        far = x[:, :, self.given + (self.made // 2 if self.after else self.made - 1)]
        return torch.cat([patches(far), patches(far - x[:, :, 0])], 1)

    def draw_batch(self, samples: Tensors, batch: Mapping[str, Tensor]) -> Image.Image:
        """Each true clip, and below it the generated one."""
        pairs = torch.stack([batch[VALUES].to(samples[VALUES].device), samples[VALUES]], 1)
        return drawing.contact_sheet(self.decode({VALUES: pairs.flatten(0, 1)}))

    # Applying.

    @property
    def writers(self) -> tuple[Writer, ...]:
        """Those of single files."""
        return tuple(writer for writer in super().writers if writer.suffix)

    @property
    def asks(self) -> tuple[Ask, ...]:
        return ()

    @property
    def apply_asks(self) -> tuple[Ask, ...]:
        return (VARIANT,) if self.after else (LENGTH, VARIANT)

    def transform(
        self,
        mapper: Mapper,
        source: Path,
        out: Path,
        console: Console,
        mask: Path | None = None,  # noqa: ARG002
        smooth: bool = True,  # noqa: ARG002
        asked: Mapping[str, Any] = {},
    ) -> Applied:
        return transform(self, mapper, source, out, console, asked)

    def smallest_item(self, mapper: Mapper) -> NDArray[Any]:  # noqa: ARG002
        return np.zeros((max(2, self.given), self.size, self.size, self.channels), np.uint8)

    def transform_item(self, mapper: Mapper, item: NDArray[Any]) -> NDArray[Any]:
        """A clip (t, size, size, channels) of bytes with the frames that follow, or those between."""
        if item.ndim != 4 or item.shape[1:] != self.sample_shape[1:]:
            raise InputError(f"a clip of shape {tuple(item.shape)} was given; give (frames, {self._frame_shape()})")
        least = 2 if self.after else self.given
        if len(item) < least:
            raise InputError(f"a clip of {len(item)} frames was given, and this model needs {least}; give a longer one")
        return np.stack(list(completed(self, mapper, iter(item), {})))

    def _frame_shape(self) -> str:
        return ", ".join(map(str, self.sample_shape[1:]))

    # Judging.

    def judge(
        self, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Callable[[str], None]
    ) -> Judge:
        from sparring.modalities.video_completion.judge import completion_judge

        return completion_judge(self, training, against, options, say)
