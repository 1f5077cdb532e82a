"""How samples are drawn when a model is explored: defaults that serve any kind of data that can preview its samples."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from sparring.data import tensors
from sparring.data.items import Items
from sparring.data.split import Split
from sparring.data.tensors import VALUES, Tensors
from sparring.metrics.copies import pairwise_distances
from sparring.modalities.samples import Media, Samples

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sparring.modalities.base import Modality

MIN_TILE, MAX_TILE = 64, 256  # pixels of a tile's shorter side at least, for a caption, and of its longer one at most
LINE = 14  # pixels of a caption's height
GAP = 4
HELD_OUT = 32  # held-out items whose nearest training items are found for comparison


@dataclass(frozen=True)
class Drawing:
    """An image or a table, with a caption.

    Attributes:
        caption: what it shows, or how to read it.
        picture: the image; None if it is a table.
        table: lines of cells, the first of which is the header. Lines that begin with "sample" are highlighted.
        media: the same samples as a browser plays them; None for kinds that it does not play.
    """

    caption: str
    picture: Image.Image | None = None
    table: tuple[tuple[str, ...], ...] = ()
    media: Media | None = None


class Explored(Protocol):
    """A model that is explored, and the real data next to it."""

    @property
    def items(self) -> Items:
        """The real data."""

    @property
    def split(self) -> Split:
        """Which of `items` the model was trained on."""

    @property
    def training_words(self) -> str:
        """What the training items are called, such as "training images" or "images of 'photos'"."""

    @property
    def held_words(self) -> str:
        """What the held-out items are called."""

    def sample(self, n: int) -> Samples:
        """n samples in the user's units."""

    def samples(self, n: int) -> Tensors:
        """The same samples as networks see them."""

    def training(self) -> Iterator[Tensors]:
        """All training samples in batches, as networks see them."""

    def held_out(self, n: int) -> Tensors:
        """At most n held-out samples as networks see them, maybe 0."""


def grid(modality: Modality, samples: Tensors, columns: int, captions: Sequence[str] = ()) -> Image.Image:
    """Images of single samples side by side."""
    return tiled(single_images(modality, samples), columns, captions)


def single_images(modality: Modality, samples: Tensors) -> list[Image.Image]:
    """An image of each sample, or else the preview of each on its own."""
    images = modality.draw_items(Samples(modality.decode(samples), None, modality))
    if images is not None:
        return images
    single = (tensors.take(samples, slice(i, i + 1)) for i in range(tensors.length(samples)))
    return [Samples(modality.decode(sample), None, modality).preview() for sample in single]


def tiled(images: Sequence[Image.Image], columns: int, captions: Sequence[str] = ()) -> Image.Image:
    """Images side by side with a caption below each, if there are any. Small ones are enlarged by whole pixels, large
    ones are reduced.
    """
    tiles = [_resized(image) for image in images]
    width, height = (max(tile.size[side] for tile in tiles) for side in (0, 1))
    line = LINE if captions else 0
    rows = -(-len(tiles) // columns)
    page = Image.new("RGB", (columns * (width + GAP) - GAP, rows * (height + line + GAP) - GAP), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size=11)
    for i, tile in enumerate(tiles):
        left, top = i % columns * (width + GAP), i // columns * (height + line + GAP)
        page.paste(tile, (left, top))
        if captions:
            draw.text((left + width / 2, top + height), captions[i], "black", font=font, anchor="ma")
    return page


def _resized(image: Image.Image) -> Image.Image:
    image = _opaque(image)
    longer, shorter = max(image.size), min(image.size)
    if longer > MAX_TILE and shorter > MIN_TILE:
        share = max(MAX_TILE / longer, MIN_TILE / shorter)
        return image.resize((round(image.width * share), round(image.height * share)), Image.Resampling.LANCZOS)
    times = max(1, min(-(-MIN_TILE // shorter), MAX_TILE // longer))
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)


def _opaque(image: Image.Image) -> Image.Image:
    """In color, on white where it is transparent."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def nearest(
    samples: Tensors, training: Iterable[Tensors], k: int, comparable: Callable[[Tensors], Tensor]
) -> tuple[Tensor, Tensors]:
    """The nearest training items of each sample, in order of distance.

    Args:
        samples: n samples as networks generate them.
        training: all training items in batches.
        k: number of training items for each sample; fewer if there are not enough.
        comparable: samples -> vectors (n, d) that are compared.

    Returns:
        Root mean squares of the differences of the vectors, (n, k), and the items, (n, k, ...) by name of the part.
    """
    flat = comparable(samples).flatten(1).float()
    distances = flat.new_zeros(len(flat), 0)
    items = {name: part.new_zeros(len(flat), 0, *part.shape[1:]) for name, part in samples.items()}
    for batch in training:
        part = {name: batch[name].to(samples[name]) for name in samples}
        further = pairwise_distances(flat, comparable(part).flatten(1).float()) / flat.shape[1] ** 0.5  # (n, batch)
        best = further.topk(min(k, further.shape[1]), dim=1, largest=False)
        distances = torch.cat([distances, best.values], 1)
        order = distances.argsort(dim=1, stable=True)[:, :k]
        rows = torch.arange(len(order), device=order.device)[:, None]
        distances = distances.gather(1, order)
        items = {name: torch.cat([items[name], part[name][best.indices]], 1)[rows, order] for name in samples}
    return distances, items


def interleaved(neighbors: Neighbors) -> Tensors:
    """Each sample followed by its nearest training items, (n * (1 + k), ...) by name of the part."""
    return {
        name: torch.cat([part[:, None], neighbors.items[name]], 1).flatten(0, 1)
        for name, part in neighbors.samples.items()
    }


def render(figure: Figure) -> Image.Image:
    """A figure of matplotlib as an image."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    file.seek(0)
    return Image.open(file).convert("RGB")


@dataclass(frozen=True)
class Neighbors:
    """Samples with their nearest training items.

    Attributes:
        samples: n samples as networks see them.
        items: their nearest training items, (n, k, ...) by name of the part.
        distances: (n, k).
        held_distance: median distance of held-out items to their nearest training item; None if none are held out.
        held_count: number of those held-out items.
        held_words: what they are called.
    """

    samples: Tensors
    items: Tensors
    distances: Tensor
    held_distance: float | None
    held_count: int
    held_words: str

    @property
    def k(self) -> int:
        return self.distances.shape[1]

    @property
    def floor(self) -> str:
        """The distance that held-out items have, as a sentence; "" if none are held out."""
        if self.held_distance is None:
            return ""
        return (
            f". The median distance from {self.held_count} {self.held_words} to the nearest one is "
            f"{self.held_distance:.2g}"
        )


def neighbors(modality: Modality, explored: Explored, n: int, k: int) -> Neighbors:
    """The k nearest training items of n samples, with the distances that held-out items have."""
    made, held = _rounded(modality, explored.samples(n)), explored.held_out(HELD_OUT)
    others = {name: held[name].to(part) for name, part in made.items()}
    both = tensors.concatenate([made, others])
    distances, items = nearest(both, explored.training(), k, modality.comparable)
    count = tensors.length(others)
    usual = float(distances[n:, 0].median()) if count else None
    return Neighbors(made, tensors.take(items, slice(n)), distances[:n], usual, count, explored.held_words)


def neighbor_grid(modality: Modality, explored: Explored) -> Drawing:
    """A sample for each row, and its nearest training items with their distances."""
    rows, columns = modality.neighbor_grid
    found = neighbors(modality, explored, rows, columns)
    captions = [text for row in found.distances.tolist() for text in ("sample", *(f"{d:.2f}" for d in row))]
    shown = interleaved(found)
    picture = modality.draw_grid(shown, 1 + found.k, captions)
    caption = (
        f"a sample in each row and its nearest {explored.training_words}, with their distances: "
        f"{modality.distance_words}{found.floor}"
    )
    return Drawing(caption, picture, media=Samples(modality.decode(shown), None, modality).played())


def _rounded(modality: Modality, samples: Tensors) -> Tensors:
    """Samples as a file of them would be encoded."""
    return {**samples, VALUES: modality.scale(modality.unscale(samples[VALUES]))}
