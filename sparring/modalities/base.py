"""What a kind of data owes: the one interface through which everything else knows it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.data.items import Items
from sparring.data.records.reading import RecordSet
from sparring.data.split import Split, split_items
from sparring.data.store import Progress, Stored, no_progress
from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.errors import InputError
from sparring.files import check_output
from sparring.folders import check_folder
from sparring.modalities import exploring
from sparring.modalities.asks import Ask, Request
from sparring.modalities.conditional import Conditional
from sparring.modalities.descriptions import Encoded, Prices, Recommendation, Source, Words
from sparring.modalities.exploring import Drawing, Explored
from sparring.modalities.ranking import Ranked, rank_values
from sparring.modalities.samples import SAMPLES, Comparison, Samples, Writer, write_png
from sparring.modalities.survey import Survey, read_through

if TYPE_CHECKING:
    from sparring.modalities.applying import Applied
    from sparring.modalities.judge import Console, Judge, Sampler, TrainingData
    from sparring.modalities.labeled import LabeledSet
    from sparring.nets.discriminator import Discriminator
    from sparring.nets.tiles import Mapper

__all__ = [
    "Ask", "Encoded", "Modality", "Prices", "Recommendation", "Request", "Samples", "Source", "Words", "Writer",
]  # fmt: skip

Say = Callable[[str], None]


@dataclass(frozen=True)
class Modality(Conditional):
    """A kind of data: a frozen dataclass of primitives, whose fields are its fitted state."""

    kind: ClassVar[str]  # in model files; never shown where `words` will do
    reads: ClassVar[tuple[str, ...]] = ()  # kinds of items that it can be fitted to besides its own
    files: ClassVar[str] = ""  # files that `read` recognizes, for messages: "a table (.csv, .tsv, .parquet)"
    fallback: ClassVar[bool] = False  # True for kinds that accept files of more specific kinds and are asked last
    specific: ClassVar[bool] = False  # True for kinds that read some of the files of other kinds and are asked first
    sets: ClassVar[Mapping[str, Callable[[], Items]]] = {}  # data sets that are found by name
    features_name: ClassVar[str]  # of the features that samples are scored by during training
    shown_as: ClassVar[Literal["image", "table", "audio", "video"]] = "image"  # element that shows samples in a browser
    preview_items: ClassVar[int] = 64  # samples on a sheet
    walk_grid: ClassVar[tuple[int, int]] = (4, 7)  # walks on a sheet, and samples on each
    neighbor_grid: ClassVar[tuple[int, int]] = (4, 3)  # samples on a sheet, and training items next to each
    distance_words: ClassVar[str] = "root mean squares of the differences of their features"
    film_items: ClassVar[int] = 16  # samples in a frame of a film; 0 if previews of other samples have another frame
    chunk_size: ClassVar[int] = 64  # samples drawn together; the samples of a seed do not depend on n
    max_draws: ClassVar[int] = 200_000  # samples drawn, at least, before a condition that none satisfies is given up
    hub_task: ClassVar[str] = ""  # what models do, as the Hugging Face Hub names it (`pipeline_tag`); "" for others
    decodes_pixels: ClassVar[bool] = False  # True if decoded samples are pixels, uint8 (n, ..., h, w, c)
    stored_as_bytes: ClassVar[bool] = False  # True if encoded values are uint8, (n, channels, ...)
    # Media types and suffixes of what `transform` writes, for kinds that it has; the default first.
    applied_media: ClassVar[Mapping[str, str]] = {}
    applied_to_films: ClassVar[bool] = False  # True if `transform` also takes films
    completes: ClassVar[bool] = False  # True if items of which a part is given can be completed: `complete`
    shard_fields: ClassVar[tuple[str, ...]] = ()  # fields that decide how items are imported into shards
    discrete: ClassVar[bool] = False  # True if values contain choices, of which rounding flips some that are close

    # Reading.

    @classmethod
    def read(cls, path: Path) -> Items | None:  # noqa: ARG003
        """The data set in a file or a folder; None if it is not of this kind.

        Raises:
            InputError: if it is of this kind but cannot be used.
        """
        return None

    @classmethod
    def read_asked(cls, path: Path) -> Items | None:
        """The same if the user asked for this kind, by a recipe or a model: also data that otherwise are taken for
        those of another kind.

        Raises:
            InputError: as `read` does.
        """
        return cls.read(path)

    @classmethod
    def adopt(cls, data: Any) -> Items | None:  # noqa: ARG003
        """The data set in an object in memory, such as a data frame; None if it is not of this kind.

        Raises:
            InputError: as `read` does.
        """
        return None

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:  # noqa: ARG003
        """The recipe that fits a data set, a device and a training time; None if none of this kind does.

        Args:
            device: type of the device, such as "cpu".
            seconds: training time, if it is known.
        """
        return None

    @classmethod
    def accepts(cls, items: Items) -> bool:
        """True if this kind of data can be fitted to a data set."""
        return items.kind in (cls.kind, *cls.reads)

    @classmethod
    def survey(cls, items: Items, data: str, progress: Progress = no_progress) -> Survey:
        """What a data set contains, and what is wrong with it, for `sparring check`.

        Args:
            data: its name or path, as the user gave it.

        Raises:
            InputError: if the data cannot be used.
        """
        return read_through(cls(), items, data, progress)

    # Sets in shards.

    @classmethod
    def for_shards(cls, items: Items, fields: Mapping[str, Any]) -> Self:  # noqa: ARG003
        """This kind, fitted to items that are going to be imported into shards.

        Args:
            fields: values of `shard_fields`.

        Raises:
            InputError: if they cannot be.
        """
        raise InputError(
            f"{items.name!r} holds {cls.words.items}, which cannot be imported into shards; sparring train reads them "
            "as they are"
        )

    @classmethod
    def read_shards(cls, records: RecordSet) -> Items:
        """A set in shards, with a draw of its items.

        Raises:
            InputError: if this kind has no shards, or these are damaged.
        """
        raise InputError(f"{records.place.shown} holds {cls.words.items} in shards, which are not read")

    # Encoding.

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of the values of one sample, as the networks see it."""

    @property
    def source(self) -> Source | None:
        """The items that samples are generated from; None if samples are generated from noise."""
        return None

    @abstractmethod
    def fit(self, items: Items) -> Self:
        """This modality with what it has to know of the data: sizes, vocabularies, scaling.

        Raises:
            InputError: if the data cannot be used.
        """

    @abstractmethod
    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """All items as compact tensors.

        Raises:
            InputError: if too few can be read.
        """

    def split(self, items: Items, readable: NDArray[np.int64] | None = None) -> Split:
        """Which items are trained on and which are held out.

        Args:
            readable: indices of the items that can be read; all unless given.
        """
        return split_items(items, readable, self.stratify)

    def splits_at_random(self, items: Items) -> bool:
        """True if any item could have been held out as well as any other; False if the data set or their order decides
        which ones are.
        """
        return items.held is None

    @abstractmethod
    def scale(self, encoded: Tensor) -> Tensor:
        """Encoded values as the networks see them, (n, *shape), on any device."""

    @abstractmethod
    def unscale(self, values: Tensor) -> Tensor:
        """Generated values (n, *shape) as they would be encoded; `scale` returns what a file of them would hold."""

    @abstractmethod
    def decode(self, samples: Tensors, start: int = 0) -> Any:
        """Generated samples in the user's units.

        Args:
            start: number of samples generated before these, for kinds that number them.
        """

    def with_pixels(self, items: Any, change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> Any:
        """Decoded samples whose pixels are changed; the same object if they have none.

        Args:
            change: of pictures (n, h, w, c).
        """
        if not self.decodes_pixels:
            return items
        return change(items.reshape(-1, *items.shape[-3:])).reshape(items.shape)

    def concatenate(self, parts: Sequence[Any]) -> Any:
        """Decoded samples of several batches, one after the other."""
        return np.concatenate(parts)

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        """A batch of encoded samples as the networks see it, with random augmentation if there is any."""
        return {**tensors, VALUES: self.scale(tensors[VALUES])}

    def portable(self) -> Self:
        """This modality without paths of the machine that it was fitted on."""
        return self

    def deterministic(self) -> Self:
        """This modality without randomness in its batches."""
        return self

    def sampling_weights(self, tensors: Mapping[str, Tensor | Stored]) -> Tensor | None:  # noqa: ARG002
        """Relative frequency with which each sample is drawn, (n,); None if uniform."""
        return None

    def numbers_of(self, length: int | None = None) -> int:
        """How many numbers a sample consists of.

        Args:
            length: of the sample, for kinds of any length; None for the length that was trained on.
        """
        return prod(self.shape if length is None else (*self.shape[:-1], length))

    @property
    def apply_asks(self) -> tuple[Ask, ...]:
        """What `transform` can be asked for, such as how much follows what is given."""
        return ()

    def transform(
        self,
        mapper: Mapper,  # noqa: ARG002
        source: Path,
        out: Path,  # noqa: ARG002
        console: Console,  # noqa: ARG002
        mask: Path | None = None,  # noqa: ARG002
        smooth: bool = True,  # noqa: ARG002
        asked: Mapping[str, Any] = {},  # noqa: ARG002
    ) -> Applied:
        """Apply a net to a file or to the files of a folder, for kinds whose samples are generated from given items.

        Args:
            mapper: from `Model.mapper`.
            mask: where holes are filled, for nets that do that; of the same form as the source.
            smooth: reduce changes over time that the source does not have.
            asked: checked values of `apply_asks`.

        Raises:
            InputError: if the source or the mask cannot be used, or `out` does not fit the source.
        """
        raise InputError(f"{source} was given, but models of {self.words.items} cannot be applied to files")

    def applied_suffix(self, source: Path) -> str:  # noqa: ARG002
        """Suffix of the file that `transform` writes best for a given one."""
        return next(iter(self.applied_media.values()))

    def transform_item(self, mapper: Mapper, item: NDArray[Any]) -> NDArray[Any]:  # noqa: ARG002
        """Apply a net to an item as an array in the user's units.

        Args:
            mapper: from `Model.mapper`.

        Raises:
            InputError: if the net cannot be applied to such an item.
        """
        raise InputError(f"models of {self.words.items} cannot be applied to arrays")

    def smallest_item(self, mapper: Mapper) -> NDArray[Any]:  # noqa: ARG002
        """A small item that `transform_item` takes, with which a net is warmed up."""
        raise InputError(f"models of {self.words.items} cannot be applied to arrays")

    def complete(self, model: Sampler, source: Path, out: Path, console: Console) -> Applied:  # noqa: ARG002
        """Complete the item in a file, or the items in those of a folder, for kinds that set `completes`.

        Raises:
            InputError: if the source cannot be used, or no such file can be written.
        """
        raise InputError(f"{source} was given, but models of {self.words.items} do not complete given ones")

    # Writing.

    @property
    def writers(self) -> tuple[Writer, ...]:
        """The formats that samples are written in. Over HTTP, the first of them with a media type is the default, or
        JSON if that is a text format.
        """
        return (Writer(".png", "image/png", write_png),)

    def writer(self, path: Path) -> Writer:
        """The format of a path.

        Raises:
            InputError: if no such format can be written.
        """
        known = {writer.suffix: writer for writer in self.writers}
        suffix = path.suffix.lower() if path.suffix.lower() in known or not path.is_dir() else ""
        if suffix not in known:
            formats = ", ".join(suffix or "a folder" for suffix in known)
            raise InputError(f"{path}: cannot write {self.words.items} as {path.suffix!r}; choose from {formats}")
        return known[suffix]

    def check_writable(self, path: Path, force: bool) -> None:
        """Check that samples may be written to a path.

        Raises:
            InputError: if something exists there and `force` is not set, or no such format can be written.
        """
        writer = self.writer(path)
        if writer.suffix:
            check_output(path, force)
        else:
            check_folder(path, SAMPLES, force)

    def as_json(self, samples: Samples) -> dict[str, Any]:
        """Samples as JSON; values that are not finite are null."""
        raise InputError(
            f"{len(samples)} {self.words.items} cannot be sent as JSON; accept one of the other media types"
        )

    # Drawing.

    @abstractmethod
    def preview(self, samples: Samples) -> Image.Image:
        """All samples as one picture."""

    def draw_items(self, samples: Samples) -> list[Image.Image] | None:  # noqa: ARG002
        """One image per sample; None for kinds whose samples are not single images."""
        return None

    def draw_given(self, path: Path) -> Image.Image | None:  # noqa: ARG002
        """The item in a user's file, of its own size, as an image; None if it cannot be shown as one.

        Raises:
            InputError: if the file cannot be read.
        """
        return None

    def as_frame(self, samples: Samples) -> Any | None:  # noqa: ARG002
        """Samples as a pandas data frame; None for kinds that are not shown as a table."""
        return None

    def parts_of(self, samples: Samples) -> dict[str, Samples]:  # noqa: ARG002
        """The parts of samples by name, each of its own kind of data; {} for kinds whose samples have none."""
        return {}

    def compare(
        self,
        samples: Samples,  # noqa: ARG002
        request: Request,  # noqa: ARG002
        items: Callable[[], Items | None],  # noqa: ARG002
    ) -> Comparison | None:
        """Distributions of samples next to those of the training data; None for kinds that have none to show.

        Args:
            request: what was asked of the samples; they are compared with the training data that satisfy its rules.
            items: loads the training data; None if they are missing or have changed.
        """
        return None

    def draw_batch(self, samples: Tensors, batch: Mapping[str, Tensor]) -> Image.Image:
        """A picture of generated samples, next to what they were generated for.

        Args:
            samples: from `Game.generate`.
            batch: their conditions ("condition") and, where samples are generated from items, the true items.
        """
        labels = self.labels_of(batch[CONDITION]) if self.classes else None
        return Samples(self.decode(samples), labels, self).preview()

    # Exploring.

    def draw_grid(self, samples: Tensors, columns: int, captions: Sequence[str] = ()) -> Image.Image:
        """Samples as networks see them, one by one in rows.

        Args:
            captions: the text below each sample; () for none.
        """
        return exploring.grid(self, samples, columns, captions)

    def draw_walks(self, walks: Tensors, steps: int, explored: Explored) -> Drawing:  # noqa: ARG002
        """Walks through the latent space. The caption says how to read the drawing.

        Args:
            walks: `steps` samples of the first walk, then those of the next, as networks see them.
            explored: draws further samples.
        """
        played = Samples(self.decode(walks), None, self).played()
        return Drawing("one walk in each row, from left to right", self.draw_grid(walks, steps), media=played)

    def comparable(self, samples: Tensors) -> Tensor:
        """Vectors (n, d) by whose distance the nearest training items are found."""
        return self.features(samples)

    def draw_neighbors(self, explored: Explored) -> Drawing:
        """Samples next to the training items that are nearest to them.

        Raises:
            InputError: if the training items are missing or of another kind.
        """
        return exploring.neighbor_grid(self, explored)

    def read_given(self, path: Path) -> NDArray[Any]:
        """The item in a file, or the items in a folder, fitted to the size of this model's: (n, ...) as decoded.

        Raises:
            InputError: if there are none, one cannot be read, or items of this kind are not read one by one.
        """
        raise InputError(f"{path} was given, but {self.words.items} are not read from single files; do not give it")

    def conversion(self, items: Items) -> str:  # noqa: ARG002
        """How items of another data set are changed to fit this model, in a few words; "" if they are not."""
        return ""

    # Exporting and serving.

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample in the user's units; of its usual length if it may have any."""
        channels, *sides = self.shape
        return (*sides, channels)

    def file_sides(self, content: bytes) -> tuple[int, ...]:  # noqa: ARG002
        """Lengths of the sides of the item in a file, such as its width and height in pixels, from the file's header;
        () if items have none.

        Raises:
            InputError: if the file cannot be read.
        """
        return ()

    def describe_values(self) -> str:
        """Range or meaning of the values that networks generate, a phrase such as "in [-1, 1]"; "" if unknown."""
        return ""

    # Judging.

    @property
    def classifier_input(self) -> tuple[int, int, int] | None:
        """Shape (channels, height, width) of the values if they are images in [-1, 1]; None otherwise. Image
        classifiers, pretrained networks for images and measures of sharpness are only offered for images.
        """
        return None

    @abstractmethod
    def features(self, samples: Tensors) -> Tensor:
        """Features (n, d) of samples as networks see them, by which they are scored during training."""

    @property
    def evaluated_by(self) -> tuple[str, ...]:
        """Names of the features in which samples are evaluated unless others are asked for, the most telling first.
        Those that are not installed are left out.
        """
        return (self.features_name,)

    def judge(
        self,
        training: TrainingData,  # noqa: ARG002
        against: Items | None,  # noqa: ARG002
        options: Mapping[str, Any],  # noqa: ARG002
        say: Say,  # noqa: ARG002
    ) -> Judge | None:
        """What evaluates samples of this kind by its own metrics; None if generic features suffice.

        Args:
            training: the data that the model was trained on.
            against: other data that the model has not seen, in place of the held-out ones.
            options: further settings, such as the names of features.
            say: receives progress messages.

        Raises:
            InputError: if the data are missing, changed or too few.
        """
        return None

    # Uses.

    def rank(self, critic: Discriminator, items: Items, device: torch.device, progress: Progress) -> list[Ranked]:
        """Items as a model's D judges them, in their order in the file.

        Args:
            critic: from `Game.critic`.

        Raises:
            InputError: if they cannot be judged.
        """
        return rank_values(self, critic, items, device, progress)

    def labeled_set(
        self,
        model: Sampler,  # noqa: ARG002
        training: TrainingData,  # noqa: ARG002
        against: Items | None,  # noqa: ARG002
        target: str,  # noqa: ARG002
    ) -> LabeledSet | None:
        """Labeled training data that samples can be added to, for kinds whose items have their class among their own
        values; None for kinds that have it beside them (`classes`).

        Args:
            model: generates the samples.
            training: the data that the model was trained on.
            against: other data that the model has not seen, in place of the held-out ones.
            target: the value that is the class; "" for the one that the model was trained with.

        Raises:
            InputError: if the data are missing, changed or too few, or there is no such target.
        """
        return None

    def prices(self, items: Items) -> Prices | None:  # noqa: ARG002
        """The prices in a data set; None for kinds that have none. Samples of kinds that have some are arrays
        (n, steps, channels), which continue `Prices.last`, and can be asked for a length.

        Raises:
            InputError: if the data lack a channel.
        """
        return None
