"""Items of several parts, of which some may be given and some may be missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.layers.parts import Parts, joined
from sparring.modalities.asks import Ask, Request
from sparring.modalities.base import Encoded, Modality, Recommendation, Samples, Words, Writer
from sparring.modalities.joint import conditions, drawing, fitting, reading, writing
from sparring.modalities.joint.assembled import Assembled
from sparring.modalities.joint.check import survey
from sparring.modalities.joint.parts import Part, RowPart
from sparring.modalities.joint.soundtracks import FILM, SOUND
from sparring.modalities.joint.tuples import KIND
from sparring.modalities.samples import write_png
from sparring.modalities.survey import Survey

if TYPE_CHECKING:
    from sparring.modalities.judge import Judge, TrainingData

PRESENT = "present"  # the part of encoded items that says which parts they have


@dataclass(frozen=True)
class Joint(Modality):
    """Items of several parts; networks receive the values of all parts as one vector, 0 where a part is missing.

    Attributes:
        table: path of a table that names the files; "" for one beside them, if there is one.
        match: name or path of another data set, whose items of the same class belong to the first set's.
        columns: that rows consist of; () for all that are suitable.
        size: height and width of pictures and frames; 0 to choose it from the data.
        seconds: length of sounds; 0 to choose it from the data.
        giving: False for recipes whose samples follow nothing that is given, which learn from whole items alone.
        parts: as fitted.
    """

    kind: ClassVar[str] = KIND
    reads: ClassVar[tuple[str, ...]] = tuple(kind for kind in Part.kinds if kind != "rows")
    specific: ClassVar[bool] = True
    words: ClassVar[Words] = Words("item", "items", compared="the features of all parts together")
    features_name: ClassVar[str] = "parts"
    files: ClassVar[str] = "a folder of files that share stems (001.png, 001.txt), or a table that names files"
    preview_items: ClassVar[int] = 24
    walk_grid: ClassVar[tuple[int, int]] = (3, 6)
    neighbor_grid: ClassVar[tuple[int, int]] = (4, 3)
    film_items: ClassVar[int] = 6
    max_draws: ClassVar[int] = 2000

    table: str = ""
    match: str = ""
    columns: tuple[str, ...] = ()
    size: int = 0
    seconds: float = 0.0
    giving: bool = True
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        restored: Sequence[Any] = self.parts
        parts = tuple(Part.restored(part) if isinstance(part, Mapping) else part for part in restored)
        object.__setattr__(self, "parts", parts)

    @classmethod
    def read(cls, path: Path) -> Items | None:
        return reading.read(path)

    @classmethod
    def read_asked(cls, path: Path) -> Items | None:
        return reading.read_asked(path)

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:  # noqa: ARG003
        if items.kind != cls.kind:
            return None
        return Recommendation("joint", f"items of several parts ({', '.join(items.items.parts)}), learned together")

    @classmethod
    def survey(cls, items: Items, data: str, progress: Progress = no_progress) -> Survey:
        return survey(cls(), items, data, progress)

    # Encoding.

    @cached_property
    def layout(self) -> Parts:
        """Where the parts are in a vector."""
        return Parts(tuple(part.shape for part in self.parts), tuple(part.owners for part in self.parts))

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.layout.width,)

    @property
    def row(self) -> RowPart | None:
        """The part of columns of a table; None if there is none."""
        return next((part for part in self.parts if isinstance(part, RowPart)), None)

    def joint_items(self, items: Items) -> Items:
        """A data set as items of several parts.

        Raises:
            InputError: if it has one part only.
        """
        return fitting.joint_items(items, self.table, self.match)

    def fit(self, items: Items) -> Self:
        settings = {"size": self.size, "seconds": self.seconds}
        parts = fitting.fitted(self.joint_items(items), self.split(items).train, settings, self.columns)
        return replace(self, table=fitting.lasting(self.table), match=fitting.lasting(self.match), parts=parts)

    def splits_at_random(self, items: Items) -> bool:
        parts = self.joint_items(items).items.parts.values()
        return super().splits_at_random(items) and all(part.held is None for part in parts)

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """All items that have a part that can be read: their parts in bytes, (n, bytes), and which parts they have,
        (n, parts).

        Raises:
            InputError: if the data lack a part that the model has, or too few items can be read.
        """
        whole = self.joint_items(items)
        tuples = whole.items
        packed, present, notes = [], [], [*tuples.missing()]
        for part in self.parts:
            conditions.check_part(part.name, tuples, items.name)
            own, has, said = fitting.encoded_part(part, tuples.parts[part.name], tuples.rows[part.name], progress)
            packed.append(own)
            present.append(has)
            notes += said
        has_parts = torch.stack(present, 1)
        kept = has_parts.any(1) if self.giving else has_parts.all(1)
        tensors = {VALUES: torch.cat(packed, 1)[kept], PRESENT: has_parts[kept].to(torch.uint8)}
        return Encoded(tensors, tuples.origins[kept.numpy()], notes=tuple(notes))

    def scale(self, encoded: Tensor) -> Tensor:
        each = torch.split(encoded, [part.packed_size for part in self.parts], 1)
        return joined([part.values(part.unpacked(own)) for part, own in zip(self.parts, each, strict=True)])

    def unscale(self, values: Tensor) -> Tensor:
        each = zip(self.parts, self.layout.split(values), strict=True)
        return torch.cat([part.packed(part.encoded(own)) for part, own in each], 1)

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        """Items, and as their conditions some of their own parts and columns, drawn anew each time."""
        layout, present = self.layout, tensors[PRESENT].float()
        values = self.scale(tensors[VALUES]) * present[:, layout.part_of_values().to(present.device)]
        rest = {name: tensor for name, tensor in tensors.items() if name not in (VALUES, PRESENT)}
        if not self.giving:
            return {**rest, VALUES: values}
        fields = conditions.random_fields(layout, present)
        return {**rest, VALUES: values, CONDITION: layout.condition(fields, present, values)}

    def own(self, samples: Tensors) -> list[tuple[Part, Tensors]]:
        """Samples by part, as the part's own modality takes them."""
        each = zip(self.parts, self.layout.split(samples[VALUES]), strict=True)
        return [(part, part.own(values)) for part, values in each]

    def decode(self, samples: Tensors, start: int = 0) -> Assembled:
        return Assembled({part.name: part.modality.decode(values, start) for part, values in self.own(samples)})

    def with_pixels(self, items: Assembled, change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> Assembled:
        changed = {part.name: part.modality.with_pixels(items.parts[part.name], change) for part in self.parts}
        same = all(changed[part.name] is items.parts[part.name] for part in self.parts)
        return items if same else Assembled(changed)

    def concatenate(self, parts: Sequence[Any]) -> Any:
        return Assembled(
            {part.name: part.modality.concatenate([each.parts[part.name] for each in parts]) for part in self.parts}
        )

    def portable(self) -> Self:
        parts = tuple(replace(part, modality=part.modality.portable()) for part in self.parts)
        return replace(self, table=fitting.unnamed(self.table), match=fitting.unnamed(self.match), parts=parts)

    # Conditions.

    @property
    def condition_width(self) -> int:
        return self.layout.condition_width if self.parts and self.giving else 0

    def with_classes(self, classes: tuple[str, ...], labels: Any) -> Self:  # noqa: ARG002
        """This modality: classes are columns of a row, not conditions of their own."""
        return self

    def draw_conditions(self, n: int, device: torch.device, requested: Tensor | None = None) -> Tensor | None:
        """Conditions of n samples of all parts, of which nothing is given unless it is requested."""
        if not self.giving:
            return None
        one = conditions.nothing(self.layout) if requested is None else requested
        return one.to(device).repeat(n, 1)

    @property
    def asks(self) -> tuple[Ask, ...]:
        return conditions.asks(self.parts) if self.giving else ()

    def requested(self, asked: Mapping[str, Any]) -> Request:
        return conditions.requested(self.parts, self.layout, asked)

    def describe_labels(self) -> str:
        return f"{len(self.parts)} parts ({', '.join(part.name for part in self.parts)})"

    def describe_condition_input(self) -> str:
        fields = ", ".join(field for part in self.parts for field in part.fields)
        names = ", ".join(part.name for part in self.parts)
        return (
            f"1 for each field that is given ({fields}), 1 for each part of the item ({names}), then a sample's values"
        )

    def describe_conditions(self) -> dict[str, Any]:
        columns = {} if self.row is None else self.row.modality.describe_conditions()
        return {**super().describe_conditions(), **columns}

    def describe_values(self) -> str:
        sizes = zip(self.parts, self.layout.shapes, strict=True)
        return f"the values of its parts: {', '.join(f'{part.name} {shape}' for part, shape in sizes)}"

    # Judging.

    def features(self, samples: Tensors) -> Tensor:
        return torch.cat([part.modality.features(values).flatten(1).float() for part, values in self.own(samples)], 1)

    def comparable(self, samples: Tensors) -> Tensor:
        each = [part.modality.comparable(values).flatten(1).float() for part, values in self.own(samples)]
        return torch.cat([vectors / vectors.shape[1] ** 0.5 for vectors in each], 1)

    def judge(
        self, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Callable[[str], None]
    ) -> Judge:
        from sparring.modalities.joint.judge import joint_judge

        return joint_judge(self, training, against, options, say)

    # Drawing and writing.

    def parts_of(self, samples: Samples) -> dict[str, Samples]:
        return {part.name: Samples(samples.items.parts[part.name], None, part.modality) for part in self.parts}

    def draw_items(self, samples: Samples) -> list[Image.Image]:
        return drawing.cards(list(self.parts_of(samples).values()))

    def preview(self, samples: Samples) -> Image.Image:
        return drawing.sheet(self.draw_items(samples))

    @property
    def writers(self) -> tuple[Writer, ...]:
        heard = {SOUND, FILM} <= {part.name for part in self.parts}
        films = (Writer(".mp4", "video/mp4", self._write_film),) if heard else ()
        return (Writer("", "multipart/form-data", self._write_folder), Writer(".png", "image/png", write_png), *films)

    def _write_film(self, samples: Samples, path: Path) -> None:
        parts = self.parts_of(samples)
        writing.write_film(parts[FILM], parts[SOUND], path)

    def _write_folder(self, samples: Samples, folder: Path) -> None:
        writing.write_folder(self.parts_of(samples), folder)

    def as_json(self, samples: Samples) -> dict[str, Any]:
        each = self.parts_of(samples)
        return {"parts": {name: part.modality.as_json(part) for name, part in each.items()}}
