"""The latent space of a model, with the points of its samples."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from sparring.data.tensors import VALUES, Tensors
from sparring.errors import InputError
from sparring.model import Model
from sparring.seeds import Seeds, seeded


class Space:
    """The latents z of a model's prior; for style-based generators the styles w, one for all layers.

    Conditions are (n, ...), as the game takes them. Where the model is conditional and none are given, its classes take
    turns.

    Args:
        model: whose samples are determined by latents.

    Attributes:
        latent: the space of the game, without the model's seeds and conditions.
        name: "z" or "w".
        width: count of numbers of a point that may be moved; those of one-hot parts may not.
        movable: which these are, bool (full width,).

    Raises:
        InputError: if samples are not determined by latents.
    """

    def __init__(self, model: Model) -> None:
        latent = model.game.space()
        if latent is None:
            words, source = model.modality.words, model.modality.source
            origin = f"from given {source.words.items}" if source is not None else "with more randomness than latents"
            raise InputError(
                f"recipe {model.recipe.name!r} generates {words.items} {origin}; it has no latent space to explore"
            )
        self.model, self.latent, self.name = model, latent, latent.name
        self.movable = latent.movable
        self.width = int(self.movable.sum())

    def conditions(self, n: int) -> Tensor | None:
        """Classes in turn, (n,); other conditions as they occur in the data, (n, ...); None if samples have none."""
        game, device = self.model.game, self.model.device
        if game.classes:
            return torch.arange(n, device=device) % game.classes
        if not game.conditional:
            return None
        with seeded(Seeds(0).key("conditions"), device):
            return self.model.modality.draw_conditions(n, device)

    @torch.no_grad()
    def draw(self, n: int, seed: int, condition: Tensor | None = None) -> Tensor:
        """The points (n, full width) of `model.sample(n, seed=seed)`, for these conditions."""
        game, device, chunk = self.model.game, self.model.device, self.model.modality.chunk_size
        parts = []
        for start in range(0, n, chunk):
            with seeded(Seeds(seed).key("sample", start), device):
                parts.append(game.draw(chunk, device)[: n - start])
        return self.latent.points(torch.cat(parts), self.conditions(n) if condition is None else condition)

    def generate(self, points: Tensor, condition: Tensor | None = None) -> Tensors:
        """Samples of points, as networks generate them.

        Differentiable with respect to points that require a gradient; for others no graph is built.
        """
        condition = self.conditions(len(points)) if condition is None else condition
        with torch.set_grad_enabled(points.requires_grad and torch.is_grad_enabled()):
            return self.latent.generate(points, condition)

    def values(self, points: Tensor, condition: Tensor | None = None) -> Tensor:
        """The values of the samples of points, (n, ...)."""
        return self.generate(points, condition)[VALUES]

    def batches(self, points: Tensor, condition: Tensor | None = None) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Points (n, full width) with their conditions, a batch at a time."""
        condition = self.conditions(len(points)) if condition is None else condition
        chunk = self.model.modality.chunk_size
        for start in range(0, len(points), chunk):
            rows = slice(start, start + chunk)
            yield points[rows], None if condition is None else condition[rows]

    def between(self, a: Tensor, b: Tensor, steps: int) -> Tensor:
        """A walk from points (..., full width) to others, both included: (steps, ..., full width). Straight between
        styles, along arcs between normal latents.
        """
        return self.latent.between(a, b, steps)

    def center(self) -> Tensor:
        """The point (full width,) of an average sample: the mean style, or latents of 0 with one-hot parts at their
        first value.
        """
        return self.latent.center

    def deviation(self) -> Tensor:
        """Standard deviation of each number of a point, (full width,); 0 where it may not be moved."""
        return self.latent.deviation
